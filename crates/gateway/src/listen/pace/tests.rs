use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt as _;

use super::Pace;

#[tokio::test]
async fn of_requests_that_were_sent_together_each_turn_takes_one() {
    let (mut client, server) = tokio::io::duplex(64 * 1024);
    client.write_all(&b"GET / HTTP/1.1\r\nHost: gate\r\n\r\n".repeat(3)).await.unwrap();
    let taken = Arc::new(AtomicUsize::new(0));
    let pace = Pace::default();
    let asked = pace.clone();
    let service = service_fn(|_: Request<Incoming>| {
        let (pace, taken) = (asked.clone(), Arc::clone(&taken));
        async move {
            pace.turn().await;
            taken.fetch_add(1, Ordering::Relaxed);
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        }
    });
    let mut connection = pin!(pace.of(http1::Builder::new().serve_connection(TokioIo::new(server), service)));
    for turn in 1..=3 {
        let turned = connection.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(turned.is_pending(), "the connection ended at turn {turn}");
        assert_eq!(taken.load(Ordering::Relaxed), turn);
    }
}
