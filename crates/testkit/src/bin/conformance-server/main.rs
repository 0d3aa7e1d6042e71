//! The fixture of the official MCP conformance suite, revisions 2025-11-25 and 2026-07-28 on one URL, on `rmcp`.
//!
//! `conformance-server [ADDRESS [document|events [both|older|newer]]]` listens on loopback (a free port by default) and says
//! where. Where the protocol leaves the choice, it answers with one JSON document (the default) or with an event stream. It
//! may be a server of one era alone: of sessions, or of 2026-07-28. It offers
//! what the suite's server scenarios look for by name: tools, prompts, resources, completion, subscriptions, and
//! questions to the client. The suite's own code is the only specification of those names. A few more tools are for
//! the tests with real clients.
//!
//! Start with [`session`]; [`definitions`] lists what is offered. [`questions`] asks as 2026-07-28 does, over several
//! rounds of one call; [`jobs`] are calls that become tasks; [`requests`] asks as 2025-11-25 does, while a call is open.

mod content;
mod cut;
mod definitions;
mod documents;
mod eras;
mod fixture;
mod jobs;
mod media;
mod questions;
mod requests;
mod seal;
mod session;

use std::env;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::ListenerExt;
use axum::{Router, middleware};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tokio::net::TcpListener;

use eras::Era;
use fixture::Fixture;
use session::Session;

/// When a client whose stream ended may come back: soon, because tests wait for it.
const RETRY: Duration = Duration::from_millis(200);

const USAGE: &str = "usage: conformance-server [ADDRESS [document|events [both|older|newer]]]";

#[tokio::main]
async fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let documents = match arguments.next().as_deref() {
        None | Some("document") => true,
        Some("events") => false,
        Some(_) => return Err(io::Error::other(USAGE)),
    };
    let era = arguments.next().unwrap_or_else(|| "both".to_owned());
    let era = Era::parse(&era).ok_or_else(|| io::Error::other(USAGE))?;
    let address: SocketAddr = address.parse().map_err(io::Error::other)?;
    if !address.ip().is_loopback() {
        return Err(io::Error::other("a fixture has no business on a network: listen on loopback"));
    }
    let fixture = Arc::new(Fixture::new().map_err(io::Error::other)?);
    let config = StreamableHttpServerConfig::default().with_json_response(documents).with_allowed_origins([
        "http://localhost:*",
        "http://127.0.0.1:*",
        "http://[::1]:*",
    ]);
    let session = move || Ok(Session::new(Arc::clone(&fixture), era));
    let mut sessions = LocalSessionManager::default();
    sessions.session_config.sse_retry = Some(RETRY);
    let service = StreamableHttpService::new(session, Arc::new(sessions), config);
    let listener = TcpListener::bind(address).await?;
    writeln!(io::stdout(), "ready: http://{}/mcp", listener.local_addr()?)?;
    // Small messages of a stream must not wait for the acknowledgement of the one before.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    let mut router = Router::new().route_service("/mcp", service).layer(middleware::from_fn(cut::cut));
    if documents {
        router = router.layer(middleware::from_fn(documents::document));
    }
    router = match era {
        Era::Both => router,
        Era::Older => router.layer(middleware::from_fn(eras::older)),
        Era::Newer => router.layer(middleware::from_fn(eras::newer)),
    };
    axum::serve(listener, router).await
}
