//! What takes long to find out of what a server shows, kept for as long as it is true of the same words.
//!
//! Reading ten thousand definitions against all others takes seconds of a core, and so does compiling their schemas. Both are
//! functions of what was read alone, so they are kept by its digest, one for each server: who looks again waits for nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use model::{Digest, ServerName};
use registry::{Definitions, InputSchema, Neighbour};
use serde_json::json;

use crate::view::{JudgementRow, MentionRow};

/// What was found out so far.
#[derive(Default)]
pub struct Readings {
    judged: Kept<Judged>,
    undeclared: Kept<Undeclared>,
}

/// What the words of a server's definitions try to do, and where they speak of others.
pub(crate) struct Judged {
    pub(crate) mentions: Vec<MentionRow>,
    pub(crate) judgement: JudgementRow,
}

/// By tool: the places at which it takes arguments that its schema does not name.
pub(crate) type Undeclared = HashMap<String, Vec<String>>;

/// One thing for each server, with the digest of what it was made of.
struct Kept<Thing>(Mutex<HashMap<ServerName, (Digest, Arc<Thing>)>>);

impl<Thing> Default for Kept<Thing> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<Thing> Kept<Thing> {
    /// The thing that was made of this, or else a new one. It is made without the lock: others are not kept waiting.
    fn of(&self, server: &ServerName, made_of: Digest, make: impl FnOnce() -> Thing) -> Arc<Thing> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(server).cloned();
        if let Some((_, thing)) = known.filter(|(digest, _)| *digest == made_of) {
            return thing;
        }
        let thing = Arc::new(make());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(server.clone(), (made_of, Arc::clone(&thing)));
        thing
    }

    fn keep(&self, is_there: impl Fn(&ServerName) -> bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|server, _| is_there(server));
    }
}

/// Definitions, with the digest that says which they are.
pub(crate) struct Text<'state> {
    pub(crate) definitions: &'state Definitions,
    pub(crate) digest: Digest,
}

impl Readings {
    /// Reads a server's definitions beside those of the others.
    pub(crate) fn judged(
        &self,
        server: &ServerName,
        read: &Text<'_>,
        others: &[(&ServerName, Text<'_>)],
    ) -> Arc<Judged> {
        let beside: Vec<_> = others.iter().map(|(name, text)| json!([name, text.digest])).collect();
        let make = || {
            let neighbours: Vec<_> =
                others.iter().map(|(name, text)| Neighbour { name, definitions: text.definitions }).collect();
            let mentions = registry::mentions(read.definitions, &neighbours);
            Judged {
                mentions: mentions.into_iter().map(MentionRow::from).collect(),
                judgement: JudgementRow::from(registry::judge(read.definitions, &neighbours)),
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

    /// Forgets those of servers that are not there any more.
    pub(crate) fn keep(&self, is_there: impl Fn(&ServerName) -> bool) {
        self.judged.keep(&is_there);
        self.undeclared.keep(is_there);
    }
}

#[cfg(test)]
mod tests;
