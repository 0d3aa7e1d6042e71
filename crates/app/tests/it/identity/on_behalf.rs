//! A server whose authorization server gives out tokens for a person and the agent that acts for them: the gate says who they
//! are (RFC 8693), or has their identity provider say it (ID-JAG). What the caller presented to the gate is in none of it.

use std::sync::{Arc, Mutex};

use drill::mcp::Reply;
use http::{HeaderMap, StatusCode};
use identity::assertions::Assertions;
use identity::keys::KeySet;
use serde_json::{Value, json};

use super::authorization::Authorization;
use super::issuer::TestIssuer;
use super::own::ticket;
use super::person::{self, GATE};
use super::provider::CLIENT;
use super::{PUBLIC, agents, client};
use crate::gate::files::{ANA, ANA_AT_DESKTOP, BOB, Caller, NAMESAKE, RECONCILER, caller_token};
use crate::gate::{Gate, Setup};
use crate::verdict::{CREDENTIAL_UNAVAILABLE, passes};

/// A gate before a desk whose authorization server exchanges tokens, with an issuer of callers' tokens beside it.
struct Scene {
    gate: Gate,
    desk: Authorization,
    callers: TestIssuer,
}

/// `[credential]` of a server for whose people the gate asks, in this way.
fn credential(desk: &Authorization, grant: &str) -> String {
    desk.client_credentials().replace("\"client-credentials\"", grant)
}

/// The keys by which what the gate signs is checked.
async fn keys(gate: &Gate) -> KeySet {
    let keys = gate.send(gate.agents(), "GET", Assertions::KEYS, HeaderMap::new(), "").await;
    KeySet::read(keys.text().as_bytes()).unwrap()
}

/// The tokens that calls of agents brought, in order, without the word before them.
fn presented(gate: &Gate) -> Vec<String> {
    let seen = gate.desk.seen().into_iter().filter(|seen| seen.method == "tools/call");
    seen.map(|seen| seen.headers["authorization"].to_str().unwrap().trim_start_matches("Bearer ").to_owned()).collect()
}

impl Scene {
    async fn start() -> Self {
        Self::of("\"token-exchange\"", |_| {}).await
    }

    async fn of(grant: &str, change: impl FnOnce(&Authorization)) -> Self {
        let (desk, callers) = (Authorization::start().await, TestIssuer::start().await);
        change(&desk);
        let wants: Arc<Mutex<Vec<&'static str>>> = Arc::default();
        let setup = Setup {
            settings: callers.settings(),
            listener: format!("public_url = \"{PUBLIC}\"\n"),
            state: agents(&callers.url()),
            guard: Some((desk.guard(&wants), credential(&desk, grant))),
            secrets: Authorization::secrets(),
            ..Setup::default()
        };
        let gate = Gate::with(setup).await;
        desk.believes(PUBLIC, keys(&gate).await);
        Self { gate, desk, callers }
    }

    async fn read(&self, caller: Caller) -> Reply {
        self.gate.client(caller).call("read_ticket", ticket()).await.unwrap()
    }

    /// For whom the last call's token was given out.
    fn behalf(&self) -> Value {
        self.desk.behalf(presented(&self.gate).last().expect("a call"))
    }

    /// What callers brought reached neither the authorization server nor the server.
    fn passed_nothing_on(&self, tokens: &[String]) {
        self.desk.found_no_fault();
        for token in tokens {
            assert!(self.desk.requests().iter().all(|request| !request.contains(token)), "the authorization server");
            let shown = format!("{:?}", self.gate.desk.seen());
            assert!(!shown.contains(token), "the server");
        }
    }
}

#[tokio::test]
async fn a_token_is_for_the_person_and_says_which_agent_acts_for_them_and_through_whom() {
    let scene = Scene::start().await;
    passes(&scene.read(ANA).await);
    let told = scene.behalf();
    assert_eq!((&told["subject"]["sub"], &told["actor"]["sub"]), (&json!("ana"), &json!("helpdesk")));
    assert!(told["subject"].get("act").is_none() && told["actor"].get("act").is_none(), "{told:#}");

    // A call that came through another agent says so, the nearest outermost.
    let act = json!({ "act": { "sub": "client-of-desktop", "act": { "sub": "client-of-scout" } } });
    let token = scene.callers.token(&act);
    passes(&client(&scene.gate, "desk", &token).call("read_ticket", ticket()).await.unwrap());
    let told = scene.behalf();
    assert_eq!((&told["subject"]["sub"], &told["actor"]["sub"]), (&json!("ana"), &json!("helpdesk")));
    assert_eq!(told["subject"]["act"], json!({ "sub": "desktop", "act": { "sub": "scout" } }));
    scene.passed_nothing_on(&[token, caller_token("ana")]);
}

