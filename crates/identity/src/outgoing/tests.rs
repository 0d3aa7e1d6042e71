use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use model::{Actor, Behalf, Change, Entropy, Expected, Secret, StoreError, Timestamp};
use serde_json::{Value, json};

use super::keeper::place;
use super::*;
use crate::fetch::fake::FakeFetch;
use crate::port::{Kept, Place};
use crate::vault::KeyRing;

const SERVER: &str = "https://crm.example/mcp";
const PROTECTED: &str = "https://crm.example/.well-known/oauth-protected-resource/mcp";
pub(super) const ISSUER: &str = "https://login.example";
const METADATA: &str = "https://login.example/.well-known/oauth-authorization-server";
pub(super) const TOKEN: &str = "https://login.example/token";
const REGISTER: &str = "https://login.example/register";

/// A store that forgets with the test.
#[derive(Default)]
pub(crate) struct Memory(Mutex<BTreeMap<Place, Kept>>);

#[async_trait]
impl Credentials for Memory {
    async fn kept(&self, place: &Place) -> Result<Option<Kept>, StoreError> {
        Ok(locked(&self.0).get(place).cloned())
    }

    async fn kept_of(&self, owner: Option<&str>) -> Result<Vec<(Place, Kept)>, StoreError> {
        let rows = locked(&self.0);
        let of = rows.iter().filter(|(place, _)| owner.is_none_or(|owner| place.owner == owner));
        Ok(of.map(|(place, kept)| (place.clone(), kept.clone())).collect())
    }

    async fn connected(&self, place: Place, kept: Kept, _: Change) -> Result<(), StoreError> {
        locked(&self.0).insert(place, kept);
        Ok(())
    }

    async fn renewed(&self, place: Place, kept: Kept, before: &str) -> Result<bool, StoreError> {
        let mut rows = locked(&self.0);
        let is_there = rows.get(&place).is_some_and(|kept| kept.about == before);
        if is_there {
            rows.insert(place, kept);
        }
        Ok(is_there)
    }

    async fn noted(&self, place: Place, kept: Kept) -> Result<(), StoreError> {
        locked(&self.0).insert(place, kept);
        Ok(())
    }

    async fn rewrapped(&self, _: usize, _: Change) -> Result<(), StoreError> {
        Ok(())
    }

    async fn disconnected(&self, place: Place, _: Change) -> Result<bool, StoreError> {
        Ok(locked(&self.0).remove(&place).is_some())
    }
}

#[derive(Default)]
pub(super) struct Time(AtomicU64);

