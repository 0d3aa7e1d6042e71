//! Serving the routes on a listener, over TLS where settings say so, with every wait and every number bounded.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use identity::tls::Tls;
use model::limits;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// Where a connection came from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source(pub(crate) IpAddr);

/// Serves until `stop` ends; then requests that are under way may finish, for [`limits::REQUEST_MILLISECONDS_MAX`].
pub async fn serve(listener: TcpListener, tls: Option<Arc<Tls>>, router: Router, stop: impl Future<Output = ()>) {
    let places = Arc::new(Semaphore::new(limits::ADMIN_CONNECTIONS_MAX));
    let under_way = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
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
        let (stream, source) = match accepted {
            Ok((stream, address)) => (stream, Source(address.ip())),
            Err(error) => {
                // Out of file descriptors, most likely: a pause lets others be closed.
                tracing::warn!(%error, "a connection to the admin listener could not be accepted");
                tokio::time::sleep(Duration::from_millis(limits::ACCEPT_PAUSE_MILLISECONDS)).await;
                continue;
            }
        };
        let (tls, router, watcher) = (tls.clone(), router.clone().layer(Extension(source)), under_way.watcher());
        tokio::spawn(async move {
            begin(stream, tls.as_deref(), router, watcher).await;
            drop(place);
        });
    }
    let limit = Duration::from_millis(limits::REQUEST_MILLISECONDS_MAX);
    if tokio::time::timeout(limit, under_way.shutdown()).await.is_err() {
        tracing::warn!("requests to the admin listener were cut off");
    }
}

async fn begin(stream: TcpStream, tls: Option<&Tls>, router: Router, watcher: Watcher) {
    let Some(tls) = tls else { return answer(stream, router, watcher).await };
    match tls.accept(stream).await {
        Ok(secured) => answer(secured.stream, router, watcher).await,
        Err(error) => {
            tracing::debug!(why = model::with_causes(&error), "a connection to the admin listener came to nothing");
        }
    }
}

async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, router: Router, watcher: Watcher) {
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(limits::REQUEST_MILLISECONDS_MAX))
        .max_buf_size(limits::HEAD_BYTES_MAX)
        .max_headers(limits::HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    // A client that breaks off is no event; what it was refused, it was told.
    let _broken_off = watcher.watch(connection).await;
}
