//! What of an endpoint's definitions each caller sees.
//!
//! Asking policy about ten thousand tools takes its time, so the answers are kept: for as long as the snapshot is in force
//! and for callers with the very same attributes. What depends on the time is not kept but asked each time. Whoever comes
//! while the answers are being gathered waits for them, and everybody else's messages go on in between.

use std::convert::Infallible;
use std::sync::Arc;

use model::{Cache, Caller, EndpointName, Object, Timestamp, cache, limits};
use policy::{Action, Foreseen};
use quick_cache::Weighter;
use registry::Endpoint;
use serde_json::value::RawValue;
use tokio::sync::OnceCell;

use crate::controls::connect::Connected;

/// A kind of definitions, as they are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum List {
    /// `tools/list`.
    Tools,
    /// `prompts/list`.
    Prompts,
    /// `resources/templates/list`.
    Templates,
}

/// What callers see, of one snapshot; the least used is forgotten first.
pub struct Views(Cache<Key, Found, Bytes>);

/// What one caller sees, once it is found out.
type Found = Arc<OnceCell<Arc<View>>>;

/// Weighs what is kept, in bytes, estimated.
#[derive(Clone)]
struct Bytes;

/// Everything that what is seen depends on, but for the snapshot.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    caller: Caller,
    endpoint: EndpointName,
    list: List,
    /// How long the list is, which says how much is remembered of it.
    count: usize,
}

/// What one caller sees of a list.
pub(crate) struct View {
    shown: Places,
    /// What has to be asked each time.
    asked: Places,
}

/// A set of places in a list, one bit each.
#[derive(Default)]
struct Places(Vec<u64>);

/// Definitions after which others get their turn.
const BREATH: usize = 64;

/// Views for which there is room from the start.
const EXPECTED: usize = 64;

impl Weighter<Key, Found> for Bytes {
    fn weight(&self, key: &Key, _: &Found) -> u64 {
        /// Bytes that an entry takes beside its bits and groups, roughly.
        const BASE_BYTES: usize = 512;
        const GROUP_BYTES: usize = 128;
        // One bit says that it is shown, another that it has to be asked for.
        let bytes = BASE_BYTES + key.count / 4 + key.caller.groups().len().saturating_mul(GROUP_BYTES);
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}

impl Default for Views {
    fn default() -> Self {
        Self(cache(EXPECTED, limits::VIEWS_BYTES_MAX, Bytes))
    }
}

/// What the caller sees of a list, remembered or found out.
pub(crate) async fn of(connected: &Connected, list: List) -> Arc<View> {
    let (caller, endpoint) = ((*connected.caller).clone(), connected.door.name.clone());
    let key = Key { caller, endpoint, list, count: list.count(&connected.door.endpoint) };
    let Ok(view) = connected.snapshot.views.0.get_or_insert_with(&key, || Ok::<_, Infallible>(Found::default()));
    Arc::clone(view.get_or_init(|| look(connected, list)).await)
}

async fn look(connected: &Connected, list: List) -> Arc<View> {
    let endpoint = &connected.door.endpoint;
    let mut view = View { shown: Places::default(), asked: Places::default() };
    let places: Vec<usize> = (0..list.count(endpoint)).collect();
    for places in places.chunks(BREATH) {
        tokio::task::yield_now().await;
        let there = |place: &usize| Some((*place, list.object(endpoint, *place)?));
        let (places, objects): (Vec<_>, Vec<_>) = places.iter().filter_map(there).unzip();
        for (place, foreseen) in places.into_iter().zip(connected.foresee_each(Action::List, &objects)) {
            match foreseen {
                Foreseen::Permitted => view.shown.put(place),
                Foreseen::Depends => view.asked.put(place),
                Foreseen::Refused => {}
            }
        }
    }
    Arc::new(view)
}

impl View {
    /// Whether the caller, whose view it is, sees what stands at a place of the list.
    pub(crate) fn shows(&self, connected: &Connected, list: List, place: usize, now: Timestamp) -> bool {
        if self.shown.has(place) {
            return true;
        }
        let permits = |object: &Object| connected.decide(Action::List, object, now).is_ok();
        self.asked.has(place) && list.object(&connected.door.endpoint, place).is_some_and(|object| permits(&object))
    }
}

impl Places {
    fn put(&mut self, place: usize) {
        let word = place / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        if let Some(bits) = self.0.get_mut(word) {
            *bits |= 1 << (place % 64);
        }
    }

    fn has(&self, place: usize) -> bool {
        self.0.get(place / 64).is_some_and(|bits| bits & (1 << (place % 64)) != 0)
    }
}

impl List {
    /// The list that a method asks for, if it asks for one of pinned definitions.
    pub(crate) fn of(method: &str) -> Option<Self> {
        match method {
            "tools/list" => Some(Self::Tools),
            "prompts/list" => Some(Self::Prompts),
            "resources/templates/list" => Some(Self::Templates),
            _ => None,
        }
    }

    /// What results call it.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
            Self::Templates => "resourceTemplates",
        }
    }

    /// How many definitions there are, withheld ones among them.
    pub(crate) fn count(self, endpoint: &Endpoint) -> usize {
        match self {
            Self::Tools => endpoint.tools().len(),
            Self::Prompts => endpoint.prompts().len(),
            Self::Templates => endpoint.templates().len(),
        }
    }

    /// What stands at a place, unless it is withheld.
    fn object(self, endpoint: &Endpoint, place: usize) -> Option<Object> {
        match self {
            Self::Tools => {
                let tool = endpoint.tools().get(place).filter(|tool| !tool.item.withheld)?;
                Some(tool.item.object.clone())
            }
            Self::Prompts => {
                let prompt = &endpoint.prompts().get(place).filter(|prompt| !prompt.item.withheld)?.item;
                Some(Object::Prompt { server: prompt.server.clone(), name: prompt.name.clone() })
            }
            Self::Templates => {
                let template = &endpoint.templates().get(place).filter(|template| !template.item.withheld)?.item;
                Some(Object::Template { server: template.server.clone(), template: template.template.clone() })
            }
        }
    }

    /// Its definition, as it is shown at the endpoint; none if it is withheld.
    pub(crate) fn definition(self, endpoint: &Endpoint, place: usize) -> Option<&RawValue> {
        match self {
            Self::Tools => endpoint.tools().get(place).filter(|tool| !tool.item.withheld).map(|tool| &*tool.raw),
            Self::Prompts => endpoint.prompts().get(place).filter(|one| !one.item.withheld).map(|prompt| &*prompt.raw),
            Self::Templates => {
                endpoint.templates().get(place).filter(|one| !one.item.withheld).map(|template| &*template.raw)
            }
        }
    }
}

#[cfg(test)]
mod tests;