#[tokio::test]
async fn each_person_through_each_agent_has_a_token_of_their_own_that_is_asked_for_once() {
    let scene = Scene::start().await;
    for caller in [ANA, BOB, ANA_AT_DESKTOP, ANA, BOB, ANA_AT_DESKTOP] {
        passes(&scene.read(caller).await);
    }
    let presented = presented(&scene.gate);
    assert_eq!(presented[..3], presented[3..], "kept for whom it was asked");
    let whose = |token: &String| {
        let told = scene.desk.behalf(token);
        (told["subject"]["sub"].clone(), told["actor"]["sub"].clone())
    };
    let whose: Vec<_> = presented[..3].iter().map(whose).collect();
    let pair = |user: &str, agent: &str| (json!(user), json!(agent));
    assert_eq!(whose, [pair("ana", "helpdesk"), pair("bob", "helpdesk"), pair("ana", "desktop")]);
    assert_eq!(scene.desk.behalves(), 3);
    let shown = scene.gate.must(&["server", "show", "desk"]).await;
    assert!(shown.contains("user ana through desktop"), "{shown}");
    scene.passed_nothing_on(&["ana", "bob", "ana-at-desktop"].map(caller_token));
}

#[tokio::test]
async fn an_agent_that_works_for_nobody_is_not_taken_for_a_person_of_its_name() {
    let scene = Scene::start().await;
    for caller in [RECONCILER, NAMESAKE] {
        let reply = scene.read(caller).await;
        // The namesake of a person may do nothing at all; whoever may call has no token for it.
        if caller.name == RECONCILER.name {
            let outcome = scene.gate.ends(&reply, CREDENTIAL_UNAVAILABLE, "not-sent").await;
            assert!(outcome["detail"].as_str().unwrap().contains("for each person"), "{outcome:#}");
        }
    }
    assert_eq!((scene.desk.behalves(), presented(&scene.gate).len()), (0, 0));
}