impl Clock for Time {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

#[derive(Default)]
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn bits(&self) -> u128 {
        u128::from(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// A gate, a server that wants tokens, and who gives them out.
pub(super) struct Scene {
    pub(super) outgoing: Arc<Outgoing>,
    pub(super) network: Arc<FakeFetch>,
    memory: Arc<Memory>,
    time: Arc<Time>,
    pub(super) source: Source,
}

pub(super) fn scene() -> Scene {
    let network = Arc::new(FakeFetch::default());
    let header = format!("Bearer scope=\"read\", resource_metadata=\"{PROTECTED}\"");
    network.tell_as(SERVER, 401, &[("www-authenticate", &header)], "{}");
    network.tell(PROTECTED, json!({ "resource": SERVER, "authorization_servers": [ISSUER] }).to_string());
    network.tell(METADATA, metadata().to_string());
    network.tell_as(REGISTER, 201, &[], json!({ "client_id": "gate", "client_secret": "s3cret" }).to_string());
    network.tell(TOKEN, tokens("first").to_string());
    let memory = Arc::new(Memory::default());
    let time = Arc::new(Time(AtomicU64::new(1_000_000)));
    let key = Secret::new("a".repeat(64));
    let vault = Vault::new(Arc::new(KeyRing::new(&key, &[]).unwrap()));
    let presence = Presence {
        callback: "https://gate.example/connect/callback".parse().unwrap(),
        document: None,
        name: "Portcullis".into(),
        people: Some("https://gate.example/connect/".parse().unwrap()),
    };
    let (port, clock) = (Arc::clone(&memory) as Arc<dyn Credentials>, Arc::clone(&time) as Arc<dyn Clock>);
    let directory = tempfile::tempdir().unwrap();
    let (key, entropy) = (directory.path().join("key"), Arc::new(Counting::default()));
    let issuer = "https://gate.example".to_owned();
    let assertions = Assertions::open(issuer, &key, Arc::clone(&clock), Arc::clone(&entropy) as _).unwrap();
    let outgoing = Arc::new(Outgoing::new(vault, port, presence, Arc::new(assertions), clock, entropy));
    let source = Source {
        server: "crm".parse().unwrap(),
        identity: Digest::of(b"crm"),
        url: SERVER.parse().unwrap(),
        whose: Whose::User,
        flow: Flow::Code,
        issuer: None,
        scopes: Vec::new(),
        client: None,
        to_server: Arc::clone(&network) as Arc<dyn Fetch>,
        to_issuer: Arc::clone(&network) as Arc<dyn Fetch>,
    };
    Scene { outgoing, network, memory, time, source }
}

fn metadata() -> Value {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://login.example/authorize",
        "token_endpoint": TOKEN,
        "registration_endpoint": REGISTER,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    })
}

fn tokens(name: &str) -> Value {
    json!({
        "access_token": format!("{name}-access"),
        "token_type": "Bearer",
        "expires_in": 600,
        "refresh_token": format!("{name}-refresh"),
    })
}

/// Who sits at the browser.
fn person() -> UserId {
    "ana".parse().unwrap()
}

fn ana() -> Holder {
    Holder::User(person())
}

fn by(name: &str) -> Actor {
    Actor::Person(name.to_owned())
}

pub(super) fn written(credential: &Credential) -> String {
    let mut headers = http::HeaderMap::new();
    credential.write(&mut headers);
    headers["authorization"].to_str().unwrap().to_owned()
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn back(begun: &Begun, iss: Option<&str>) -> Return {
    Return {
        state: parameter(&begun.url, "state").unwrap(),
        code: Some("code".into()),
        error: None,
        iss: iss.map(str::to_owned),
    }
}

fn browser(begun: &Begun) -> String {
    crate::secrets::opened(&begun.browser).clone()
}

impl Scene {
    pub(super) fn arc(&self) -> Arc<Source> {
        let Source { server, identity, url, whose, flow, issuer, scopes, client, to_server, to_issuer } = &self.source;
        Arc::new(Source {
            server: server.clone(),
            identity: *identity,
            url: url.clone(),
            whose: *whose,
            flow: *flow,
            issuer: issuer.clone(),
            scopes: scopes.clone(),
            client: client.clone(),
            to_server: Arc::clone(to_server),
            to_issuer: Arc::clone(to_issuer),
        })
    }

    async fn begin(&self) -> Result<Begun, OutgoingError> {
        self.outgoing.begin(&self.arc(), ana(), by("ana")).await
    }

    async fn connect(&self) -> Begun {
        let begun = self.begin().await.unwrap();
        let connected =
            self.outgoing.finish(back(&begun, Some(ISSUER)), Some(&browser(&begun)), Some(&person())).await.unwrap();
        assert_eq!(connected.holder, ana());
        begun
    }

    async fn credential(&self) -> Result<String, OutgoingError> {
        self.outgoing.credential(&self.arc(), &ana()).await.map(|credential| written(&credential))
    }

    pub(super) fn later(&self, seconds: u64) {
        self.time.0.fetch_add(seconds * 1_000, Ordering::Relaxed);
    }

    /// The forms that the token endpoint was sent.
    pub(super) fn asked(&self) -> Vec<String> {
        self.network.asked().into_iter().filter(|seen| seen.url == TOKEN).map(|seen| seen.body).collect()
    }
}

#[tokio::test]
async fn a_person_connects_a_server_and_their_calls_have_its_token() {
    let scene = scene();
    assert!(matches!(scene.credential().await, Err(OutgoingError::NotConnected { .. })));
    let begun = scene.connect().await;
    assert_eq!(begun.url.origin().ascii_serialization(), ISSUER);
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "gate"),
        ("redirect_uri", "https://gate.example/connect/callback"),
        ("code_challenge_method", "S256"),
        ("resource", SERVER),
        ("scope", "read"),
    ] {
        assert_eq!(parameter(&begun.url, name).as_deref(), Some(value), "{name}");
    }
    let asked = scene.asked();
    for part in
        ["grant_type=authorization_code", "code=code", "code_verifier=", "resource=https%3A%2F%2Fcrm.example%2Fmcp"]
    {
        assert!(asked[0].contains(part), "{part}");
    }
    assert_eq!(scene.credential().await.unwrap(), "Bearer first-access");
    let ben = Holder::User("ben".parse().unwrap());
    let other = scene.outgoing.credential(&scene.arc(), &ben).await;
    assert!(matches!(other, Err(OutgoingError::NotConnected { .. })), "what ana connected is nobody else's");
}

