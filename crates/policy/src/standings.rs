//! The standings that are remembered, under everything they depend on.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use model::{Cache, Caller, EndpointName, Object, cache, limits};
use quick_cache::{Equivalent, Weighter};

use crate::decide::Target;
use crate::standing::Standing;
use crate::{Action, Question};

/// The standings of one revision; the least used are forgotten first.
pub(crate) struct Standings(Cache<Key, Arc<Standing>, Bytes>);

/// Weighs what is kept, in bytes, estimated.
#[derive(Clone)]
struct Bytes;

impl Weighter<Key, Arc<Standing>> for Bytes {
    fn weight(&self, key: &Key, standing: &Arc<Standing>) -> u64 {
        u64::from(key.weight().saturating_add(standing.weight()))
    }
}

/// Standings for which there is room from the start.
const EXPECTED: usize = 1024;

impl Standings {
    pub(crate) fn new() -> Self {
        Self(cache(EXPECTED, limits::STANDINGS_BYTES_MAX, Bytes))
    }

    pub(crate) fn get(&self, question: &Question<'_>) -> Option<Arc<Standing>> {
        self.0.get(&Parts::of(question))
    }

    pub(crate) fn insert(&self, question: &Question<'_>, standing: &Arc<Standing>) {
        self.0.insert(Key::of(question), Arc::clone(standing));
    }
}

/// Everything that the part which is kept depends on, but for the policies.
struct Key {
    caller: Caller,
    endpoint: EndpointName,
    action: Action,
    thing: Thing,
}

enum Thing {
    Endpoint(EndpointName),
    Object(Object),
}

/// A question's key or the question itself, so that looking up copies nothing: a caller's names are counted in memory
/// that every core writes to.
#[derive(PartialEq, Eq)]
struct Parts<'a> {
    caller: &'a Caller,
    endpoint: &'a EndpointName,
    action: Action,
    thing: ThingOf<'a>,
}

#[derive(PartialEq, Eq)]
enum ThingOf<'a> {
    Endpoint(&'a EndpointName),
    Object(&'a Object),
}

impl<'a> Parts<'a> {
    fn of(question: &Question<'a>) -> Self {
        // Arguments and time are what the part which is kept does not depend on.
        let Question { action, caller, endpoint, target, arguments: _, findings: _, now: _ } = *question;
        let thing = match target {
            Target::Endpoint(name) => ThingOf::Endpoint(name),
            Target::Object(object) => ThingOf::Object(object),
        };
        Self { caller, endpoint, action, thing }
    }
}

impl Hash for Parts<'_> {
    /// Hashes what tells nearly all keys apart; the rest is for comparing.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { caller, endpoint, action, thing } = self;
        let mut feed = |text: &str| state.write(text.as_bytes());
        feed(caller.agent.id.as_str());
        feed(caller.user().map_or("", |user| user.as_str()));
        feed(endpoint.as_str());
        match thing {
            ThingOf::Endpoint(name) => feed(name.as_str()),
            ThingOf::Object(object) => {
                feed(object.server().as_str());
                feed(object.name());
            }
        }
        action.hash(state);
    }
}

impl Equivalent<Key> for Parts<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        *self == key.parts()
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts().hash(state);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for Key {}

impl Key {
    fn parts(&self) -> Parts<'_> {
        let Self { caller, endpoint, action, thing } = self;
        let thing = match thing {
            Thing::Endpoint(name) => ThingOf::Endpoint(name),
            Thing::Object(object) => ThingOf::Object(object),
        };
        Parts { caller, endpoint, action: *action, thing }
    }

    fn of(question: &Question<'_>) -> Self {
        let Question { action, caller, endpoint, target, arguments: _, findings: _, now: _ } = *question;
        let thing = match target {
            Target::Endpoint(name) => Thing::Endpoint(name.clone()),
            Target::Object(object) => Thing::Object(object.clone()),
        };
        Self { caller: caller.clone(), endpoint: endpoint.clone(), action, thing }
    }

    fn weight(&self) -> u32 {
        const GROUP_BYTES: usize = 128;
        let named = match &self.thing {
            Thing::Endpoint(name) => name.as_str().len(),
            Thing::Object(object) => object.name().len(),
        };
        // The name is held three times: in the key, as an entity, and in the question.
        let bytes = named.saturating_mul(3).saturating_add(self.caller.groups().len().saturating_mul(GROUP_BYTES));
        u32::try_from(bytes).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests;
