//! One server of the company on its socket: the credential at its door, the notes it keeps, its end.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use model::Secret;
use rmcp::ServerHandler;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::observed::{Notebook, Observed, closed, locked};

/// Milliseconds a server that stops waits for its connections.
const STOP_MILLISECONDS_MAX: u64 = 2_000;

/// A running server of the company. It stops when this is dropped.
pub struct Server {
    name: &'static str,
    address: SocketAddr,
    notebook: Arc<Notebook>,
    door: Arc<Door>,
    closing: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// What a server saw of the last request that came to its door. Never a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Whether the credential was the one it expects.
    pub credential: Presented,
    /// The names of all headers, in lower case.
    pub header_names: BTreeSet<String>,
}

/// What a request presented in `Authorization`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presented {
    /// Nothing at all.
    Nothing,
    /// The credential this server expects.
    Expected,
    /// Something else, or something where nothing is expected.
    Other,
}

impl Server {
    pub(super) async fn start<S: ServerHandler>(
        name: &'static str,
        bind: IpAddr,
        handler: S,
        credential: Option<Secret<String>>,
    ) -> io::Result<Self> {
        let config = StreamableHttpServerConfig::default().with_json_response(true);
        Self::serve(name, bind, handler, credential, config).await
    }

    /// Like [`Server::start`], but every answer is an event stream.
    pub(super) async fn start_streaming<S: ServerHandler>(
        name: &'static str,
        bind: IpAddr,
        handler: S,
        credential: Option<Secret<String>>,
    ) -> io::Result<Self> {
        let config = StreamableHttpServerConfig::default().with_json_response(false);
        Self::serve(name, bind, handler, credential, config).await
    }

    async fn serve<S: ServerHandler>(
        name: &'static str,
        bind: IpAddr,
        handler: S,
        credential: Option<Secret<String>>,
        config: StreamableHttpServerConfig,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(SocketAddr::new(bind, 0)).await?;
        let address = listener.local_addr()?;
        let (closing, mut end) = watch::channel(false);
        let notebook = Arc::new(Notebook::new(end.clone()));
        let door = Arc::new(Door { credential, requests: AtomicU64::new(0), seen: Mutex::new(None) });
        let observed = Arc::new(Observed { handler, notebook: Arc::clone(&notebook) });
        let service = StreamableHttpService::new(
            move || Ok(Arc::clone(&observed)),
            Arc::new(NeverSessionManager::default()),
            config.with_legacy_session_mode(false).enforce_origin_validation(),
        );
        let router = Router::new()
            .route_service("/mcp", service)
            .layer(middleware::from_fn_with_state(Arc::clone(&door), guard));
        // Small answers must not wait for the peer's acknowledgement of the one before.
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        let task = tokio::spawn(async move {
            let end = async move { closed(&mut end).await };
            // Serving ends only by that signal; axum itself retries what fails on the listener.
            drop(axum::serve(listener, router).with_graceful_shutdown(end).await);
        });
        Ok(Self { name, address, notebook, door, closing, task })
    }

    /// Its name, as a manifest would spell it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its MCP endpoint.
    pub fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    /// How many tool calls it has executed since it started.
    pub fn calls(&self) -> u64 {
        self.notebook.calls()
    }

    /// How often one of its tools has been executed.
    pub fn calls_of(&self, tool: &str) -> u64 {
        self.notebook.calls_of(tool)
    }

    /// How many HTTP requests have come to its door, listings and refused ones included.
    pub fn requests(&self) -> u64 {
        self.door.requests.load(Ordering::Relaxed)
    }

    /// How many subscriptions are open.
    pub fn listeners(&self) -> usize {
        self.notebook.listeners()
    }

    /// What the last request brought, if there was one.
    pub fn last_seen(&self) -> Option<Seen> {
        locked(&self.door.seen).clone()
    }

    /// Changes a tool's definition from now on: its description carries an order to the model. Whoever listens is
    /// told that the list of tools changed. The tool's behaviour stays as it was.
    pub fn poison_tool(&self, tool: &str) {
        self.notebook.poison(tool);
    }

    /// Gives a tool its honest definition back, and tells whoever listens.
    pub fn cure_tool(&self, tool: &str) {
        self.notebook.cure(tool);
    }

    /// Stops: subscriptions end with their final result, calls finish, the port becomes free.
    pub async fn stop(self) {
        // The server is gone already if nobody receives this.
        self.closing.send_replace(true);
        let task = self.task;
        let abort = task.abort_handle();
        if tokio::time::timeout(Duration::from_millis(STOP_MILLISECONDS_MAX), task).await.is_err() {
            abort.abort();
        }
    }
}

/// The door of a server: who may come in, and what was noticed about who came.
struct Door {
    credential: Option<Secret<String>>,
    requests: AtomicU64,
    seen: Mutex<Option<Seen>>,
}

impl Door {
    fn presented(&self, headers: &HeaderMap) -> Presented {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        match (values.next(), values.next(), &self.credential) {
            (None, _, _) => Presented::Nothing,
            (Some(value), None, Some(credential)) => match value.as_bytes().strip_prefix(b"Bearer ") {
                Some(token) if credential.matches(token) => Presented::Expected,
                Some(_) | None => Presented::Other,
            },
            (Some(_), _, _) => Presented::Other,
        }
    }

    fn admits(&self, presented: Presented) -> bool {
        self.credential.is_none() || presented == Presented::Expected
    }
}

async fn guard(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    door.requests.fetch_add(1, Ordering::Relaxed);
    let credential = door.presented(request.headers());
    let header_names = request.headers().keys().map(|name| name.as_str().to_owned()).collect();
    *locked(&door.seen) = Some(Seen { credential, header_names });
    if door.admits(credential) {
        return next.run(request).await;
    }
    let challenge = (header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    (StatusCode::UNAUTHORIZED, [challenge]).into_response()
}
