//! A control plane on a real socket, with a real store and a real journal; only the servers it looks at are made up.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use admin::view::Check;
use admin::{Admin, Names, People, Vetter, router, serve};
use arc_swap::ArcSwap;
use async_trait::async_trait;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use model::{Clock, Entropy, Role, Secret, ServerName, Timestamp};
use registry::{Definition, Definitions, Observed, ServerManifest};
use serde_json::{Value, json};
use store::Sqlite;
use tempfile::TempDir;

/// The control plane under test, and a client of it.
pub(crate) struct Bench {
    pub(crate) address: SocketAddr,
    pub(crate) admin: Arc<Admin>,
    pub(crate) servers: Arc<Servers>,
    lane: egress::Lane,
    _directory: TempDir,
}

/// Counts up, so that every moment and every id is another one.
#[derive(Default)]
pub(crate) struct Counting(AtomicU64);

impl Clock for Counting {
    fn now(&self) -> Timestamp {
        Timestamp(1_795_219_200_000 + self.0.fetch_add(1, Ordering::Relaxed))
    }
}

impl Entropy for Counting {
    fn bits(&self) -> u128 {
        u128::from(self.0.fetch_add(1, Ordering::Relaxed)) << 64 | 7
    }
}

/// Servers that say what a test has them say.
#[derive(Default)]
pub(crate) struct Servers {
    offers: Mutex<BTreeMap<ServerName, Vec<Value>>>,
    looks: AtomicU64,
}

impl Servers {
    /// From now on the server offers these tools.
    pub(crate) fn offer(&self, server: &str, tools: Vec<Value>) {
        self.offers.lock().unwrap().insert(server.parse().unwrap(), tools);
    }