#[tokio::test]
async fn a_token_on_somebodys_behalf_is_asked_for_again_before_its_end() {
    let scene = Scene::of("\"token-exchange\"", |desk| desk.behave(|manner| manner.expires_in = 8)).await;
    let deadline = std::time::Instant::now() + crate::client::PATIENCE;
    loop {
        passes(&scene.read(ANA).await);
        let presented = presented(&scene.gate);
        if presented[0] != presented[presented.len() - 1] {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "the same token is still presented");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    scene.passed_nothing_on(&[caller_token("ana")]);
}

#[tokio::test]
async fn an_authorization_server_that_says_no_or_issues_something_else_has_no_call_made() {
    let scene = Scene::start().await;
    scene.desk.behave(|manner| manner.fails = Some(StatusCode::BAD_REQUEST));
    scene.gate.ends(&scene.read(ANA).await, CREDENTIAL_UNAVAILABLE, "not-sent").await;
    scene.desk.behave(|manner| {
        manner.fails = None;
        manner.issues = "urn:ietf:params:oauth:token-type:refresh_token";
    });
    let outcome = scene.gate.ends(&scene.read(ANA).await, CREDENTIAL_UNAVAILABLE, "not-sent").await;
    assert!(outcome["detail"].as_str().unwrap().contains("no access token"), "{outcome:#}");
    assert_eq!(presented(&scene.gate).len(), 0);
}

#[tokio::test]
async fn an_id_token_is_shown_to_nobody_but_whose_it_is() {
    let place = vouched("\"token-exchange\"\nsubject = \"sign-in\"").await;
    place.place.tokens().await;
    let outcome = place.place.gate.ends(&place.read().await, CREDENTIAL_UNAVAILABLE, "not-sent").await;
    assert!(outcome["detail"].as_str().unwrap().contains("shown to nobody else"), "{outcome:#}");
    assert!(place.desk.asked().iter().all(|asked| !asked.contains("subject_token")));
}

/// A gate at which people sign in, before a desk whose authorization server believes their identity provider.
struct Vouched {
    place: person::Place,
    desk: Authorization,
}

async fn vouched(grant: &str) -> Vouched {
    let desk = Authorization::start().await;
    let wants: Arc<Mutex<Vec<&'static str>>> = Arc::default();
    let guard = (desk.guard(&wants), credential(&desk, grant));
    let place = person::Place::of("", |setup| {
        setup.guard = Some(guard);
        setup.secrets.extend(Authorization::secrets());
    });
    let place = place.await;
    desk.believes(place.provider.issuer(), place.provider.keys());
    desk.believes(GATE, keys(&place.gate).await);
    Vouched { place, desk }
}

impl Vouched {
    /// Ana reads a ticket, with a token that is not of her sign-in.
    async fn read(&self) -> Reply {
        self.place.gate.client(ANA).call("read_ticket", ticket()).await.unwrap()
    }
}

#[tokio::test]
async fn a_server_is_given_a_token_that_the_persons_identity_provider_asserted_them_for() {
    let Vouched { place, desk } = vouched("\"identity-assertion\"").await;
    let tokens = place.tokens().await;
    let access = tokens["access_token"].as_str().unwrap();
    for _ in 0..2 {
        passes(&client(&place.gate, "desk", access).call("read_ticket", ticket()).await.unwrap());
    }
    let presented = presented(&place.gate);
    assert_eq!((presented.len(), presented[0] == presented[1]), (2, true));
    let told = desk.behalf(&presented[0]);
    assert_eq!((&told["subject"]["sub"], &told["subject"]["iss"]), (&json!("s-ana"), &json!(place.provider.issuer())));
    assert_eq!(place.provider.asserted(), 1);
    desk.found_no_fault();
    assert!(desk.requests().iter().all(|request| !request.contains(access)));
    assert!(!format!("{:?}", place.gate.desk.seen()).contains(access));
    place.leaks_nothing().await;
}

#[tokio::test]
async fn nobody_is_vouched_for_who_did_not_sign_in_or_who_left() {
    let whole = vouched("\"identity-assertion\"").await;
    let not_signed_in = "has not signed in";
    let detail = |outcome: Value| outcome["detail"].as_str().unwrap().to_owned();
    let outcome = whole.place.gate.ends(&whole.read().await, CREDENTIAL_UNAVAILABLE, "not-sent").await;
    assert!(detail(outcome).contains(not_signed_in));
    whole.place.tokens().await;
    passes(&whole.read().await);
    // What was said of her outlives a restart, sealed.
    whole.place.gate.end().await;
    whole.place.gate.again().await;
    passes(&whole.read().await);
    // Nobody else is she.
    let bob = whole.place.gate.client(BOB).call("read_ticket", ticket()).await.unwrap();
    let outcome = whole.place.gate.ends(&bob, CREDENTIAL_UNAVAILABLE, "not-sent").await;
    assert!(detail(outcome).contains(not_signed_in));

    let events = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
    let left = json!({ "aud": CLIENT, "jti": "left", "sid": "session-1", "sub": "s-ana", "events": events });
    let left = whole.place.provider.signs("logout+jwt", &left);
    assert_eq!(whole.place.post("/oauth/backchannel-logout", &[("logout_token", &left)]).await.status, 200);
    // The token that was held is given up beside the answer to the provider.
    let deadline = std::time::Instant::now() + crate::client::PATIENCE;
    loop {
        let reply = whole.read().await;
        if reply.status == CREDENTIAL_UNAVAILABLE.status {
            let outcome = whole.place.gate.ends(&reply, CREDENTIAL_UNAVAILABLE, "not-sent").await;
            assert!(detail(outcome).contains(not_signed_in));
            break;
        }
        assert!(std::time::Instant::now() < deadline, "calls for somebody who left still go through");
    }
    whole.place.leaks_nothing().await;
}

#[tokio::test]
async fn a_provider_that_issues_something_else_has_nobody_vouched_for() {
    let whole = vouched("\"identity-assertion\"").await;
    whole.place.tokens().await;
    whole.place.provider.issues("urn:ietf:params:oauth:token-type:access_token");
    let outcome = whole.place.gate.ends(&whole.read().await, CREDENTIAL_UNAVAILABLE, "not-sent").await;
    assert!(outcome["detail"].as_str().unwrap().contains("no identity assertion"), "{outcome:#}");
    assert!(whole.desk.asked().iter().all(|asked| !asked.contains("assertion=")));
}
