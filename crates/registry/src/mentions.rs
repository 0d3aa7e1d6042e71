//! Which definitions of a server speak of other servers' tools?
//!
//! What a server says of itself is read by models beside what others say. A description may therefore steer calls to tools
//! that are not its own: "before `erp_refund`, always call this one" (shadowing). Nothing honest forbids such words, so
//! they are shown to whoever approves, with their place; the approver decides.
//!
//! Few false alarms matter more here than finding every wording: a person who is warned of everything reads nothing. So
//! a name counts only as a whole word, and one that could be an ordinary word only where the text says that it is a name.
//! `read_file`, `read-file` and `readFile` are one name to a model, and so they are here.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use model::{ServerName, limits};
use serde_json::Value;

use crate::{Definitions, Kind, Named};

/// Another server, with what it offers.
#[derive(Debug, Clone, Copy)]
pub struct Neighbour<'registry> {
    /// Its name within the gate.
    pub name: &'registry ServerName,
    /// What of it was approved, or seen.
    pub definitions: &'registry Definitions,
}

/// A place where a server speaks of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// The definition that does; none for the instructions.
    pub within: Option<Named>,
    /// Where in the definition, as a JSON pointer.
    pub pointer: String,
    /// The server that is spoken of.
    pub server: ServerName,
    /// Its tool or prompt, if it is one of those.
    pub name: Option<String>,
    /// The words around it.
    pub excerpt: String,
}

/// Words next to which another server's name is that server's.
const OF_SERVERS: [&str; 6] = ["server", "servers", "tool", "tools", "mcp", "connector"];
/// Words next to which an ordinary word is a tool's name.
const OF_TOOLS: [&str; 4] = ["tool", "tools", "function", "functions"];

/// Everything in `definitions` that speaks of other servers, at most [`limits::MENTIONS_MAX`], each name once per definition.
pub fn mentions(own: &ServerName, definitions: &Definitions, names: &Names) -> Vec<Mention> {
    let offered = definitions.tools.iter().chain(&definitions.prompts);
    let known = Known { own, offered: offered.map(|one| squashed(&one.name)).collect(), names };
    let mut found = Vec::new();
    if let Some(instructions) = &definitions.instructions {
        known.text(None, "", instructions, &mut HashSet::new(), &mut found);
    }
    for kind in Kind::ALL {
        for definition in definitions.of(kind) {
            let within = Named { kind, name: definition.name.clone() };
            let mut told = HashSet::new();
            known.value(&within, &mut String::new(), &definition.value(), &mut told, &mut found);
        }
    }
    found
}

/// The names of servers and of what they offer, arranged for asking. One server after the other is put in and taken out.
#[derive(Default)]
pub struct Names {
    /// Tools and prompts, alone and behind their server's name, as [`squashed`].
    names: HashMap<String, Vec<Whose>>,
    servers: HashMap<String, ServerName>,
    /// The keys of a server among the names.
    by_server: HashMap<ServerName, Vec<String>>,
}

/// The names that would be mentions.
struct Known<'registry> {
    /// Who speaks: its own name is no mention.
    own: &'registry ServerName,
    /// What it offers, as [`squashed`]: two servers may both have a `search`.
    offered: HashSet<String>,
    names: &'registry Names,
}

#[derive(Clone)]
struct Whose {
    server: ServerName,
    name: Arc<str>,
    /// Whether the name could be an ordinary word of a sentence.
    ordinary: bool,
    /// Whether the server's name stands before it.
    prefixed: bool,
}

/// A word of a text, with what stands around it.
struct Word<'text> {
    text: &'text str,
    start: usize,
}

