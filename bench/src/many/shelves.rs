//! Servers with as many tools as their path says, all in one process; and a local server with one.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::io::{BufRead, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use clap::Args;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Frame, Incoming};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{listen, payload};

/// The servers need no settings: `/NUMBER/TOOLS/mcp` is one, on a free port.
#[derive(Args)]
pub struct Settings {}

/// A local server.
#[derive(Args)]
pub struct ChildSettings {
    /// Calls after which it ends by itself.
    #[arg(long, default_value_t = usize::MAX)]
    calls: usize,
}

/// Tools on one page of a listing.
const PAGE: usize = 1_000;

/// Serves until the process is ended.
pub fn run(Settings {}: &Settings) -> anyhow::Result<()> {
    listen::serve(answer)
}

/// Is a local server, until its input ends or it has answered its calls.
pub fn child(settings: &ChildSettings) -> anyhow::Result<()> {
    let mut calls = 0;
    let mut output = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let Ok(message) = serde_json::from_str::<Message<'_>>(&line) else { continue };
        let Some(id) = message.id else { continue };
        for text in said(id.get(), &message, 1) {
            writeln!(output, "{text}")?;
        }
        output.flush()?;
        calls += usize::from(message.method == "tools/call");
        if calls >= settings.calls {
            break;
        }
    }
    Ok(())
}

/// The little of a request that is read.
#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(default)]
    params: Params,
}

#[derive(Deserialize, Default)]
struct Params {
    cursor: Option<String>,
}

/// What comes at once; a subscription then has nothing more to say and does not end.
struct Said {
    first: Option<Bytes>,
    stays: bool,
}

impl Body for Said {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match (self.first.take(), self.stays) {
            (Some(first), _) => Poll::Ready(Some(Ok(Frame::data(first)))),
            // Nobody wakes it: it ends when its connection does.
            (None, true) => Poll::Pending,
            (None, false) => Poll::Ready(None),
        }
    }
}

async fn answer(request: Request<Incoming>) -> Response<Said> {
    let tools = request.uri().path().split('/').nth(2).and_then(|count| count.parse().ok()).unwrap_or(0);
    let body = Limited::new(request.into_body(), payload::MESSAGE_BYTES_MAX).collect().await;
    let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let Ok(message) = serde_json::from_slice::<Message<'_>>(&body) else {
        return response(StatusCode::BAD_REQUEST, "application/json", String::new(), false);
    };
    let Some(id) = message.id else {
        return response(StatusCode::ACCEPTED, "application/json", String::new(), false);
    };
    let texts = said(id.get(), &message, tools);
    if message.method == "subscriptions/listen" {
        let events = texts.iter().fold(String::new(), |mut events, text| {
            let _infallible = write!(events, "data: {text}\n\n");
            events
        });
        return response(StatusCode::OK, "text/event-stream", events, true);
    }
    response(StatusCode::OK, "application/json", texts.concat(), false)
}

fn response(status: StatusCode, kind: &'static str, text: String, stays: bool) -> Response<Said> {
    let first = (!text.is_empty()).then(|| Bytes::from(text));
    let mut response = Response::new(Said { first, stays });
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// What is said to a request.
fn said(id: &str, message: &Message<'_>, tools: usize) -> Vec<String> {
    let result = |members: &str| {
        vec![format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"resultType":"complete",{members}}}}}"#)]
    };
    match message.method.as_ref() {
        "server/discover" => result(DISCOVERY),
        "tools/list" => {
            let from = message.params.cursor.as_deref().and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
            result(&page(from, tools))
        }
        "tools/call" => result(r#""content":[{"type":"text","text":"done"}]"#),
        "subscriptions/listen" => vec![format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{{"_meta":{{"io.modelcontextprotocol/subscriptionId":{id}}},"notifications":{{}}}}}}"#
        )],
        _ => vec![format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32601,"message":"method not found"}}}}"#)],
    }
}

const DISCOVERY: &str = r#""supportedVersions":["2026-07-28"],"capabilities":{"tools":{"listChanged":true}},"ttlMs":60000,"cacheScope":"public","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"bench-shelves","version":"1"}}"#;

/// Definitions of an ordinary size, some 600 bytes each.
fn page(from: usize, tools: usize) -> String {
    let until = tools.min(from.saturating_add(PAGE));
    let definitions: Vec<String> = (from..until).map(definition).collect();
    let next = if until < tools { format!(r#","nextCursor":"{until}""#) } else { String::new() };
    format!(r#""tools":[{}]{next},"ttlMs":60000,"cacheScope":"public""#, definitions.join(","))
}

fn definition(number: usize) -> String {
    format!(
        r#"{{"name":"{}","title":"Item {number}","description":"Moves item {number} from its place on the shelf to another place, if there is room for it, and tells where it stands afterwards and how many of it are left.","inputSchema":{{"type":"object","properties":{{"count":{{"type":"integer","minimum":1,"description":"How many of it."}},"to":{{"type":"string","maxLength":64,"description":"The name of the other place."}},"carefully":{{"type":"boolean","description":"Whether it could break."}}}},"required":["count","to"],"additionalProperties":false}},"annotations":{{"readOnlyHint":false,"destructiveHint":false}}}}"#,
        name(number)
    )
}

/// The name of a tool.
pub(crate) fn name(number: usize) -> String {
    format!("item_{number:05}")
}
