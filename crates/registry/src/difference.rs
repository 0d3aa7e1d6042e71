//! What changed since people approved.

use std::collections::{HashMap, HashSet};

use model::{Digest, limits};
use serde::{Deserialize, Serialize};
use upstream::Revision;

use crate::grade::{Alteration, Graded, Harmless, Outcome, can_wait, grade};
use crate::{Definition, Kind, Named, Observed, Pins, Server};

/// How what a server shows now differs from what people approved.
///
/// What is new is withheld until it is approved, and what changed follows from how ([`crate::Outcome`]): it is served, or
/// what was approved goes on being served, or it is withheld. The rest of the server goes on. What is gone is only
/// shown: a call of it gets the server's own answer. A server that speaks an older revision than it did is withheld whole:
/// whoever stands in its place may have chosen the revision for what it lacks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Definitions whose digest is another.
    pub changed: Vec<Changed>,
    /// Definitions that were not there.
    pub added: Vec<Named>,
    /// Definitions that are gone.
    pub removed: Vec<Named>,
    /// Approved definitions that the server now shows in a form nobody could approve: withheld, like changed ones.
    pub unusable: Vec<Named>,
    /// Whether the instructions are others; discovery goes on serving the approved ones.
    pub instructions_changed: bool,
    /// Whether the server names itself, its capabilities or its protocol revisions otherwise.
    pub server_changed: bool,
    /// Whether it speaks an older revision than it did.
    #[serde(default)]
    pub downgraded: Option<Downgrade>,
    /// Whether the manifest has another url, zone, credential or command than was approved: nothing of the server is reachable.
    pub identity_changed: bool,
}

/// A definition that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// The digest that was approved.
    pub old: Digest,
    /// The digest it has now.
    pub new: Digest,
    /// What differs, the weightiest first; empty where too much changed to take it apart.
    pub alterations: Vec<Alteration>,
    /// What follows from it.
    pub outcome: Outcome,
}

impl Changed {
    /// Which definition, and what follows.
    pub(crate) fn outcome(&self) -> ((Kind, &str), Outcome) {
        ((self.kind, self.name.as_str()), self.outcome)
    }
}

/// From one revision of the protocol back to an older one, in the way of speaking that both belong to or from the newer way
/// to the older.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("it speaks {new} now, and spoke {old} when it was approved")]
pub struct Downgrade {
    /// The newest revision it spoke.
    pub old: String,
    /// The newest it speaks now.
    pub new: String,
}

impl Downgrade {
    /// Compares the revisions that a server spoke with those it speaks now. One that gives up the older way of speaking
    /// altogether, and keeps the newer, has not gone back.
    pub fn between(old: &[String], new: &[String]) -> Option<Self> {
        let all = Self::of(newest(old), newest(new));
        all.or_else(|| Self::of(newest_with_sessions(old), newest_with_sessions(new)))
    }

    fn of(old: Option<Revision>, new: Option<Revision>) -> Option<Self> {
        let (old, new) = old.zip(new).filter(|(old, new)| new < old)?;
        Some(Self { old: old.as_str().to_owned(), new: new.as_str().to_owned() })
    }
}

fn newest(versions: &[String]) -> Option<Revision> {
    versions.iter().filter_map(|version| Revision::parse(version)).max()
}

/// The newest of these revisions that begins with a handshake: the oldest that a session with the server may be in.
pub fn newest_with_sessions(versions: &[String]) -> Option<Revision> {
    versions.iter().filter_map(|version| Revision::parse(version)).filter(|revision| revision.has_sessions()).max()
}

/// Compares a server with its pins; `None` if it was never approved or not seen since it was submitted. Both are kept
/// whole in the server, so whoever shows the difference finds both texts there.
pub fn difference(server: &Server) -> Option<Difference> {
    let pins = server.pins.as_ref()?;
    let mut difference = match &server.observed {
        Some(observed) => Difference::between(pins, observed, server.manifest.accepts()),
        None => Difference::default(),
    };
    difference.identity_changed = pins.identity != server.manifest.identity();
    (server.observed.is_some() || difference.identity_changed).then_some(difference)
}