#[tokio::test]
async fn the_store_sees_no_token_and_a_row_moved_to_another_person_opens_nothing() {
    let scene = scene();
    scene.connect().await;
    let rows = locked(&scene.memory.0).clone();
    for kept in rows.values() {
        let text = format!("{kept:?}");
        assert!(!["first-access", "first-refresh", "s3cret"].iter().any(|secret| text.contains(secret)));
    }
    let anas = place(&scene.source.server, &ana());
    let moved = place(&scene.source.server, &Holder::User("ben".parse().unwrap()));
    locked(&scene.memory.0).insert(moved, rows[&anas].clone());
    let ben = Holder::User("ben".parse().unwrap());
    assert!(matches!(scene.outgoing.credential(&scene.arc(), &ben).await, Err(OutgoingError::Keep(_))));
    let mut forged = rows[&anas].clone();
    forged.about = forged.about.replace(ISSUER, "https://evil.example");
    locked(&scene.memory.0).insert(anas, forged);
    assert!(matches!(scene.credential().await, Err(OutgoingError::Keep(_))), "its issuer is authenticated with it");
}

#[tokio::test]
async fn a_token_is_renewed_before_its_end_once_for_all_who_wait() {
    let scene = scene();
    scene.connect().await;
    scene.network.tell(TOKEN, tokens("second").to_string());
    scene.later(500);
    assert_eq!(scene.credential().await.unwrap(), "Bearer first-access", "it is good for a while");
    scene.later(45);
    let source = scene.arc();
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (outgoing, source) = (Arc::clone(&scene.outgoing), Arc::clone(&source));
            tokio::spawn(async move { outgoing.credential(&source, &ana()).await.map(|held| written(&held)) })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap(), "Bearer second-access");
    }
    let asked = scene.asked();
    assert_eq!(asked.len(), 2, "{}", asked.len());
    assert!(asked[1].contains("refresh_token=first-refresh") && asked[1].contains("resource="));
}

#[tokio::test]
async fn while_the_authorization_server_is_away_a_token_is_used_to_its_end_and_no_longer() {
    let scene = scene();
    scene.connect().await;
    scene.network.forget(TOKEN);
    scene.later(590);
    assert_eq!(scene.credential().await.unwrap(), "Bearer first-access");
    scene.later(11);
    assert!(matches!(scene.credential().await, Err(OutgoingError::Token(_))));
}

#[tokio::test]
async fn a_refresh_token_that_was_taken_back_asks_for_the_person_again() {
    let scene = scene();
    scene.connect().await;
    scene.network.tell_as(TOKEN, 400, &[], json!({ "error": "invalid_grant" }).to_string());
    scene.later(601);
    assert!(matches!(scene.credential().await, Err(OutgoingError::NotConnected { .. })));
}

#[tokio::test]
async fn a_token_that_the_server_refuses_is_not_sent_again() {
    let scene = scene();
    scene.connect().await;
    assert_eq!(scene.credential().await.unwrap(), "Bearer first-access");
    let refused = Challenge { error: Some("invalid_token".into()), ..Challenge::default() };
    scene.outgoing.refused(&scene.source, &ana(), None, &refused);
    scene.network.tell(TOKEN, tokens("second").to_string());
    assert_eq!(scene.credential().await.unwrap(), "Bearer second-access");
}

#[tokio::test]
async fn more_scopes_are_asked_for_with_those_that_were_and_in_vain_only_once() {
    let scene = scene();
    scene.connect().await;
    scene.credential().await.unwrap();
    let wants = |scope: &str| Challenge {
        scopes: Some(vec![scope.to_owned()]),
        error: Some("insufficient_scope".into()),
        resource_metadata: None,
    };
    scene.outgoing.refused(&scene.source, &ana(), None, &wants("write"));
    assert!(matches!(scene.credential().await, Err(OutgoingError::NotConnected { .. })));
    let begun = scene.connect().await;
    assert_eq!(parameter(&begun.url, "scope").as_deref(), Some("read write"));
    assert!(scene.credential().await.is_ok());
    scene.outgoing.refused(&scene.source, &ana(), None, &wants("write"));
    assert!(scene.credential().await.is_ok(), "it was asked for: nobody is sent there again for it");
}

