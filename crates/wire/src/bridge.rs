//! Between the eras: what a message of a client is to a server of the other era, and what that server's message is to the
//! client.
//!
//! Revisions with sessions say once, in a handshake, what 2026-07-28 says in each request; they number their results
//! otherwise, ask by requests of their own, and have other codes for a few errors. Everything here is a change of single
//! members in a text ([`crate::edit`]): arguments, contents and whatever else nobody here knows stay byte for byte. Nothing
//! here decides, and nothing remembers: who asked what is for the gate to know.

use bytes::Bytes;
use http::HeaderMap;
use model::{Reason, Refusal};
use serde_json::Value;

use crate::answer::Question;
use crate::edit::{Change, Path, splice};
use crate::json::{self, Bounds, Json, Strict};
use crate::outgoing::{self, Outgoing};
use crate::request::{
    CLIENT_CAPABILITIES, CLIENT_INFO, LOG_LEVEL, LOG_LEVELS, META_MEMBER, PROGRESS_TOKEN, PROTOCOL_VERSION,
    SUBSCRIPTION_ID,
};
use crate::{Flaw, Id, Revision};

/// The code of revisions with sessions for a resource that is not there; 2026-07-28 must not use it.
const RESOURCE_NOT_FOUND: i64 = -32002;
/// The code of 2026-07-28 for the same, and of every revision for parameters that are wrong.
const INVALID_PARAMS: i64 = -32602;

/// What only 2026-07-28 says in `_meta`.
const SAID_EACH_TIME: [&str; 5] = [PROTOCOL_VERSION, CLIENT_CAPABILITIES, CLIENT_INFO, LOG_LEVEL, SUBSCRIPTION_ID];

/// Methods whose results say in 2026-07-28 for how long, and for whom, they may be kept.
const CACHED: [&str; 6] =
    ["server/discover", "tools/list", "prompts/list", "resources/list", "resources/templates/list", "resources/read"];

/// What a client said once, at the beginning of its session, and 2026-07-28 wants with each request. JSON texts.
#[derive(Debug, Clone)]
pub struct Introduction {
    /// What the client can be asked: an object.
    pub capabilities: String,
    /// Who it says it is: an object. Without it the gate names itself.
    pub client_info: Option<String>,
    /// The least severe log message it wants, by its name.
    pub log_level: Option<String>,
}

/// Answers to a server's questions, for the request that is made again with them.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// What each question was answered, by the question's key: JSON objects.
    pub responses: &'a [(String, Bytes)],
    /// The server's own words, as a JSON string, exactly as they came.
    pub state: Option<&'a str>,
}

/// A request of 2026-07-28 for a session: without what a session says once, under an id of the gate's own, which is also the
/// token of its progress if that was asked for.
///
/// # Errors
/// When the body is no message.
pub fn to_legacy(body: &Bytes, id: &Id) -> Result<Bytes, Flaw> {
    let strict = checked(body)?;
    let own = id.to_string();
    let mut changes: Vec<(Path<'_>, Change<'_>)> = vec![
        (&["id"], Change::Put(&own)),
        (&["params", "inputResponses"], Change::Remove),
        (&["params", "requestState"], Change::Remove),
    ];
    let meta = member_of(&strict, "params", META_MEMBER);
    let keys = || meta.into_iter().flat_map(Json::members).map(|(key, _)| key);
    let paths = SAID_EACH_TIME.map(|key| ["params", META_MEMBER, key]);
    if meta.is_some() && keys().all(|key| SAID_EACH_TIME.contains(&key.as_ref())) {
        changes.push((&["params", META_MEMBER], Change::Remove));
    } else if meta.is_some() {
        changes.extend(paths.iter().map(|path| (path.as_slice(), Change::Remove)));
        if keys().any(|key| key == PROGRESS_TOKEN) {
            changes.push((&["params", META_MEMBER, PROGRESS_TOKEN], Change::Put(&own)));
        }
    }
    splice(body, &changes)
}

