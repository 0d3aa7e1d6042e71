//! Opening one connection: resolve, check every address, connect to a checked one.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use hyper_rustls::{DefaultServerNameResolver, HttpsConnector, MaybeHttpsStream};
use hyper_util::rt::TokioIo;
use model::limits;
use rustls::ProtocolVersion;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};
use tower_service::Service;

use crate::flow::{Counted, Flow};
use crate::lane::Roots;
use crate::reach::{Checked, Reach};
use crate::resolve::{Host, Resolve};
use crate::{NotSent, OutOfReach};

/// The door a lane's connections leave by: what it may reach, who resolves, whom it trusts, what it counted.
pub(crate) struct Door {
    pub(crate) reach: Reach,
    pub(crate) resolver: Arc<dyn Resolve>,
    pub(crate) roots: Arc<Roots>,
    pub(crate) flow: Arc<Flow>,
    pub(crate) places: Arc<Semaphore>,
}

/// How a connection is protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secured {
    /// The version of TLS: `1.3`, `1.2`.
    pub version: &'static str,
    /// The suite, as the registry of such names has it.
    pub suite: String,
}

type Opening<T> = Pin<Box<dyn Future<Output = Result<T, NotSent>> + Send>>;

/// Opens what the pool asks for, TLS included, in [`limits::CONNECT_MILLISECONDS_MAX`] or not at all.
#[derive(Clone)]
pub(crate) struct Connector(pub(crate) Arc<Door>);

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<Counted>>;
    type Error = NotSent;
    type Future = Opening<Self::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), NotSent>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, url: Uri) -> Self::Future {
        let door = Arc::clone(&self.0);
        Box::pin(async move {
            let opened = timeout(Duration::from_millis(limits::CONNECT_MILLISECONDS_MAX), door.open(url)).await;
            let opened = opened.unwrap_or(Err(NotSent::TimedOut));
            match &opened {
                Ok(_) => {}
                Err(NotSent::OutOfReach(_) | NotSent::HostAmbiguous | NotSent::UrlUnusable) => {
                    door.flow.refused.fetch_add(1, Relaxed);
                }
                Err(_) => {
                    door.flow.failed.fetch_add(1, Relaxed);
                }
            }
            opened
        })
    }
}

impl Door {
    async fn open(self: &Arc<Self>, url: Uri) -> Result<MaybeHttpsStream<TokioIo<Counted>>, NotSent> {
        let is_tls = match url.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            Some(_) | None => return Err(NotSent::UrlUnusable),
        };
        let mut plain = Plain(Arc::clone(self));
        if !is_tls {
            return plain.call(url).await.map(MaybeHttpsStream::Http);
        }
        let config = self.roots.config().await?;
        let names = Arc::new(DefaultServerNameResolver::default());
        let opened = HttpsConnector::new(plain, config, true, names).call(url).await;
        // What went wrong below TLS comes up as it was; everything else is the handshake's.
        opened.map_err(|error| match error.downcast::<NotSent>() {
            Ok(below) => *below,
            Err(source) => NotSent::Tls { source: source.into() },
        })
    }

    /// Opens a connection of its own and closes it, to see how it is protected. Nothing is sent but the handshake.
    pub(crate) async fn secured(self: &Arc<Self>, url: Uri) -> Result<Secured, NotSent> {
        let opened = timeout(Duration::from_millis(limits::CONNECT_MILLISECONDS_MAX), self.open(url)).await;
        let MaybeHttpsStream::Https(stream) = opened.unwrap_or(Err(NotSent::TimedOut))? else {
            return Err(NotSent::UrlUnusable);
        };
        let (_below, session) = stream.inner().get_ref();
        let version = match session.protocol_version() {
            Some(ProtocolVersion::TLSv1_3) => "1.3",
            Some(ProtocolVersion::TLSv1_2) => "1.2",
            Some(_) | None => "unknown",
        };
        let suite = session.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
        Ok(Secured { version, suite: suite.unwrap_or("unknown").to_owned() })
    }

    pub(crate) async fn connect(&self, url: &Uri) -> Result<TokioIo<Counted>, NotSent> {
        let authority = url.authority().filter(|authority| !authority.as_str().contains('@'));
        let host = Host::read(authority.ok_or(NotSent::UrlUnusable)?.host())?;
        let port = url.port_u16().unwrap_or(if url.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 });
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| NotSent::TooManyConnections)?;
        let addresses = self.checked(host, port).await?;
        self.first_to_answer(&addresses, place).await
    }

    /// Every address of the host, each within reach; one that is not spoils them all.
    async fn checked(&self, host: Host<'_>, port: u16) -> Result<Vec<Checked>, NotSent> {
        let addresses = match host {
            Host::Address(address) => vec![address],
            Host::Name(name) => {
                let found = self.resolver.resolve(name).await;
                found.map_err(|error| NotSent::Resolve { source: Arc::new(error) })?
            }
        };
        if addresses.is_empty() || addresses.len() > limits::ADDRESSES_PER_HOST_MAX {
            return Err(NotSent::AddressCount { found: addresses.len() });
        }
        let checked = addresses.into_iter().map(|address| self.reach.check(address, port));
        checked.collect::<Result<_, OutOfReach>>().map_err(NotSent::OutOfReach)
    }

    /// Tries the addresses in the resolver's order; each gets an equal part of the time that is left.
    async fn first_to_answer(
        &self,
        addresses: &[Checked],
        place: OwnedSemaphorePermit,
    ) -> Result<TokioIo<Counted>, NotSent> {
        let deadline = Instant::now() + Duration::from_millis(limits::CONNECT_MILLISECONDS_MAX);
        let mut last = NotSent::AddressCount { found: 0 };
        for (tried, checked) in addresses.iter().enumerate() {
            let left = u32::try_from(addresses.len().saturating_sub(tried)).unwrap_or(u32::MAX).max(1);
            let until = Instant::now() + deadline.saturating_duration_since(Instant::now()) / left;
            match timeout_at(until, dial(*checked)).await {
                Ok(Ok(stream)) => return Ok(TokioIo::new(Counted::new(stream, Arc::clone(&self.flow), place))),
                Ok(Err(error)) => {
                    last = NotSent::Connect { address: checked.address(), source: Arc::new(error) };
                }
                Err(_) => last = NotSent::TimedOut,
            }
        }
        Err(last)
    }
}

/// The one place in the product that dials.
#[expect(clippy::disallowed_methods, reason = "this is the way out that everything else is sent to")]
async fn dial(checked: Checked) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(checked.address()).await?;
    // Messages are written whole; waiting to join them with others only delays them.
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// The connection below TLS, in the form that the TLS connector takes.
struct Plain(Arc<Door>);

impl Service<Uri> for Plain {
    type Response = TokioIo<Counted>;
    type Error = NotSent;
    type Future = Opening<TokioIo<Counted>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), NotSent>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, url: Uri) -> Self::Future {
        let door = Arc::clone(&self.0);
        Box::pin(async move { door.connect(&url).await })
    }
}
