//! The Rust SDK (`rmcp`) signing in as it is, from an endpoint's URL to calls in a person's name, with a token that it renews by
//! itself. What a person does in a browser is done by whoever started this.
//!
//! `sign-in URL CLIENT_ID REDIRECT` prints `open ADDRESS`, reads from its input where the browser ended, and prints `ok` for each
//! of its steps.

use std::error::Error;
use std::io;

use rmcp::ServiceExt as _;
use rmcp::model::CallToolRequestParams;
use rmcp::transport::auth::{AuthClient, AuthorizationRequest, OAuthState};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, client_id, redirect] = arguments.as_slice() else {
        return Err("usage: sign-in URL CLIENT_ID REDIRECT".into());
    };
    let mut state = OAuthState::new(url.as_str(), None).await?;
    let request = AuthorizationRequest::new(redirect.as_str()).with_preregistered_client(client_id.as_str());
    state.start_authorization(request).await?;
    println!("open {}", state.get_authorization_url().await?);
    let mut ended_at = String::new();
    io::stdin().read_line(&mut ended_at)?;
    state.handle_callback_url(ended_at.trim()).await?;
    let manager = state.into_authorization_manager().ok_or("it is not signed in")?;
    println!("ok signed in");
    manager.refresh_token().await?;
    println!("ok its token is renewed");

    let client = AuthClient::new(reqwest::Client::new(), manager);
    let config = StreamableHttpClientTransportConfig::with_uri(url.as_str());
    let client = ().serve(StreamableHttpClientTransport::with_client(client, config)).await?;
    let tools = client.list_all_tools().await?;
    if tools.is_empty() {
        return Err("it sees no tools".into());
    }
    println!("ok it sees {} tools", tools.len());
    client.call_tool(CallToolRequestParams::new("test_simple_text")).await?;
    println!("ok a call in a person's name");
    client.cancel().await?;
    Ok(())
}