/// A request of a session for a server of 2026-07-28: it introduces the client, under an id of the gate's own, and with the
/// standard headers. `name` is what `Mcp-Name` says; arguments that are mirrored in headers are for the caller to add
/// ([`crate::ParamHeaders::write`]). `input` are the answers with which a request is made again.
///
/// # Errors
/// When the body is no message, or what is to be put in is no JSON.
pub fn to_modern(
    body: &Bytes,
    id: &Id,
    method: &str,
    name: Option<&str>,
    said: &Introduction,
    input: Option<Input<'_>>,
) -> Result<Outgoing, Flaw> {
    let revision = Revision::V2026_07_28;
    let own = id.to_string();
    let version = Value::from(revision.as_str()).to_string();
    let client = said.client_info.clone().unwrap_or_else(|| outgoing::gate().to_string());
    let level = said.log_level.as_deref().map(|level| Value::from(level).to_string());
    let responses = input.map(|input| keyed(input.responses));
    let path = |key| ["params", META_MEMBER, key];
    let (of_version, of_capabilities, of_client) =
        (path(PROTOCOL_VERSION), path(CLIENT_CAPABILITIES), path(CLIENT_INFO));
    let (of_level, of_subscription) = (path(LOG_LEVEL), path(SUBSCRIPTION_ID));
    let changes: [(Path<'_>, Change<'_>); 8] = [
        (&["id"], Change::Put(&own)),
        (&of_version, Change::Put(&version)),
        (&of_capabilities, Change::Put(&said.capabilities)),
        (&of_client, Change::Put(&client)),
        (&of_level, level.as_deref().map_or(Change::Remove, Change::Put)),
        (&of_subscription, Change::Remove),
        // A client of sessions has no such members, and must not answer what nobody asked.
        (&["params", "inputResponses"], responses.as_deref().map_or(Change::Remove, Change::Put)),
        (&["params", "requestState"], input.and_then(|input| input.state).map_or(Change::Remove, Change::Put)),
    ];
    Ok(Outgoing { headers: standard(method, name), body: splice(body, &changes)? })
}

