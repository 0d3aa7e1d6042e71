//! Tools that are looked for instead of listed, at endpoints whose manifests say so: an agent need not load ten thousand
//! definitions to call one.
//!
//! Such an endpoint lists three tools of the gate's own. `call_tool` is no tool at all, but another way to say `tools/call`:
//! [`said`] unwraps it before anything is decided, so that every control, the receipt and the server meet the inner tool and
//! its arguments, and nothing of the wrapping. `find_tools` and `describe_tool` answer from pinned definitions, and only
//! from those that the caller may list.

use std::borrow::Cow;

use audit::{Event, Listed, Record, Who};
use bytes::Bytes;
use model::{Reason, Refusal, limits};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use wire::{Subject, edit, reply};

use crate::controls::connect::Connected;
use crate::controls::halted::Running;
use crate::controls::read::Message;
use crate::controls::visible;
use crate::gate::Gate;
use crate::listing::Listing;
use crate::listing::view::{self, List};
use crate::trail::Trail;

const FIND: &str = "find_tools";
const DESCRIBE: &str = "describe_tool";
const CALL: &str = "call_tool";

/// The definitions of the three, as clients are shown them.
pub(crate) const DEFINITIONS: [&str; 3] = [
    concat!(
        r#"{"name":"find_tools","title":"Find tools","description":"Finds tools by words: say what you want to do, and get the "#,
        r#"names and first words of the tools that fit. Not all tools are listed; look here before you give up.","inputSchema":"#,
        r#"{"type":"object","properties":{"query":{"type":"string","description":"Words of what the tool should do."},"#,
        r#""limit":{"type":"integer","minimum":1,"maximum":50,"description":"How many to tell at most; 10 if not said."}},"#,
        r#""required":["query"],"additionalProperties":false},"annotations":{"readOnlyHint":true}}"#
    ),
    concat!(
        r#"{"name":"describe_tool","title":"Describe a tool","description":"Tells a tool's whole definition, with the schema of "#,
        r#"its arguments. Read it before you call the tool.","inputSchema":{"type":"object","properties":{"name":{"type":"#,
        r#""string","description":"The tool's name, as find_tools told it."}},"required":["name"],"#,
        r#""additionalProperties":false},"annotations":{"readOnlyHint":true}}"#
    ),
    concat!(
        r#"{"name":"call_tool","title":"Call a tool","description":"Calls a tool that is not listed, exactly as if it were: "#,
        r#"give its name and its arguments.","inputSchema":{"type":"object","properties":{"name":{"type":"string","#,
        r#""description":"The tool's name, as find_tools told it."},"arguments":{"type":"object","description":"The tool's "#,
        r#"arguments, as describe_tool tells them."}},"required":["name"],"additionalProperties":false}}"#
    ),
];

/// How a message came to say what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phrasing {
    /// By itself.
    Direct,
    /// It was wrapped in a call of `call_tool`. Headers that say arguments once more were not sent with it.
    Wrapped,
    /// Something was taken out of it. Its headers still say what stood there.
    Redacted,
}

/// What a message asks for of the gate's own tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Tools with some words.
    Find,
    /// A tool's definition.
    Describe,
}

/// The arguments of `call_tool`. That no key is there twice was seen when the message was read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrapped<'body> {
    #[serde(borrow)]
    name: Cow<'body, str>,
    #[serde(borrow)]
    arguments: Option<&'body RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    query: String,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: String,
}

/// What the message says: itself, or the call that is wrapped in it. What is wrapped twice is a call of a tool that has the
/// name, if there is one.
///
/// # Errors
/// [`Reason::ArgumentsInvalid`] when what is wrapped is no call.
pub(crate) fn said(connected: &Connected, message: Message) -> Result<Message, Refusal> {
    let Some(arguments) = arguments_of(connected, &message, CALL) else { return Ok(message) };
    let Wrapped { name, arguments: inner } = parse(&arguments)?;
    if name.is_empty() || name.len() > limits::NAME_BYTES_MAX {
        return Err(invalid(format!("`name` must have from 1 to {} bytes", limits::NAME_BYTES_MAX)));
    }
    let inner = inner.map_or("{}", RawValue::get);
    if !inner.starts_with('{') {
        return Err(invalid("`arguments` must be an object".to_owned()));
    }
    let internal = |flaw: wire::Flaw| flaw.refusal;
    let own_name = Value::from(&*name).to_string();
    let edits: [(&[&str], &str); 2] = [(&["params", "name"], &own_name), (&["params", "arguments"], inner)];
    let body = match message.request.subject.arguments() {
        Some(_) => edit::replace(&message.request.body, &edits).map_err(internal)?,
        // Without arguments there is no name either, and parsing refused it.
        None => return Err(invalid("`name` is missing".to_owned())),
    };
    let subject = Subject::Tool { name: name.into_owned(), arguments: Some(Bytes::copy_from_slice(inner.as_bytes())) };
    let Message { mut request, row, phrasing: _ } = message;
    (request.body, request.subject) = (body, subject);
    Ok(Message { request, row, phrasing: Phrasing::Wrapped })
}