#[tokio::test]
async fn scopes_that_people_approved_are_all_that_is_asked_for() {
    let mut scene = scene();
    scene.source.scopes = vec!["narrow".into()];
    let begun = scene.connect().await;
    assert_eq!(parameter(&begun.url, "scope").as_deref(), Some("narrow"));
    let wants = Challenge {
        scopes: Some(vec!["admin".into()]),
        error: Some("insufficient_scope".into()),
        resource_metadata: None,
    };
    scene.outgoing.refused(&scene.source, &ana(), None, &wants);
    assert_eq!(parameter(&scene.begin().await.unwrap().url, "scope").as_deref(), Some("narrow"));
}

#[tokio::test]
async fn who_did_not_begin_cannot_finish() {
    let scene = scene();
    let begun = scene.begin().await.unwrap();
    let unknown = |result| matches!(result, Err(FinishError::Unknown));
    assert!(unknown(scene.outgoing.finish(back(&begun, Some(ISSUER)), None, Some(&person())).await), "another browser");
    assert!(unknown(scene.outgoing.finish(back(&begun, Some(ISSUER)), Some("guess"), Some(&person())).await));
    let forged = Return { state: "guess".into(), ..back(&begun, Some(ISSUER)) };
    assert!(unknown(scene.outgoing.finish(forged, Some(&browser(&begun)), Some(&person())).await));
    for other in [None, Some("ben".parse().unwrap())] {
        let finished = scene.outgoing.finish(back(&begun, Some(ISSUER)), Some(&browser(&begun)), other.as_ref()).await;
        assert!(unknown(finished), "somebody else at the same browser: {other:?}");
    }
    let good = scene.outgoing.finish(back(&begun, Some(ISSUER)), Some(&browser(&begun)), Some(&person())).await;
    assert!(good.is_ok(), "what others tried took nothing from whoever began");
    assert!(
        unknown(scene.outgoing.finish(back(&begun, Some(ISSUER)), Some(&browser(&begun)), Some(&person())).await),
        "once"
    );
    let late = scene.begin().await.unwrap();
    scene.later(601);
    assert!(
        unknown(scene.outgoing.finish(back(&late, Some(ISSUER)), Some(&browser(&late)), Some(&person())).await),
        "too late"
    );
}

#[tokio::test]
async fn an_answer_of_another_issuer_takes_no_code_anywhere() {
    let scene = scene();
    for iss in [None, Some("https://evil.example"), Some("https://login.example/"), Some("HTTPS://login.example")] {
        let begun = scene.begin().await.unwrap();
        let finished = scene.outgoing.finish(back(&begun, iss), Some(&browser(&begun)), Some(&person())).await;
        assert!(matches!(finished, Err(FinishError::OtherIssuer)), "{iss:?}");
    }
    let mut silent = metadata();
    silent["authorization_response_iss_parameter_supported"] = json!(false);
    scene.network.tell(METADATA, silent.to_string());
    let begun = scene.begin().await.unwrap();
    let finished = scene
        .outgoing
        .finish(back(&begun, Some("https://evil.example")), Some(&browser(&begun)), Some(&person()))
        .await;
    assert!(matches!(finished, Err(FinishError::OtherIssuer)), "also where none was promised");
    assert!(scene.asked().is_empty());
    let begun = scene.begin().await.unwrap();
    assert!(scene.outgoing.finish(back(&begun, None), Some(&browser(&begun)), Some(&person())).await.is_ok());
}

#[tokio::test]
async fn an_authorization_server_without_s256_or_with_an_unsafe_page_is_not_used() {
    let scene = scene();
    for (name, value) in [
        ("code_challenge_methods_supported", Value::Null),
        ("code_challenge_methods_supported", json!(["plain"])),
        ("authorization_endpoint", json!("http://login.example/authorize")),
        ("authorization_endpoint", json!("javascript:alert(1)")),
        ("authorization_endpoint", json!("file:///etc/passwd")),
    ] {
        let mut changed = metadata();
        changed[name] = value.clone();
        scene.network.tell(METADATA, changed.to_string());
        assert!(matches!(scene.begin().await, Err(OutgoingError::Unsafe(_))), "{name} {value}");
    }
}