/// The answer of a server that keeps sessions, for a client of 2026-07-28 that asked by `method` under `id`.
///
/// # Errors
/// When it is no answer.
pub fn answer_to_modern(message: &Bytes, id: &Id, method: &str) -> Result<Bytes, Flaw> {
    let (strict, id) = (checked(message)?, id.to_string());
    let mut changes: Vec<(Path<'_>, Change<'_>)> = vec![(&["id"], Change::Put(&id))];
    if is_there(&strict, "result") {
        changes.push((&["result", "resultType"], Change::Put(r#""complete""#)));
        if CACHED.contains(&method) {
            // Nothing is known of how long it stays true.
            changes.push((&["result", "ttlMs"], Change::Put("0")));
            changes.push((&["result", "cacheScope"], Change::Put(r#""private""#)));
        }
    }
    let code = INVALID_PARAMS.to_string();
    if code_of(&strict) == Some(RESOURCE_NOT_FOUND) {
        changes.push((&["error", "code"], Change::Put(&code)));
    }
    splice(message, &changes)
}

/// The complete answer of a server of 2026-07-28, for a client with a session that asked by `method` under `id`.
///
/// # Errors
/// When it is no answer.
pub fn answer_to_legacy(message: &Bytes, id: &Id, method: &str) -> Result<Bytes, Flaw> {
    let (strict, id) = (checked(message)?, id.to_string());
    let mut changes: Vec<(Path<'_>, Change<'_>)> = vec![(&["id"], Change::Put(&id))];
    if is_there(&strict, "result") {
        changes.push((&["result", "resultType"], Change::Remove));
        changes.push((&["result", "ttlMs"], Change::Remove));
        changes.push((&["result", "cacheScope"], Change::Remove));
    }
    let code = RESOURCE_NOT_FOUND.to_string();
    if method == "resources/read" && code_of(&strict) == Some(INVALID_PARAMS) {
        changes.push((&["error", "code"], Change::Put(&code)));
    }
    splice(message, &changes)
}

/// An answer of 2026-07-28 that asks before it goes on: questions that a server with sessions asked in its way, by keys, and
/// what the client has to return with the answers.
///
/// # Errors
/// When a question is no message.
pub fn input_required(id: &Id, questions: &[(String, &Question)], state: Option<&str>) -> Result<Bytes, Flaw> {
    let mut asked = String::from("{");
    for (place, (key, question)) in questions.iter().enumerate() {
        let comma = if place > 0 { "," } else { "" };
        let (key, method) = (Value::from(key.as_str()), Value::from(question.method.as_str()));
        let params = match &question.params {
            None => String::new(),
            // Only sessions are told by an id that a page was left, and how an answer gets on.
            Some(params) => format!(r#","params":{}"#, text(&without(params, &["elicitationId"])?)),
        };
        asked.push_str(&format!(r#"{comma}{key}:{{"method":{method}{params}}}"#));
    }
    asked.push('}');
    let state = state.map(|state| format!(r#","requestState":{}"#, Value::from(state))).unwrap_or_default();
    let result = format!(r#"{{"resultType":"input_required","inputRequests":{asked}{state}}}"#);
    Ok(format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#).into())
}

/// A question that a server of 2026-07-28 asks within an answer, as the request that a server with sessions would send.
/// A page is given `page` for its id, which sessions want.
///
/// # Errors
/// When the question is no message.
pub fn question_to_legacy(id: &Id, question: &Question, page: &str) -> Result<Bytes, Flaw> {
    let method = Value::from(question.method.as_str());
    let params = match &question.params {
        None => String::new(),
        Some(params) if question.mode.as_deref() == Some("url") => {
            let page = Value::from(page).to_string();
            format!(r#","params":{}"#, text(&splice(params, &[(&["elicitationId"], Change::Put(&page))])?))
        }
        Some(params) => format!(r#","params":{}"#, text(params)),
    };
    Ok(format!(r#"{{"jsonrpc":"2.0","id":{id},"method":{method}{params}}}"#).into())
}

/// The response to a request that a server with sessions sent.
pub fn response_to_legacy(id: &Id, result: &Bytes) -> Bytes {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{}}}"#, text(result)).into()
}

/// A notification with another progress token.
///
/// # Errors
/// When it has none.
pub fn progress(message: &Bytes, token: &Id) -> Result<Bytes, Flaw> {
    crate::edit::replace(message, &[(&["params", PROGRESS_TOKEN], &token.to_string())])
}

/// A notification that belongs to a subscription from now on, or to none.
///
/// # Errors
/// When it is no message.
pub fn subscribed(message: &Bytes, subscription: Option<&Id>) -> Result<Bytes, Flaw> {
    let id = subscription.map(Id::to_string);
    let change = id.as_deref().map_or(Change::Remove, Change::Put);
    splice(message, &[(&["params", META_MEMBER, SUBSCRIPTION_ID], change)])
}

/// That a subscription is there, and to what: `granted` is a JSON object.
pub fn acknowledged(subscription: &Id, granted: &Value) -> Bytes {
    let meta = format!(r#"{{"{SUBSCRIPTION_ID}":{subscription}}}"#);
    let params = format!(r#"{{"notifications":{granted},"{META_MEMBER}":{meta}}}"#);
    format!(r#"{{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{params}}}"#).into()
}

/// Whether a log message, by its parameters, is for somebody who wants none less severe than `wanted`; without a wish,
/// nobody wants any. What names no severity is not let through.
pub fn is_wanted(params: Option<&Bytes>, wanted: Option<&str>) -> bool {
    let said = params.and_then(|params| json::check(params, &Bounds::MESSAGE).ok()?.member("level")?.string());
    let rank = |level: &str| LOG_LEVELS.iter().position(|one| *one == level);
    match (said.as_deref().and_then(rank), wanted.and_then(rank)) {
        (Some(said), Some(wanted)) => said >= wanted,
        (Some(_) | None, _) => false,
    }
}

/// How severe a log level is: the greater, the more.
pub fn severity(level: &str) -> Option<usize> {
    LOG_LEVELS.iter().position(|one| *one == level)
}

/// The words that a server of 2026-07-28 wants returned with the answers to its questions: a JSON string, as it came.
/// `result` is its answer's result.
pub fn state(result: &Bytes) -> Option<String> {
    let strict = json::check(result, &Bounds::MESSAGE).ok()?;
    let state = strict.member("requestState")?;
    state.string().map(|_| state.text().to_owned())
}

/// What one question was answered, of the object that answers all of them.
pub fn response(responses: &Bytes, key: &str) -> Option<Bytes> {
    let strict = json::check(responses, &Bounds::MESSAGE).ok()?;
    let said = strict.member(key).filter(|value| value.is_object())?;
    Some(responses.slice_ref(said.text().as_bytes()))
}

/// What a client's response to a question says: its result, or nothing if it is an error.
pub fn result(response: &Bytes) -> Option<Bytes> {
    let strict = json::check(response, &Bounds::MESSAGE).ok()?;
    let result = strict.member("result").filter(|value| value.is_object())?;
    Some(response.slice_ref(result.text().as_bytes()))
}

/// The digest of what a request asks: its method and its parameters, but for `_meta`, the answers to questions and the
/// server's words, which differ each time that it is made. None if it has no canonical form.
pub fn digest(method: &str, body: &Bytes) -> Option<model::Digest> {
    let mut said: Value = serde_json::from_slice(body).ok()?;
    let mut params = said.get_mut("params").map(Value::take).unwrap_or_default();
    if let Some(params) = params.as_object_mut() {
        ["_meta", "inputResponses", "requestState"].iter().for_each(|key| drop(params.remove(*key)));
    }
    model::Digest::of_json(&serde_json::json!([method, params])).ok()
}

/// The headers of a request to a server of 2026-07-28.
fn standard(method: &str, name: Option<&str>) -> HeaderMap {
    outgoing::standard(Revision::V2026_07_28, method, name)
}

fn keyed(responses: &[(String, Bytes)]) -> String {
    let members = responses.iter().map(|(key, said)| format!("{}:{}", Value::from(key.as_str()), text(said)));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

fn without(object: &Bytes, keys: &[&str]) -> Result<Bytes, Flaw> {
    let paths: Vec<[&str; 1]> = keys.iter().map(|key| [*key]).collect();
    let changes: Vec<(Path<'_>, Change<'_>)> = paths.iter().map(|path| (path.as_slice(), Change::Remove)).collect();
    splice(object, &changes)
}

fn checked(body: &Bytes) -> Result<Strict<'_>, Flaw> {
    let strict = json::check(body, &Bounds::MESSAGE).map_err(Flaw::from_agent)?;
    if strict.top().is_object() {
        return Ok(strict);
    }
    Err(Refusal::new(Reason::Internal, "a message that is no object cannot cross").into())
}

fn is_there(strict: &Strict<'_>, name: &str) -> bool {
    strict.member(name).is_some_and(Json::is_object)
}

fn member_of<'a>(strict: &Strict<'a>, outer: &str, name: &str) -> Option<Json<'a>> {
    let found = strict.members_of(outer).find(|(key, _)| *key == name).map(|(_, value)| value);
    found.filter(|value| value.is_object())
}

fn code_of(strict: &Strict<'_>) -> Option<i64> {
    strict.members_of("error").find(|(key, _)| *key == "code").and_then(|(_, value)| value.integer())
}

/// Whatever was read as JSON is text.
fn text(json: &Bytes) -> &str {
    std::str::from_utf8(json).unwrap_or("null")
}

#[cfg(test)]
mod tests;
