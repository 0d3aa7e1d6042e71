use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{Client, Lane, Trust};
use crate::{Addresses, EgressError, NotSent, Reach, Resolve};

mod tls;

/// A name server that says what it is told, one answer per question, and repeats the last.
struct Told {
    answers: Mutex<VecDeque<Vec<IpAddr>>>,
    asked: Mutex<usize>,
}

impl Told {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let answers = answers.iter().map(|answer| answer.iter().map(|address| address.parse().unwrap()).collect());
        Arc::new(Self { answers: Mutex::new(answers.collect()), asked: Mutex::new(0) })
    }
}

impl Resolve for Told {
    fn resolve<'a>(&'a self, _: &'a str) -> Addresses<'a> {
        *self.asked.lock().unwrap() += 1;
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        Box::pin(async move { answer.ok_or_else(|| io::Error::other("no such name")) })
    }
}

fn loopback() -> Reach {
    Reach::new(vec!["127.0.0.0/8".parse().unwrap()])
}

fn lane(resolver: Arc<Told>, reach: &Reach) -> Lane {
    Client::new(resolver, Trust::Platform).lane("crm", reach)
}

fn post(url: &str) -> Request<Full<Bytes>> {
    Request::post(url).body(Full::new(Bytes::from_static(b"{}"))).unwrap()
}

async fn cause(lane: &Lane, url: &str) -> NotSent {
    match lane.send(post(url)).await {
        Err(EgressError::NotSent { to, cause }) => {
            assert_eq!(&*to, "crm");
            cause
        }
        other => panic!("{other:?}"),
    }
}

async fn read_request(stream: &mut TcpStream) {
    let mut seen = Vec::new();
    while !seen.ends_with(b"{}") {
        let mut buffer = [0; 1024];
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(count) => seen.extend_from_slice(&buffer[..count]),
        }
    }
}

/// A server on loopback that answers each request on each connection with 200 and `ok`, one connection at a time.
async fn kind_server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                loop {
                    read_request(&mut stream).await;
                    if stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    port
}

async fn answer(lane: &Lane, url: &str) -> Bytes {
    lane.send(post(url)).await.unwrap().into_body().collect().await.unwrap().to_bytes()
}

#[tokio::test]
async fn a_server_within_reach_answers_and_its_connection_is_kept() {
    let port = kind_server().await;
    let resolver = Told::new(&[&["127.0.0.1"]]);
    let lane = lane(Arc::clone(&resolver), &loopback());
    for _ in 0..3 {
        assert_eq!(answer(&lane, &format!("http://crm.internal:{port}/mcp")).await, "ok");
        // The connection goes back to the pool beside us.
        tokio::task::yield_now().await;
    }
    let counts = lane.flow();
    assert_eq!((counts.connected, counts.open, counts.refused, counts.failed), (1, 1, 0, 0));
    assert!(counts.bytes_sent > 100 && counts.bytes_received > 100);
    assert_eq!(*resolver.asked.lock().unwrap(), 1, "one connection, one question to the resolver");
}

#[tokio::test]
async fn one_bad_address_among_good_ones_spoils_the_answer() {
    let port = kind_server().await;
    for bad in ["10.0.0.1", "169.254.169.254", "::1", "::ffff:169.254.169.254", "8.8.8.8"] {
        let lane = lane(Told::new(&[&["127.0.0.1", bad, "127.0.0.1"]]), &loopback());
        let NotSent::OutOfReach(refused) = cause(&lane, &format!("http://crm.internal:{port}/")).await else {
            panic!("{bad} was let through");
        };
        assert_eq!(refused.address, bad.parse::<IpAddr>().unwrap());
        assert_eq!((lane.flow().connected, lane.flow().refused), (0, 1));
    }
}

#[tokio::test]
async fn a_name_that_is_bound_again_to_another_address_is_refused_at_its_next_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            read_request(&mut stream).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok").await;
        }
    });
    let resolver = Told::new(&[&["127.0.0.1"], &["169.254.169.254"]]);
    let lane = lane(resolver, &loopback());
    let url = format!("http://crm.internal:{port}/");
    assert_eq!(answer(&lane, &url).await, "ok");
    assert!(matches!(cause(&lane, &url).await, NotSent::OutOfReach(_)));
}

