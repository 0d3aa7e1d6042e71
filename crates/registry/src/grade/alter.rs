//! Taking a change apart: what differs, place by place, and what it is.

use std::collections::HashSet;

use model::limits;
use serde_json::{Map, Value};

use super::vocabulary::{Vocabulary, is_negation, words};
use super::{Alteration, Grade};
use crate::judge::{is_raster, plain, texts};

/// Annotations that the protocol knows, and what each means when it is not there (schema of 2025-11-25, `ToolAnnotations`).
const HINTS: [(&str, bool); 4] =
    [("readOnlyHint", false), ("destructiveHint", true), ("idempotentHint", false), ("openWorldHint", true)];
/// Names that a host ends in. Others are told by a second dot: `main.rs` is a file.
const TOPS: [&str; 22] = [
    "com", "net", "org", "io", "dev", "app", "example", "test", "invalid", "onion", "info", "biz", "xyz", "co", "ai",
    "me", "ru", "cn", "local", "internal", "cloud", "top",
];
/// Keywords of a schema whose values are schemas by name.
const BY_NAME: [&str; 4] = ["properties", "patternProperties", "$defs", "definitions"];
/// Keywords whose value is a schema.
const INNER: [&str; 5] = ["items", "contains", "propertyNames", "additionalProperties", "unevaluatedProperties"];
/// Keywords that say what arguments there may be beside those that are declared. Without them the gate takes none, so that
/// an empty one is more than none.
const OTHERS: [&str; 2] = ["additionalProperties", "unevaluatedProperties"];
/// Members of an icon that hold no words.
const OF_ICONS: [&str; 4] = ["src", "mimeType", "sizes", "theme"];
/// Keywords that bound a value from below, and from above.
const FLOORS: [&str; 5] = ["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"];
const CEILINGS: [&str; 5] = ["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"];
/// Keywords that narrow in ways that are not compared.
const NARROWING: [&str; 14] = [
    "pattern",
    "format",
    "multipleOf",
    "uniqueItems",
    "const",
    "not",
    "anyOf",
    "oneOf",
    "allOf",
    "if",
    "then",
    "else",
    "dependentSchemas",
    "dependentRequired",
];

/// What differs between two definitions, apart from what the judge finds in the words.
pub(super) fn alterations(old: &Value, new: &Value) -> Vec<Alteration> {
    let mut change = Change { vocabulary: Vocabulary::of(old), addresses: addresses(old), added: 0, found: Vec::new() };
    let empty = Map::new();
    let (before, now) = (old.as_object().unwrap_or(&empty), new.as_object().unwrap_or(&empty));
    for key in keys(before, now) {
        let (old, new) = (before.get(key), now.get(key));
        let pointer = format!("/{key}");
        match key {
            _ if old == new => {}
            "description" | "title" => change.text(&pointer, old, new),
            "annotations" => change.annotations(old, new),
            "inputSchema" => change.schema(&pointer, old.unwrap_or(&Value::Null), new.unwrap_or(&Value::Null)),
            "arguments" => change.prompt_arguments(old, new),
            "icons" => change.icons(old, new),
            _ => change.surface(&pointer, old, new),
        }
    }
    if change.added > limits::DRIFT_WORDS_MAX {
        change.tell(Grade::NewWords, "", format!("{} words", change.added));
    }
    change.found
}

/// A change while it is taken apart.
struct Change {
    vocabulary: Vocabulary,
    /// The addresses of the old definition.
    addresses: HashSet<String>,
    /// Words that were added and are known.
    added: usize,
    found: Vec<Alteration>,
}

impl Change {
    fn tell(&mut self, grade: Grade, pointer: &str, about: impl Into<String>) {
        self.found.push(Alteration { grade, pointer: pointer.to_owned(), about: about.into() });
    }

