//! Clients that speak TLS with the gate, with and without certificates of their own.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use drill::mcp::{Client, Reply};
use http::{HeaderMap, Method, Request, Response, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use testkit::{Authority, Issued};
use tokio_rustls::TlsConnector;

use super::issuer::TestIssuer;
use super::{Company, PUBLIC, agents};
use crate::client::PATIENCE;
use crate::gate::{Gate, Heard, Setup, bearer, value};

/// What the gate's certificate calls it.
pub(crate) const NAMES: [&str; 4] = ["gate.example", "gate.test", "localhost", "127.0.0.1"];

/// Two authorities: the gate's, and that of clients.
pub(crate) struct Trust {
    pub(crate) ours: Authority,
    pub(crate) clients: Authority,
}

impl Trust {
    pub(crate) fn new() -> Self {
        Self { ours: Authority::new(), clients: Authority::new() }
    }

    /// What settings say of the agents' listener.
    pub(crate) fn listener() -> &'static str {
        "tls = { certificate = \"secrets/gate.pem\", key = \"file:secrets/gate.key\", client_ca = \"secrets/clients.pem\" }\n"
    }

    /// The files that they name.
    pub(crate) fn files(&self) -> Vec<(&'static str, String)> {
        let Issued { certificate, key, .. } = self.ours.issue(&NAMES);
        vec![("gate.pem", certificate), ("gate.key", key), ("clients.pem", self.clients.pem())]
    }

    /// A gate whose agents come over TLS, with tokens of an issuer.
    pub(crate) async fn company(&self, state: Vec<(String, String)>) -> Company {
        self.company_of(state, "", Vec::new()).await
    }

    /// The same with another setting of TLS, and the files that it names.
    pub(crate) async fn company_with(&self, setting: &str, files: Vec<(&'static str, String)>) -> Company {
        self.company_of(Vec::new(), &format!(", {setting}"), files).await
    }

    async fn company_of(
        &self,
        mut state: Vec<(String, String)>,
        setting: &str,
        files: Vec<(&'static str, String)>,
    ) -> Company {
        let issuer = TestIssuer::start().await;
        let mut known = agents(&issuer.url());
        known.retain(|(file, _)| state.iter().all(|(other, _)| other != file));
        state.extend(known);
        let tls = Self::listener().replace(" }", &format!("{setting} }}"));
        let listener = format!("public_url = \"{PUBLIC}\"\n{tls}");
        let (settings, mut secrets) = (issuer.settings(), self.files());
        secrets.extend(files);
        Company { gate: Gate::with(Setup { settings, listener, secrets, state, ..Setup::default() }).await, issuer }
    }

    /// A client, with a certificate or without.
    pub(crate) fn client(&self, gate: &Gate, own: Option<&Issued>) -> Secure {
        Secure::new(gate.agents(), &self.ours, own)
    }
}

/// A client that speaks TLS.
pub(crate) struct Secure {
    address: SocketAddr,
    config: Arc<ClientConfig>,
}

/// Why nothing was heard.
pub(crate) type Unheard = Box<dyn std::error::Error + Send + Sync>;

impl Secure {
    /// Believes what an authority signed, and shows its own certificate to whoever asks.
    pub(crate) fn new(address: SocketAddr, authority: &Authority, own: Option<&Issued>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let builder = builder.with_root_certificates(roots);
        let config = match own {
            None => builder.with_no_client_auth(),
            Some(own) => {
                let chain = vec![CertificateDer::from(own.der.clone())];
                builder
                    .with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(own.key.as_bytes()).unwrap())
                    .unwrap()
            }
        };
        Self { address, config: Arc::new(config) }
    }

    /// Connects. A server that refuses the certificate may say so only to the first request.
    pub(crate) async fn connect(&self) -> Result<Connection, Unheard> {
        #[expect(clippy::disallowed_methods, reason = "a test is an agent that connects to the gate")]
        let socket = tokio::net::TcpStream::connect(self.address).await?;
        let stream = TlsConnector::from(Arc::clone(&self.config)).connect("gate.example".try_into()?, socket).await?;
        let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first).map(|one| one.to_vec());
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(async move { drop(connection.await) });
        Ok(Connection { sender, shown: shown.unwrap_or_default() })
    }

    /// Asks once, over a connection of its own.
    pub(crate) async fn ask(&self, host: &str, path: &str, headers: HeaderMap, body: &str) -> Result<Heard, Unheard> {
        self.connect().await?.ask(host, path, headers, body).await
    }

    /// Reads a ticket at an endpoint with exactly these headers about who asks.
    pub(crate) async fn read(&self, endpoint: &str, who: HeaderMap) -> Result<Reply, Unheard> {
        self.connect().await?.read(endpoint, who).await
    }

    /// The same at the desk with a token.
    pub(crate) async fn read_with(&self, token: &str) -> Reply {
        self.read("desk", bearer(token)).await.unwrap()
    }

    /// Nobody is served: TLS comes to nothing.
    pub(crate) async fn is_not_served(&self, token: &str) {
        assert!(self.read("desk", bearer(token)).await.is_err(), "it is served");
    }
}

