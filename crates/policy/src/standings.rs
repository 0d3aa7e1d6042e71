//! The standings that are remembered, under everything they depend on.

use std::borrow::Borrow;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use model::{Caller, EndpointName, Object, limits};
use moka::sync::Cache;

use crate::decide::Target;
use crate::standing::Standing;
use crate::{Action, Question};

/// The standings of one revision; the least used are forgotten first.
pub(crate) struct Standings(Cache<Key, Arc<Standing>>);

impl Standings {
    pub(crate) fn new() -> Self {
        let weigher = |key: &Key, standing: &Arc<Standing>| key.weight().saturating_add(standing.weight());
        Self(Cache::builder().max_capacity(limits::STANDINGS_BYTES_MAX).weigher(weigher).build())
    }

    pub(crate) fn get(&self, question: &Question<'_>) -> Option<Arc<Standing>> {
        self.0.get(question as &dyn Asks)
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
trait Asks {
    fn parts(&self) -> Parts<'_>;
}

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

impl Asks for Key {
    fn parts(&self) -> Parts<'_> {
        let Self { caller, endpoint, action, thing } = self;
        let thing = match thing {
            Thing::Endpoint(name) => ThingOf::Endpoint(name),
            Thing::Object(object) => ThingOf::Object(object),
        };
        Parts { caller, endpoint, action: *action, thing }
    }
}

impl Asks for Question<'_> {
    fn parts(&self) -> Parts<'_> {
        // Arguments and time are what the part which is kept does not depend on.
        let Self { action, caller, endpoint, target, arguments: _, findings: _, now: _ } = *self;
        let thing = match target {
            Target::Endpoint(name) => ThingOf::Endpoint(name),
            Target::Object(object) => ThingOf::Object(object),
        };
        Parts { caller, endpoint, action, thing }
    }
}

impl<'a> Borrow<dyn Asks + 'a> for Key {
    fn borrow(&self) -> &(dyn Asks + 'a) {
        self
    }
}

impl Hash for dyn Asks + '_ {
    /// Hashes what tells nearly all keys apart; the rest is for comparing.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Parts { caller, endpoint, action, thing } = self.parts();
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

impl PartialEq for dyn Asks + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for dyn Asks + '_ {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self as &dyn Asks).hash(state);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for Key {}

impl Key {
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
