use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use model::{
    Agent, AgentKind, Assurance, Caller, Challenge, Clock, Digest, EndpointName, Entropy, Reason, Refusal, Secret,
    Timestamp,
};
use serde_json::{Value, json};
use url::Url;

use super::proof::{DPOP, Proofs};
use super::{
    AppOnly, Asked, Certificates, IntrospectionSettings, IssuerSettings, Mapping, ResourceServer, ResourceSettings,
};
use crate::agents::{Agents, Registration};
use crate::fetch::fake::FakeFetch;
use crate::jwt::SigningKey;
use crate::keys::{Algorithm, KeySource};
use crate::seal::Seal;

const ISSUER: &str = "https://login.example";
const KEYS: &str = "https://login.example/keys";
const ASK: &str = "https://login.example/introspect";
const RESOURCE: &str = "https://gate.example/desk/mcp";

struct Hand(AtomicU64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

struct Zero;

impl Entropy for Zero {
    fn bits(&self) -> u128 {
        7
    }
}

struct Stage {
    fetch: Arc<FakeFetch>,
    clock: Arc<Hand>,
    key: SigningKey,
    server: ResourceServer,
    agents: Arc<Agents>,
    endpoint: EndpointName,
}

fn registered(id: &str, kind: AgentKind, client: &str) -> Registration {
    Registration {
        certificate: None,
        agent: Agent { id: id.parse().unwrap(), kind },
        endpoints: ["desk".parse().unwrap()].into(),
        assurance: Assurance::Public,
        clients: vec![(ISSUER.to_owned(), client.to_owned())],
    }
}

impl Stage {
    fn new() -> Self {
        Self::with(Mapping::default())
    }

    fn with(mapping: Mapping) -> Self {
        let fetch = Arc::new(FakeFetch::default());
        let clock = Arc::new(Hand(AtomicU64::new(1_700_000_000_000)));
        let key = SigningKey::generate().unwrap();
        fetch.tell(KEYS, json!({"keys": [key.public_jwk()]}).to_string());
        let settings = IssuerSettings {
            url: ISSUER.to_owned(),
            keys: KeySource::At(Url::parse(KEYS).unwrap()),
            algorithms: vec![Algorithm::Es256],
            skew: 30,
            keys_age_max: 86_400,
            mapping,
            reach: egress::Reach::internet(),
            fetch: Arc::clone(&fetch) as _,
            revocations: None,
        };
        let introspection = IntrospectionSettings {
            issuer: ISSUER.to_owned(),
            url: Url::parse(ASK).unwrap(),
            client_id: "the gate".to_owned(),
            client_secret: Secret::new("shh:shh".to_owned()),
            fetch: Arc::clone(&fetch) as _,
        };
        let proofs = Arc::new(Proofs::new(Arc::new(Seal::new(Arc::new(Zero)).unwrap())));
        let settings = ResourceSettings {
            public_url: "https://gate.example/".to_owned(),
            scopes: vec!["mcp".to_owned()],
            certificates: Certificates::default(),
            issuers: vec![settings],
            introspection: Some(introspection),
        };
        let server = ResourceServer::new(settings, proofs, Arc::clone(&clock) as _, None);
        let agents = Agents::new([
            registered("helper", AgentKind::Delegated, "c-helper"),
            registered("nightly", AgentKind::Autonomous, "c-nightly"),
            registered("router", AgentKind::Delegated, "c-router"),
        ]);
        Self { fetch, clock, key, server, agents: Arc::new(agents.unwrap()), endpoint: "desk".parse().unwrap() }
    }

    fn claims(&self) -> Value {
        let now = self.clock.now().0 / 1_000;
        json!({"iss": ISSUER, "aud": RESOURCE, "sub": "ada", "client_id": "c-helper", "exp": now + 300, "iat": now})
    }

    fn token(&self, edits: &Value) -> String {
        let mut claims = self.claims();
        for (name, value) in edits.as_object().unwrap() {
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(name);
            } else {
                claims[name] = value.clone();
            }
        }
        self.key.sign("at+jwt", claims.as_object().unwrap()).unwrap()
    }

    async fn ask(&self, headers: &HeaderMap) -> Result<Arc<Caller>, Refusal> {
        let asked = Asked { method: "POST", path: "/desk/mcp", headers, endpoint: &self.endpoint, certificate: None };
        self.server.authenticate(asked, &self.agents).await
    }

    async fn bearer(&self, token: &str) -> Result<Arc<Caller>, Refusal> {
        self.ask(&headers(&format!("Bearer {token}"))).await
    }

    async fn said(&self, edits: Value) -> Result<Arc<Caller>, Refusal> {
        self.bearer(&self.token(&edits)).await
    }
}

