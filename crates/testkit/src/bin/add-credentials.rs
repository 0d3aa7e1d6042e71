//! Adds a credential to whatever passes.
//!
//! `add-credentials LISTEN GATE TOKEN_FILE` listens on `LISTEN` (loopback only, port 0 allowed), adds
//! `Authorization: Bearer …` with the token in the file to each request, and passes it to the gate at `GATE`
//! (`127.0.0.1:7070`). Bodies stream both ways as they are; when either side leaves, the other one is let go.
//!
//! It exists for programs that cannot present a credential themselves, such as the official conformance suite. The
//! gate has no mode without authentication, and gets none for a test's sake.
//!
//! `Host` and `Origin` pass through unchanged, because judging them is the gate's work, with one exception: where they
//! name this program's own address they become the gate's, as they would be if this program were not there.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::{env, fs};

use http::header::{AUTHORIZATION, HOST, ORIGIN};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{Either, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{client, server};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

type Body = Either<Incoming, Empty<Bytes>>;

/// Where requests go, and what is added to them.
struct Forwarder {
    own: SocketAddr,
    gate: SocketAddr,
    authorization: HeaderValue,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [listen, gate, token_file] = arguments.as_slice() else {
        return Err(io::Error::other("usage: add-credentials LISTEN GATE TOKEN_FILE"));
    };
    let listen: SocketAddr = listen.parse().map_err(io::Error::other)?;
    if !listen.ip().is_loopback() {
        return Err(io::Error::other("it would lend its credential to the network: listen on loopback"));
    }
    let token = fs::read_to_string(token_file)?;
    let mut authorization = HeaderValue::try_from(format!("Bearer {}", token.trim()))
        .map_err(|_invalid| io::Error::other("the token cannot be sent in a header"))?;
    authorization.set_sensitive(true);
    let listener = TcpListener::bind(listen).await?;
    let own = listener.local_addr()?;
    let forwarder = Arc::new(Forwarder { own, gate: gate.parse().map_err(io::Error::other)?, authorization });
    writeln!(io::stdout(), "ready: http://{own} adds credentials and forwards to http://{gate}")?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(attend(stream, Arc::clone(&forwarder)));
    }
}

/// One connection from a client, request after request.
async fn attend(stream: TcpStream, forwarder: Arc<Forwarder>) {
    // A connection that breaks is the client's loss alone.
    drop(stream.set_nodelay(true));
    let service = service_fn(|request| forward(request, Arc::clone(&forwarder)));
    drop(
        server::conn::http1::Builder::new()
            .preserve_header_case(true)
            .serve_connection(TokioIo::new(stream), service)
            .await,
    );
}

/// Passes one request on, on a connection of its own: it closes when the client leaves, and its answer can stream.
async fn forward(request: Request<Incoming>, forwarder: Arc<Forwarder>) -> io::Result<Response<Body>> {
    match exchange(request, &forwarder).await {
        Ok(response) => Ok(response.map(Either::Left)),
        Err(_unreachable) => {
            let mut response = Response::new(Either::Right(Empty::new()));
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            Ok(response)
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this stands where an agent stands, outside the gate")]
async fn exchange(mut request: Request<Incoming>, forwarder: &Forwarder) -> io::Result<Response<Incoming>> {
    let headers = request.headers_mut();
    headers.insert(AUTHORIZATION, forwarder.authorization.clone());
    for name in [HOST, ORIGIN] {
        let rewritten = headers.get(&name).and_then(|value| forwarder.renamed(value));
        if let Some(value) = rewritten {
            headers.insert(name, value);
        }
    }
    let stream = TcpStream::connect(forwarder.gate).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = client::conn::http1::Builder::new()
        .preserve_header_case(true)
        .handshake::<_, Incoming>(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    // It ends when the sender and the answer's body are gone.
    tokio::spawn(async move { drop(connection.await) });
    sender.send_request(request).await.map_err(io::Error::other)
}

impl Forwarder {
    /// A `Host` or `Origin` that names this program, naming the gate instead. `None` for any other.
    fn renamed(&self, value: &HeaderValue) -> Option<HeaderValue> {
        let text = value.to_str().ok()?;
        let (scheme, authority) = match text.strip_prefix("http://") {
            Some(authority) => ("http://", authority),
            None => ("", text),
        };
        let (host, port) = authority.rsplit_once(':')?;
        let own = matches!(host, "localhost" | "127.0.0.1" | "[::1]") && port.parse() == Ok(self.own.port());
        if own { HeaderValue::try_from(format!("{scheme}{}", self.gate)).ok() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn renamed(value: &str) -> Option<String> {
        let forwarder = Forwarder {
            own: ([127, 0, 0, 1], 4000).into(),
            gate: ([127, 0, 0, 1], 7070).into(),
            authorization: HeaderValue::from_static("Bearer t"),
        };
        let value = forwarder.renamed(&HeaderValue::try_from(value).unwrap())?;
        Some(value.to_str().unwrap().to_owned())
    }

    #[test]
    fn only_its_own_address_becomes_the_gates() {
        assert_eq!(renamed("localhost:4000").as_deref(), Some("127.0.0.1:7070"));
        assert_eq!(renamed("http://127.0.0.1:4000").as_deref(), Some("http://127.0.0.1:7070"));
        assert_eq!(renamed("[::1]:4000").as_deref(), Some("127.0.0.1:7070"));
        assert_eq!(renamed("evil.example.com"), None);
        assert_eq!(renamed("http://evil.example.com:4000"), None);
        assert_eq!(renamed("localhost:4001"), None);
    }
}