/// What the message asks for of the gate's own tools, if it is to one of them.
pub(crate) fn asked(connected: &Connected, message: &Message) -> Option<Asked> {
    [(FIND, Asked::Find), (DESCRIBE, Asked::Describe)]
        .into_iter()
        .find(|(name, _)| arguments_of(connected, message, name).is_some())
        .map(|(_, asked)| asked)
}

/// The arguments of a call of one of the gate's own tools, where it has them.
fn arguments_of(connected: &Connected, message: &Message, own: &str) -> Option<Bytes> {
    match &message.request.subject {
        Subject::Tool { name, arguments } if name == own && message.phrasing == Phrasing::Direct => {
            connected.door.endpoint.manifest.search.as_ref()?;
            Some(arguments.clone().unwrap_or_else(|| Bytes::from_static(b"{}")))
        }
        Subject::Tool { .. }
        | Subject::Prompt { .. }
        | Subject::Resource { .. }
        | Subject::Completion { .. }
        | Subject::Subscription { .. }
        | Subject::Task { .. }
        | Subject::Initialize { .. }
        | Subject::Cancelled { .. }
        | Subject::Progress { .. }
        | Subject::LogLevel { .. }
        | Subject::None => None,
    }
}

/// Answers a call of `find_tools` or `describe_tool`.
pub(crate) async fn run(
    gate: &Gate,
    running: &Running,
    message: &Message,
    asked: Asked,
    trail: &mut Trail,
) -> Result<Listing, Refusal> {
    let (request, now) = (&message.request, gate.clock.now());
    let Some(id) = &request.id else {
        return Err(Refusal::new(Reason::NotJsonRpc, "a call without an id"));
    };
    let arguments = request.subject.arguments().cloned().unwrap_or_else(|| Bytes::from_static(b"{}"));
    let (own, text, shown) = match asked {
        Asked::Find => {
            let (text, count) = find(gate, running, &parse(&arguments)?).await?;
            (FIND, text, count)
        }
        Asked::Describe => {
            let Named { name } = parse(&arguments)?;
            // The same questions, in the same order, as for whoever calls it: hidden looks like missing.
            let named = visible::tool(running, &name)?;
            trail.object = named.object().cloned();
            visible::run(running, named, now)?;
            let tool = running.door.endpoint.find_tool(&name);
            let missing = || Refusal::new(Reason::ObjectNotFound, "no approved definition has this name");
            (DESCRIBE, tool.ok_or_else(missing)?.raw.get().to_owned(), 1)
        }
    };
    let mut result = json!({ "content": [{ "type": "text", "text": text }] });
    if !request.revision.has_sessions()
        && let Some(members) = result.as_object_mut()
    {
        members.insert("resultType".to_owned(), "complete".into());
    }
    let listed = Listed {
        who: Who::from(&*running.caller),
        endpoint: running.door.name.clone(),
        method: format!("{} {own}", message.row.method),
        shown,
        hidden: 0,
        revision: running.snapshot.revision,
    };
    let record = Record { id: trail.receipt, at: trail.began, event: Event::Listed(listed) };
    Ok(Listing { bytes: reply::result(id, &result), record })
}

/// The tools with the words of a query, as JSON, and how many are told.
async fn find(gate: &Gate, running: &Running, query: &Query) -> Result<(String, u32), Refusal> {
    let Query { query, limit } = query;
    if query.len() > limits::QUERY_BYTES_MAX {
        return Err(invalid(format!("`query` must have at most {} bytes", limits::QUERY_BYTES_MAX)));
    }
    let limit = limit.unwrap_or(limits::FOUND_TOOLS);
    if !(1..=limits::FOUND_TOOLS_MAX).contains(&limit) {
        return Err(invalid(format!("`limit` must be from 1 to {}", limits::FOUND_TOOLS_MAX)));
    }
    let endpoint = &running.door.endpoint;
    let view = view::of(running, List::Tools).await;
    let now = gate.clock.now();
    let found = endpoint.find_tools(query, |place| view.shows(running, List::Tools, place, now));
    let told: Vec<Value> = found
        .iter()
        .take(limit)
        .filter_map(|place| endpoint.tools().get(*place))
        .map(|tool| {
            let definition: Value = serde_json::from_str(tool.raw.get()).unwrap_or_default();
            let text = |name: &str| definition.get(name).and_then(Value::as_str);
            let description = text("description").map(|text| first_words(text, limits::FOUND_DESCRIPTION_CHARS));
            json!({ "name": tool.shown, "title": text("title"), "description": description })
        })
        .collect();
    let count = u32::try_from(told.len()).unwrap_or(u32::MAX);
    let more = found.len().saturating_sub(told.len());
    Ok((json!({ "tools": told, "more": more }).to_string(), count))
}

fn first_words(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn parse<'body, T: Deserialize<'body>>(arguments: &'body Bytes) -> Result<T, Refusal> {
    serde_json::from_slice(arguments).map_err(|error| invalid(words(&error)))
}

/// What serde says, without where: what is quoted there are names of members.
fn words(error: &serde_json::Error) -> String {
    let told = error.to_string();
    told.split(" at line ").next().unwrap_or_default().to_owned()
}

fn invalid(why: String) -> Refusal {
    Refusal::new(Reason::ArgumentsInvalid, why.clone()).with_hint(why)
}

#[cfg(test)]
mod tests;
