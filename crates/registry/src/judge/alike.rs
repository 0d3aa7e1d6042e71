//! Does a tool's name look like one of another server's?
//!
//! Two honest servers may both have a `search`, and a model is told them apart by the gate. What honest servers do not do
//! is carry a name that differs from another's by a letter, a version or a filler word, least of all with its description.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use model::ServerName;
use serde_json::Value;
use unicode_security::skeleton;

use super::places::apart;
use super::{Class, Remark};
use crate::Neighbour;

/// Letters of a name from which on its likeness to another means something.
const NAME_BYTES_MIN: usize = 8;
/// Words of a description from which on its being another's means something.
const WORDS_MIN: usize = 5;
/// Words that make a name look like a better one of the same.
const FILLERS: [&str; 24] = [
    "the", "a", "an", "my", "all", "this", "new", "latest", "official", "safe", "secure", "fast", "better", "best",
    "pro", "plus", "improved", "updated", "fixed", "real", "v1", "v2", "v3", "2",
];

/// The tools of servers, arranged for asking. One server after the other is put in and taken out.
#[derive(Default)]
pub struct Crowd {
    by_server: HashMap<ServerName, Vec<Arc<Member>>>,
    by_skeleton: Lists<String>,
    by_words: Lists<String>,
    by_deletion: Lists<String>,
    by_description: Lists<Arc<BTreeSet<String>>>,
}

/// Those that share a key.
type Lists<Key> = HashMap<Key, Vec<Arc<Member>>>;

struct Member {
    server: ServerName,
    name: String,
    squashed: String,
    words: Arc<BTreeSet<String>>,
}

impl Crowd {
    /// The tools of these servers.
    pub fn new(servers: &[Neighbour<'_>]) -> Self {
        let mut crowd = Self::default();
        servers.iter().for_each(|server| crowd.put(server));
        crowd
    }

    /// Puts a server's tools in, which has none here.
    pub fn put(&mut self, Neighbour { name: server, definitions }: &Neighbour<'_>) {
        let mut members = Vec::with_capacity(definitions.tools.len());
        for tool in &definitions.tools {
            let words = Arc::new(words_of(&tool.value()));
            let (server, name, squashed) = ((*server).clone(), tool.name.clone(), squashed(&tool.name));
            let member = Arc::new(Member { server, name, squashed, words });
            let keys = Keys::of(&tool.name);
            if member.words.len() >= WORDS_MIN {
                self.by_description.entry(Arc::clone(&member.words)).or_default().push(Arc::clone(&member));
            }
            self.by_skeleton.entry(keys.skeleton).or_default().push(Arc::clone(&member));
            self.by_words.entry(keys.words).or_default().push(Arc::clone(&member));
            for key in keys.deletions {
                self.by_deletion.entry(key).or_default().push(Arc::clone(&member));
            }
            members.push(member);
        }
        self.by_server.insert((*server).clone(), members);
    }

    /// Takes a server's tools out, if there are any.
    pub fn remove(&mut self, server: &ServerName) {
        for member in self.by_server.remove(server).unwrap_or_default() {
            let keys = Keys::of(&member.name);
            forget(&mut self.by_description, &member.words, &member);
            forget(&mut self.by_skeleton, &keys.skeleton, &member);
            forget(&mut self.by_words, &keys.words, &member);
            keys.deletions.iter().for_each(|key| forget(&mut self.by_deletion, key, &member));
        }
    }

    /// Tells whom a tool looks like, by its name or its words; its own server's tools do not count.
    pub(super) fn look(&self, own: Option<&ServerName>, name: &str, definition: &Value, told: &mut dyn FnMut(Remark)) {
        if self.by_skeleton.is_empty() {
            return;
        }
        let (keys, words, squashed) = (Keys::of(name), words_of(definition), squashed(name));
        let other = |members: Option<&Vec<Arc<Member>>>| {
            let foreign = members?.iter().filter(|member| Some(&member.server) != own);
            let others = foreign.filter(|member| member.squashed != squashed);
            others.min_by_key(|member| (&member.server, &member.name)).cloned()
        };
        let by_skeleton = other(self.by_skeleton.get(&keys.skeleton));
        let by_words = other(self.by_words.get(&keys.words));
        let by_deletion = || keys.deletions.iter().find_map(|key| other(self.by_deletion.get(key)));
        let remark = |rule, points, says, member: &Member| Remark {
            rule,
            class: Class::LookAlike,
            points,
            pointer: "/name".to_owned(),
            says,
            excerpt: format!("{}/{}", member.server, member.name),
        };
        if let Some(member) = by_skeleton {
            told(remark("look-alike.letters", 60, "has a name that is drawn like another server's", &member));
        } else if let Some(member) = by_words.or_else(by_deletion) {
            if alike(&words, &member.words) {
                told(remark("look-alike.copy", 60, "has nearly the name and the words of another server's", &member));
            } else if name.len() >= NAME_BYTES_MIN {
                told(remark("look-alike.name", 20, "has nearly the name of another server's", &member));
            }
        } else if let Some(member) = other(self.by_description.get(&words)) {
            told(remark("look-alike.words", 60, "has the words of another server's tool under another name", &member));
        }
    }
}

/// Takes a member out of the list of those that share a key.
fn forget<Key: Eq + std::hash::Hash>(lists: &mut Lists<Key>, key: &Key, member: &Arc<Member>) {
    if let Some(list) = lists.get_mut(key) {
        list.retain(|one| !Arc::ptr_eq(one, member));
        if list.is_empty() {
            lists.remove(key);
        }
    }
}

/// The ways in which a name is held against others.
struct Keys {
    /// How it is drawn.
    skeleton: String,
    /// Its words without fillers and plurals.
    words: String,
    /// It with each letter left out, and whole: two names that share one of these differ by one letter.
    deletions: Vec<String>,
}

impl Keys {
    fn of(name: &str) -> Self {
        let skeleton = skeleton(name).collect::<String>().to_lowercase();
        let apart = apart(name).to_lowercase();
        let mut words: Vec<&str> = apart.split('_').filter(|word| !FILLERS.contains(word)).collect();
        words.iter_mut().for_each(|word| *word = word.strip_suffix('s').unwrap_or(word));
        let squashed = squashed(name);
        let long = squashed.len() >= NAME_BYTES_MIN && squashed.is_ascii();
        let left_out =
            |place: usize| squashed.get(..place).zip(squashed.get(place + 1..)).map(|(a, b)| format!("{a}{b}"));
        let deletions = if long { (0..squashed.len()).filter_map(left_out).collect() } else { Vec::new() };
        let whole = long.then(|| squashed.clone());
        Self { skeleton, words: words.join("_"), deletions: whole.into_iter().chain(deletions).collect() }
    }
}

fn squashed(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-' | '.' | '/')).map(|c| c.to_ascii_lowercase()).collect()
}

fn words_of(definition: &Value) -> BTreeSet<String> {
    let text = definition.get("description").and_then(Value::as_str).unwrap_or_default().to_lowercase();
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Whether most words of the smaller text stand in the other, and it is long enough to mean something.
fn alike(one: &BTreeSet<String>, other: &BTreeSet<String>) -> bool {
    let least = one.len().min(other.len());
    least >= 3 && one.intersection(other).count() * 10 >= least * 8
}
