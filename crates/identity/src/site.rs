//! Pages and documents that are served beside the path of messages: the façade's, and those on which people connect servers.
//!
//! A [`Site`] sees a [`Visit`] whole and gives a whole answer; the listener, its limits and the names it answers to are the
//! gateway's. What a visitor sends is read strictly: a parameter that stands twice is refused, because two readers could
//! take different ones (RFC 6749 §3.1).

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, HeaderName, LOCATION, ORIGIN,
    REFERRER_POLICY, SET_COOKIE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use model::limits;
use url::form_urlencoded;

use crate::certificate::Certificate;

/// Somebody at a page.
pub struct Visit {
    /// `GET`, `POST`.
    pub method: Method,
    /// Where, without the query.
    pub path: String,
    /// What stands behind the `?`.
    pub query: Option<String>,
    /// The head.
    pub headers: HeaderMap,
    /// The body; empty but for `POST`.
    pub body: Bytes,
    /// Where from.
    pub source: IpAddr,
    /// The certificate with which the connection was made.
    pub certificate: Option<Arc<Certificate>>,
}

/// What is served at some paths of a listener.
#[async_trait]
pub trait Site: Send + Sync {
    /// Whether the path is of this site.
    fn serves(&self, path: &str) -> bool;

    /// The methods that it takes.
    fn methods(&self) -> &'static str {
        "GET, POST"
    }

    /// Answers. What is refused has a status of 400 or more.
    async fn answer(&self, visit: Visit) -> Response<Bytes>;
}

/// Parameters of a query or a form, each there once.
#[derive(Default)]
pub struct Parameters(Vec<(String, String)>);

/// Why parameters were not taken. It quotes nothing of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// A parameter stands twice.
    #[error("a parameter is repeated")]
    Repeated,
    /// A parameter is longer than [`limits::FACADE_PARAMETER_BYTES_MAX`], or there are too many.
    #[error("the parameters are too long or too many")]
    TooLong,
    /// The body is no form.
    #[error("the body is no form")]
    NoForm,
}

/// Parameters in one request.
const PARAMETERS_MAX: usize = 64;

impl Parameters {
    /// Reads what stands behind the `?`.
    ///
    /// # Errors
    /// When a parameter is repeated or too long.
    pub fn of_query(query: Option<&str>) -> Result<Self, ParameterError> {
        Self::read(query.unwrap_or_default().as_bytes())
    }

    /// Reads a posted form.
    ///
    /// # Errors
    /// When there is none, or a parameter is repeated or too long.
    pub fn of_form(visit: &Visit) -> Result<Self, ParameterError> {
        let mut types = visit.headers.get_all(CONTENT_TYPE).iter();
        let (first, second) = (types.next().and_then(|value| value.to_str().ok()), types.next());
        let essence = first.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
        if second.is_some() || !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(ParameterError::NoForm);
        }
        Self::read(&visit.body)
    }

    fn read(encoded: &[u8]) -> Result<Self, ParameterError> {
        let mut read: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(encoded) {
            let is_long = name.len() > limits::LABEL_BYTES_MAX || value.len() > limits::FACADE_PARAMETER_BYTES_MAX;
            if is_long || read.len() >= PARAMETERS_MAX {
                return Err(ParameterError::TooLong);
            }
            if read.iter().any(|(other, _)| *other == name) {
                return Err(ParameterError::Repeated);
            }
            // A parameter without a value is one that is not there (RFC 6749 §3.1).
            if !value.is_empty() {
                read.push((name.into_owned(), value.into_owned()));
            }
        }
        Ok(Self(read))
    }

    /// A parameter's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

impl Visit {
    /// The value of a cookie that is there once.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        cookie(&self.headers, name)
    }

    /// Whether a browser says that a page of another origin sent this. One that says nothing is no browser of today; what it
    /// may do then rests on what it holds.
    pub fn is_from_elsewhere(&self, origin: &str) -> bool {
        let differs = |name: &HeaderName, wanted: &[&str]| {
            let values = self.headers.get_all(name).iter();
            values.into_iter().any(|value| !value.to_str().is_ok_and(|value| wanted.contains(&value)))
        };
        differs(&ORIGIN, &[origin]) || differs(&HeaderName::from_static("sec-fetch-site"), &["same-origin", "none"])
    }

    /// Whether it carries an `Authorization` header.
    pub fn is_authorized(&self) -> bool {
        self.headers.contains_key(AUTHORIZATION)
    }
}

/// The value of a cookie that is there once.
pub(crate) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut values = lines.flat_map(|line| line.split(';')).filter_map(|pair| {
        let (other, value) = pair.trim().split_once('=')?;
        (other == name).then_some(value)
    });
    let value = values.next()?;
    values.next().is_none().then_some(value)
}

/// What a page may do in a browser: show itself with the gate's own style, and send its form back. No script, no frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; \
                      base-uri 'none'";

/// A page.
pub fn page(status: StatusCode, html: String) -> Response<Bytes> {
    let mut response = document(status, "text/html; charset=utf-8", html);
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    // The form's own origin is told to us and to nobody else; without it a browser would send `Origin: null`.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

/// A document that nobody keeps.
pub fn document(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// A JSON document that nobody keeps.
pub fn json(status: StatusCode, value: &serde_json::Value) -> Response<Bytes> {
    document(status, "application/json", value.to_string())
}

/// A JSON document that may be kept for a while, and read by pages of any origin: it is the same for everybody.
pub fn published(value: &serde_json::Value) -> Response<Bytes> {
    let mut response = json(StatusCode::OK, value);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    headers.insert(http::header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

/// The answer to a visit to a [published](published) document: it is read, and nothing else.
pub fn only_read(visit: &Visit, value: &serde_json::Value) -> Response<Bytes> {
    match visit.method == Method::GET {
        true => published(value),
        false => json(StatusCode::METHOD_NOT_ALLOWED, &serde_json::json!({ "error": "this is read" })),
    }
}

/// Sends the browser on. A target that cannot stand in a header goes nowhere.
pub fn redirect(target: &str) -> Response<Bytes> {
    let mut response = page(StatusCode::SEE_OTHER, String::new());
    match HeaderValue::from_str(target) {
        Ok(target) => drop(response.headers_mut().insert(LOCATION, target)),
        Err(_) => *response.status_mut() = StatusCode::BAD_REQUEST,
    }
    response
}

/// Gives the browser a cookie that no script reads, no other site sends in a form, and no other host can set.
#[must_use]
pub fn with_cookie(response: Response<Bytes>, name: &str, value: &str) -> Response<Bytes> {
    with_cookie_of(response, &format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax"))
}

/// Gives the browser a cookie with these attributes.
#[must_use]
pub(crate) fn with_cookie_of(mut response: Response<Bytes>, cookie: &str) -> Response<Bytes> {
    if let Ok(mut cookie) = HeaderValue::from_str(cookie) {
        cookie.set_sensitive(true);
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// Text as it may stand in HTML, between tags and in quoted attributes.
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // What cannot be seen, or turns the order of letters round, could make a name look like another.
            letter if letter.is_control() || is_invisible(letter) => safe.push('\u{fffd}'),
            letter => safe.push(letter),
        }
    }
    safe
}

fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests;