#[tokio::test]
async fn what_one_issuer_gave_is_never_shown_to_another() {
    let scene = scene();
    scene.connect().await;
    scene
        .network
        .tell(PROTECTED, json!({ "resource": SERVER, "authorization_servers": ["https://other.example"] }).to_string());
    let mut other = metadata();
    other["issuer"] = json!("https://other.example");
    other["registration_endpoint"] = json!("https://other.example/register");
    other["token_endpoint"] = json!("https://other.example/token");
    scene.network.tell("https://other.example/.well-known/oauth-authorization-server", other.to_string());
    scene.network.tell_as("https://other.example/register", 201, &[], json!({ "client_id": "gate-there" }).to_string());
    scene.network.tell("https://other.example/token", tokens("other").to_string());
    let begun = scene.begin().await.unwrap();
    assert_eq!(parameter(&begun.url, "client_id").as_deref(), Some("gate-there"));
    let back = back(&begun, Some("https://other.example"));
    scene.outgoing.finish(back, Some(&browser(&begun)), Some(&person())).await.unwrap();
    assert_eq!(scene.credential().await.unwrap(), "Bearer other-access");
    for seen in scene.network.asked().iter().filter(|seen| seen.url.starts_with("https://other.example")) {
        let told = format!("{} {:?}", seen.body, seen.headers);
        assert!(!["first-", "s3cret", "\"gate\""].iter().any(|of_first| told.contains(of_first)), "{}", seen.url);
    }
}

#[tokio::test]
async fn a_server_at_another_address_is_not_given_what_was_agreed_to_for_the_first() {
    let mut scene = scene();
    scene.connect().await;
    scene.source.url = "https://elsewhere.example/mcp".parse().unwrap();
    scene.source.identity = Digest::of(b"elsewhere");
    assert!(scene.outgoing.held(&scene.source, &ana()).is_none());
    let moved = scene.credential().await;
    assert!(matches!(moved, Err(OutgoingError::NotConnected { why: "it was connected at another address", .. })));
}

#[tokio::test]
async fn a_disconnected_server_has_no_credential_and_a_renewal_under_way_brings_none_back() {
    let scene = scene();
    scene.connect().await;
    scene.credential().await.unwrap();
    let change = Change { actor: Actor::Gate, expected: Expected::Any, at: Timestamp(0), reason: None };
    assert!(scene.outgoing.disconnect(&scene.source.server, &ana(), change).await.unwrap());
    assert!(matches!(scene.credential().await, Err(OutgoingError::NotConnected { .. })));
}

#[tokio::test]
async fn the_gate_asks_for_itself_where_people_registered_it() {
    let mut scene = scene();
    scene.source.flow = Flow::Client;
    scene.source.whose = Whose::Shared;
    scene.source.issuer = Some(ISSUER.into());
    let secret = Proof::Secret(Arc::new(Secret::new("p&ss".to_owned())));
    scene.source.client = Some(Registered { id: "our gate".into(), proof: Some(secret) });
    let held = scene.outgoing.credential(&scene.arc(), &Holder::Shared).await.unwrap();
    assert_eq!(written(&held), "Bearer first-access");
    let asked = scene.network.asked().into_iter().find(|seen| seen.url == TOKEN).unwrap();
    assert!(asked.body.contains("grant_type=client_credentials") && asked.body.contains("scope=read"));
    assert_eq!(asked.headers["authorization"], "Basic b3VyK2dhdGU6cCUyNnNz", "our+gate:p%26ss (RFC 6749 §2.3.1)");
    assert!(locked(&scene.memory.0).is_empty(), "what can be asked for at any time is kept nowhere");
}

#[tokio::test]
async fn an_issuer_that_people_did_not_approve_is_not_asked() {
    let mut scene = scene();
    scene.source.issuer = Some("https://approved.example".into());
    assert!(matches!(scene.begin().await, Err(OutgoingError::Discovery(DiscoveryError::NotApproved(_)))));
}

#[tokio::test]
async fn nobody_is_not_everybody() {
    let caller = Behalf { agent: "nightly".parse().unwrap(), user: None, through: Vec::new() };
    assert_eq!(Holder::of(Whose::User, &caller), None);
    assert_eq!(Holder::of(Whose::Agent, &caller), Some(Holder::Agent("nightly".parse().unwrap())));
}

