//! The Rust SDK (`rmcp`) as it was in 2025, as a client and as a server of `tests/clients/pairs`. It is of 2025-03-26: servers
//! ask nobody.
//!
//! `rust-2025 serve` is a server on a free port of loopback, and says which. `rust-2025 tour URL TOKEN_FILE` takes the tour of
//! [`steps`] at an endpoint.

mod client;
mod server;
#[path = "../../../../crates/testkit/src/bin/pair/steps.rs"]
mod steps;

use std::process::ExitCode;
use std::{env, io};

#[tokio::main]
async fn main() -> io::Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["serve"] => server::serve().await?,
        ["tour", url, token_file] => client::take(url, token_file).await?,
        _ => return Err(io::Error::other("usage: rust-2025 serve | tour URL TOKEN_FILE")),
    }
    Ok(ExitCode::SUCCESS)
}