    /// A text that is another, new or gone.
    fn text(&mut self, pointer: &str, old: Option<&Value>, new: Option<&Value>) {
        let (Some(before), Some(now)) = (written(old), written(new)) else {
            // What should be a text is none: nobody can say what reads it.
            return self.surface(pointer, old, new);
        };
        let (plain_before, plain_now) = (plain::plain(before), plain::plain(now));
        if plain_now.flaws.iter().any(|flaw| !plain_before.flaws.contains(flaw)) {
            self.tell(Grade::Concealment, pointer, "hidden characters");
        }
        let missing: Vec<String> = addresses_of(now).filter(|one| !self.addresses.contains(one)).collect();
        for address in missing {
            self.tell(Grade::Destination, pointer, address);
        }
        let (before, now) = (words(before), words(now));
        if before == now {
            return self.tell(Grade::Form, pointer, "");
        }
        let had: HashSet<&String> = before.iter().collect();
        let has: HashSet<&String> = now.iter().collect();
        let gained: Vec<&String> = has.difference(&had).copied().collect();
        let unknown: Vec<&str> =
            gained.iter().filter(|word| !self.vocabulary.knows(word)).map(|word| word.as_str()).collect();
        let lost = had.difference(&has).filter(|word| is_negation(word)).map(|word| word.as_str());
        let lost: Vec<&str> = if now.is_empty() { Vec::new() } else { lost.collect() };
        if !unknown.is_empty() {
            self.tell(Grade::NewWords, pointer, listed(&unknown));
        } else if !lost.is_empty() {
            self.tell(Grade::NewWords, pointer, format!("without {}", listed(&lost)));
        } else {
            // A word that was there and stands once more is one more, too.
            self.added += gained.len().max(now.len().saturating_sub(before.len()));
            self.tell(Grade::Wording, pointer, "");
        }
    }

    /// Every text of something that was not there.
    fn new_texts(&mut self, pointer: &str, value: &Value) {
        for found in texts(value) {
            let text = Value::String(found.text);
            self.text(&format!("{pointer}{}", found.pointer), None, Some(&text));
        }
    }

    fn annotations(&mut self, old: Option<&Value>, new: Option<&Value>) {
        let empty = Map::new();
        let members = |value: Option<&Value>| value.map_or(Some(empty.clone()), |value| value.as_object().cloned());
        let (Some(before), Some(now)) = (members(old), members(new)) else {
            return self.surface("/annotations", old, new);
        };
        for key in keys(&before, &now) {
            let (old, new) = (before.get(key), now.get(key));
            let pointer = format!("/annotations/{key}");
            match HINTS.iter().find(|(hint, _)| *hint == key) {
                _ if old == new => {}
                None if key == "title" => self.text(&pointer, old, new),
                None => self.surface(&pointer, old, new),
                Some((hint, default)) => {
                    let said = |value: Option<&Value>| value.map_or(Some(*default), Value::as_bool);
                    let careful = !matches!(*hint, "readOnlyHint" | "idempotentHint");
                    match (said(old), said(new)) {
                        (Some(before), Some(now)) if before == now => self.tell(Grade::Form, &pointer, ""),
                        (_, Some(now)) if now == careful => self.tell(Grade::AdmitsMore, &pointer, ""),
                        (_, Some(_)) => self.tell(Grade::ClaimsLess, &pointer, ""),
                        (_, None) => self.surface(&pointer, old, new),
                    }
                }
            }
        }
    }

    /// A prompt's arguments: names, descriptions, and which must be given.
    fn prompt_arguments(&mut self, old: Option<&Value>, new: Option<&Value>) {
        if !(is_list(old) && is_list(new)) {
            return self.surface("/arguments", old, new);
        }
        let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
        let (before, now) = (list(old), list(new));
        let named = |list: &[Value], name: &Value| list.iter().find(|one| one.get("name") == Some(name)).cloned();
        for argument in &now {
            let name = argument.get("name").unwrap_or(&Value::Null);
            let pointer = format!("/arguments/{}", name.as_str().unwrap_or_default());
            match named(&before, name) {
                Some(same) if same == *argument => {}
                Some(other) => self.prompt_argument(&pointer, &other, argument),
                None => {
                    self.tell(Grade::Widened, &pointer, "");
                    self.new_texts(&pointer, argument);
                }
            }
        }
        let gone = before.iter().filter_map(|one| one.get("name")).filter(|name| named(&now, name).is_none());
        for name in gone {
            self.tell(Grade::Narrowed, "/arguments", name.as_str().unwrap_or_default());
        }
    }

    /// One that has the same name in both.
    fn prompt_argument(&mut self, pointer: &str, old: &Value, new: &Value) {
        let empty = Map::new();
        let (before, now) = (old.as_object().unwrap_or(&empty), new.as_object().unwrap_or(&empty));
        for key in keys(before, now) {
            let place = format!("{pointer}/{key}");
            match key {
                _ if before.get(key) == now.get(key) => {}
                "description" | "title" => self.text(&place, before.get(key), now.get(key)),
                "required" => self.tell(Grade::Narrowed, pointer, key),
                _ => self.surface(&place, before.get(key), now.get(key)),
            }
        }
    }

    /// Pictures: a raster one that stands in the definition holds no words and leads nowhere.
    fn icons(&mut self, old: Option<&Value>, new: Option<&Value>) {
        if !(is_list(old) && is_list(new)) {
            return self.surface("/icons", old, new);
        }
        let is_picture = |icon: &Value| {
            icon.get("src").and_then(Value::as_str).is_some_and(is_raster)
                && icon.as_object().is_some_and(|icon| icon.keys().all(|key| OF_ICONS.contains(&key.as_str())))
        };
        let harmless = new.and_then(Value::as_array).into_iter().flatten().all(is_picture);
        self.tell(if harmless { Grade::Form } else { Grade::Surface }, "/icons", "");
    }

