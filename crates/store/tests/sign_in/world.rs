//! A gate's façade with a provider behind it, a registered client or two, and a browser.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use identity::facade::{Client, Directory, Doorway, Facade, Keys, Needs, Proof, Redirects, Terms};
use identity::jwt::SigningKey;
use identity::keys::{Algorithm, KeySet};
use identity::relying::{ClaimNames, ClientAuthentication, Provider as Relied, Relying};
use identity::resource_server::Certificates;
use identity::resource_server::proof::Proofs;
use identity::site::{Site, Visit};
use identity::vault::{KeyRing, Vault};
use identity::{Seal, facade};
use model::{AgentKind, Clock, Digest, EndpointName, Entropy, Secret, Timestamp};
use serde_json::{Value, json};
use store::Sqlite;
use url::{Url, form_urlencoded};

use super::provider::{ISSUER, Provider, base64url};

pub(crate) const GATE: &str = "https://gate.example";
pub(crate) const REDIRECT: &str = "http://127.0.0.1:3000/cb";
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// The time of every test: it goes on only where a test says so. One for all of them, so no test goes back in it.
pub(crate) static CLOCK: Hand = Hand(AtomicU64::new(1_800_000_000_000));

pub(crate) struct Hand(AtomicU64);

impl Hand {
    pub(crate) fn seconds(&self) -> u64 {
        self.0.load(Ordering::Relaxed) / 1_000
    }
}

/// A clock of one test's own, ahead of the one for all.
pub(crate) struct Ahead(AtomicU64);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        Timestamp(CLOCK.0.load(Ordering::Relaxed) + self.0.load(Ordering::Relaxed))
    }
}

impl Ahead {
    pub(crate) fn go_on(&self, milliseconds: u64) {
        self.0.fetch_add(milliseconds, Ordering::Relaxed);
    }
}

struct Dice(AtomicU64);

impl Entropy for Dice {
    fn bits(&self) -> u128 {
        let drawn = self.0.fetch_add(1, Ordering::Relaxed);
        let digest = Digest::of(&drawn.to_be_bytes());
        u128::from_be_bytes(*digest.as_bytes().first_chunk().unwrap())
    }
}

/// Who is registered, and which endpoints there are.
#[derive(Default)]
pub(crate) struct Register(Mutex<HashMap<String, Client>>);

impl Register {
    pub(crate) fn add(&self, client: Client) {
        self.0.lock().unwrap().insert(client.id.clone(), client);
    }

    pub(crate) fn change(&self, id: &str, change: impl FnOnce(&mut Client)) {
        change(self.0.lock().unwrap().get_mut(id).unwrap());
    }
}

impl Directory for Register {
    fn client(&self, client_id: &str) -> Option<Client> {
        self.0.lock().unwrap().get(client_id).cloned()
    }

    fn endpoint(&self, name: &EndpointName) -> Option<Doorway> {
        let known = ["sales", "hr", "desk"].contains(&name.as_str());
        known.then(|| Doorway { purpose: "orders & offers".into(), scopes: vec!["read".into(), "write".into()] })
    }
}

pub(crate) fn client(id: &str, kind: AgentKind, proof: Proof) -> Client {
    Client {
        id: id.to_owned(),
        registration: id.to_owned(),
        agent: format!("agent-{}", id.len()).parse().unwrap(),
        kind,
        name: "Order <Editor>".to_owned(),
        vouched: true,
        endpoints: vec!["sales".parse().unwrap(), "desk".parse().unwrap()],
        redirects: Redirects::new(vec!["http://127.0.0.1/cb".into(), "https://client.example/cb".into()]).unwrap(),
        proof,
        certificate: None,
    }
}

pub(crate) struct World {
    pub(crate) facade: Arc<Facade>,
    pub(crate) provider: Arc<Provider>,
    pub(crate) register: Arc<Register>,
    pub(crate) clock: Arc<Ahead>,
    pub(crate) store: Sqlite,
    pub(crate) robot: SigningKey,
    pub(crate) directory: tempfile::TempDir,
}

/// An answer.
pub(crate) struct Heard {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Heard {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    pub(crate) fn location(&self) -> Option<String> {
        self.headers.get("location").map(|target| target.to_str().unwrap().to_owned())
    }

    /// The parameters with which it leads on, and where to.
    pub(crate) fn leads(&self) -> (String, HashMap<String, String>) {
        let target = self.location().unwrap_or_else(|| self.link());
        let url = Url::parse(&target).unwrap();
        let (place, _) = target.split_once('?').unwrap();
        (place.to_owned(), url.query_pairs().into_owned().collect())
    }

    /// The link of a page that leads on.
    pub(crate) fn link(&self) -> String {
        let (_, rest) = self.body.split_once("rel=\"noreferrer\" href=\"").expect(&self.body);
        rest.split_once('"').unwrap().0.replace("&amp;", "&")
    }

