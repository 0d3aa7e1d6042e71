//! What takes long to find out of what a server shows, kept for as long as it is true of the same words.
//!
//! Reading ten thousand definitions against all others takes seconds of a core, and so does compiling their schemas. Both are
//! functions of what was read alone, so they are kept by its digest, one for each server: who looks again waits for nothing.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use model::{Digest, ServerName};
use registry::{Crowd, Definitions, InputSchema, Names, Neighbour};
use serde_json::json;

use crate::kept::Kept;
use crate::view::{JudgementRow, MentionRow};

/// What was found out so far.
#[derive(Default)]
pub struct Readings {
    judged: Kept<Judged>,
    undeclared: Kept<Undeclared>,
    beside: Mutex<Option<Beside>>,
}

/// What all servers offer, arranged for asking: one that changed among a thousand is put in anew, and the others stay. It holds
/// more than what it was made of, so that it goes when nobody asks.
struct Beside {
    there: HashMap<ServerName, Digest>,
    names: Names,
    crowd: Crowd,
    asked: Instant,
}

/// What the words of a server's definitions try to do, and where they speak of others.
pub(crate) struct Judged {
    pub(crate) mentions: Vec<MentionRow>,
    pub(crate) judgement: JudgementRow,
}

/// By tool: the places at which it takes arguments that its schema does not name.
pub(crate) type Undeclared = HashMap<String, Vec<String>>;

/// Definitions, with the digest that says which they are.
pub(crate) struct Text<'state> {
    pub(crate) definitions: &'state Definitions,
    pub(crate) digest: Digest,
}

impl Beside {
    fn new() -> Self {
        Self { there: HashMap::new(), names: Names::default(), crowd: Crowd::default(), asked: Instant::now() }
    }

    /// Has these servers there, as they are, and no others.
    fn follow(&mut self, all: &[(&ServerName, Text<'_>)]) {
        let wanted: HashMap<_, _> = all.iter().map(|(name, text)| (*name, text.digest)).collect();
        let gone = self.there.iter().filter(|(name, digest)| wanted.get(name) != Some(digest));
        for name in gone.map(|(name, _)| name.clone()).collect::<Vec<_>>() {
            self.there.remove(&name);
            self.names.remove(&name);
            self.crowd.remove(&name);
        }
        for (name, text) in all {
            if !self.there.contains_key(*name) {
                let neighbour = Neighbour { name, definitions: text.definitions };
                self.names.put(&neighbour);
                self.crowd.put(&neighbour);
                self.there.insert((*name).clone(), text.digest);
            }
        }
        self.asked = Instant::now();
    }
}

impl Readings {
    /// Reads a server's definitions beside those of all servers.
    pub(crate) fn judged(&self, server: &ServerName, read: &Text<'_>, all: &[(&ServerName, Text<'_>)]) -> Arc<Judged> {
        let others = all.iter().filter(|(name, _)| *name != server);
        let beside: Vec<_> = others.map(|(name, text)| json!([name, text.digest])).collect();
        let make = || {
            // One after the other: what is asked must be of these servers until it is answered.
            let mut kept = self.beside.lock().unwrap_or_else(PoisonError::into_inner);
            let beside = kept.get_or_insert_with(Beside::new);
            beside.follow(all);
            let mentions = registry::mentions(server, read.definitions, &beside.names);
            Judged {
                mentions: mentions.into_iter().map(MentionRow::from).collect(),
                judgement: JudgementRow::from(registry::judge(server, read.definitions, &beside.crowd)),
            }
        };
        match Digest::of_json(&json!([read.digest, beside])) {
            Ok(made_of) => self.judged.of(server, made_of, make),
            // Names and digests always have a canonical form; were that ever wrong, it is read anew each time.
            Err(_) => Arc::new(make()),
        }
    }

    /// Where a server's tools take arguments that their schemas do not name.
    pub(crate) fn undeclared(&self, server: &ServerName, read: &Text<'_>) -> Arc<Undeclared> {
        self.undeclared.of(server, read.digest, || {
            let places = |tool: &registry::Definition| {
                let schema = InputSchema::compile(&tool.input_schema()).ok()?;
                let places = schema.accepts_undeclared().to_vec();
                (!places.is_empty()).then(|| (tool.name.clone(), places))
            };
            read.definitions.tools.iter().filter_map(places).collect()
        })
    }

    /// Frees what answers are found with if nobody asked for so long, and says whether it did. It is made again when somebody
    /// does.
    pub fn free(&self, unasked: Duration) -> bool {
        let mut kept = self.beside.lock().unwrap_or_else(PoisonError::into_inner);
        kept.take_if(|beside| beside.asked.elapsed() >= unasked).is_some()
    }

    /// Forgets those of servers that are not there any more.
    pub(crate) fn keep(&self, there: &HashSet<&ServerName>) {
        self.judged.keep(there);
        self.undeclared.keep(there);
    }
}

#[cfg(test)]
mod tests;