    /// How often anybody looked at any of them.
    pub(crate) fn looks(&self) -> u64 {
        self.looks.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Vetter for Servers {
    async fn vet(&self, manifest: &ServerManifest) -> Result<Observed, String> {
        self.looks.fetch_add(1, Ordering::Relaxed);
        let tools = self.offers.lock().unwrap().get(&manifest.name).cloned().ok_or("nobody answers at its url")?;
        let named = |tool: Value| Definition::new(tool["name"].as_str().unwrap().to_owned(), &tool).unwrap();
        let tools = tools.into_iter().map(named).collect();
        let definitions = Definitions { server_info: json!({ "name": "test" }), tools, ..Definitions::default() };
        Ok(Observed::new(definitions, Timestamp(7), Vec::new()).unwrap())
    }
}

#[async_trait]
impl admin::Prober for Servers {
    async fn probe(&self, manifest: &ServerManifest, _: &evidence::Told) -> Result<evidence::Probe, String> {
        self.looks.fetch_add(1, Ordering::Relaxed);
        let url = manifest.address().map(|address| address.url.to_string());
        Ok(evidence::Probe { url: url.ok_or("it has no url")?, ..evidence::Probe::default() })
    }

    async fn attempt(
        &self,
        _: &ServerManifest,
        package: Option<(String, Vec<u8>)>,
        _: &evidence::Told,
    ) -> Result<evidence::Trial, String> {
        self.looks.fetch_add(1, Ordering::Relaxed);
        let what = package.map_or_else(|| "its command".to_owned(), |(name, _)| name);
        Ok(evidence::Trial { what, ..evidence::Trial::default() })
    }
}

#[async_trait]
impl admin::Credentials for Servers {
    async fn health(&self, _: &ServerName) -> Result<Vec<admin::view::CredentialHealth>, String> {
        Ok(Vec::new())
    }

    async fn scopes(&self, _: &ServerName) -> Result<Vec<admin::view::ScopeRow>, String> {
        Ok(Vec::new())
    }

    async fn invite(&self, manifest: &ServerManifest, _: Option<&str>, by: &model::Actor) -> Result<String, String> {
        Ok(format!("https://gate.example/connect/invitation?ticket={}-{by}", manifest.name))
    }

    async fn disconnect(&self, _: &ServerName, holder: &str, _: model::Change) -> Result<bool, String> {
        Ok(holder == "shared")
    }

    async fn rewrap(&self, _: model::Change) -> Result<usize, String> {
        Ok(0)
    }
}

/// A tool that takes an amount.
pub(crate) fn refund(kind: &str) -> Value {
    let amount = json!({ "amount": { "type": kind } });
    let schema = json!({ "type": "object", "properties": amount, "required": ["amount"] });
    json!({ "name": "refund", "description": "Pays back.", "inputSchema": schema })
}

impl Bench {
    pub(crate) async fn open() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Arc::new(Sqlite::open(&directory.path().join("state.db")).await.unwrap());
        let options = audit::Options {
            origin: "admin.test".to_owned(),
            version: "0".to_owned(),
            flush_delay: Duration::from_millis(20),
            clock: Arc::new(Counting::default()),
            entropy: Arc::new(Counting::default()),
        };
        let (journal, _recovery) = audit::Journal::open(&directory.path().join("journal"), options).unwrap();
        let servers = Arc::new(Servers::default());
        let person = |role: Role| (role.as_str().to_owned(), vec![role], Secret::new(token(role)));
        let admin = Arc::new(Admin {
            registry: Arc::clone(&store) as _,
            state: Arc::clone(&store) as _,
            comments: Arc::clone(&store) as _,
            packages: Arc::clone(&store) as _,
            evidence: Arc::clone(&store) as _,
            inventories: Arc::clone(&store) as _,
            agents_urls: vec!["https://gate.example".to_owned()],
            halts_port: Arc::clone(&store) as _,
            halts: Arc::new(watch::Halts::new(Vec::new())),
            journal: Arc::new(journal),
            readings: Arc::default(),
            vocabularies: Arc::default(),
            vettings: Arc::clone(&store) as _,
            vetting: Arc::new(admin::Vetting::new(admin::Means {
                registry: Arc::clone(&store) as _,
                packages: Arc::clone(&store) as _,
                clock: Arc::new(Counting::default()),
                advisories: None,
                publishers: Arc::new(identity::fetch::Outbound::new(
                    &egress::Client::new(Arc::new(egress::SystemResolver), egress::Trust::Platform),
                    "publishers",
                    &egress::Reach::new(Vec::new()),
                )),
                records: Arc::new(egress::NameServers::new(Vec::new())),
                modes: admin::FailModes::default(),
            })),
            vetter: Arc::clone(&servers) as _,
            prober: Arc::clone(&servers) as _,
            looks: Arc::default(),
            credentials: Arc::clone(&servers) as _,
            // The data path of the test goes by every revision at once.
            published: store.revisions(),
            people: Arc::new(ArcSwap::from_pointee(People::new(Role::ALL.map(person).into()).unwrap())),
            entrance: None,
            clock: Arc::new(Counting::default()),
            readiness: Arc::new(|| vec![Check { name: "store".to_owned(), ready: true, detail: "open".to_owned() }]),
            traffic: Arc::new(|_| None),
            issuers: Arc::new(Vec::new),
            inspection: Arc::new(admin::view::InspectionView::default),
            metrics: Arc::new(|| "portcullis_calls_total 0\n".to_owned()),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let names = Names::new(address, &[], &[]);
        tokio::spawn(serve(listener, None, router(Arc::clone(&admin), names), std::future::pending()));
        let reach = egress::Reach::new(vec!["127.0.0.0/8".parse().unwrap()]);
        let client = egress::Client::new(Arc::new(egress::SystemResolver), egress::Trust::Platform);
        Self { address, admin, servers, lane: client.lane("admin", &reach), _directory: directory }
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> (StatusCode, HeaderMap, Bytes) {
        let response = self.lane.send(request).await.unwrap();
        let (parts, body) = response.into_parts();
        (parts.status, parts.headers, body.collect().await.unwrap().to_bytes())
    }

    /// Calls a route as someone with this role, or as nobody.
    pub(crate) async fn call(&self, role: Option<Role>, method: &str, path: &str, body: &Value) -> (StatusCode, Value) {
        let request = self.request(role, method, path, &[], body);
        let (status, _headers, body) = self.send(request).await;
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    /// Calls a route as an admin, and expects that it is done.
    pub(crate) async fn done(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, answer) = self.call(Some(Role::Admin), method, &format!("/api/v1{path}"), body).await;
        assert_eq!(status, StatusCode::OK, "{method} {path}: {answer}");
        answer
    }

    /// Calls a route as an admin, and expects that it is refused; gives the code and the whole error.
    pub(crate) async fn refused(&self, method: &str, path: &str, body: &Value) -> (String, Value) {
        self.refused_to(Role::Admin, method, path, body).await
    }

    /// The same for somebody with this role.
    pub(crate) async fn refused_to(&self, role: Role, method: &str, path: &str, body: &Value) -> (String, Value) {
        let (status, mut answer) = self.call(Some(role), method, &format!("/api/v1{path}"), body).await;
        assert!(!status.is_success(), "{method} {path}: {answer}");
        (answer["error"]["code"].as_str().unwrap().to_owned(), answer["error"].take())
    }

    /// A request from someone with this role, with these headers in place of the usual.
    pub(crate) fn request(
        &self,
        role: Option<Role>,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Request<Full<Bytes>> {
        let bytes = if body.is_null() { Bytes::new() } else { serde_json::to_vec(body).unwrap().into() };
        let mut request = Request::new(Full::new(bytes));
        *request.method_mut() = method.parse().unwrap();
        *request.uri_mut() = format!("http://{}{path}", self.address).parse().unwrap();
        let mut set = |name: &str, value: &str| {
            request.headers_mut().insert(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        };
        set(CONTENT_TYPE.as_str(), "application/json");
        if let Some(role) = role {
            set(AUTHORIZATION.as_str(), &format!("Bearer {}", token(role)));
        }
        headers.iter().for_each(|(name, value)| set(name, value));
        request
    }
}

/// The token of the person with this role.
fn token(role: Role) -> String {
    format!("{:a<32}", role.as_str())
}

/// Headers of a page that should not be calling.
pub(crate) const EVIL: [(&str, &str); 2] = [("host", "evil.example"), ("origin", "https://evil.example")];

impl Bench {
    /// A server's manifest.
    pub(crate) fn manifest(name: &str) -> Value {
        json!({ "name": name, "url": "https://erp.example/mcp", "owner": "ops", "purpose": "Orders" })
    }

    /// Submits a server; gives its dossier.
    pub(crate) async fn submit(&self, name: &str) -> Value {
        self.done("POST", "/servers", &json!({ "manifest": Self::manifest(name) })).await
    }

    /// Approves what a server offers.
    pub(crate) async fn approve(&self, name: &str) {
        let seen = self.done("GET", &format!("/servers/{name}"), &Value::Null).await["observed"]["digest"].clone();
        let path = format!("/api/v1/servers/{name}/approve");
        let (status, done) = self.call(Some(Role::Approver), "POST", &path, &json!({ "seen": seen })).await;
        assert_eq!(status, StatusCode::OK, "{done}");
        assert_eq!(done["in_effect"], true);
    }

    /// Plans and applies.
    pub(crate) async fn apply(&self, manifests: &Value) -> Value {
        let plan = self.done("POST", "/plan", &json!({ "manifests": manifests })).await;
        self.done("POST", "/apply", &json!({ "manifests": manifests, "expected": plan["revision"] })).await
    }
}