#[tokio::test]
async fn what_the_zone_does_not_hold_is_never_dialled() {
    let port = kind_server().await;
    let internet = lane(Told::new(&[&["127.0.0.1"]]), &Reach::internet());
    for host in ["127.0.0.1", "[::ffff:127.0.0.1]", "[::1]", "localhost", "crm.internal"] {
        let refused = cause(&internet, &format!("http://{host}:{port}/")).await;
        assert!(matches!(refused, NotSent::OutOfReach(_)), "{host}: {refused:?}");
    }
    for host in ["2130706433", "127.1", "0x7f.1", "0177.0.0.1"] {
        let refused = cause(&internet, &format!("http://{host}:{port}/")).await;
        assert!(matches!(refused, NotSent::HostAmbiguous), "{host}: {refused:?}");
    }
    assert_eq!(internet.flow().connected, 0);
    assert_eq!(internet.flow().refused, 9);
}

#[tokio::test]
async fn urls_that_are_not_plain_http_are_refused() {
    let lane = lane(Told::new(&[&["127.0.0.1"]]), &loopback());
    for url in ["ftp://crm.internal/", "http://user:word@crm.internal/", "/mcp"] {
        assert!(matches!(cause(&lane, url).await, NotSent::UrlUnusable), "{url}");
    }
}

#[tokio::test]
async fn names_without_addresses_and_with_too_many_are_refused() {
    let many = ["127.0.0.1"; 65];
    for answer in [&[][..], &many[..]] {
        let lane = lane(Told::new(&[answer]), &loopback());
        let refused = cause(&lane, "http://crm.internal/").await;
        assert!(matches!(refused, NotSent::AddressCount { found } if found == answer.len()));
    }
    let lane = lane(Told::new(&[]), &loopback());
    assert!(matches!(cause(&lane, "http://crm.internal/").await, NotSent::Resolve { .. }));
}

/// A name server that never answers.
struct Mute;

impl Resolve for Mute {
    fn resolve<'a>(&'a self, _: &'a str) -> Addresses<'a> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_server_that_never_answers_costs_the_connect_limit_and_no_more() {
    let lane = Client::new(Arc::new(Mute), Trust::Platform).lane("crm", &loopback());
    let begun = tokio::time::Instant::now();
    assert!(matches!(cause(&lane, "http://crm.internal/").await, NotSent::TimedOut));
    assert_eq!(begun.elapsed().as_millis(), u128::from(model::limits::CONNECT_MILLISECONDS_MAX));
    assert_eq!(lane.flow().failed, 1);
}

#[tokio::test]
async fn a_connection_that_cannot_be_made_is_known_as_not_sent() {
    let lane = lane(Told::new(&[&["127.0.0.1"]]), &loopback());
    assert!(matches!(cause(&lane, "http://crm.internal:9/").await, NotSent::Connect { .. }));
    assert_eq!(lane.flow().failed, 1);
}

#[tokio::test]
async fn the_next_address_is_tried_when_one_does_not_answer() {
    let listener = TcpListener::bind("127.0.0.2:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
    });
    let lane = lane(Told::new(&[&["127.0.0.1", "127.0.0.2"]]), &loopback());
    assert_eq!(answer(&lane, &format!("http://crm.internal:{port}/")).await, "ok");
}

#[tokio::test]
async fn a_reset_after_the_request_was_taken_leaves_the_outcome_unknown_and_nothing_is_repeated() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let accepted = Arc::new(Mutex::new(0));
    let count = Arc::clone(&accepted);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            *count.lock().unwrap() += 1;
            read_request(&mut stream).await;
        }
    });
    let lane = lane(Told::new(&[&["127.0.0.1"]]), &loopback());
    let result = lane.send(post(&format!("http://crm.internal:{port}/"))).await;
    assert!(matches!(result, Err(EgressError::Unknown { .. })), "{result:?}");
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(*accepted.lock().unwrap(), 1);
}

