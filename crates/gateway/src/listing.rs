//! Listings: what people pinned, as each caller may see it.
//!
//! Definitions come from the snapshot, never from the server: an agent cannot be shown a text that nobody approved.
//! Servers are read beside the path, when they say that they changed or their time is up.

mod cursor;
mod introduction;
pub(crate) mod view;

use std::sync::Arc;

pub use cursor::Cursors;
pub use view::Views;

use ::inspect::Origin;
use audit::{Event, Listed, Record, Who};
use bytes::Bytes;
use http::StatusCode;
use model::{Object, Reason, Refusal, Timestamp, limits};
use policy::Action;
use serde_json::{Map, Value, json};
use wire::{Id, reply};

use crate::body::{JSON, Response, answered};
use crate::controls::connect::Connected;
use crate::controls::halted::Running;
use crate::controls::inspect::{self, Passed, Passing};
use crate::controls::read::Message;
use crate::controls::release::Expected;
use crate::gate::Gate;
use crate::snapshot::Door;
use crate::trail::Trail;
use crate::{naming, pages, search, uri};
use view::List;

/// An answer made of pinned definitions.
pub(crate) struct Listing {
    pub(crate) bytes: Bytes,
    pub(crate) record: Record,
}

impl Listing {
    /// The answer, once it is noted.
    pub(crate) fn told(self, gate: &Gate, message: &Message) -> Response {
        gate.journal.queue(&self.record);
        gate.metrics.answered(message.row.method);
        answered(StatusCode::OK, Some(JSON), self.bytes, self.record.id)
    }
}

/// Answers a method of [`crate::register::Path::Pinned`].
pub(crate) async fn run(gate: &Gate, running: &Running, message: &Message, trail: &Trail) -> Result<Listing, Refusal> {
    let Some(id) = &message.request.id else {
        return Err(Refusal::new(Reason::NotJsonRpc, "a listing without an id"));
    };
    let list = List::of(message.row.method);
    if message.request.cursor.is_some() && list.is_none() {
        return Err(Refusal::new(Reason::ParamsInvalid, "a cursor the gate did not give").with_hint("unknown cursor"));
    }
    let now = gate.clock.now();
    let (bytes, shown, hidden) = match (message.row.method, list) {
        (_, Some(list)) => page(gate, running, message, id, list).await?,
        ("server/discover", None) => (discover(running, id, now).await, 1, 0),
        ("initialize", None) => (initialized(running, message, id, now).await, 1, 0),
        ("ping", None) => (reply::result(id, &json!({})), 0, 0),
        (other, None) => {
            return Err(Refusal::new(Reason::Internal, format!("`{other}` is registered as pinned, and is not")));
        }
    };
    let listed = Listed {
        who: Who::from(&*running.caller),
        endpoint: running.door.name.clone(),
        method: message.row.method.to_owned(),
        shown,
        hidden,
        revision: running.snapshot.revision,
    };
    Ok(Listing { bytes, record: Record { id: trail.receipt, at: trail.began, event: Event::Listed(listed) } })
}

/// What the endpoint is, as pinned, less what the register does not let through.
async fn discover(running: &Running, id: &Id, now: Timestamp) -> Bytes {
    let mut result = Map::new();
    result.insert("resultType".into(), "complete".into());
    let versions: Vec<_> = running.door.revisions().map(wire::Revision::as_str).collect();
    result.insert("supportedVersions".into(), json!(versions));
    let mut capabilities = introduction::capabilities(&running.door.endpoint);
    if let Some(extensions) = introduction::extensions(&running.door.endpoint) {
        capabilities.insert("extensions".into(), extensions);
    }
    result.insert("capabilities".into(), capabilities.into());
    if let Some(instructions) = introduction::instructions(running, now).await {
        result.insert("instructions".into(), instructions.into());
    }
    result.insert("ttlMs".into(), limits::LISTING_TTL_MILLISECONDS.into());
    result.insert("cacheScope".into(), "private".into());
    let server_info = introduction::server_info(&running.door.endpoint);
    if !server_info.is_null() {
        result.insert("_meta".into(), json!({ "io.modelcontextprotocol/serverInfo": server_info }));
    }
    reply::result(id, &Value::Object(result))
}

