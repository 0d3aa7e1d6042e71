use std::convert::Infallible;
use std::net::SocketAddr;

use async_trait::async_trait;
use http::StatusCode;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use identity::site;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::*;

/// A site that says what it was asked, and at one path waits until it is told to go on.
#[derive(Default)]
struct FakeSite {
    begun: Notify,
    go_on: Notify,
    done: Notify,
}

#[async_trait]
impl Site for FakeSite {
    fn serves(&self, path: &str) -> bool {
        path.starts_with("/pages/")
    }

    async fn answer(&self, visit: Visit) -> http::Response<Bytes> {
        if visit.path == "/pages/slow" {
            self.begun.notify_one();
            self.go_on.notified().await;
            self.done.notify_one();
        }
        let Visit { method, path, query, body, .. } = visit;
        let said = format!("{method} {path} {query:?} {}", String::from_utf8_lossy(&body));
        site::document(StatusCode::OK, "text/plain", said)
    }
}

/// Serves a site on loopback, to whoever calls it `gate.test`.
async fn serve(site: &Arc<FakeSite>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let sites = Arc::new(Sites::new(vec![Arc::clone(site) as Arc<dyn Site>]));
    tokio::spawn(async move {
        while let Ok((socket, peer)) = listener.accept().await {
            let sites = Arc::clone(&sites);
            let service = service_fn(move |request: http::Request<Incoming>| {
                let sites = Arc::clone(&sites);
                async move {
                    let doors = Doors::new(vec!["gate.test".to_owned()], Vec::new());
                    let (head, body) = request.into_parts();
                    let site = Arc::clone(sites.at(head.uri.path()).unwrap());
                    let answer = match sites
                        .visit(&doors, site, head, body, Peer { address: peer.ip(), certificate: None })
                        .await
                    {
                        Ok(answer) => answer,
                        Err(refusal) => {
                            site::document(StatusCode::BAD_REQUEST, "text/plain", refusal.reason.row().word)
                        }
                    };
                    Ok::<_, Infallible>(answer.map(whole))
                }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), service));
        }
    });
    address
}

#[expect(clippy::disallowed_methods, reason = "a test is a stranger from outside")]
async fn connect(address: SocketAddr, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// What is answered to a request line and headers, with a body.
async fn ask(address: SocketAddr, line: &str, headers: &str, body: &str) -> String {
    let request = format!("{line} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n{body}");
    let mut answer = String::new();
    connect(address, &request).await.read_to_string(&mut answer).await.unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

#[tokio::test]
async fn a_site_sees_a_visit_whole() {
    let address = serve(&Arc::default()).await;
    let headers = "Host: gate.test\r\nContent-Length: 3\r\n";
    assert_eq!(ask(address, "POST /pages/one?a=b", headers, "c=d").await, "POST /pages/one Some(\"a=b\") c=d");
    assert_eq!(ask(address, "GET /pages/one", "Host: GATE.test\r\n", "").await, "GET /pages/one None ");
}

#[tokio::test]
async fn what_is_no_visit_reaches_no_site() {
    let address = serve(&Arc::default()).await;
    let host = "Host: gate.test\r\n";
    assert_eq!(ask(address, "GET /pages/one", "Host: rebound.test\r\n", "").await, "host-unknown");
    assert_eq!(ask(address, "GET http://rebound.test/pages/one", host, "").await, "host-unknown");
    assert_eq!(ask(address, "GET /pages/one", "", "").await, "host-unknown");
    for method in ["PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"] {
        assert_eq!(ask(address, &format!("{method} /pages/one"), host, "").await, "method-not-allowed");
    }
    let long = format!("GET /pages/one?{}", "a".repeat(limits::VISIT_TARGET_BYTES_MAX));
    assert_eq!(ask(address, &long, host, "").await, "too-large");
    let announced = format!("{host}Content-Length: {}\r\n", limits::VISIT_BODY_BYTES_MAX + 1);
    assert_eq!(ask(address, "POST /pages/one", &announced, "").await, "too-large");
    let headers = format!("{host}X-Long: {}\r\n", "a".repeat(limits::HEADER_BYTES_MAX));
    assert_eq!(ask(address, "GET /pages/one", &headers, "").await, "too-large");
    assert_eq!(ask(address, "GET /pages/one", &format!("{host}Content-Length: 1\r\n"), "a").await, "visit-refused");
}

#[tokio::test]
async fn a_body_that_does_not_say_how_long_it_is_is_bounded_too() {
    let address = serve(&Arc::default()).await;
    let part = "a".repeat(limits::VISIT_BODY_BYTES_MAX + 1);
    let body = format!("{:x}\r\n{part}\r\n0\r\n\r\n", part.len());
    let headers = "Host: gate.test\r\nTransfer-Encoding: chunked\r\n";
    assert_eq!(ask(address, "POST /pages/one", headers, &body).await, "too-large");
}

#[tokio::test]
async fn what_a_visitor_began_is_seen_through_when_they_leave() {
    let site = Arc::new(FakeSite::default());
    let address = serve(&site).await;
    let stream = connect(address, "GET /pages/slow HTTP/1.1\r\nHost: gate.test\r\n\r\n").await;
    site.begun.notified().await;
    drop(stream);
    site.go_on.notify_one();
    site.done.notified().await;
}

#[test]
fn one_address_cannot_take_all_the_places() {
    let places = Arc::new(Places::default());
    let (greedy, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
    let mut taken: Vec<_> = (0..limits::VISITS_PER_SOURCE_MAX).map(|_| places.take(greedy).ok().unwrap()).collect();
    assert_eq!(places.take(greedy).err().unwrap().reason, Reason::Overloaded);
    assert!(places.take(other).is_ok());
    taken.pop();
    assert!(places.take(greedy).is_ok());
    drop(taken);
    assert!(places.0.lock().unwrap().by_source.is_empty(), "nobody is remembered who is not there");
}

#[test]
fn there_is_an_end_to_places_for_everybody() {
    let places = Arc::new(Places::default());
    let sources = (0..limits::VISITS_MAX).map(|n| IpAddr::from([198, 51, (n / 250) as u8, (n % 250) as u8]));
    let taken: Vec<_> = sources.map(|source| places.take(source).ok().unwrap()).collect();
    assert_eq!(places.take(IpAddr::from([192, 0, 2, 2])).err().unwrap().reason, Reason::Overloaded);
    drop(taken);
    assert!(places.take(IpAddr::from([192, 0, 2, 2])).is_ok());
}