/// An open connection.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    /// The certificate that the gate showed.
    pub(crate) shown: Vec<u8>,
}

impl Connection {
    pub(crate) async fn ask(
        &mut self,
        host: &str,
        path: &str,
        headers: HeaderMap,
        body: &str,
    ) -> Result<Heard, Unheard> {
        let heard = async {
            let (head, body) = self.send(host, path, headers, body).await?.into_parts();
            let body = body.collect().await?.to_bytes();
            Ok(Heard { status: head.status, headers: head.headers, body })
        };
        tokio::time::timeout(PATIENCE, heard).await?
    }

    async fn send(
        &mut self,
        host: &str,
        path: &str,
        mut headers: HeaderMap,
        body: &str,
    ) -> Result<Response<Incoming>, Unheard> {
        headers.insert(header::HOST, value(host));
        let method = if body.is_empty() { Method::GET } else { Method::POST };
        let mut request = Request::builder().method(method).uri(path).body(Full::new(body.to_owned().into()))?;
        *request.headers_mut() = headers;
        Ok(self.sender.send_request(request).await?)
    }

    /// Reads a ticket at an endpoint with exactly these headers about who asks.
    pub(crate) async fn read(&mut self, endpoint: &str, who: HeaderMap) -> Result<Reply, Unheard> {
        let client = Client::new("http://127.0.0.1/desk/mcp", None).unwrap();
        let params = json!({ "name": "read_ticket", "arguments": { "ticket": "1" } });
        let mut headers = client.headers("tools/call", &params);
        headers.extend(who);
        let body = client.body("tools/call", params).to_string();
        Ok(self.ask("gate.example", &format!("/{endpoint}/mcp"), headers, &body).await?.into())
    }

    /// Posts a message of a session, or the one that begins it.
    pub(crate) async fn say(&mut self, token: &str, session: Option<&str>, message: Value) -> Result<Heard, Unheard> {
        let mut headers = bearer(token);
        headers.insert("content-type", value("application/json"));
        headers.insert("accept", value("application/json, text/event-stream"));
        if let Some(session) = session {
            headers.insert("mcp-session-id", value(session));
        }
        self.ask("gate.example", "/desk/mcp", headers, &message.to_string()).await
    }

    /// Calls a tool that goes on for as long as it is heard, and begins to hear it.
    pub(crate) async fn watch(&mut self, token: &str) -> Result<Incoming, Unheard> {
        let client = Client::new("http://127.0.0.1/desk/mcp", None).unwrap();
        let params = json!({ "name": "watch", "arguments": {} });
        let mut headers = client.headers("tools/call", &params);
        headers.extend(bearer(token));
        let body = client.body("tools/call", params).to_string();
        let mut heard = self.send("gate.example", "/desk/mcp", headers, &body).await?.into_body();
        heard.frame().await.expect("a beginning")?;
        Ok(heard)
    }
}

/// Waits until what is heard breaks off.
pub(crate) async fn breaks_off(heard: Incoming) {
    let heard = tokio::time::timeout(PATIENCE, heard.collect()).await.expect("it goes on");
    assert!(heard.is_err(), "it was brought to an end");
}