impl Difference {
    /// Compares an observation with pins, where the changes of `accepts` are called harmless.
    pub fn between(pins: &Pins, observed: &Observed, accepts: &[Harmless]) -> Self {
        let (old, new) = (&pins.definitions, &observed.definitions);
        let mut difference = Self {
            instructions_changed: old.instructions != new.instructions,
            server_changed: old.server_info != new.server_info
                || old.capabilities != new.capabilities
                || old.supported_versions != new.supported_versions,
            downgraded: Downgrade::between(&old.supported_versions, &new.supported_versions),
            ..Self::default()
        };
        for kind in Kind::ALL {
            let excluded = observed.excluded.iter().filter(|one| one.kind == kind).map(|one| shortened(&one.name));
            difference.compare(kind, old.of(kind), new.of(kind), &excluded.collect(), accepts);
        }
        difference
    }

    fn compare(
        &mut self,
        kind: Kind,
        old: &[Definition],
        new: &[Definition],
        excluded: &HashSet<String>,
        accepts: &[Harmless],
    ) {
        let (before, now) = (by_name(old), by_name(new));
        for definition in old {
            let name = definition.name.clone();
            match now.get(name.as_str()) {
                Some(same) if same.digest == definition.digest => {}
                Some(other) => self.changed.push(self.changed(kind, definition, other, accepts)),
                None if excluded.contains(&shortened(&name)) => self.unusable.push(Named { kind, name }),
                None => self.removed.push(Named { kind, name }),
            }
        }
        let added = new.iter().filter(|definition| !before.contains_key(definition.name.as_str()));
        self.added.extend(added.map(|definition| Named { kind, name: definition.name.clone() }));
    }

    fn changed(&self, kind: Kind, old: &Definition, new: &Definition, accepts: &[Harmless]) -> Changed {
        let graded = (self.changed.len() < limits::DRIFT_GRADED_MAX).then(|| grade(old, new));
        let outcome = graded.as_deref().map_or(Outcome::Withheld, |graded: &Graded| graded.outcome(accepts));
        let alterations = graded.map(|graded| graded.alterations.clone()).unwrap_or_default();
        Changed { kind, name: old.name.clone(), old: old.digest, new: new.digest, alterations, outcome }
    }

    /// Whether somebody has to look: something is withheld or new, or has words that nobody read.
    pub fn needs_a_person(&self) -> bool {
        let waits = |changed: &Changed| match changed.outcome {
            Outcome::Accepted => true,
            Outcome::Pinned => can_wait(&changed.alterations),
            Outcome::Withheld => false,
        };
        !self.changed.iter().all(waits) || Self { changed: Vec::new(), ..self.clone() } != Self::default()
    }

    /// Whether there is no difference.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// How many definitions are withheld: approved ones, of which there are so many, and new ones.
    pub fn count_withheld(&self, pins: &Pins) -> usize {
        let approved = match &self.downgraded {
            Some(_) => Kind::ALL.into_iter().map(|kind| pins.definitions.of(kind).len()).sum(),
            None => self.withheld().len(),
        };
        approved.saturating_add(self.added.len())
    }

    /// The approved definitions that are withheld each for itself.
    pub fn withheld(&self) -> HashSet<(Kind, &str)> {
        let withheld = self.changed.iter().filter(|changed| changed.outcome == Outcome::Withheld);
        let changed = withheld.map(|changed| (changed.kind, changed.name.as_str()));
        changed.chain(self.unusable.iter().map(|unusable| (unusable.kind, unusable.name.as_str()))).collect()
    }
}

/// A name as it stands among the excluded, where discovery may have shortened it.
fn shortened(name: &str) -> String {
    name.chars().take(limits::EXCLUDED_NAME_CHARS_MAX).collect()
}

fn by_name(definitions: &[Definition]) -> HashMap<&str, &Definition> {
    definitions.iter().map(|definition| (definition.name.as_str(), definition)).collect()
}

#[cfg(test)]
mod tests;