#[tokio::test]
async fn an_invitation_is_one_persons_to_one_server_and_ends() {
    let scene = scene();
    let source = scene.arc();
    let ticket = scene.outgoing.invite(&source, &ana(), &by("ana")).unwrap();
    assert_eq!(
        scene.outgoing.invite(&source, &ana(), &by("ana")),
        Some(ticket.clone()),
        "who asks again gets the same"
    );
    let ben = Holder::User("ben".parse().unwrap());
    assert_ne!(scene.outgoing.invite(&source, &ben, &by("ben")), Some(ticket.clone()));
    assert_eq!(scene.outgoing.invited(&ticket).unwrap().holder, ana());
    assert!(scene.outgoing.invited("guess").is_none());
    scene.later(601);
    assert!(scene.outgoing.invited(&ticket).is_none());
}

#[tokio::test]
async fn scopes_that_are_approved_no_more_are_not_used() {
    let mut scene = scene();
    scene.connect().await;
    scene.source.scopes = vec!["narrow".into()];
    scene.source.identity = Digest::of(b"narrowed");
    assert!(matches!(scene.credential().await, Err(OutgoingError::NotConnected { .. })));
}

#[tokio::test]
async fn people_on_the_way_are_bounded() {
    let scene = scene();
    for _ in 0..3 {
        scene.begin().await.unwrap();
    }
    for number in 1..limits::CONNECTING_MAX {
        let another = Holder::User(format!("user-{number}").parse().unwrap());
        scene.outgoing.begin(&scene.arc(), another, by("another")).await.unwrap();
    }
    let begun = scene.begin().await.expect("who begins anew takes the place they had");
    let late = Holder::User("late".parse().unwrap());
    assert!(matches!(scene.outgoing.begin(&scene.arc(), late, by("late")).await, Err(OutgoingError::Busy)));
    let change = Change { actor: by("ana"), expected: Expected::Any, at: scene.outgoing.clock.now(), reason: None };
    scene.outgoing.disconnect(&scene.source.server, &ana(), change).await.unwrap();
    let back = scene.outgoing.finish(back(&begun, Some(ISSUER)), Some(&browser(&begun)), Some(&person())).await;
    assert!(matches!(back, Err(FinishError::Unknown)), "what is disconnected is not connected by who was on the way");
    scene.later(601);
    assert!(scene.begin().await.is_ok());
}

#[tokio::test]
async fn how_credentials_are_is_told_without_them() {
    let scene = scene();
    scene.connect().await;
    let health = scene.outgoing.health(&scene.source.server).await.unwrap();
    assert_eq!(health.len(), 1);
    let kept = health[0].kept.as_ref().unwrap();
    assert_eq!((health[0].holder.as_str(), kept.issuer.as_str()), ("user ana", ISSUER));
    assert!(!format!("{health:?}").contains("first-"));
}

#[tokio::test]
async fn a_persons_page_is_there_for_whom_it_was_asked_and_for_a_while() {
    let scene = scene();
    let (source, ana, ben) = (scene.arc(), person(), "ben".parse().unwrap());
    assert!(scene.outgoing.awaited(&source.server, &ana).is_none());
    let page = scene.outgoing.await_person(&source, &ana).unwrap();
    assert_eq!(page.as_str(), "https://gate.example/connect/crm");
    assert!(scene.outgoing.awaited(&source.server, &ana).is_some());
    assert!(scene.outgoing.awaited(&source.server, &ben).is_none(), "nobody else was asked");
    assert!(scene.outgoing.awaited(&"hr".parse().unwrap(), &ana).is_none(), "for nothing else");
    scene.later(limits::CONNECTING_MILLISECONDS_MAX / 1_000);
    assert!(scene.outgoing.awaited(&source.server, &ana).is_none(), "not for ever");
}

#[tokio::test]
async fn whoever_waits_for_a_person_goes_on_when_they_are_back() {
    let scene = scene();
    let (outgoing, source) = (Arc::clone(&scene.outgoing), scene.arc());
    let waiting = tokio::spawn(async move { outgoing.connected(&source, &ana(), Duration::from_secs(120)).await });
    let mut heard = scene.outgoing.subscribe();
    scene.connect().await;
    waiting.await.unwrap();
    assert_eq!(heard.try_recv().unwrap(), Connected { server: "crm".parse().unwrap(), holder: ana() });
}