/// The same for the handshake, in the revision that was agreed on.
async fn initialized(running: &Running, message: &Message, id: &Id, now: Timestamp) -> Bytes {
    let endpoint = &running.door.endpoint;
    let (capabilities, server_info) = (introduction::capabilities(endpoint), introduction::server_info(endpoint));
    let instructions = introduction::instructions(running, now).await;
    reply::initialized(id, message.request.revision, &capabilities.into(), &server_info, instructions.as_deref())
}

/// The notifications by which clients without a subscription are told that a list of the endpoint's changed: those that
/// its capabilities announce.
pub(crate) fn announced(connected: &Connected) -> impl Iterator<Item = &'static str> {
    let told = [("tools", "notifications/tools/list_changed"), ("prompts", "notifications/prompts/list_changed")];
    let capabilities = introduction::capabilities(&connected.door.endpoint);
    let announced = move |list: &str| capabilities.get(list)?.get("listChanged")?.as_bool();
    told.into_iter().filter(move |(list, _)| announced(list) == Some(true)).map(|(_, method)| method)
}

/// Whether an endpoint announces that its list of resources changes.
pub(crate) fn announces_resources(door: &Door) -> bool {
    let capabilities = introduction::capabilities(&door.endpoint);
    let announced = capabilities.get("resources").and_then(|resources| resources.get("listChanged"));
    announced.and_then(Value::as_bool) == Some(true)
}

/// A page of pinned definitions that the caller may see, with how many it shows and how many it passes over. A page is
/// bounded in number and bytes; there is a next one if there is anything on it.
async fn page(
    gate: &Gate,
    running: &Running,
    message: &Message,
    id: &Id,
    list: List,
) -> Result<(Bytes, u32, u32), Refusal> {
    let endpoint = &running.door.endpoint;
    let first = match &message.request.cursor {
        None => 0,
        Some(cursor) => gate.cursors.find(running, list, cursor)?,
    };
    let view = view::of(running, list).await;
    let now = gate.clock.now();
    let searched = endpoint.manifest.search.as_ref().filter(|_| list == List::Tools);
    // Where tools are looked for, only some are listed, in the order in which the manifest does.
    let chosen: Option<Vec<usize>> =
        searched.map(|search| search.listed.iter().filter_map(|name| endpoint.place_of(name)).collect());
    let count = chosen.as_ref().map_or_else(|| list.count(endpoint), Vec::len);
    let own = if searched.is_some() && first == 0 { search::DEFINITIONS.as_slice() } else { &[] };
    let (mut shown, mut bytes, mut hidden, mut next) = (own.to_vec(), 0_usize, 0, None);
    for turn in first..count {
        let place = chosen.as_ref().map_or(Some(turn), |chosen| chosen.get(turn).copied());
        let Some((place, definition)) = place.and_then(|place| Some((place, list.definition(endpoint, place)?))) else {
            continue;
        };
        if !view.shows(running, list, place, now) {
            hidden += 1;
            continue;
        }
        let definition = definition.get();
        let is_full = shown.len() >= limits::LISTING_PAGE_DEFINITIONS_MAX
            || bytes.saturating_add(definition.len()) > limits::LISTING_PAGE_BYTES_MAX;
        if is_full && bytes > 0 {
            next = Some(gate.cursors.at(running, list, turn)?);
            break;
        }
        bytes = bytes.saturating_add(definition.len());
        shown.push(definition);
    }
    let count = u32::try_from(shown.len()).unwrap_or(u32::MAX);
    let (revision, ttl) = (message.request.revision, limits::LISTING_TTL_MILLISECONDS);
    Ok((reply::listing(id, revision, list.key(), shown, next.as_deref(), ttl), count, hidden))
}

