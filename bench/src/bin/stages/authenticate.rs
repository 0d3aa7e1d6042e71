//! Who calls: a token that was verified before, and one that is seen for the first time.

use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as Poll, Waker};

use anyhow::Context;
use async_trait::async_trait;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use identity::Seal;
use identity::agents::{Agents, Registration};
use identity::fetch::{self, Fetch, FetchError, Fetched};
use identity::jwt::SigningKey;
use identity::keys::{Algorithm, KeySource};
use identity::resource_server::proof::Proofs;
use identity::resource_server::{Asked, Certificates, IssuerSettings, Mapping, ResourceServer, ResourceSettings};
use model::{Agent, AgentKind, Assurance, Clock, EndpointName, Entropy, Timestamp};
use serde_json::json;
use url::Url;

const ISSUER: &str = "https://login.example";
const GATE: &str = "https://gate.example";
/// Seconds since 1970 at which it is measured.
const NOW: u64 = 1_795_000_000;

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp(NOW * 1_000)
    }
}

impl Entropy for Still {
    fn bits(&self) -> u128 {
        7
    }
}

/// An issuer that is here.
struct Here(String);

#[async_trait]
impl Fetch for Here {
    async fn send(&self, _asked: fetch::Asked<'_>) -> Result<Fetched, FetchError> {
        Ok(Fetched { status: StatusCode::OK, headers: HeaderMap::new(), body: self.0.clone().into() })
    }
}

/// What asking for a token's caller costs, once it is remembered and when it is not.
pub(super) fn measure() -> anyhow::Result<[(&'static str, f64); 2]> {
    let key = SigningKey::generate()?;
    let server = server(&key)?;
    let agents = Arc::new(Agents::new([Registration {
        agent: Agent { id: "desk".parse()?, kind: AgentKind::Delegated },
        endpoints: ["desk".parse()?].into(),
        assurance: Assurance::Public,
        certificate: None,
        clients: vec![(ISSUER.to_owned(), "client-of-desk".to_owned())],
    }])?);
    let endpoint: EndpointName = "desk".parse()?;
    let (headers, others) = (headers(&key, 300)?, [headers(&key, 301)?, headers(&key, 302)?]);
    let runtime = tokio::runtime::Builder::new_current_thread().build().context("a runtime")?;
    let ask = |headers: &HeaderMap, server: &ResourceServer, agents: &Arc<Agents>| {
        let asked = Asked { method: "POST", path: "/desk/mcp", headers, endpoint: &endpoint, certificate: None };
        let mut asking = pin!(server.authenticate(asked, agents));
        // Nobody is waited for where the keys are known.
        asking.as_mut().poll(&mut Poll::from_waker(Waker::noop())).is_ready()
    };
    let first = Asked { method: "POST", path: "/desk/mcp", headers: &headers, endpoint: &endpoint, certificate: None };
    let known = runtime.block_on(server.authenticate(first, &agents));
    anyhow::ensure!(known.is_ok(), "the token is refused");
    let remembered = super::microseconds(|| _ = black_box(ask(&headers, &server, &agents)));
    // Whoever is registered anew is looked at anew.
    let again: Vec<Arc<Agents>> = (0..2).map(|_| Arc::new(Agents::default())).collect();
    let mut turn = 0_usize;
    let fresh = super::microseconds(|| {
        turn ^= 1;
        if let (Some(headers), Some(agents)) = (others.get(turn), again.get(turn)) {
            black_box(ask(headers, &server, agents));
        }
    });
    Ok([("authenticate, remembered", remembered), ("authenticate, verified anew", fresh)])
}

fn server(key: &SigningKey) -> anyhow::Result<ResourceServer> {
    let fetch: Arc<dyn Fetch> = Arc::new(Here(json!({ "keys": [key.public_jwk()] }).to_string()));
    let issuer = IssuerSettings {
        url: ISSUER.to_owned(),
        keys: KeySource::At(Url::parse(&format!("{ISSUER}/keys"))?),
        algorithms: vec![Algorithm::Es256],
        skew: 30,
        keys_age_max: 86_400,
        mapping: Mapping::default(),
        reach: egress::Reach::internet(),
        fetch,
        revocations: None,
    };
    let (public_url, scopes) = (GATE.to_owned(), Vec::new());
    let settings = ResourceSettings {
        public_url,
        scopes,
        certificates: Certificates::default(),
        issuers: vec![issuer],
        introspection: None,
    };
    let proofs = Arc::new(Proofs::new(Arc::new(Seal::new(Arc::new(Still))?)));
    Ok(ResourceServer::new(settings, proofs, Arc::new(Still), None))
}

/// A request with a token as providers make them, that ends after so many seconds.
fn headers(key: &SigningKey, seconds: u64) -> anyhow::Result<HeaderMap> {
    let claims = json!({
        "iss": ISSUER, "aud": format!("{GATE}/desk/mcp"), "sub": "ada", "client_id": "client-of-desk", "iat": NOW,
        "exp": NOW + seconds, "jti": "0b1c6f1d2c3e4a5b", "groups": ["support", "finance", "staff", "everybody"],
        "scope": "openid profile mcp", "acr": "urn:mfa", "amr": ["pwd", "otp", "mfa"], "auth_time": NOW - 60,
    });
    let token = key.sign("at+jwt", claims.as_object().context("claims")?)?;
    let value = HeaderValue::try_from(format!("Bearer {token}"))?;
    Ok(HeaderMap::from_iter([(header::AUTHORIZATION, value)]))
}