    /// Something of which the gate does not know what reads it. Its words are looked at all the same.
    fn surface(&mut self, pointer: &str, old: Option<&Value>, new: Option<&Value>) {
        if is_nothing(old) && is_nothing(new) {
            return self.tell(Grade::Form, pointer, "");
        }
        self.tell(Grade::Surface, pointer, "");
        if let Some(new) = new {
            self.new_texts(pointer, new);
        }
    }

    fn schema(&mut self, pointer: &str, old: &Value, new: &Value) {
        let nothing = Map::new();
        let members = |value: &Value| if value.is_null() { Some(nothing.clone()) } else { value.as_object().cloned() };
        let (Some(before), Some(now)) = (members(old), members(new)) else {
            return self.bound(pointer, old, new);
        };
        for key in keys(&before, &now).into_iter().filter(|key| before.get(*key) != now.get(*key)) {
            let place = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
            let (old, new) = (before.get(key), now.get(key));
            match key {
                key if is_nothing(old) && is_nothing(new) && !OTHERS.contains(&key) => {
                    self.tell(Grade::Form, &place, "");
                }
                "description" | "title" | "$comment" => self.text(&place, old, new),
                "required" | "enum" => self.members(&place, key, old, new),
                "type" => self.kinds(&place, old, new),
                key if BY_NAME.contains(&key) => self.named(&place, old, new),
                key if INNER.contains(&key) => match (old, new) {
                    (Some(old @ Value::Object(_)), Some(new @ Value::Object(_))) => self.schema(&place, old, new),
                    // The gate takes no arguments that are not declared, whether or not the schema says so.
                    (None, Some(Value::Bool(false))) | (Some(Value::Bool(false)), None)
                        if key == "additionalProperties" =>
                    {
                        self.tell(Grade::Form, &place, "");
                    }
                    (_, Some(Value::Bool(false))) => self.tell(Grade::Narrowed, &place, ""),
                    (_, new) => {
                        self.tell(Grade::Widened, &place, "");
                        self.new_texts(&place, new.unwrap_or(&Value::Null));
                    }
                },
                key if FLOORS.contains(&key) || CEILINGS.contains(&key) => self.limit(&place, key, old, new),
                key if NARROWING.contains(&key) => {
                    self.tell(if new.is_some() { Grade::Narrowed } else { Grade::Widened }, &place, "");
                    self.new_texts(&place, new.unwrap_or(&Value::Null));
                }
                // Also `default` and `examples`: models copy them into calls.
                _ => self.surface(&place, old, new),
            }
        }
    }

    /// Schemas by name: arguments, mostly.
    fn named(&mut self, pointer: &str, old: Option<&Value>, new: Option<&Value>) {
        let empty = Map::new();
        let members =
            |value: Option<&Value>| value.and_then(Value::as_object).cloned().unwrap_or_else(|| empty.clone());
        let (before, now) = (members(old), members(new));
        for key in keys(&before, &now) {
            let place = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
            match (before.get(key), now.get(key)) {
                (Some(old), Some(new)) if old == new => {}
                (Some(old), Some(new)) => self.schema(&place, old, new),
                (None, Some(new)) => {
                    self.tell(Grade::Widened, &place, "");
                    self.text(&place, None, Some(&Value::String(key.to_owned())));
                    self.new_texts(&place, new);
                }
                (_, None) => self.tell(Grade::Narrowed, &place, ""),
            }
        }
    }

    /// `required` and `enum`: lists of which more of the first and less of the second is narrower.
    fn members(&mut self, pointer: &str, key: &str, old: Option<&Value>, new: Option<&Value>) {
        let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
        let (before, now) = (list(old), list(new));
        let gained: Vec<&Value> = now.iter().filter(|one| !before.contains(one)).collect();
        let lost = before.iter().any(|one| !now.contains(one));
        if key == "required" {
            if !gained.is_empty() {
                self.tell(Grade::Narrowed, pointer, "");
            } else {
                self.tell(if lost { Grade::Widened } else { Grade::Form }, pointer, "");
            }
            return;
        }
        match (old, new) {
            (None, _) => self.tell(Grade::Narrowed, pointer, ""),
            (_, None) => self.tell(Grade::Widened, pointer, ""),
            (Some(_), Some(_)) if gained.is_empty() && !lost => self.tell(Grade::Form, pointer, ""),
            (Some(_), Some(_)) => {
                if lost {
                    self.tell(Grade::Narrowed, pointer, "");
                }
                if !gained.is_empty() {
                    self.tell(Grade::Widened, pointer, "");
                }
            }
        }
        for value in gained {
            self.new_texts(pointer, value);
        }
    }

