//! The newest Rust SDK (`rmcp`), as a client and as a server of `tests/clients/pairs`.
//!
//! `pair serve` is a server of both eras on a free port of loopback, and says which. `pair tour URL TOKEN_FILE` takes the
//! tour of [`steps`] at an endpoint.

mod client;
mod server;
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
        _ => return Err(io::Error::other("usage: pair serve | tour URL TOKEN_FILE")),
    }
    Ok(ExitCode::SUCCESS)
}
