//! One route: what it is called, who may use it, what it takes and what it gives.
//!
//! A route's handler is typed, and what it takes and gives is read off its type. The router, the role check and the
//! `OpenAPI` document are all built from the same list of routes, so none of them can miss one.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use model::{Role, limits};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::fault::{Code, Fault};
use crate::{Admin, Person};

/// How a route is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Post,
    Delete,
}

impl Verb {
    /// The word as `OpenAPI` writes it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
            Self::Delete => "delete",
        }
    }
}

/// A row of the table.
pub(crate) struct Route {
    pub(crate) verb: Verb,
    /// With parameters as `{name}`.
    pub(crate) path: &'static str,
    /// What it does, in a sentence.
    pub(crate) summary: &'static str,
    pub(crate) door: Door,
}

/// Who may come in, and what happens then.
pub(crate) enum Door {
    /// Anybody, without a token: a word that says nothing about the gate but whether it is there.
    Public(fn(&Admin) -> Words),
    /// Plain text for people with one of these roles.
    Plain(&'static [Role], fn(&Admin) -> Words),
    /// JSON for people with one of these roles.
    Json(&'static [Role], Desk),
}

/// A typed handler with its types made visible.
pub(crate) struct Desk {
    pub(crate) path: Shape,
    pub(crate) query: Shape,
    pub(crate) body: Option<Shape>,
    pub(crate) answer: Shape,
    /// Bytes of the body.
    pub(crate) most: usize,
    pub(crate) handle: Handle,
}

/// What something that comes in or goes out looks like.
pub(crate) type Shape = fn(&mut SchemaGenerator) -> Schema;
type Handle = Arc<dyn Fn(Arc<Admin>, Arrived) -> Handling + Send + Sync>;
type Handling = Pin<Box<dyn Future<Output = Result<Response, Fault>> + Send>>;

/// Plain text with its status.
pub(crate) struct Words {
    pub(crate) status: StatusCode,
    pub(crate) text: String,
}

/// A request from someone whose roles allow it, not yet read.
pub(crate) struct Arrived {
    pub(crate) person: Person,
    pub(crate) path: Value,
    pub(crate) uri: Uri,
    pub(crate) body: Bytes,
}

/// A request from someone whose roles allow it, read: path parameters, query parameters and body.
pub(crate) struct Call<P = Nothing, Q = Nothing, B = Nothing> {
    pub(crate) person: Person,
    pub(crate) path: P,
    pub(crate) query: Q,
    pub(crate) body: B,
}

/// No parameters, no body.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

impl Route {
    /// A route that answers JSON.
    pub(crate) fn new<P, Q, B, R, H, F>(
        verb: Verb,
        path: &'static str,
        summary: &'static str,
        roles: &'static [Role],
        handler: H,
    ) -> Self
    where
        P: DeserializeOwned + JsonSchema + Send + 'static,
        Q: DeserializeOwned + JsonSchema + Send + 'static,
        B: DeserializeOwned + JsonSchema + Send + 'static,
        R: Serialize + JsonSchema,
        H: Fn(Arc<Admin>, Call<P, Q, B>) -> F + Copy + Send + Sync + 'static,
        F: Future<Output = Result<R, Fault>> + Send + 'static,
    {
        let handle = move |admin: Arc<Admin>, arrived: Arrived| -> Handling {
            let read = arrived.read();
            Box::pin(async move {
                let answer = handler(admin, read?).await?;
                Ok(axum::Json(answer).into_response())
            })
        };
        let desk = Desk {
            path: P::json_schema,
            query: Q::json_schema,
            body: (B::schema_id() != Nothing::schema_id()).then_some(|generator| generator.subschema_for::<B>()),
            answer: |generator| generator.subschema_for::<R>(),
            most: limits::ADMIN_BODY_BYTES_MAX,
            handle: Arc::new(handle),
        };
        Self { verb, path, summary, door: Door::Json(roles, desk) }
    }

    /// The same, with a body that is larger than others'.
    #[must_use]
    pub(crate) fn with_body_of(mut self, most: usize) -> Self {
        if let Door::Json(_, desk) = &mut self.door {
            desk.most = most;
        }
        self
    }

    /// A route that answers plain text to anybody.
    pub(crate) fn public(path: &'static str, summary: &'static str, words: fn(&Admin) -> Words) -> Self {
        Self { verb: Verb::Get, path, summary, door: Door::Public(words) }
    }

    /// A route that answers plain text to people with one of the roles.
    pub(crate) fn plain(
        path: &'static str,
        summary: &'static str,
        roles: &'static [Role],
        words: fn(&Admin) -> Words,
    ) -> Self {
        Self { verb: Verb::Get, path, summary, door: Door::Plain(roles, words) }
    }
}

impl Arrived {
    fn read<P: DeserializeOwned, Q: DeserializeOwned, B: DeserializeOwned>(self) -> Result<Call<P, Q, B>, Fault> {
        let refused = |what: &str, why: &dyn std::fmt::Display| {
            Fault::new(Code::RequestInvalid, format!("the {what} is not what this route takes: {why}"))
        };
        let path = serde_json::from_value(self.path).map_err(|error| refused("path", &error))?;
        let query =
            axum::extract::Query::try_from_uri(&self.uri).map_err(|error| refused("query", &error.body_text()))?;
        // An empty body is the empty object, so that a route that asks for nothing needs nothing sent.
        let body = if self.body.is_empty() { b"{}".as_slice() } else { &self.body };
        let body = serde_json::from_slice(body).map_err(|error| refused("body", &error))?;
        Ok(Call { person: self.person, path, query: query.0, body })
    }
}

impl IntoResponse for Words {
    fn into_response(self) -> Response {
        let plain = [(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))];
        (self.status, plain, self.text).into_response()
    }
}
