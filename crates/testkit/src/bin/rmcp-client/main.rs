//! The Rust SDK (`rmcp`) as a client: the same steps as the other clients of `tests/clients`, a row of the table for
//! each.
//!
//! `rmcp-client URL REVISION [TOKEN_FILE]` goes to the endpoint at `URL`, which is the conformance fixture or has it
//! behind itself, and takes every step of the [`tour`]. It fails when one of them does.

mod handler;
mod tour;

use std::process::ExitCode;
use std::time::Instant;
use std::{env, fs, io};

use rmcp::model::ProtocolVersion;
use rmcp::service::{ClientLifecycleMode, ClientServiceExt};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;

use handler::Handler;
use tour::{Tour, row};

#[tokio::main]
async fn main() -> io::Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (url, revision, token_file) = match arguments.as_slice() {
        [url, revision] => (url, revision, None),
        [url, revision, token_file] => (url, revision, Some(token_file)),
        _ => return Err(io::Error::other("usage: rmcp-client URL REVISION [TOKEN_FILE]")),
    };
    let lifecycle = match revision.as_str() {
        "2025-11-25" => ClientLifecycleMode::Initialize,
        "2026-07-28" => ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] },
        _ => return Err(io::Error::other("it speaks 2025-11-25 and 2026-07-28")),
    };
    let mut config = StreamableHttpClientTransportConfig::with_uri(url.as_str());
    if let Some(file) = token_file {
        config = config.auth_header(fs::read_to_string(file)?.trim());
    }
    let begun = Instant::now();
    let transport = StreamableHttpClientTransport::from_config(config);
    let handler = Handler::default();
    let passed = match handler.clone().serve_with_lifecycle(transport, lifecycle).await {
        Ok(client) => Tour::new(client, handler, revision).take(begun).await?,
        Err(error) => row(revision, "connect", begun, &Err(error.into()))?,
    };
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