    /// What the page's form holds.
    pub(crate) fn sealed(&self) -> String {
        let (_, rest) = self.body.split_once("name=\"request\" value=\"").expect(&self.body);
        rest.split_once('"').unwrap().0.to_owned()
    }

    pub(crate) fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_default().to_owned()
    }
}

/// A browser: it keeps its cookie.
#[derive(Default)]
pub(crate) struct Browser(Mutex<Option<String>>);

impl Browser {
    pub(crate) async fn get(&self, world: &World, target: &str) -> Heard {
        self.visit(world, Method::GET, target, "", &[]).await
    }

    pub(crate) async fn post(&self, world: &World, path: &str, form: &[(&str, &str)]) -> Heard {
        self.visit(world, Method::POST, path, &encoded(form), &[("origin", GATE)]).await
    }

    pub(crate) async fn visit(
        &self,
        world: &World,
        method: Method,
        target: &str,
        body: &str,
        headers: &[(&'static str, &str)],
    ) -> Heard {
        let cookie = self.0.lock().unwrap().clone();
        let mut headers = headers.to_vec();
        headers.extend(cookie.as_deref().map(|cookie| ("cookie", cookie)));
        let heard = world.ask(method, target, body, &headers).await;
        if let Some(given) = heard.headers.get("set-cookie") {
            let given = given.to_str().unwrap().split(';').next().unwrap().to_owned();
            *self.0.lock().unwrap() = Some(given);
        }
        heard
    }
}

pub(crate) fn encoded(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

pub(crate) fn resource(endpoint: &str) -> String {
    format!("{GATE}/{endpoint}/mcp")
}

pub(crate) fn challenge() -> String {
    base64url(Digest::of(VERIFIER.as_bytes()).as_bytes())
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Terms)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&directory.path().join("state.db")).await.unwrap();
        Self::on(store, directory, change).await
    }

    async fn on(store: Sqlite, directory: tempfile::TempDir, change: impl FnOnce(&mut Terms)) -> Self {
        let provider = Arc::new(Provider::new());
        let clock = Arc::new(Ahead(AtomicU64::new(0)));
        let entropy: Arc<dyn Entropy> = Arc::new(Dice(AtomicU64::new(1)));
        let register = Arc::new(Register::default());
        register.add(client("editor", AgentKind::Delegated, Proof::Public));
        register.add(client("another", AgentKind::Delegated, Proof::Public));
        let robot = SigningKey::generate().unwrap();
        let keys = Arc::new(KeySet::of([Arc::clone(robot.public())]));
        register.add(client("robot", AgentKind::Autonomous, Proof::Keys(Keys::Here(Arc::clone(&keys)))));
        register.add(client("signing-editor", AgentKind::Delegated, Proof::Keys(Keys::Here(keys))));
        let relied = Relied {
            issuer: ISSUER.to_owned(),
            client_id: "portcullis".to_owned(),
            authentication: ClientAuthentication::Basic(Secret::new("upstream-secret".to_owned())),
            redirect: Url::parse(&format!("{GATE}/oauth/callback")).unwrap(),
            scopes: vec!["offline_access".to_owned()],
            algorithms: vec![Algorithm::Es256],
            skew: 5,
            claims: ClaimNames::default(),
            asks_userinfo: false,
        };
        let relying = Relying::new(relied, Arc::clone(&provider) as _, Arc::clone(&clock) as _, 86_400);
        let seal = Arc::new(Seal::new(Arc::clone(&entropy)).unwrap());
        let master = KeyRing::new(&Secret::new("0123456789abcdef".repeat(4)), &[]).unwrap();
        let mut terms = Terms {
            issuer: GATE.to_owned(),
            documents: vec![("clients.example".to_owned(), "editor".to_owned())],
            registration: None,
            acr_values: Vec::new(),
            user_prefix: String::new(),
            certificates: Certificates::default(),
        };
        change(&mut terms);
        let needs = Needs {
            words: Arc::new(store.clone()),
            terms,
            port: Arc::new(store.clone()),
            directory: Arc::clone(&register) as _,
            relying: Arc::new(relying),
            fetch: Arc::clone(&provider) as _,
            vault: Vault::new(Arc::new(master)),
            seal: Arc::clone(&seal),
            proofs: Arc::new(Proofs::new(seal)),
            clock: Arc::clone(&clock) as _,
            entropy,
        };
        let facade = Arc::new(Facade::open(needs).await.unwrap());
        Self { facade, provider, register, clock, store, robot, directory }
    }

