//! What does a tool seem to do, and do its annotations say the same?
//!
//! Annotations are the server's own word, so they are never trusted alone: the class is read from the tool's name,
//! description and schema, and where the annotations claim less, the approver is told.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::places::apart;
use super::{Class, Remark};

/// What a tool seems to do, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// It looks at something.
    Read,
    /// Its words do not say; so it is taken to change something.
    Unknown,
    /// It makes or changes something.
    Write,
    /// It reaches people or systems outside.
    External,
    /// It takes something away, or runs what it is given.
    Destructive,
}

impl Effect {
    /// The word used in documents and on the screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "reads",
            Self::Unknown => "unknown",
            Self::Write => "writes",
            Self::External => "sends",
            Self::Destructive => "destroys",
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    read: Vec<String>,
    write: Vec<String>,
    destructive: Vec<String>,
    external: Vec<String>,
    runs: Vec<String>,
}

struct Words {
    verbs: HashMap<String, Effect>,
    runs: Vec<String>,
}

#[expect(clippy::expect_used, reason = "the file is part of the program, and the tests read it")]
static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let written: Written = toml::from_str(include_str!("../../rules/effects.toml")).expect("the words can be read");
    let Written { read, write, destructive, external, runs } = written;
    let lists = [(Effect::Read, read), (Effect::Write, write), (Effect::External, external)];
    let lists = lists.into_iter().chain([(Effect::Destructive, destructive)]);
    let verbs = lists.flat_map(|(effect, verbs)| verbs.into_iter().map(move |verb| (verb, effect))).collect();
    Words { verbs, runs }
});

/// What a tool seems to do.
pub fn effect(name: &str, definition: &Value) -> Effect {
    let name = apart(name).to_ascii_lowercase();
    let words: Vec<&str> = name.split('_').filter(|word| !word.is_empty()).collect();
    let of = |word: &&str| WORDS.verbs.get(*word).copied();
    // `get_deleted` reads: the leading verb counts. `page_delete` has none in front, so that any counts.
    let by_name = words.first().and_then(of).or_else(|| words.iter().filter_map(of).max());
    let by_name = by_name.unwrap_or(Effect::Unknown);
    let told = definition.get("description").and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let mut told = told.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let by_words = told.next().and_then(|word| of(&word).or_else(|| of(&word.strip_suffix('s')?)));
    let arguments = definition.pointer("/inputSchema/properties").and_then(Value::as_object);
    let runs = arguments.into_iter().flatten().any(|(name, _)| {
        let name = apart(name).to_ascii_lowercase();
        WORDS.runs.contains(&name)
    });
    let by_words = match (by_name, by_words) {
        (Effect::Unknown, None) => Effect::Unknown,
        (Effect::Unknown, Some(effect)) => effect,
        (by_name, by_words) => by_name.max(by_words.unwrap_or(by_name)),
    };
    if runs { by_words.max(Effect::Destructive) } else { by_words }
}

/// Tells where annotations claim less than the words say, and what a schema takes without saying so.
pub(super) fn look(effect: Effect, definition: &Value, told: &mut dyn FnMut(Remark)) {
    let hint = |name: &str| definition.pointer(&format!("/annotations/{name}")).and_then(Value::as_bool);
    let remark = |rule, class, points, pointer: &str, says| Remark {
        rule,
        class,
        points,
        pointer: pointer.to_owned(),
        says,
        excerpt: String::new(),
    };
    if hint("readOnlyHint") == Some(true) && matches!(effect, Effect::Write | Effect::External | Effect::Destructive) {
        let says = "claims only to read, and its words say that it does more";
        told(remark("effect.claims-reading", Class::Effect, 20, "/annotations/readOnlyHint", says));
    }
    if hint("destructiveHint") == Some(false) && effect == Effect::Destructive {
        let says = "claims to destroy nothing, and its words say otherwise";
        told(remark("effect.claims-harmless", Class::Effect, 20, "/annotations/destructiveHint", says));
    }
    let schema = definition.get("inputSchema");
    let has_arguments = schema.and_then(|schema| schema.get("properties")).is_some();
    if !has_arguments && schema.and_then(|schema| schema.get("additionalProperties")) == Some(&Value::Bool(true)) {
        told(remark("schema.anything", Class::Schema, 10, "/inputSchema", "takes any arguments and names none"));
    }
}
