//! Serving the routes on a listener, with every wait and every number bounded.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use model::limits;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// Serves until `stop` ends; then requests that are under way may finish, for [`limits::REQUEST_MILLISECONDS_MAX`].
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
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
        let stream = match accepted {
            Ok((stream, _address)) => stream,
            Err(error) => {
                // Out of file descriptors, most likely: a pause lets others be closed.
                tracing::warn!(%error, "a connection to the admin listener could not be accepted");
                tokio::time::sleep(Duration::from_millis(limits::ACCEPT_PAUSE_MILLISECONDS)).await;
                continue;
            }
        };
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_millis(limits::REQUEST_MILLISECONDS_MAX))
            .max_buf_size(limits::HEADER_BYTES_MAX.max(8 * 1024))
            .max_headers(limits::HEADERS_MAX)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router.clone()));
        let connection = under_way.watch(connection);
        tokio::spawn(async move {
            // A client that breaks off is no event; what it was refused, it was told.
            let _broken_off = connection.await;
            drop(place);
        });
    }
    let limit = Duration::from_millis(limits::REQUEST_MILLISECONDS_MAX);
    if tokio::time::timeout(limit, under_way.shutdown()).await.is_err() {
        tracing::warn!("requests to the admin listener were cut off");
    }
}