#[tokio::test]
async fn a_reset_on_a_kept_connection_after_it_took_the_request_is_unknown_too() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let requests = Arc::new(Mutex::new(0));
    let count = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            read_request(&mut stream).await;
            *count.lock().unwrap() += 1;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
            read_request(&mut stream).await;
            *count.lock().unwrap() += 1;
        }
    });
    let lane = lane(Told::new(&[&["127.0.0.1"]]), &loopback());
    let url = format!("http://crm.internal:{port}/");
    assert_eq!(answer(&lane, &url).await, "ok");
    tokio::time::sleep(Duration::from_millis(20)).await;
    let result = lane.send(post(&url)).await;
    assert!(matches!(result, Err(EgressError::Unknown { .. })), "{result:?}");
    assert_eq!(*requests.lock().unwrap(), 2);
    assert_eq!(lane.flow().connected, 1);
}

#[tokio::test]
async fn a_kept_connection_that_the_server_closed_is_replaced_unseen() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            read_request(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
        }
    });
    let lane = lane(Told::new(&[&["127.0.0.1"]]), &loopback());
    let url = format!("http://crm.internal:{port}/");
    for _ in 0..5 {
        assert_eq!(answer(&lane, &url).await, "ok");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(lane.flow().connected, 5);
}

#[tokio::test]
async fn redirects_are_handed_over_and_not_followed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await;
        let to = b"HTTP/1.1 307 Temporary Redirect\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(to).await.unwrap();
    });
    let lane = lane(Told::new(&[&["127.0.0.1"]]), &loopback());
    assert_eq!(lane.send(post(&format!("http://crm.internal:{port}/"))).await.unwrap().status(), 307);
}

#[tokio::test]
async fn dropping_the_request_closes_the_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let lane = lane(Told::new(&[&["127.0.0.1"]]), &loopback());
    let url = format!("http://crm.internal:{port}/");
    let call = tokio::spawn(async move { lane.send(post(&url)).await.map(drop) });
    let (mut stream, _) = listener.accept().await.unwrap();
    read_request(&mut stream).await;
    call.abort();
    let closed = tokio::time::timeout(Duration::from_secs(2), stream.read(&mut [0; 8])).await.unwrap();
    assert!(matches!(closed, Ok(0) | Err(_)), "{closed:?}");
}

#[tokio::test]
async fn lanes_are_shared_by_name_and_reach_and_never_otherwise() {
    let port = kind_server().await;
    let client = Client::new(Told::new(&[&["127.0.0.1"]]), Trust::Platform);
    let wide = client.lane("crm", &loopback());
    assert_eq!(answer(&wide, &format!("http://crm.internal:{port}/")).await, "ok");
    assert_eq!(client.lane("crm", &loopback()).flow().connected, 1, "a new snapshot keeps the connections");

    let narrow = client.lane("crm", &Reach::internet());
    let refused = cause(&narrow, &format!("http://crm.internal:{port}/")).await;
    assert!(matches!(refused, NotSent::OutOfReach(_)), "the wide reach's connection is not for the narrow one");
    assert_eq!(client.lane("erp", &loopback()).flow().connected, 0);

    drop((wide, narrow));
    assert_eq!(client.lane("crm", &loopback()).flow().connected, 0, "nobody held it, so it ended");
}

#[tokio::test]
async fn errors_tell_the_cause_and_never_the_request() {
    let lane = lane(Told::new(&[&["127.0.0.1"]]), &Reach::internet());
    let mut request = post("http://crm.internal/secret-path?token=hush");
    request.headers_mut().insert("authorization", "Bearer hush".parse().unwrap());
    let error = lane.send(request).await.unwrap_err();
    let told = format!("{error:?} {error} {}", std::error::Error::source(&error).unwrap());
    assert!(told.contains("loopback") && !told.contains("hush") && !told.contains("secret-path"), "{told}");
}
