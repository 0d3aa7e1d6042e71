//! Listings: what people pinned, as each caller may see it.
//!
//! Definitions come from the snapshot, never from the server: an agent cannot be shown a text that nobody approved.
//! Servers are read beside the path, when they say that they changed or their time is up.

mod introduction;

use std::sync::Arc;

use audit::{Event, Listed, Record, Who};
use bytes::Bytes;
use model::{Object, Reason, Refusal, Timestamp, limits};
use policy::Action;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use wire::{Id, reply};

use crate::controls::connect::Connected;
use crate::controls::halted::Running;
use crate::controls::read::Message;
use crate::controls::release::Expected;
use crate::gate::Gate;
use crate::trail::Trail;
use crate::{naming, pages, uri};

/// An answer made of pinned definitions.
pub(crate) struct Listing {
    pub(crate) bytes: Bytes,
    pub(crate) record: Record,
}

/// Answers a method of [`crate::register::Path::Pinned`].
pub(crate) fn run(gate: &Gate, running: &Running, message: &Message, trail: &Trail) -> Result<Listing, Refusal> {
    let Some(id) = &message.request.id else {
        return Err(Refusal::new(Reason::NotJsonRpc, "a listing without an id"));
    };
    if message.request.cursor.is_some() {
        // Everything is on the first page, so that no cursor of ours exists.
        return Err(Refusal::new(Reason::ParamsInvalid, "a cursor the gate did not give").with_hint("unknown cursor"));
    }
    let now = gate.clock.now();
    let (bytes, shown, hidden) = match message.row.method {
        "server/discover" => (discover(running, id, now), 1, 0),
        "initialize" => (initialized(running, message, id, now), 1, 0),
        "ping" => (reply::result(id, &json!({})), 0, 0),
        "tools/list" => definitions(running, message, id, "tools", now),
        "prompts/list" => definitions(running, message, id, "prompts", now),
        "resources/templates/list" => definitions(running, message, id, "resourceTemplates", now),
        other => return Err(Refusal::new(Reason::Internal, format!("`{other}` is registered as pinned, and is not"))),
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
fn discover(running: &Running, id: &Id, now: Timestamp) -> Bytes {
    let mut result = Map::new();
    result.insert("resultType".into(), "complete".into());
    let versions: Vec<_> = running.door.revisions().map(wire::Revision::as_str).collect();
    result.insert("supportedVersions".into(), json!(versions));
    result.insert("capabilities".into(), introduction::capabilities(&running.door.endpoint));
    if let Some(instructions) = introduction::instructions(running, now) {
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
fn initialized(running: &Running, message: &Message, id: &Id, now: Timestamp) -> Bytes {
    let endpoint = &running.door.endpoint;
    let (capabilities, server_info) = (introduction::capabilities(endpoint), introduction::server_info(endpoint));
    let instructions = introduction::instructions(running, now);
    reply::initialized(id, message.request.revision, &capabilities, &server_info, instructions.as_deref())
}

/// The notifications by which clients without a subscription are told that a list of the endpoint's changed: those that
/// its capabilities announce.
pub(crate) fn announced(connected: &Connected) -> impl Iterator<Item = &'static str> {
    let told = [("tools", "notifications/tools/list_changed"), ("prompts", "notifications/prompts/list_changed")];
    let capabilities = introduction::capabilities(&connected.door.endpoint);
    let announced = move |list: &str| capabilities.get(list)?.get("listChanged")?.as_bool();
    told.into_iter().filter(move |(list, _)| announced(list) == Some(true)).map(|(_, method)| method)
}

/// The pinned definitions of one kind that the caller may see, with how many there are and how many are hidden.
fn definitions<'s>(running: &'s Running, message: &Message, id: &Id, key: &str, now: Timestamp) -> (Bytes, u32, u32) {
    let endpoint = &running.door.endpoint;
    let mut hidden = 0;
    let mut shown: Vec<&'s str> = Vec::new();
    let mut show = |object: &Object, raw: &'s RawValue| {
        if running.decide(Action::List, object, now).is_ok() {
            shown.push(raw.get());
        } else {
            hidden += 1;
        }
    };
    match key {
        "tools" => {
            for tool in endpoint.tools().iter().filter(|tool| !tool.item.withheld) {
                show(&tool.item.object, &tool.raw);
            }
        }
        "prompts" => {
            for prompt in endpoint.prompts().iter().filter(|prompt| !prompt.item.withheld) {
                let (server, name) = (prompt.item.server.clone(), prompt.item.name.clone());
                show(&Object::Prompt { server, name }, &prompt.raw);
            }
        }
        _ => {
            for one in endpoint.templates().iter().filter(|one| !one.item.withheld) {
                let (server, template) = (one.item.server.clone(), one.item.template.clone());
                show(&Object::Template { server, template }, &one.raw);
            }
        }
    }
    let count = u32::try_from(shown.len()).unwrap_or(u32::MAX);
    let revision = message.request.revision;
    (reply::listing(id, revision, key, shown, limits::LISTING_TTL_MILLISECONDS), count, hidden)
}

/// A server's own listing of resources, less those that it may not serve here or the caller may not see, and for this
/// caller's cache only; with the cursor by which the gate knows the next page.
pub(crate) fn filter(expected: &Expected, answer: &Bytes, now: Timestamp) -> Result<Bytes, Refusal> {
    let Expected { connected, server, revision, .. } = expected;
    let broken = |detail: &str| Refusal::new(Reason::AnswerRefused, detail);
    let mut answer: Value = serde_json::from_slice(answer).map_err(|error| broken(&error.to_string()))?;
    let result = answer.get_mut("result").and_then(Value::as_object_mut).ok_or_else(|| broken("no result"))?;
    let resources = result.get_mut("resources").and_then(Value::as_array_mut);
    let resources = resources.ok_or_else(|| broken("the listing has no `resources`"))?;
    resources.retain(|resource| {
        let uri = resource.get("uri").and_then(Value::as_str).and_then(|text| uri::canonical(text).ok());
        uri.is_some_and(|uri| {
            let object = Object::Resource { server: server.clone(), uri: uri.to_owned() };
            let is_theirs = naming::member(&connected.door.endpoint, &object).is_some();
            is_theirs && connected.decide(Action::List, &object, now).is_ok()
        })
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

/// Whether two snapshots show a caller the same definitions.
pub(crate) fn same(one: &Connected, other: &Connected) -> bool {
    // The cheap question first: policies are compiled with each revision that changes them.
    Arc::ptr_eq(&one.snapshot.policy, &other.snapshot.policy) && one.door.endpoint.shows_same(&other.door.endpoint)
}
