//! A small, fast MCP server: what stands behind every proxy.
//!
//! It speaks 2026-07-28 over HTTP and knows three methods: `server/discover`, `tools/list` and `tools/call` of one
//! tool, whose answer is as large as the call asks for. It does as little as it can, so that it leaves the machine to
//! the process under test.

use std::borrow::Cow;

use bytes::Bytes;
use clap::Args;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{listen, payload};

/// The server needs no settings: it takes a free port.
#[derive(Args)]
pub struct Settings {}

/// Serves until the process is ended.
pub fn run(Settings {}: &Settings) -> anyhow::Result<()> {
    listen::serve(answer)
}

/// The little of a request that the server reads.
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
    #[serde(default)]
    arguments: Arguments,
}

#[derive(Deserialize, Default)]
struct Arguments {
    #[serde(default)]
    answer_bytes: usize,
}

async fn answer(request: Request<Incoming>) -> Response<Full<Bytes>> {
    let Ok(body) = Limited::new(request.into_body(), payload::MESSAGE_BYTES_MAX).collect().await else {
        return empty(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let body = body.to_bytes();
    let Ok(message) = serde_json::from_slice::<Message<'_>>(&body) else {
        return empty(StatusCode::BAD_REQUEST);
    };
    let Some(id) = message.id else {
        return empty(StatusCode::ACCEPTED);
    };
    let id = id.get();
    match message.method.as_ref() {
        "tools/call" => json(StatusCode::OK, payload::answer(id, message.params.arguments.answer_bytes)),
        "tools/list" => json(StatusCode::OK, result(id, TOOLS)),
        "server/discover" => json(StatusCode::OK, result(id, DISCOVERY)),
        _ => json(
            StatusCode::NOT_FOUND,
            format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32601,"message":"method not found"}}}}"#).into(),
        ),
    }
}

const DISCOVERY: &str = r#""supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"ttlMs":60000,"cacheScope":"public","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"bench-upstream","version":"1"}}"#;

const TOOLS: &str = r#""tools":[{"name":"refund","description":"Pays an order back to the customer.","inputSchema":{"type":"object","properties":{"order":{"type":"string","maxLength":64},"amount":{"type":"integer","minimum":1},"currency":{"type":"string","enum":["EUR","USD","GBP"]},"note":{"type":"string"},"answer_bytes":{"type":"integer","minimum":0,"maximum":1048576}},"required":["order","amount","currency"],"additionalProperties":false}}],"ttlMs":60000,"cacheScope":"public""#;

/// The listing that the server answers with.
pub fn listing() -> Bytes {
    result("1", TOOLS)
}

fn result(id: &str, members: &str) -> Bytes {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"resultType":"complete",{members}}}}}"#).into()
}

fn json(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn empty(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::new()));
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests;