fn headers(authorization: &str) -> HeaderMap {
    HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::try_from(authorization).unwrap())])
}

fn no_good(asked: Result<Arc<Caller>, Refusal>) -> String {
    let refusal = asked.unwrap_err();
    assert_eq!(refusal.reason, Reason::Unauthenticated);
    assert_eq!(refusal.challenge.as_deref(), Some(&Challenge::Token), "{}", refusal.detail);
    refusal.detail
}

#[tokio::test]
async fn a_token_for_this_endpoint_is_its_agent_for_its_person() {
    let stage = Stage::new();
    let edits = json!({"groups": ["finance", "staff"], "scope": "write read", "acr": "mfa", "amr": ["pwd", "otp"],
        "auth_time": 1_699_999_000});
    let caller = stage.said(edits).await.unwrap();
    assert_eq!(caller.agent.id.as_str(), "helper");
    assert_eq!(caller.user().unwrap().as_str(), "ada");
    assert_eq!(caller.groups().len(), 2);
    assert_eq!(caller.assurance, Assurance::Public);
    let told = &caller.authentication;
    assert_eq!(told.issuer.as_deref(), Some(ISSUER));
    assert_eq!(told.acr.as_deref(), Some("mfa"));
    assert_eq!(told.signed_in, Some(Timestamp(1_699_999_000_000)));
    assert_eq!(told.scopes.iter().map(AsRef::as_ref).collect::<Vec<&str>>(), ["read", "write"]);
    assert_eq!(told.amr.iter().map(AsRef::as_ref).collect::<Vec<&str>>(), ["otp", "pwd"]);
}

#[tokio::test]
async fn a_token_that_is_not_for_this_endpoint_or_not_of_a_registered_client_is_no_good() {
    let stage = Stage::new();
    for edits in [
        json!({"aud": "https://gate.example/bank/mcp"}),
        json!({"aud": "https://gate.example"}),
        json!({"aud": [RESOURCE, "https://crm.example"]}),
        json!({"aud": null}),
        json!({"iss": "https://evil.example"}),
        json!({"client_id": "c-unknown"}),
        json!({"client_id": null}),
        json!({"client_id": ""}),
        json!({"exp": 1_699_999_000}),
        json!({"exp": null}),
        json!({"nbf": 1_800_000_000}),
        json!({"groups": "a".repeat(300)}),
        json!({"groups": [1]}),
        json!({"groups": {"a": 1}}),
        json!({"sub": "a\u{7}b"}),
        json!({"cnf": {"x5t#S256": "AAAA"}}),
        json!({"cnf": {}}),
        json!({"cnf": "x"}),
        json!({"cnf": {"jkt": "AAAA", "x5t#S256": "AAAA"}}),
    ] {
        no_good(stage.said(edits.clone()).await);
    }
}

#[tokio::test]
async fn a_delegated_agent_cannot_come_without_its_person_and_an_autonomous_one_not_with_one() {
    let stage = Stage::new();
    let nightly = json!({"client_id": "c-nightly", "sub": "c-nightly"});
    assert_eq!(stage.said(nightly).await.unwrap().user(), None);
    assert!(no_good(stage.said(json!({"client_id": "c-nightly"})).await).contains("autonomous"));
    for edits in [json!({"sub": "c-helper"}), json!({"sub": null})] {
        assert!(no_good(stage.said(edits).await).contains("delegated"));
    }
    let app_only = Some(AppOnly { claim: "preferred_username".to_owned(), value: "service-account-*".to_owned() });
    let stage = Stage::with(Mapping { app_only, ..Mapping::default() });
    let edits = json!({"sub": "0b1c", "preferred_username": "service-account-helper"});
    assert!(no_good(stage.said(edits).await).contains("delegated"));
    // A name of the person in another claim does not make one of a client.
    let stage = Stage::with(Mapping { user: "email".to_owned(), ..Mapping::default() });
    assert!(no_good(stage.said(json!({"sub": "c-helper", "email": "ada@example.com"})).await).contains("delegated"));
    assert_eq!(
        stage.said(json!({"email": "ada@example.com"})).await.unwrap().user().unwrap().as_str(),
        "ada@example.com"
    );
}

