//! Pages and documents beside the path of messages: where people sign in and connect servers, what the gate publishes.
//!
//! A [`Site`] knows what it serves; here is what holds for all of them. The listener's names are checked as for messages.
//! Nobody is known yet, so everything is bounded before it is read, one address cannot take all the places, and what was
//! refused is counted in the journal as strangers' messages are. Pages of other origins may link to a page, so there is no
//! list of origins: a site looks at the origin itself wherever that matters.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::ALLOW;
use http::request::Parts;
use http::{HeaderValue, Method};
use hyper::body::{Body as _, Incoming};
use identity::site::{Site, Visit};
use model::{Reason, Refusal, limits};

use crate::body::{self, Response, whole};
use crate::controls::accept::{self, Doors};
use crate::controls::refuse;
use crate::gate::Gate;
use crate::peer::Peer;
use crate::trail::Trail;

/// How long a visit may take.
const PATIENCE: Duration = Duration::from_millis(limits::VISIT_MILLISECONDS_MAX);

/// What is served beside the path, and how many are there at this moment.
#[derive(Default)]
pub struct Sites {
    sites: Vec<Arc<dyn Site>>,
    places: Arc<Places>,
}

impl Sites {
    /// Serves these. Where two serve a path, the first does.
    pub fn new(sites: Vec<Arc<dyn Site>>) -> Self {
        Self { sites, places: Arc::default() }
    }

    /// What serves a path.
    pub(crate) fn at(&self, path: &str) -> Option<&Arc<dyn Site>> {
        self.sites.iter().find(|site| site.serves(path))
    }

    /// Answers a visit, or says why it is none. Once it began it is seen through, whether anybody waits for the answer or
    /// not: what was asked of others is not left half done.
    async fn visit(
        &self,
        doors: &Doors,
        site: Arc<dyn Site>,
        head: Parts,
        body: Incoming,
        peer: Peer,
    ) -> Result<http::Response<Bytes>, Refusal> {
        let Peer { address: source, certificate } = peer;
        accept::addressed(doors, &head)?;
        if !site.methods().split(", ").any(|method| head.method.as_str() == method) {
            return Err(Refusal::new(Reason::MethodNotAllowed, "pages are got and forms are posted"));
        }
        let takes_body = head.method == Method::POST;
        if head.uri.path_and_query().is_some_and(|target| target.as_str().len() > limits::VISIT_TARGET_BYTES_MAX) {
            return Err(Refusal::new(Reason::TooLarge, "the URL is over the limit"));
        }
        accept::bounded(&head, limits::VISIT_BODY_BYTES_MAX)?;
        let place = self.places.take(source)?;
        let body = match takes_body {
            true => body::read(body, limits::VISIT_BODY_BYTES_MAX).await?,
            false if body.is_end_stream() => Bytes::new(),
            false => return Err(Refusal::new(Reason::VisitRefused, "a page is asked for with a body")),
        };
        let Parts { method, uri, headers, .. } = head;
        let (path, query) = (uri.path().to_owned(), uri.query().map(str::to_owned));
        let visit = Visit { method, path, query, headers, body, source, certificate };
        let answer = tokio::spawn(async move {
            let answer = tokio::time::timeout(PATIENCE, site.answer(visit)).await;
            drop(place);
            answer
        });
        match answer.await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(Refusal::new(Reason::TooSlow, "the visit was not over in time")),
            Err(error) => {
                tracing::error!(%error, "a visit was not carried through");
                Err(Refusal::new(Reason::Internal, "the visit was not carried through"))
            }
        }
    }
}

/// Takes one visit, and counts what became of it.
pub(crate) async fn run(gate: &Gate, site: Arc<dyn Site>, head: Parts, body: Incoming, peer: Peer) -> Response {
    let front = gate.front.load_full();
    let methods = site.methods();
    let response = match gate.sites.visit(&front.doors, site, head, body, peer.clone()).await {
        Ok(answer) => {
            if answer.status().is_client_error() || answer.status().is_server_error() {
                gate.metrics.refused(Reason::VisitRefused);
                gate.journal.stranger(&peer.address.to_string(), Reason::VisitRefused);
            }
            answer.map(whole)
        }
        Err(refusal) => {
            let is_method = refusal.reason == Reason::MethodNotAllowed;
            let trail = Trail::begin(gate.journal.receipt_id(), gate.clock.now(), peer);
            let mut response = refuse::run(gate, trail, refusal.into());
            if is_method {
                response.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
            }
            response
        }
    };
    gate.metrics.visited(response.status());
    response
}

/// Who is there.
#[derive(Default)]
struct Places(Mutex<Taken>);

#[derive(Default)]
struct Taken {
    all: usize,
    by_source: HashMap<IpAddr, usize>,
}

/// A visit's place, given back when it is dropped.
struct Place {
    places: Arc<Places>,
    source: IpAddr,
}

impl Places {
    fn take(self: &Arc<Self>, source: IpAddr) -> Result<Place, Refusal> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_source = taken.by_source.get(&source).copied().unwrap_or_default();
        if taken.all >= limits::VISITS_MAX || of_source >= limits::VISITS_PER_SOURCE_MAX {
            return Err(Refusal::new(Reason::Overloaded, "too many visits at once"));
        }
        taken.all += 1;
        taken.by_source.insert(source, of_source + 1);
        Ok(Place { places: Arc::clone(self), source })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all = taken.all.saturating_sub(1);
        if let Some(of_source) = taken.by_source.get_mut(&self.source) {
            *of_source -= 1;
            if *of_source == 0 {
                taken.by_source.remove(&self.source);
            }
        }
    }
}

#[cfg(test)]
mod tests;