impl Names {
    /// The names of these servers.
    pub fn new(servers: &[Neighbour<'_>]) -> Self {
        let mut names = Self::default();
        servers.iter().for_each(|server| names.put(server));
        names
    }

    /// Puts a server's names in, which has none here.
    pub fn put(&mut self, Neighbour { name: server, definitions }: &Neighbour<'_>) {
        // `the MCP server` is no word about a server that someone named `server`.
        if !OF_SERVERS.contains(&server.as_str()) {
            self.servers.insert(server.as_str().to_owned(), (*server).clone());
        }
        let mut keys = Vec::new();
        for definition in definitions.tools.iter().chain(&definitions.prompts) {
            let name: Arc<str> = definition.name.as_str().into();
            let whose = Whose {
                server: (*server).clone(),
                ordinary: is_ordinary(&name),
                prefixed: false,
                name: Arc::clone(&name),
            };
            let prefixed = Whose { ordinary: false, prefixed: true, ..whose.clone() };
            let plain = (name.len() >= limits::MENTION_NAME_BYTES_MIN).then(|| (squashed(&name), whose));
            for (key, whose) in [(squashed(&format!("{server}_{name}")), prefixed)].into_iter().chain(plain) {
                self.names.entry(key.clone()).or_default().push(whose);
                keys.push(key);
            }
        }
        self.by_server.insert((*server).clone(), keys);
    }

    /// Takes a server's names out, if there are any.
    pub fn remove(&mut self, server: &ServerName) {
        self.servers.remove(server.as_str());
        for key in self.by_server.remove(server).unwrap_or_default() {
            if let Some(list) = self.names.get_mut(&key) {
                list.retain(|whose| whose.server != *server);
                if list.is_empty() {
                    self.names.remove(&key);
                }
            }
        }
    }
}

impl<'registry> Known<'registry> {
    /// Whose name this is, of all the other servers.
    fn whose(&self, name: &str) -> Option<&'registry Whose> {
        let key = squashed(name);
        let others = self.names.names.get(&key)?.iter().filter(|whose| whose.server != *self.own);
        let foreign = others.filter(|whose| whose.prefixed || !self.offered.contains(&key));
        foreign.min_by_key(|whose| (&whose.server, !whose.prefixed, &whose.name))
    }