/// A server's own listing of resources, less those that it may not serve here or the caller may not see, and for this
/// caller's cache only; with the cursor by which the gate knows the next page.
pub(crate) fn filter(gate: &Gate, expected: &Expected, answer: &Bytes, now: Timestamp) -> Result<Bytes, Refusal> {
    let Expected { connected, server, revision, .. } = expected;
    let broken = |detail: &str| Refusal::new(Reason::AnswerRefused, detail);
    let mut answer: Value = serde_json::from_slice(answer).map_err(|error| broken(&error.to_string()))?;
    let result = answer.get_mut("result").and_then(Value::as_object_mut).ok_or_else(|| broken("no result"))?;
    let resources = result.get_mut("resources").and_then(Value::as_array_mut);
    let resources = resources.ok_or_else(|| broken("the listing has no `resources`"))?;
    resources.retain_mut(|resource| {
        let uri = resource.get("uri").and_then(Value::as_str).and_then(|text| uri::canonical(text).ok());
        let Some(uri) = uri.map(str::to_owned) else { return false };
        let object = Object::Resource { server: server.clone(), uri };
        let is_theirs = naming::member(&connected.door.endpoint, &object).is_some();
        is_theirs
            && connected.decide(Action::List, &object, now).is_ok()
            && entry_passes(gate, expected, object, resource, now)
    });
    let theirs = match result.get("nextCursor") {
        None | Some(Value::Null) => None,
        Some(Value::String(cursor)) => Some(cursor.clone()),
        Some(_) => return Err(broken("the listing's `nextCursor` is no text")),
    };
    match pages::next(connected, server, theirs.as_deref(), now) {
        Some(cursor) => _ = result.insert("nextCursor".into(), cursor.into()),
        None => _ = result.remove("nextCursor"),
    }
    if !revision.has_sessions() {
        result.insert("cacheScope".into(), "private".into());
        let ttl = result.get("ttlMs").and_then(Value::as_u64).unwrap_or_default();
        result.insert("ttlMs".into(), ttl.min(limits::LISTING_TTL_MILLISECONDS).into());
    }
    Ok(answer.to_string().into())
}

/// Whether an entry of a listing may be released, where that depends on what is in it; what policies want taken out of it is
/// taken out.
fn entry_passes(gate: &Gate, expected: &Expected, object: Object, entry: &mut Value, now: Timestamp) -> bool {
    let (connected, objects) = (&expected.connected, [object]);
    let depends = objects
        .iter()
        .try_fold(false, |any, object| connected.reads_findings(Action::Release, object).map(|depends| any | depends));
    match depends {
        Ok(false) => return true,
        Ok(true) => {}
        Err(_) => return false,
    }
    let (text, action) = (Bytes::from(entry.to_string()), Action::Release);
    let passing = Passing { connected, action, objects: &objects, origin: Origin::Answer, now };
    match inspect::pass(gate, &passing, &text, &mut expected.looked.noted()) {
        Ok(Passed { text: None, .. }) => true,
        Ok(Passed { text: Some(left), .. }) => match serde_json::from_slice(&left) {
            // What it is must not have changed by what was taken out.
            Ok(Value::Object(left)) if left.get("uri") == entry.get("uri") => {
                *entry = Value::Object(left);
                true
            }
            Ok(_) | Err(_) => false,
        },
        Err(_) => false,
    }
}

/// Whether two snapshots show a caller the same definitions.
pub(crate) fn same(one: &Connected, other: &Connected) -> bool {
    // The cheap question first: policies are compiled with each revision that changes them.
    Arc::ptr_eq(&one.snapshot.policy, &other.snapshot.policy) && one.door.endpoint.shows_same(&other.door.endpoint)
}