    /// `type`: a word or a list of words.
    fn kinds(&mut self, pointer: &str, old: Option<&Value>, new: Option<&Value>) {
        let kinds = |value: Option<&Value>| match value {
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            value => value.and_then(Value::as_str).map(|one| HashSet::from([one.to_owned()])).unwrap_or_default(),
        };
        let (before, now): (HashSet<String>, HashSet<String>) = (kinds(old), kinds(new));
        let covers = |wide: &HashSet<String>, close: &HashSet<String>| {
            let within = |one: &String| wide.contains(one) || (one == "integer" && wide.contains("number"));
            wide.is_empty() || (!close.is_empty() && close.iter().all(within))
        };
        let grade = match (covers(&now, &before), covers(&before, &now)) {
            (true, true) => Grade::Form,
            (true, false) => Grade::Widened,
            (false, _) => Grade::Narrowed,
        };
        self.tell(grade, pointer, "");
    }

    fn limit(&mut self, pointer: &str, key: &str, old: Option<&Value>, new: Option<&Value>) {
        let number = |value: Option<&Value>| value.and_then(Value::as_f64);
        let grade = match (number(old), number(new)) {
            (Some(before), Some(now)) if (now < before) == FLOORS.contains(&key) => Grade::Widened,
            (Some(_), None) if new.is_none() => Grade::Widened,
            (_, _) => Grade::Narrowed,
        };
        self.tell(grade, pointer, "");
    }

    /// A schema that is no object on one side: `true`, `false`.
    fn bound(&mut self, pointer: &str, old: &Value, new: &Value) {
        let grade = if *new == Value::Bool(false) { Grade::Narrowed } else { Grade::Widened };
        self.tell(if old == new { Grade::Form } else { grade }, pointer, "");
        self.new_texts(pointer, new);
    }
}

/// The keys of both, each once.
fn keys<'both>(one: &'both Map<String, Value>, other: &'both Map<String, Value>) -> Vec<&'both str> {
    one.keys().chain(other.keys().filter(|key| !one.contains_key(*key))).map(String::as_str).collect()
}

/// A text, or none where none need be.
fn written(value: Option<&Value>) -> Option<&str> {
    value.map_or(Some(""), Value::as_str)
}

/// Whether something that may be a list is one, or is not there.
fn is_list(value: Option<&Value>) -> bool {
    value.is_none_or(|value| value.is_array() || value.is_null())
}

/// Whether something says no more than its absence.
fn is_nothing(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::Array(list)) => list.is_empty(),
        Some(Value::Object(members)) => members.is_empty(),
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_)) => false,
    }
}

fn addresses(definition: &Value) -> HashSet<String> {
    texts(definition).iter().flat_map(|one| addresses_of(&one.text).collect::<Vec<_>>()).collect()
}

/// What in a text could be sent to: hosts, mail addresses, paths of a file system, long numbers.
fn addresses_of(text: &str) -> impl Iterator<Item = String> {
    let lower = text.to_lowercase();
    let is_edge = |c: char| !c.is_alphanumeric() && !matches!(c, '~' | '/' | '+');
    let runs =
        lower.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>' | '(' | ')' | ',' | ';'));
    let runs = runs.map(move |run| run.trim_matches(is_edge).to_owned()).filter(|run| is_address(run));
    runs.collect::<Vec<_>>().into_iter()
}

fn is_address(run: &str) -> bool {
    let digits = run.bytes().filter(u8::is_ascii_digit).count();
    let host = run.split(['/', ':']).next().and_then(|host| host.rsplit_once('.')).is_some_and(|(before, top)| {
        before.chars().last().is_some_and(char::is_alphanumeric)
            && (TOPS.contains(&top) || before.contains('.'))
            && top.len() >= 2
            && top.bytes().all(|byte| byte.is_ascii_alphabetic())
    });
    let path = run.starts_with("~/") || (run.starts_with('/') && run.matches('/').count() >= 2);
    run.contains("://") || (run.contains('@') && run.contains('.')) || path || digits >= 9 || host
}

/// Some words, as a person reads them.
fn listed(words: &[&str]) -> String {
    let mut words = words.to_vec();
    words.sort_unstable();
    let mut text = words.iter().take(limits::ALTERATION_WORDS_MAX).copied().collect::<Vec<_>>().join(", ");
    if words.len() > limits::ALTERATION_WORDS_MAX {
        text.push_str(", …");
    }
    text
}
