//! The fixture as a server of one era: [`older`] knows only sessions, [`newer`] only 2026-07-28. Each answers what is of the
//! other as such a server does.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode};
use serde_json::{Value, json};

const NEWER: &str = "2026-07-28";

/// The eras that the fixture speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Era {
    Both,
    Older,
    Newer,
}

impl Era {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "both" => Some(Self::Both),
            "older" => Some(Self::Older),
            "newer" => Some(Self::Newer),
            _ => None,
        }
    }
}

/// A layer of a server that is older than 2026-07-28.
pub(crate) async fn older(request: Request, next: Next) -> Response {
    if is_newer(&request) {
        let error = json!({ "code": -32000, "message": "Bad Request: no session" });
        return refused(StatusCode::BAD_REQUEST, &error);
    }
    next.run(request).await
}

/// A layer of a server that speaks nothing else.
pub(crate) async fn newer(request: Request, next: Next) -> Response {
    if is_newer(&request) {
        return next.run(request).await;
    }
    if request.method() != Method::POST {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let data = json!({ "supported": [NEWER], "requested": "an older one" });
    refused(
        StatusCode::BAD_REQUEST,
        &json!({ "code": -32022, "message": "Unsupported protocol version", "data": data }),
    )
}

fn is_newer(request: &Request) -> bool {
    request.headers().get("mcp-protocol-version").is_some_and(|version| version == NEWER)
}

fn refused(status: StatusCode, error: &Value) -> Response {
    let error = json!({ "jsonrpc": "2.0", "id": null, "error": error });
    (status, [(http::header::CONTENT_TYPE, "application/json")], error.to_string()).into_response()
}
