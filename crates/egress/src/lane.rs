//! A server's way out: a pool of connections that were all opened under one reach.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::Full;
use model::{Digest, limits};
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::timeout;

use crate::connect::{Door, Secured};
use crate::flow::Flow;
use crate::pool::{Body, Failed, Pool};
use crate::{EgressError, FlowCounts, NotSent, Reach, Resolve, Tunnel};

/// The product's way out: it gives each server a [`Lane`] of its own. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    resolver: Arc<dyn Resolve>,
    roots: Arc<Roots>,
    lanes: Arc<Mutex<Lanes>>,
}

/// Lanes in use, by whose they are, what they may reach and what they show. INVARIANT: the dead are swept before one is added,
/// so there are never more than the lanes that snapshots and jobs hold.
type Lanes = HashMap<(Arc<str>, Reach, Option<Digest>), Weak<Inner>>;

/// What the gate shows to one server, and whom it believes there. No other lane has it.
#[derive(Clone)]
pub struct Shows {
    /// What tells it from every other: two that are the same share connections.
    pub id: Digest,
    /// Has the certificate, which may be renewed while it is used.
    pub certificate: Arc<dyn ResolvesClientCert>,
    /// The authorities that are believed there, in place of those that all lanes believe.
    pub roots: Option<Arc<RootCertStore>>,
}

/// Whose certificates are believed.
#[derive(Debug, Clone)]
pub enum Trust {
    /// Those the operating system trusts.
    Platform,
    /// Those that these roots signed, and no others: a private authority.
    Roots(Arc<RootCertStore>),
}

/// The TLS settings, made when the first `https` connection needs them: reading the system's roots takes time, and a
/// machine without any can still reach plain servers in its own zones.
pub(crate) struct Roots {
    trust: Trust,
    shows: Option<Arc<dyn ResolvesClientCert>>,
    config: OnceCell<Arc<ClientConfig>>,
}

/// One server's way out under one reach. Cheap to clone; clones share connections and counts.
#[derive(Clone)]
pub struct Lane {
    inner: Arc<Inner>,
}

struct Inner {
    to: Arc<str>,
    pool: Pool,
    door: Arc<Door>,
    flow: Arc<Flow>,
}

impl Client {
    /// A way out that resolves with `resolver` and believes the certificates of `trust`.
    pub fn new(resolver: Arc<dyn Resolve>, trust: Trust) -> Self {
        let roots = Arc::new(Roots { trust, shows: None, config: OnceCell::new() });
        Self { resolver, roots, lanes: Arc::default() }
    }

    /// The lane to one server, named by `to`, under one reach. As long as someone holds the lane, asking again gives
    /// the same one, so that connections outlive a new snapshot; another name or another reach never shares it.
    pub fn lane(&self, to: &str, reach: &Reach) -> Lane {
        self.lane_that_shows(to, reach, None)
    }

    /// The same for a server that is shown a certificate of the gate's. No connection is shared with a lane that shows another
    /// one, or none.
    pub fn lane_that_shows(&self, to: &str, reach: &Reach, shows: Option<&Shows>) -> Lane {
        let key = (Arc::<str>::from(to), reach.clone(), shows.map(|shows| shows.id));
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(inner) = lanes.get(&key).and_then(Weak::upgrade) {
            return Lane { inner };
        }
        lanes.retain(|_, lane| lane.strong_count() > 0);
        let roots = match shows {
            None => Arc::clone(&self.roots),
            Some(Shows { certificate, roots, .. }) => {
                let trust = roots.clone().map_or_else(|| self.roots.trust.clone(), Trust::Roots);
                Arc::new(Roots { trust, shows: Some(Arc::clone(certificate)), config: OnceCell::new() })
            }
        };
        let inner = Arc::new(self.open(Arc::clone(&key.0), reach, roots));
        lanes.insert(key, Arc::downgrade(&inner));
        Lane { inner }
    }

    fn open(&self, to: Arc<str>, reach: &Reach, roots: Arc<Roots>) -> Inner {
        let flow = Arc::new(Flow::default());
        let door = Door {
            reach: reach.clone(),
            resolver: Arc::clone(&self.resolver),
            roots,
            flow: Arc::clone(&flow),
            places: Arc::new(Semaphore::new(limits::LANE_CONNECTIONS_MAX)),
        };
        let door = Arc::new(door);
        let pool = Pool::new(Arc::clone(&door));
        Inner { to, pool, door, flow }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("trust", &self.roots.trust).finish_non_exhaustive()
    }
}

impl Lane {
    /// Sends one request and waits for the head of its answer. There is no deadline but the connection's: who drops
    /// the future, or the answer's body before its end, closes the connection, and that is how a call is cancelled.
    ///
    /// # Errors
    /// [`EgressError::NotSent`] when provably nothing left, [`EgressError::Unknown`] otherwise.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Body>, EgressError> {
        let to = || Arc::clone(&self.inner.to);
        self.inner.pool.send(request).await.map_err(|failed| match failed {
            Failed::NotSent(cause) => EgressError::NotSent { to: to(), cause },
            Failed::Unknown(source) => EgressError::Unknown { to: to(), source: source.into() },
        })
    }

    /// How a connection to an `https` URL is protected: opens one that nothing else uses, and closes it.
    ///
    /// # Errors
    /// As when nothing was sent; [`NotSent::UrlUnusable`] for a URL without TLS.
    pub async fn secured(&self, url: &Uri) -> Result<Secured, NotSent> {
        self.inner.door.secured(url.clone()).await
    }

    /// A connection to a host within reach, for bytes that are somebody else's to read: for whoever carries them.
    ///
    /// # Errors
    /// When there is none, or it is out of reach.
    pub async fn tunnel(&self, host: &str, port: u16) -> Result<Tunnel, NotSent> {
        let place = Uri::builder().scheme("http").authority(format!("{host}:{port}")).path_and_query("/").build();
        let opening = timeout(Duration::from_millis(limits::CONNECT_MILLISECONDS_MAX), async {
            self.inner.door.connect(&place.map_err(|_| NotSent::UrlUnusable)?).await
        });
        let opened = opening.await.unwrap_or(Err(NotSent::TimedOut))?;
        Ok(Tunnel::new(opened.into_inner()))
    }

    /// What the lane carried so far.
    pub fn flow(&self) -> FlowCounts {
        self.inner.flow.counts()
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lane").field("to", &self.inner.to).finish_non_exhaustive()
    }
}

impl Roots {
    pub(crate) async fn config(&self) -> Result<Arc<ClientConfig>, NotSent> {
        let config = self.config.get_or_try_init(|| async {
            let (trust, shows) = (self.trust.clone(), self.shows.clone());
            let built = tokio::task::spawn_blocking(move || build(trust, shows)).await;
            built.map_err(|error| rustls::Error::General(error.to_string()))?.map(Arc::new)
        });
        config.await.map(Arc::clone).map_err(|source| NotSent::Roots { source })
    }
}

fn build(trust: Trust, shows: Option<Arc<dyn ResolvesClientCert>>) -> Result<ClientConfig, rustls::Error> {
    // The provider is named here and not left to a process-wide default, which another crate could set first.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let builder = match trust {
        Trust::Platform => builder.with_platform_verifier()?,
        Trust::Roots(roots) => builder.with_root_certificates(roots),
    };
    let mut config = match shows {
        None => builder.with_no_client_auth(),
        Some(shows) => {
            let mut config = builder.with_client_cert_resolver(shows);
            // A session that is taken up again goes on as whoever the certificate of before named.
            config.resumption = Resumption::disabled();
            config
        }
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests;
