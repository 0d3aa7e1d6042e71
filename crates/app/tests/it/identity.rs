//! Who is calling, for whom, with whose credentials: with the tokens of an issuer, or as people who sign in at the gate for
//! their agents; and what the gate has for servers.
//!
//! [`issuer`] gives tokens. [`provider`] is an identity provider behind the gate, in this process, so that it can lie;
//! [`person`] is a browser and the application beside it. [`authorization`] gives out the tokens of servers, [`browser`] is
//! that of whoever connects one.

mod assertion;
mod attestation;
pub(crate) mod authorization;
pub(crate) mod browser;
pub(crate) mod connecting;
mod credentials;
mod facade_attacks;
mod facade_clients;
mod facade_ends;
mod facade_flow;
mod facade_tokens;
mod fake_transit;
mod hostile;
pub(crate) mod issuer;
mod listeners;
pub(crate) mod mutual_tls;
pub(crate) mod office;
mod old_keys;
mod on_behalf;
mod outage;
pub(crate) mod own;
mod own_keys;
mod people;
mod people_attacks;
pub(crate) mod person;
mod possession;
pub(crate) mod provider;
mod resource_server;
pub(crate) mod secure;
mod shown;
mod step_up;
mod transit;
mod vault;

use drill::mcp::{Client, Reply};
use http::HeaderMap;
use serde_json::{Value, json};

use crate::gate::{Gate, Setup, bearer};
use issuer::TestIssuer;

/// Where agents think that the gate is.
pub(crate) const PUBLIC: &str = "https://gate.example";
/// What a token for the desk is for.
pub(crate) const DESK: &str = "https://gate.example/desk/mcp";

/// A gate whose agents have tokens of an issuer.
pub(crate) struct Company {
    pub(crate) gate: Gate,
    pub(crate) issuer: TestIssuer,
}

impl Company {
    pub(crate) async fn start() -> Self {
        Self::with(Vec::new()).await
    }

    /// The same with more of the state.
    pub(crate) async fn with(state: Vec<(String, String)>) -> Self {
        Self::of(TestIssuer::start().await, "", state).await
    }

    /// The same at an issuer, with more of the listener's settings.
    pub(crate) async fn of(issuer: TestIssuer, listener: &str, mut state: Vec<(String, String)>) -> Self {
        state.extend(agents(&issuer.url()));
        let listener = format!("public_url = \"{PUBLIC}\"\n{listener}");
        let gate = Gate::with(Setup { settings: issuer.settings(), listener, state, ..Setup::default() }).await;
        Self { gate, issuer }
    }

    /// A client of the desk with a token.
    pub(crate) fn client(&self, token: &str) -> Client {
        client(&self.gate, "desk", token)
    }

    /// Reads a ticket at the desk with a token.
    pub(crate) async fn read(&self, token: &str) -> Reply {
        self.client(token).call("read_ticket", json!({ "ticket": "1" })).await.unwrap()
    }

    /// Reads a ticket at the desk with exactly these headers about who asks.
    pub(crate) async fn read_as(&self, who: HeaderMap) -> Reply {
        read_as(&self.gate, "desk", who).await
    }
}

/// A client of an endpoint with a token.
pub(crate) fn client(gate: &Gate, endpoint: &str, token: &str) -> Client {
    Client::new(&format!("http://{}/{endpoint}/mcp", gate.agents()), Some(token)).unwrap()
}

/// Reads a ticket at an endpoint with exactly these headers about who asks.
pub(crate) async fn read_as(gate: &Gate, endpoint: &str, who: HeaderMap) -> Reply {
    let client = Client::new(&format!("http://{}/{endpoint}/mcp", gate.agents()), None).unwrap();
    let params = json!({ "name": "read_ticket", "arguments": { "ticket": "1" } });
    let mut headers = client.headers("tools/call", &params);
    headers.extend(who);
    client.raw(client.body("tools/call", params).to_string(), headers).await.unwrap()
}

/// The one challenge of an answer.
pub(crate) fn challenge(reply: &Reply) -> String {
    let mut told = reply.headers.get_all("www-authenticate").iter();
    let first = told.next().expect("a challenge").to_str().unwrap().to_owned();
    assert!(told.next().is_none(), "one challenge");
    first
}

/// A parameter of a challenge.
pub(crate) fn parameter(challenge: &str, name: &str) -> Option<String> {
    let (_, rest) = challenge.split_once(&format!(" {name}=\""))?;
    Some(rest.split_once('"')?.0.to_owned())
}

/// Asks for the metadata of an endpoint.
pub(crate) async fn metadata(gate: &Gate, endpoint: &str) -> Value {
    let path = format!("/.well-known/oauth-protected-resource/{endpoint}/mcp");
    let heard = gate.send(gate.agents(), "GET", &path, HeaderMap::new(), "").await;
    assert_eq!(heard.status, 200, "{}", heard.text());
    heard.json()
}

/// The registered agents, which may do at the desk what their namesakes with development tokens may.
pub(crate) fn agents(issuer: &str) -> Vec<(String, String)> {
    let one = |name: &str, kind: &str, endpoints: &str| {
        let text = format!(
            "name = \"{name}\"\nkind = \"{kind}\"\nowner = \"the desk\"\npurpose = \"Helps\"\nendpoints = {endpoints}\n\
             clients = [{{ issuer = \"{issuer}\", id = \"client-of-{name}\" }}]\n"
        );
        (format!("agents/{name}.toml"), text)
    };
    vec![
        one("helpdesk", "delegated", "[\"desk\"]"),
        one("desktop", "delegated", "[\"desk\"]"),
        one("scout", "delegated", "[\"desk\"]"),
        one("reconciler", "autonomous", "[\"desk\"]"),
        one("crowd", "delegated", "[]"),
        one("visitor", "delegated", "[\"desk\"]"),
    ]
}

/// An `Authorization` header of a token.
pub(crate) fn with(token: &str) -> HeaderMap {
    bearer(token)
}
