//! How the admin API says no: one table from code to status and words, one JSON shape.

use std::borrow::Cow;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use model::StoreError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Declares [`Code`] and its table together, so that neither can miss a row.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident $word:literal $status:ident, $next:literal;)*) => {
        /// Every way in which the admin API refuses. Programs may rely on the words.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        pub enum Code {
            $($(#[$doc])* #[serde(rename = $word)] $name,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable word.
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The HTTP status.
            pub fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// What to do next, unless the fault knows better.
            fn next(self) -> &'static str {
                match self { $(Self::$name => $next,)* }
            }
        }
    };
}

codes! {
    /// The Host header names no host of this listener.
    HostUnknown "host-unknown" FORBIDDEN, "use the listener's own address; operators add names as `hosts` of the admin listener";
    /// The Origin header is of a page that may not call.
    OriginRefused "origin-refused" FORBIDDEN, "operators add origins as `origins` of the admin listener";
    /// No token, or one that names nobody.
    Unauthenticated "unauthenticated" UNAUTHORIZED, "sign in with `portcullis login`, or send `Authorization: Bearer` with the token of `admin.token` in the data directory, or with your own";
    /// A browser's session, and nothing that shows that a page of the gate's own sent this.
    CsrfTokenMissing "csrf-token-missing" FORBIDDEN, "send the `csrf` of /api/v1/whoami as the header `X-Portcullis-Csrf`";
    /// The person's roles do not allow this.
    RoleMissing "role-missing" FORBIDDEN, "ask an admin for the role";
    /// There is nothing at this path.
    PathUnknown "path-unknown" NOT_FOUND, "see /api/v1/openapi.json";
    /// The path is there, but not with this method.
    MethodNotAllowed "method-not-allowed" METHOD_NOT_ALLOWED, "see /api/v1/openapi.json";
    /// The body is not declared as JSON.
    MediaTypeRefused "media-type-refused" UNSUPPORTED_MEDIA_TYPE, "send `Content-Type: application/json`";
    /// The body is larger than the limit.
    TooLarge "too-large" PAYLOAD_TOO_LARGE, "send less in one request";
    /// The body did not arrive in time, or not whole.
    TooSlow "too-slow" REQUEST_TIMEOUT, "send the request without pauses";
    /// The path, the query or the body is not what the route takes.
    RequestInvalid "request-invalid" BAD_REQUEST, "see /api/v1/openapi.json";
    /// A manifest or a policy is wrong.
    ManifestInvalid "manifest-invalid" UNPROCESSABLE_ENTITY, "mend the file and try again; nothing was changed";
    /// There is no such thing.
    NotFound "not-found" NOT_FOUND, "list what there is, and check the name";
    /// Someone else changed the state first.
    Conflict "conflict" CONFLICT, "look at the new state and decide again";
    /// The thing is in a state that does not allow this.
    Refused "refused" CONFLICT, "look at the thing's state and decide again";
    /// The server could not be reached, or what it says cannot be used.
    ServerUnusable "server-unusable" BAD_GATEWAY, "check the manifest's url and zone and that the server runs, then check again";
    /// The durable state or the journal cannot be read or written.
    StorageFailed "storage-failed" SERVICE_UNAVAILABLE, "look at the gate's log and its disk; nothing was changed";
    /// Something in the gate failed.
    Internal "internal" INTERNAL_SERVER_ERROR, "look at the gate's log";
}

/// A place in a file that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The column in characters, from 1, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
}

/// One thing that is wrong with the files that were sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// Where.
    #[serde(rename = "where")]
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// How to mend it, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// A refusal of the admin API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fault {
    // Boxed, because results carry it everywhere and almost never hold one.
    error: Box<Error>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
struct Error {
    /// Why, from a closed list.
    code: Code,
    /// What happened.
    message: String,
    /// Where, when it is about a file that was sent: the first problem's place.
    #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
    place: Option<Place>,
    /// What to do next.
    next: Cow<'static, str>,
    /// Everything that is wrong with the files that were sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    problems: Vec<Problem>,
}

impl Fault {
    /// A refusal with its code's own advice.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        let next = Cow::Borrowed(code.next());
        let error = Error { code, message: message.into(), place: None, next, problems: Vec::new() };
        Self { error: Box::new(error) }
    }

    /// Replaces the advice.
    #[must_use]
    pub fn with_next(mut self, next: impl Into<Cow<'static, str>>) -> Self {
        self.error.next = next.into();
        self
    }

    /// The refusal of files that have these problems; `None` when there are none.
    pub(crate) fn of_problems(problems: Vec<Problem>) -> Option<Self> {
        let first = problems.first()?;
        let message = match problems.len() {
            1 => first.message.clone(),
            count => format!("{count} problems in the files; the first: {}", first.message),
        };
        let place = Some(first.place.clone());
        let next = match (&first.hint, problems.len()) {
            (Some(hint), 1) => Cow::Owned(hint.clone()),
            (Some(_) | None, _) => Cow::Borrowed(Code::ManifestInvalid.next()),
        };
        let error = Error { code: Code::ManifestInvalid, message, place, next, problems };
        Some(Self { error: Box::new(error) })
    }

    /// The code.
    pub fn code(&self) -> Code {
        self.error.code
    }

    /// What happened.
    pub fn message(&self) -> &str {
        &self.error.message
    }

    /// What to do next.
    pub fn next(&self) -> &str {
        &self.error.next
    }

    /// Everything that is wrong with the files that were sent.
    pub fn problems(&self) -> &[Problem] {
        &self.error.problems
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        let next = error.next();
        let fault = match &error {
            StoreError::Conflict { .. } => Self::new(Code::Conflict, error.to_string()),
            StoreError::NotFound { .. } => Self::new(Code::NotFound, error.to_string()),
            StoreError::Refused(why) => Self::new(Code::Refused, why.clone()),
            StoreError::Full { .. } => {
                tracing::error!(%error, "the durable state failed");
                Self::new(Code::StorageFailed, error.to_string())
            }
            StoreError::Storage { source, .. } => {
                // The driver's words are for the log; they can name files and statements.
                tracing::error!(%error, %source, "the durable state failed");
                Self::new(Code::StorageFailed, error.to_string())
            }
        };
        match next {
            Some(next) => fault.with_next(next),
            None => fault,
        }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let code = self.code();
        let mut response = (code.status(), axum::Json(self)).into_response();
        if code == Code::Unauthenticated {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
