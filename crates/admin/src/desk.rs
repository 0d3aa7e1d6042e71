//! The one way in: every request to every route passes [`enter`], in this order.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams, Request};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use model::{Role, limits};
use serde_json::{Map, Value};

use crate::fault::{Code, Fault};
use crate::route::{Arrived, Door, Route, Verb};
use crate::{Admin, Names, Person, table};

/// The admin listener's routes, all of them. `names` are the listener's own.
pub fn router(admin: Arc<Admin>, names: Names) -> Router {
    let names = Arc::new(names);
    let mut router = Router::new();
    for route in table::routes() {
        let (admin, names, route) = (Arc::clone(&admin), Arc::clone(&names), Arc::new(route));
        let filter = match route.verb {
            Verb::Get => MethodFilter::GET,
            Verb::Post => MethodFilter::POST,
            Verb::Delete => MethodFilter::DELETE,
        };
        let path = route.path;
        let handler = move |request: Request| {
            let (admin, names, route) = (Arc::clone(&admin), Arc::clone(&names), Arc::clone(&route));
            async move { sealed(enter(admin, &names, &route, request).await) }
        };
        router = router.route(path, on(filter, handler));
    }
    let lost = move |code: Code, what: &'static str| {
        let (admin, names) = (Arc::clone(&admin), Arc::clone(&names));
        move |request: Request| {
            let (admin, names) = (Arc::clone(&admin), Arc::clone(&names));
            async move { sealed(Err(astray(&admin, &names, request, code, what))) }
        }
    };
    router
        .fallback(lost(Code::PathUnknown, "there is nothing at this path"))
        .method_not_allowed_fallback(lost(Code::MethodNotAllowed, "this path is not served with this method"))
}

async fn enter(admin: Arc<Admin>, names: &Names, route: &Route, request: Request) -> Result<Response, Fault> {
    let (mut parts, body) = request.into_parts();
    // Before the token is looked at: a foreign page must not learn whether the one it stole is good.
    names.admit(&parts)?;
    let (person, handle) = match &route.door {
        Door::Public(words) => return Ok(words(&admin).into_response()),
        Door::Plain(roles, words) => {
            authorise(&admin, &parts.headers, roles)?;
            return Ok(words(&admin).into_response());
        }
        Door::Json(roles, desk) => (authorise(&admin, &parts.headers, roles)?, Arc::clone(&desk.handle)),
    };
    // Only what someone known sends is read at all.
    let path = parameters(&mut parts).await?;
    let body = read(&parts, body).await?;
    handle(admin, Arrived { person, path, uri: parts.uri, body }).await
}

/// What someone gets who asks for what is not there: strangers learn nothing about which paths are.
fn astray(admin: &Admin, names: &Names, request: Request, code: Code, what: &'static str) -> Fault {
    let (parts, _unread) = request.into_parts();
    let known = names.admit(&parts).and_then(|()| authorise(admin, &parts.headers, &Role::ALL));
    known.map_or_else(|fault| fault, |_person| Fault::new(code, what))
}

fn authorise(admin: &Admin, headers: &HeaderMap, roles: &[Role]) -> Result<Person, Fault> {
    let Some(person) = admin.people.load().person(headers).cloned() else {
        return Err(Fault::new(Code::Unauthenticated, "the request carries no valid token"));
    };
    if person.has_one_of(roles) {
        return Ok(person);
    }
    let needed = roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", ");
    Err(Fault::new(Code::RoleMissing, format!("`{}` has none of the roles this needs: {needed}", person.name)))
}

async fn parameters(parts: &mut Parts) -> Result<Value, Fault> {
    let invalid = |_| Fault::new(Code::RequestInvalid, "the path is not valid UTF-8");
    let found = RawPathParams::from_request_parts(parts, &()).await.map_err(invalid)?;
    let pairs = found.iter().map(|(name, value)| (name.to_owned(), Value::from(value)));
    Ok(Value::Object(pairs.collect::<Map<_, _>>()))
}

async fn read(parts: &Parts, body: Body) -> Result<Bytes, Fault> {
    let collecting = Limited::new(body, limits::ADMIN_BODY_BYTES_MAX).collect();
    let bytes = match tokio::time::timeout(Duration::from_millis(limits::REQUEST_MILLISECONDS_MAX), collecting).await {
        Ok(Ok(collected)) => collected.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let most = limits::ADMIN_BODY_BYTES_MAX;
            return Err(Fault::new(Code::TooLarge, format!("the body is larger than {most} bytes")));
        }
        Ok(Err(_)) => return Err(Fault::new(Code::TooSlow, "the body did not arrive whole")),
        Err(_) => return Err(Fault::new(Code::TooSlow, "the body did not arrive in time")),
    };
    if bytes.is_empty() || is_json(&parts.headers) {
        return Ok(bytes);
    }
    Err(Fault::new(Code::MediaTypeRefused, "the body is not declared as JSON"))
}

fn is_json(headers: &HeaderMap) -> bool {
    let declared = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media = declared.and_then(|value| value.split(';').next()).unwrap_or_default();
    media.trim().eq_ignore_ascii_case("application/json")
}

/// What every answer carries: it is for whoever asked, now, and it is what it says it is.
fn sealed(result: Result<Response, Fault>) -> Response {
    let mut response = result.unwrap_or_else(IntoResponse::into_response);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