    fn value(
        &self,
        within: &Named,
        pointer: &mut String,
        value: &Value,
        told: &mut HashSet<String>,
        found: &mut Vec<Mention>,
    ) {
        let length = pointer.len();
        match value {
            Value::String(text) => self.text(Some(within), pointer, text, told, found),
            Value::Array(list) => {
                for (place, one) in list.iter().enumerate() {
                    pointer.push_str(&format!("/{place}"));
                    self.value(within, pointer, one, told, found);
                    pointer.truncate(length);
                }
            }
            Value::Object(members) => {
                for (key, one) in members {
                    // Its own name is no word about others, because two servers may both have a `search`; unless it is
                    // what another's tool is called where there are several.
                    if length == 0 && matches!(key.as_str(), "name" | "uriTemplate") {
                        self.own_name(within, key, told, found);
                        continue;
                    }
                    pointer.push_str(&format!("/{}", key.replace('~', "~0").replace('/', "~1")));
                    self.value(within, pointer, one, told, found);
                    pointer.truncate(length);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn own_name(&self, within: &Named, key: &str, told: &mut HashSet<String>, found: &mut Vec<Mention>) {
        let whose = self.whose(&within.name).filter(|whose| whose.prefixed);
        if let Some(Whose { server, name, .. }) = whose.filter(|_| found.len() < limits::MENTIONS_MAX) {
            told.insert(squashed(name));
            let (server, name) = (server.clone(), Some(name.to_string()));
            let excerpt = within.name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            found.push(Mention { within: Some(within.clone()), pointer: format!("/{key}"), server, name, excerpt });
        }
    }

    fn text(
        &self,
        within: Option<&Named>,
        pointer: &str,
        text: &str,
        told: &mut HashSet<String>,
        found: &mut Vec<Mention>,
    ) {
        let words: Vec<Word<'_>> = words(text, |_| false).collect();
        let single = words.iter().enumerate().filter_map(|(place, word)| {
            let sides = [place.checked_sub(1).and_then(|before| words.get(before)), words.get(place + 1)];
            // Only what stands right beside it: with a sentence between, it is another thing.
            let right_beside = |list: &[&str]| {
                let mut sides = sides.into_iter().flatten();
                sides.any(|side| list.contains(&side.text.to_ascii_lowercase().as_str()) && touch(text, side, word))
            };
            Some((word, self.meant(text, word, right_beside)?))
        });
        // Names may hold these too, and a sentence may join two names by them: both readings count.
        let joined: Vec<Word<'_>> = words_joined(text).collect();
        let joined = joined.iter().filter_map(|word| Some((word, self.meant(text, word, |_: &[&str]| false)?)));
        for (word, (server, name)) in single.chain(joined) {
            if found.len() >= limits::MENTIONS_MAX {
                return;
            }
            if told.insert(name.map_or_else(|| server.to_string(), squashed)) {
                found.push(Mention {
                    within: within.cloned(),
                    pointer: pointer.to_owned(),
                    server: server.clone(),
                    name: name.map(str::to_owned),
                    excerpt: excerpt(text, word),
                });
            }
        }
    }

    /// Whom a word speaks of, if it does: a server, and its tool or prompt.
    fn meant(
        &self,
        text: &str,
        word: &Word<'_>,
        right_beside: impl Fn(&[&str]) -> bool,
    ) -> Option<(&'registry ServerName, Option<&'registry str>)> {
        let named = self.whose(word.text).filter(|whose| match whose.ordinary {
            true => is_quoted(text, word) && right_beside(&OF_TOOLS),
            // `setup` is an ordinary word, and `set_up` a name.
            false => !is_ordinary(word.text) || is_quoted(text, word),
        });
        if let Some(whose) = named {
            return Some((&whose.server, Some(&*whose.name)));
        }
        let server = self.names.servers.get(&word.text.to_ascii_lowercase()).filter(|server| *server != self.own)?;
        right_beside(&OF_SERVERS).then_some((server, None))
    }
}

/// A name without what different spellings of it differ in.
fn squashed(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-' | '.' | '/')).map(|c| c.to_ascii_lowercase()).collect()
}

/// Whether a name could stand in a sentence as an ordinary word: it is one run of letters in one case.
fn is_ordinary(name: &str) -> bool {
    let letters = name.chars().all(|letter| letter.is_ascii_alphabetic());
    let rest = name.get(1..).unwrap_or_default();
    letters && (rest == rest.to_ascii_lowercase() || name == name.to_ascii_uppercase())
}

/// Runs of the characters that names are made of, and of those that are `more`. Other scripts write no spaces around a
/// name, so that only these count.
fn words(text: &str, more: fn(char) -> bool) -> impl Iterator<Item = Word<'_>> {
    let joint = move |c: char| c == '-' || more(c);
    let inside = move |c: char| c.is_ascii_alphanumeric() || c == '_' || joint(c);
    text.split(move |c: char| !inside(c)).filter(|run| !run.is_empty()).map(move |run| {
        let start = (run.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
        let begins = run.trim_start_matches(joint);
        Word { text: begins.trim_end_matches(joint), start: start + (run.len() - begins.len()) }
    })
}

/// The runs that `.` or `/` joins.
fn words_joined(text: &str) -> impl Iterator<Item = Word<'_>> {
    words(text, |c| matches!(c, '.' | '/')).filter(|word| word.text.contains(['.', '/']))
}

/// Whether nothing but quotation marks and a space stands between two words.
fn touch(text: &str, one: &Word<'_>, other: &Word<'_>) -> bool {
    let (first, second) = if one.start < other.start { (one, other) } else { (other, one) };
    let between = text.get(first.start + first.text.len()..second.start).unwrap_or("…");
    between.len() <= 4 && between.chars().all(|c| matches!(c, ' ' | '`' | '"' | '\'' | '’'))
}

fn is_quoted(text: &str, word: &Word<'_>) -> bool {
    let mark = |c: Option<char>| c.is_some_and(|c| matches!(c, '`' | '"' | '\'' | '“' | '”' | '‘' | '’'));
    let before = text.get(..word.start).and_then(|before| before.chars().next_back());
    let after = text.get(word.start + word.text.len()..).and_then(|after| after.chars().next());
    mark(before) && mark(after)
}

/// The words around a mention, in one line.
fn excerpt(text: &str, word: &Word<'_>) -> String {
    const AROUND: usize = 60;
    let before: Vec<char> = text.get(..word.start).unwrap_or_default().chars().rev().take(AROUND).collect();
    let after = text.get(word.start..).unwrap_or_default().chars().take(AROUND + word.text.chars().count());
    before.into_iter().rev().chain(after).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests;
