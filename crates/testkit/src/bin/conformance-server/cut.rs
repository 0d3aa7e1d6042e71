//! A stream that ends before its answer, as revision 2025-11-25 lets servers do when an answer takes long (SEP-1699).
//!
//! Its first event has an id and no data; with that id the client comes back, on a stream of its own, and gets the rest.
//! `rmcp` keeps the rest, but its handlers cannot end the stream they answer on. [`cut`] does, for one tool.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;

/// The tool whose stream is cut.
pub(crate) const TOOL: &str = "test_reconnection";

/// Longest request that is looked at, in bytes.
const REQUEST_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The layer.
pub(crate) async fn cut(request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, REQUEST_BYTES_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let in_session = head.headers.contains_key("mcp-session-id");
    let cuts = in_session && calls_tool(&body);
    let response = next.run(Request::from_parts(head, Body::from(body))).await;
    let streamed = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
    if !cuts || !streamed {
        return response;
    }
    let (head, mut body) = response.into_parts();
    let first = body.frame().await.and_then(|frame| frame.ok()?.into_data().ok()).unwrap_or_default();
    Response::from_parts(head, Body::from(first))
}

fn calls_tool(body: &[u8]) -> bool {
    let message: Value = serde_json::from_slice(body).unwrap_or_default();
    message.pointer("/params/name").is_some_and(|name| name == TOOL)
}
