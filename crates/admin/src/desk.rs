//! The one way in: every request to every route passes [`enter`], in this order.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::{FromRequestParts, RawPathParams, Request};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use identity::port::SessionKind;
use identity::site::{Site as _, Visit};
use model::{Role, limits};
use serde_json::{Map, Value};
use tokio::sync::Semaphore;

use crate::fault::{Code, Fault};
use crate::route::{Arrived, Door, Route, Verb};
use crate::serve::Source;
use crate::{Admin, Names, Person, table};

/// Large bodies are read one after the other: together they would take more memory than the gate otherwise has.
static LARGE: Semaphore = Semaphore::const_new(limits::LARGE_BODIES_MAX);

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
    let (admin_of_wrong, names_of_wrong) = (Arc::clone(&admin), Arc::clone(&names));
    let wrong_method = move |request: Request| {
        let (admin, names) = (Arc::clone(&admin_of_wrong), Arc::clone(&names_of_wrong));
        let (code, what) = (Code::MethodNotAllowed, "this path is not served with this method");
        async move { sealed(Err(astray(&admin, &names, request, code, what).await)) }
    };
    let elsewhere = move |request: Request| {
        let (admin, names) = (Arc::clone(&admin), Arc::clone(&names));
        async move { sealed(elsewhere(&admin, &names, request).await) }
    };
    router.fallback(elsewhere).method_not_allowed_fallback(wrong_method)
}

async fn enter(admin: Arc<Admin>, names: &Names, route: &Route, request: Request) -> Result<Response, Fault> {
    let (mut parts, body) = request.into_parts();
    // Before the token is looked at: a foreign page must not learn whether the one it stole is good.
    names.admit(&parts)?;
    let (person, handle, most) = match &route.door {
        Door::Public(words) => return Ok(words(&admin).into_response()),
        Door::Plain(roles, words) => {
            authorise(&admin, &parts, roles).await?;
            return Ok(words(&admin).into_response());
        }
        Door::Json(roles, desk) => (authorise(&admin, &parts, roles).await?, Arc::clone(&desk.handle), desk.most),
    };
    // Only what someone known sends is read at all.
    let path = parameters(&mut parts).await?;
    let body = read(&parts, body, most).await?;
    handle(admin, Arrived { person, path, uri: parts.uri, body }).await
}

/// A page of the entrance, where there is one and it has the path; whatever else somebody asks for that is not there.
async fn elsewhere(admin: &Admin, names: &Names, request: Request) -> Result<Response, Fault> {
    let entrance = admin.entrance.as_ref().filter(|entrance| entrance.serves(request.uri().path()));
    let Some(entrance) = entrance else {
        return Err(astray(admin, names, request, Code::PathUnknown, "there is nothing at this path").await);
    };
    let (parts, body) = request.into_parts();
    names.admit(&parts)?;
    let body = collected(body, limits::VISIT_BODY_BYTES_MAX, limits::REQUEST_MILLISECONDS_MAX).await?;
    let source = parts.extensions.get::<Source>().map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |Source(source)| *source);
    let visit = Visit {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        headers: parts.headers,
        body,
        source,
        certificate: None,
    };
    Ok(entrance.answer(visit).await.map(Body::from))
}

/// What someone gets who asks for what is not there: strangers learn nothing about which paths are.
async fn astray(admin: &Admin, names: &Names, request: Request, code: Code, what: &'static str) -> Fault {
    let (parts, _unread) = request.into_parts();
    if let Err(fault) = names.admit(&parts) {
        return fault;
    }
    let known = authorise(admin, &parts, &Role::ALL).await;
    known.map_or_else(|fault| fault, |_person| Fault::new(code, what))
}

async fn authorise(admin: &Admin, parts: &Parts, roles: &[Role]) -> Result<Person, Fault> {
    let person = who(admin, parts).await?;
    if person.has_one_of(roles) {
        return Ok(person);
    }
    let needed = roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", ");
    Err(Fault::new(Code::RoleMissing, format!("`{}` has none of the roles this needs: {needed}", person.who)))
}

/// Whoever sent the request: the holder of a token, or the person of a session.
async fn who(admin: &Admin, parts: &Parts) -> Result<Person, Fault> {
    if let Some(person) = admin.people.load().person(&parts.headers) {
        return Ok(person.clone());
    }
    let known = match &admin.entrance {
        Some(entrance) => entrance.known(&parts.headers).await,
        None => None,
    };
    let known = known.ok_or_else(|| Fault::new(Code::Unauthenticated, "the request carries no valid token"))?;
    let only_reads = parts.method == Method::GET || parts.method == Method::HEAD;
    // A browser sends its cookie along by itself; only a page of the gate's own can know the other half.
    if known.session.kind == SessionKind::Browser && !only_reads && !known.session.csrf.is_in(&parts.headers) {
        return Err(Fault::new(Code::CsrfTokenMissing, "nothing shows that a page of the gate's own sent this"));
    }
    Ok(known.into())
}

async fn parameters(parts: &mut Parts) -> Result<Value, Fault> {
    let invalid = |_| Fault::new(Code::RequestInvalid, "the path is not valid UTF-8");
    let found = RawPathParams::from_request_parts(parts, &()).await.map_err(invalid)?;
    let pairs = found.iter().map(|(name, value)| (name.to_owned(), Value::from(value)));
    Ok(Value::Object(pairs.collect::<Map<_, _>>()))
}

async fn read(parts: &Parts, body: Body, most: usize) -> Result<Bytes, Fault> {
    let is_small = |length: u64| usize::try_from(length).is_ok_and(|length| length <= limits::ADMIN_BODY_BYTES_MAX);
    // What does not say how large it is has the bound of all others.
    let length = body.size_hint().exact().filter(|length| !is_small(*length));
    let bytes = match length.filter(|_| most > limits::ADMIN_BODY_BYTES_MAX) {
        None => collected(body, limits::ADMIN_BODY_BYTES_MAX, limits::REQUEST_MILLISECONDS_MAX).await?,
        Some(_) => {
            let _turn = LARGE.acquire().await.map_err(|_| Fault::new(Code::TooSlow, "the body had no turn"))?;
            collected(body, most, limits::LARGE_BODY_MILLISECONDS_MAX).await?
        }
    };
    if bytes.is_empty() || is_json(&parts.headers) {
        return Ok(bytes);
    }
    Err(Fault::new(Code::MediaTypeRefused, "the body is not declared as JSON"))
}

/// A body whole, within a bound and in bounded time.
async fn collected(body: Body, most: usize, milliseconds: u64) -> Result<Bytes, Fault> {
    let collecting = Limited::new(body, most).collect();
    match tokio::time::timeout(Duration::from_millis(milliseconds), collecting).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(Fault::new(Code::TooLarge, format!("the body is larger than {most} bytes")))
        }
        Ok(Err(_)) => Err(Fault::new(Code::TooSlow, "the body did not arrive whole")),
        Err(_) => Err(Fault::new(Code::TooSlow, "the body did not arrive in time")),
    }
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
