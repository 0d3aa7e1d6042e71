//! The agents' listener: HTTP/1.1 connections, over TLS where settings say so, bounded in number, time and size.

mod pace;

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use identity::tls::{Shown, Tls};
use model::limits;
use pace::Pace;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::yield_now;

use crate::arrival;
use crate::gate::Gate;
use crate::peer::Peer;

/// How long open calls may take to end once the gate was asked to stop.
const DRAIN: Duration = Duration::from_millis(limits::DRAIN_MILLISECONDS_MAX);

/// Serves agents on `listener` until `stop` resolves; then lets open calls end, for
/// [`limits::DRAIN_MILLISECONDS_MAX`] at most.
pub async fn serve(listener: TcpListener, tls: Option<Arc<Tls>>, gate: Arc<Gate>, stop: impl Future<Output = ()>) {
    let places = Arc::new(Semaphore::new(limits::CONNECTIONS_MAX));
    let open = GracefulShutdown::new();
    // Not told how many headers there may be: it is `limits::HEADERS_MAX` by itself, and has room for them at hand only then.
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(limits::REQUEST_MILLISECONDS_MAX))
        .max_buf_size(limits::HEAD_BYTES_MAX)
        .half_close(false);
    tokio::pin!(stop);
    loop {
        let place = tokio::select! {
            () = &mut stop => break,
            // The semaphore is never closed; were it, nothing more would be accepted.
            place = Arc::clone(&places).acquire_owned() => match place { Ok(place) => place, Err(_) => break },
        };
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        let (socket, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, mostly: waiting lets some close.
                tracing::warn!(%error, "could not accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let _ = socket.set_nodelay(true);
        let visit = Visit { gate: Arc::clone(&gate), address: peer.ip(), http: http.clone(), open: open.watcher() };
        let tls = tls.clone();
        tokio::spawn(async move {
            visit.begin(socket, tls.as_deref()).await;
            drop(place);
        });
        // A burst of connections waits before the door and not within, where everybody else would wait for all of it.
        yield_now().await;
    }
    // What only waits for news would take all the time that calls have to end.
    gate.stopping.send_replace(true);
    if tokio::time::timeout(DRAIN, open.shutdown()).await.is_err() {
        tracing::warn!("calls were still open after {} seconds; their connections are cut", DRAIN.as_secs());
    }
}

/// One connection.
struct Visit {
    gate: Arc<Gate>,
    address: IpAddr,
    http: http1::Builder,
    open: Watcher,
}

impl Visit {
    /// Serves, over TLS where there is some. Connections without it are not to be as large as those with it, so that is boxed.
    async fn begin(self, socket: TcpStream, tls: Option<&Tls>) {
        match tls {
            None => self.serve(socket, None).await,
            Some(tls) => Box::pin(self.secure(socket, tls)).await,
        }
    }

    /// Agrees on TLS, and serves. A client whose certificate is good no more is not served on.
    async fn secure(self, socket: TcpStream, tls: &Tls) {
        let secured = match tls.accept(socket).await {
            Ok(secured) => secured,
            Err(error) => return tracing::debug!(why = model::with_causes(&error), "a connection came to nothing"),
        };
        let Some(shown) = secured.shown else { return self.serve(secured.stream, None).await };
        tokio::select! {
            () = tls.distrusts(&shown) => tracing::info!("a client's certificate is good no more: its connection is cut"),
            () = self.serve(secured.stream, Some(&shown)) => {}
        }
    }

    async fn serve(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, shown: Option<&Shown>) {
        let Self { gate, address, http, open } = self;
        let peer = Peer { address, certificate: shown.map(|shown| Arc::clone(&shown.certificate)) };
        let pace = Pace::default();
        let asked = pace.clone();
        let service = service_fn(move |request: http::Request<Incoming>| {
            let (gate, peer, pace) = (Arc::clone(&gate), peer.clone(), asked.clone());
            async move {
                pace.turn().await;
                Ok::<_, Infallible>(arrival::run(&gate, request, peer).await)
            }
        });
        if let Err(error) = pace.of(open.watch(http.serve_connection(TokioIo::new(stream), service))).await {
            tracing::debug!(%error, "a connection ended early");
        }
    }
}
