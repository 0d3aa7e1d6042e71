//! The agents' listener: HTTP/1.1 connections, bounded in number, time and size.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use model::limits;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::arrival;
use crate::gate::Gate;

/// How long open calls may take to end once the gate was asked to stop.
const DRAIN: Duration = Duration::from_millis(limits::DRAIN_MILLISECONDS_MAX);

/// Serves agents on `listener` until `stop` resolves; then lets open calls end, for
/// [`limits::DRAIN_MILLISECONDS_MAX`] at most.
pub async fn serve(listener: TcpListener, gate: Arc<Gate>, stop: impl Future<Output = ()>) {
    let places = Arc::new(Semaphore::new(limits::CONNECTIONS_MAX));
    let open = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(limits::REQUEST_MILLISECONDS_MAX))
        .max_buf_size(limits::HEADER_BYTES_MAX.max(64 * 1024))
        .max_headers(limits::HEADERS_MAX)
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
        let gate = Arc::clone(&gate);
        let service = service_fn(move |request: http::Request<Incoming>| {
            let gate = Arc::clone(&gate);
            async move { Ok::<_, Infallible>(arrival::run(&gate, request, peer.ip()).await) }
        });
        let connection = open.watch(http.serve_connection(TokioIo::new(socket), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(place);
        });
    }
    // What only waits for news would take all the time that calls have to end.
    gate.stopping.send_replace(true);
    if tokio::time::timeout(DRAIN, open.shutdown()).await.is_err() {
        tracing::warn!("calls were still open after {} seconds; their connections are cut", DRAIN.as_secs());
    }
}