#[tokio::test]
async fn every_agent_through_which_a_token_came_is_registered_and_none_is_left_out() {
    let stage = Stage::new();
    let caller = stage.said(json!({"act": {"sub": "c-helper", "act": {"sub": "c-router"}}})).await.unwrap();
    assert_eq!(caller.authentication.actors.len(), 1);
    assert_eq!(caller.authentication.actors[0].id.as_str(), "router");
    let deep = json!({"sub": "c-router", "act": {"sub": "c-router", "act": {"sub": "c-router", "act": {"sub": "c-router",
        "act": {"sub": "c-router"}}}}});
    for act in [
        json!({"sub": "c-unknown"}),
        json!({"sub": "c-router", "iss": "https://evil.example"}),
        json!("x"),
        json!({}),
        deep,
    ] {
        no_good(stage.said(json!({"act": act})).await);
    }
}

#[tokio::test]
async fn a_header_that_is_not_one_bearer_token_is_nobodys() {
    let stage = Stage::new();
    let token = stage.token(&json!({}));
    let mut twice = headers(&format!("Bearer {token}"));
    twice.append(AUTHORIZATION, HeaderValue::try_from(format!("Bearer {token}")).unwrap());
    assert!(stage.ask(&twice).await.is_err());
    for text in
        ["", "Bearer", "Bearer ", "Basic YTpi", &format!("Bearer  {token}"), &format!("Bearer {token} "), &token]
    {
        assert!(stage.ask(&headers(text)).await.is_err(), "{text}");
    }
    assert!(stage.ask(&headers(&format!("bEaReR {token}"))).await.is_ok());
    assert!(stage.ask(&HeaderMap::new()).await.unwrap_err().challenge.is_none(), "who showed nothing is told no error");
}

#[tokio::test]
async fn what_was_verified_is_remembered_until_the_token_ends_or_somebody_changes() {
    let stage = Stage::new();
    let token = stage.token(&json!({}));
    let first = stage.bearer(&token).await.unwrap();
    assert!(Arc::ptr_eq(&first, &stage.bearer(&token).await.unwrap()));
    // At another endpoint the same token is verified anew, and is no good.
    let elsewhere: EndpointName = "bank".parse().unwrap();
    let headers = headers(&format!("Bearer {token}"));
    let asked = Asked { method: "POST", path: "/bank/mcp", headers: &headers, endpoint: &elsewhere, certificate: None };
    no_good(stage.server.authenticate(asked, &stage.agents).await);
    // An agent that is not registered any more is nobody.
    let nobody = Arc::new(Agents::default());
    let asked =
        Asked { method: "POST", path: "/desk/mcp", headers: &headers, endpoint: &stage.endpoint, certificate: None };
    no_good(stage.server.authenticate(asked, &nobody).await);
    let began = stage.clock.now();
    assert!(!stage.server.ended_since(began));
    stage.clock.0.fetch_add(331_000, Ordering::Relaxed);
    no_good(stage.bearer(&token).await);
    assert!(stage.server.ended_since(began));
    assert!(!stage.server.ended_since(began), "it is told once");
}

#[tokio::test]
async fn an_issuer_that_is_down_refuses_nobody_whose_keys_are_known() {
    let stage = Stage::new();
    stage.said(json!({})).await.unwrap();
    stage.fetch.forget(KEYS);
    stage.clock.0.fetch_add(23 * 3_600_000, Ordering::Relaxed);
    let token = stage.token(&json!({}));
    stage.bearer(&token).await.unwrap();
    stage.clock.0.fetch_add(3_600_000 + 1, Ordering::Relaxed);
    no_good(stage.said(json!({})).await);
}

