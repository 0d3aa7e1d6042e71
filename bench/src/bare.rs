//! The yardstick: a `hyper` reverse proxy that copies method, path, headers and body, and does nothing else.
//!
//! It is as good as we can make it: bodies stream through, connections to the server are pooled, `TCP_NODELAY` is set on
//! both sides, and it has the gate's allocator. What the gate costs is what it takes on top of this.

use clap::Args;
use http::header::{CONNECTION, HOST};
use http::uri::{Authority, Scheme};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{Either, Empty};
use hyper::body::{Bytes, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::listen;

/// What the proxy stands in front of.
#[derive(Args)]
pub struct Settings {
    /// The server's address, `127.0.0.1:PORT`.
    #[arg(long)]
    upstream: Authority,
}

/// Serves until the process is ended.
#[expect(clippy::disallowed_methods, reason = "the benchmark is no part of the product, and calls loopback only")]
pub fn run(settings: &Settings) -> anyhow::Result<()> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Pool = Client::builder(TokioExecutor::new()).build(connector);
    let upstream = settings.upstream.clone();
    listen::serve(move |request| forward(client.clone(), upstream.clone(), request))
}

type Pool = Client<HttpConnector, Incoming>;

async fn forward(
    client: Pool,
    upstream: Authority,
    mut request: Request<Incoming>,
) -> Response<Either<Incoming, Empty<Bytes>>> {
    let mut uri = std::mem::take(request.uri_mut()).into_parts();
    uri.scheme = Some(Scheme::HTTP);
    uri.authority = Some(upstream);
    if let Ok(uri) = Uri::from_parts(uri) {
        *request.uri_mut() = uri;
        request.headers_mut().remove(HOST);
        request.headers_mut().remove(CONNECTION);
        if let Ok(response) = client.request(request).await {
            return response.map(Either::Left);
        }
    }
    let mut response = Response::new(Either::Right(Empty::new()));
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response
}