    pub(crate) async fn ask(
        &self,
        method: Method,
        target: &str,
        body: &str,
        headers: &[(&'static str, &str)],
    ) -> Heard {
        let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        let mut map = HeaderMap::new();
        if method == Method::POST {
            map.insert("content-type", HeaderValue::from_static("application/x-www-form-urlencoded"));
        }
        for (name, value) in headers {
            map.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        let visit = Visit {
            method,
            path: path.to_owned(),
            query: query.map(str::to_owned),
            headers: map,
            body: Bytes::from(body.to_owned()),
            source: [127, 0, 0, 1].into(),
            certificate: None,
        };
        let response: Response<Bytes> = self.facade.answer(visit).await;
        let (head, body) = response.into_parts();
        Heard { status: head.status, headers: head.headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    /// A client asks the token endpoint, or another one that clients ask themselves.
    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Heard {
        self.ask(Method::POST, path, &encoded(form), &[]).await
    }

    /// The address of a page that asks for a consent, with some parameters changed: an empty one is left out.
    pub(crate) fn authorize(&self, changed: &[(&str, &str)]) -> String {
        let (challenge, sales) = (challenge(), resource("sales"));
        let mut asked = vec![
            ("response_type", "code"),
            ("client_id", "editor"),
            ("redirect_uri", REDIRECT),
            ("state", "the client's own"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("resource", &sales),
        ];
        for (name, value) in changed {
            asked.retain(|(other, _)| other != name);
            asked.push((name, value));
        }
        format!("/oauth/authorize?{}", encoded(&asked))
    }

    /// A person says yes and signs in; returns what the client's redirect is told.
    pub(crate) async fn code(&self, changed: &[(&str, &str)]) -> HashMap<String, String> {
        let browser = Browser::default();
        let page = browser.get(self, &self.authorize(changed)).await;
        let onward = browser.post(self, "/oauth/consent", &[("request", &page.sealed()), ("answer", "allow")]).await;
        let back = self.provider.sign_in(&onward.link());
        browser.get(self, &callback(&back)).await.leads().1
    }

    /// The client's tokens for a code.
    pub(crate) async fn redeem(&self, code: &str) -> Heard {
        self.redeem_with(code, &[]).await
    }

    pub(crate) async fn redeem_with(&self, code: &str, changed: &[(&str, &str)]) -> Heard {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("client_id", "editor"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        for (name, value) in changed {
            form.retain(|(other, _)| other != name);
            form.push((name, value));
        }
        self.post("/oauth/token", &form).await
    }

    /// Tokens of a whole sign-in.
    pub(crate) async fn tokens(&self) -> Value {
        let code = self.code(&[]).await;
        let heard = self.redeem(&code["code"]).await;
        assert_eq!(heard.status, 200, "{}", heard.body);
        heard.json()
    }

    pub(crate) async fn refresh(&self, token: &str) -> Heard {
        let form = [("grant_type", "refresh_token"), ("client_id", "editor"), ("refresh_token", token)];
        self.post("/oauth/token", &form).await
    }

    /// What an access token says, checked as the resource server would.
    pub(crate) fn claims(&self, token: &Value, endpoint: &str) -> identity::jwt::Claims {
        let audience = resource(endpoint);
        let rule = identity::jwt::Rule {
            algorithms: &[Algorithm::Es256],
            typ: &["at+jwt"],
            issuer: GATE,
            audience: identity::jwt::Audience::Only(&audience),
            skew: 0,
            now: self.clock.now(),
            required: &["sub", "jti", "client_id", "iat", "family"],
        };
        identity::jwt::verify(token.as_str().unwrap(), &self.facade.keys().set(), &rule).unwrap()
    }

    /// An assertion of a client that signs, changed as asked.
    pub(crate) fn assertion(&self, client: &str, jti: &str, changed: &[(&str, Value)]) -> String {
        let now = self.clock.now().0 / 1_000;
        let mut claims = json!({ "iss": client, "sub": client, "aud": GATE, "jti": jti, "exp": now + 60, "iat": now });
        for (name, value) in changed {
            claims[*name] = value.clone();
        }
        self.robot.sign("JWT", claims.as_object().unwrap()).unwrap()
    }

    pub(crate) fn clock_seconds(&self) -> u64 {
        self.clock.now().0 / 1_000
    }

    pub(crate) fn change(&self) -> model::Change {
        let (actor, expected) = (model::Actor::Gate, model::Expected::Any);
        model::Change { actor, expected, at: self.clock.now(), reason: None }
    }

    /// The bytes of everything that is kept.
    pub(crate) fn kept(&self) -> Vec<u8> {
        let files: Vec<PathBuf> =
            std::fs::read_dir(self.directory.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.iter().flat_map(|file| std::fs::read(file).unwrap()).collect()
    }
}

pub(crate) fn callback(parameters: &HashMap<String, String>) -> String {
    let pairs: Vec<(&str, &str)> = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    format!("/oauth/callback?{}", encoded(&pairs))
}

pub(crate) const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The façade's own name, so that a test can tell where it is.
pub(crate) fn is_revoked(world: &World, family: &str) -> bool {
    let revocations: &facade::Revocations = world.facade.revocations();
    revocations.hold(family)
}