#[tokio::test]
async fn a_bound_token_is_good_with_a_proof_of_its_key_and_never_as_a_bearer_token() {
    let stage = Stage::new();
    let (key, other) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
    let bound = stage.token(&json!({"cnf": {"jkt": key.kid()}}));
    let free = stage.token(&json!({}));
    no_good(stage.bearer(&bound).await);
    let nonce = match stage.ask(&headers(&format!("DPoP {bound}"))).await.unwrap_err().challenge.as_deref() {
        Some(Challenge::Proof { nonce: Some(nonce), .. }) => nonce.clone(),
        other => panic!("{other:?}"),
    };
    let proven = |key: &SigningKey, token: &str, scheme: &str| {
        let ath = URL_SAFE_NO_PAD.encode(Digest::of(token.as_bytes()).as_bytes());
        let said =
            json!({"jti": "1", "htm": "POST", "htu": RESOURCE, "iat": 1_700_000_000, "ath": ath, "nonce": nonce});
        let mut headers = headers(&format!("{scheme} {token}"));
        let proof = key.prove("dpop+jwt", said.as_object().unwrap()).unwrap();
        headers.insert(DPOP, HeaderValue::try_from(proof).unwrap());
        headers
    };
    no_good(stage.ask(&proven(&key, &bound, "Bearer")).await);
    no_good(stage.ask(&proven(&other, &bound, "DPoP")).await);
    no_good(stage.ask(&proven(&key, &free, "DPoP")).await);
    no_good(stage.ask(&proven(&key, &free, "Bearer")).await);
    let caller = stage.ask(&proven(&key, &bound, "DPoP")).await.unwrap();
    assert_eq!(caller.assurance, Assurance::KeyBound);
    let again = stage.ask(&proven(&key, &bound, "DPoP")).await.unwrap_err();
    assert_eq!(again.detail, "the proof was used before");
}

#[tokio::test]
async fn an_opaque_token_is_what_its_issuer_says_and_for_a_minute() {
    let stage = Stage::new();
    let mut active = stage.claims();
    active["active"] = json!(true);
    stage.fetch.tell(ASK, active.to_string());
    assert_eq!(stage.bearer("opaque").await.unwrap().user().unwrap().as_str(), "ada");
    stage.bearer("opaque").await.unwrap();
    let asked = stage.fetch.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].body, "token=opaque&token_type_hint=access_token");
    assert_eq!(asked[0].headers[AUTHORIZATION], "Basic dGhlK2dhdGU6c2hoJTNBc2ho");
    stage.clock.0.fetch_add(61_000, Ordering::Relaxed);
    for (name, value) in [
        ("active", json!(false)),
        ("active", json!("true")),
        ("active", Value::Null),
        ("aud", json!("https://gate.example/bank/mcp")),
        ("aud", Value::Null),
        ("iss", json!("https://evil.example")),
        ("exp", json!(1_699_999_000)),
        ("exp", Value::Null),
    ] {
        let mut other = active.clone();
        other[name] = value;
        stage.fetch.tell(ASK, other.to_string());
        no_good(stage.bearer("opaque").await);
    }
    stage.fetch.tell_as(ASK, 500, &[], active.to_string());
    no_good(stage.bearer("opaque").await);
    stage.fetch.forget(ASK);
    no_good(stage.bearer("opaque").await);
    stage.fetch.tell(ASK, active.to_string());
    stage.bearer("opaque").await.unwrap();
}

#[tokio::test]
async fn groups_may_lie_in_objects_and_people_of_two_issuers_are_kept_apart() {
    let mapping =
        Mapping { groups: "realm_access.roles".to_owned(), user_prefix: "acme:".to_owned(), ..Mapping::default() };
    let stage = Stage::with(mapping);
    let caller = stage.said(json!({"realm_access": {"roles": ["clerk"]}})).await.unwrap();
    assert_eq!(caller.groups()[0].as_str(), "clerk");
    assert_eq!(caller.user().unwrap().as_str(), "acme:ada");
}

#[test]
fn metadata_is_beside_the_resource_and_not_under_it() {
    let stage = Stage::new();
    assert_eq!(stage.server.resource(&stage.endpoint), RESOURCE);
    assert_eq!(
        stage.server.metadata_url(&stage.endpoint),
        "https://gate.example/.well-known/oauth-protected-resource/desk/mcp"
    );
}
