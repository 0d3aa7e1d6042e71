//! A server with an authorization server of its own: the gate asks for its tokens, renews them, and is told when they are not
//! enough. No call is made twice because of it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use drill::mcp::Reply;
use http::StatusCode;
use serde_json::json;

use super::authorization::{Authorization, CLIENT_SECRET};
use crate::gate::files::{ANA, BOB, caller_token};
use crate::gate::{Gate, Setup};
use crate::verdict::{CREDENTIAL_UNAVAILABLE, passes};

/// How long something may take that takes its time.
const PATIENCE: Duration = Duration::from_secs(60);

/// A gate, the desk behind it with a guard, and who gives out tokens for it.
struct Scene {
    gate: Gate,
    issuer: Authorization,
    wants: Arc<Mutex<Vec<&'static str>>>,
}

async fn scene() -> Scene {
    scene_of(|_| {}).await
}

async fn scene_of(change: impl FnOnce(&Authorization)) -> Scene {
    let issuer = Authorization::start().await;
    change(&issuer);
    let wants = Arc::default();
    let guard = Some((issuer.guard(&wants), issuer.client_credentials()));
    let gate = Gate::with(Setup { guard, secrets: Authorization::secrets(), ..Setup::default() }).await;
    Scene { gate, issuer, wants }
}

impl Scene {
    async fn read(&self) -> Reply {
        self.gate.client(ANA).call("read_ticket", json!({ "ticket": "1" })).await.unwrap()
    }

    /// The tokens that calls of agents brought, in order.
    fn presented(&self) -> Vec<String> {
        let seen = self.gate.desk.seen().into_iter().filter(|seen| seen.method == "tools/call");
        seen.map(|seen| seen.headers["authorization"].to_str().unwrap().to_owned()).collect()
    }

    /// Nothing of the gate's own secrets is in anything that it keeps or says, and nothing of a caller's reached anybody.
    fn leaks_nothing(&self) {
        self.issuer.found_no_fault();
        let secrets = [CLIENT_SECRET.to_owned(), format!("-of-{}", self.issuer.issuer().rsplit_once(':').unwrap().1)];
        let mut shown = vec![("the log".to_owned(), self.gate.output())];
        shown.extend(
            self.gate
                .kept()
                .into_iter()
                .map(|(file, bytes)| (file.display().to_string(), String::from_utf8_lossy(&bytes).into_owned())),
        );
        for (place, text) in shown {
            assert!(!text.contains(&secrets[0]) && !text.contains(&format!("token-1{}", secrets[1])), "{place}");
        }
        for caller in [ANA, BOB] {
            let token = caller_token(caller.name);
            assert!(self.issuer.requests().iter().all(|request| !request.contains(&token)));
            let seen = self.gate.desk.seen();
            let reached = |seen: &crate::puppet::Seen| {
                format!("{:?}", seen.headers).contains(&token) || String::from_utf8_lossy(&seen.body).contains(&token)
            };
            assert!(!seen.iter().any(reached));
        }
    }
}

#[tokio::test]
async fn a_server_is_given_a_token_that_was_asked_for_once() {
    let scene = scene().await;
    for _ in 0..3 {
        passes(&scene.read().await);
    }
    let presented = scene.presented();
    assert_eq!(presented.len(), 3);
    assert!(presented[0].starts_with("Bearer token-") && presented.iter().all(|one| *one == presented[0]));
    assert_eq!(scene.issuer.given(), 1, "one for the look at the server and for every call");
    let asked = scene.issuer.asked();
    let resource = format!("resource=http%3A%2F%2F127.0.0.1%3A{}%2Fmcp", scene.gate.desk.address().port());
    assert!(asked.iter().all(|asked| asked.contains(&resource)), "RFC 8707: {asked:?}");
    scene.leaks_nothing();
}

#[tokio::test]
async fn all_who_wait_for_a_token_wait_for_the_same_one() {
    let scene = Arc::new(scene().await);
    let before = scene.issuer.given();
    scene.issuer.closes();
    scene.issuer.revoke_all();
    scene.gate.ends(&scene.read().await, CREDENTIAL_UNAVAILABLE, "not-sent").await;
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let scene = Arc::clone(&scene);
            tokio::spawn(async move { scene.read().await })
        })
        .collect();
    let deadline = Instant::now() + PATIENCE;
    while scene.issuer.asked().len() <= before {
        assert!(Instant::now() < deadline, "nobody asks for a token");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    scene.issuer.opens();
    for call in calls {
        passes(&call.await.unwrap());
    }
    assert_eq!(scene.issuer.given(), before + 1);
    scene.leaks_nothing();
}

#[tokio::test]
async fn a_token_that_a_server_does_not_take_any_more_is_replaced_and_the_call_is_not_repeated() {
    let scene = scene().await;
    passes(&scene.read().await);
    scene.issuer.revoke_all();
    let outcome = scene.gate.ends(&scene.read().await, CREDENTIAL_UNAVAILABLE, "not-sent").await;
    let detail = outcome["detail"].as_str().unwrap();
    assert!(detail.contains("401"), "{detail}");
    assert_eq!(scene.presented().len(), 2, "it reached the server once");
    passes(&scene.read().await);
    let presented = scene.presented();
    assert_eq!(presented.len(), 3);
    assert_ne!(presented[2], presented[1]);
    scene.leaks_nothing();
}

#[tokio::test]
async fn scopes_that_a_server_asks_for_are_asked_for_with_those_before() {
    let scene = scene().await;
    passes(&scene.read().await);
    *scene.wants.lock().unwrap() = vec!["tickets:read"];
    scene.gate.ends(&scene.read().await, CREDENTIAL_UNAVAILABLE, "not-sent").await;
    passes(&scene.read().await);
    *scene.wants.lock().unwrap() = vec!["tickets:write"];
    scene.gate.ends(&scene.read().await, CREDENTIAL_UNAVAILABLE, "not-sent").await;
    passes(&scene.read().await);
    let last = scene.issuer.asked().pop().unwrap();
    assert!(last.contains("tickets%3Aread") && last.contains("tickets%3Awrite"), "{last}");
    scene.leaks_nothing();
}

#[tokio::test]
async fn what_was_given_is_told_from_what_was_used() {
    let scene = scene().await;
    *scene.wants.lock().unwrap() = vec!["tickets:read"];
    scene.gate.ends(&scene.read().await, CREDENTIAL_UNAVAILABLE, "not-sent").await;
    let scopes = |desk: &serde_json::Value| desk["scopes"].as_array().cloned().unwrap_or_default();
    let desk = scene.gate.read("/servers/desk").await;
    assert!(scopes(&desk).iter().all(|scope| scope.get("used_at").is_none()), "{desk:#}");
    passes(&scene.read().await);
    let desk = scene.gate.read("/servers/desk").await;
    let row = scopes(&desk).into_iter().find(|row| row["scope"] == "tickets:read").expect("the scope");
    assert!(row["granted_at"].is_u64() && row["asked_at"].is_u64() && row["used_at"].is_u64(), "{row:#}");
    let shown = scene.gate.must(&["server", "show", "desk"]).await;
    assert!(shown.contains("tickets:read: given"), "{shown}");
    // It is known after a restart, too.
    scene.gate.end().await;
    scene.gate.again().await;
    let desk = scene.gate.read("/servers/desk").await;
    let again = scopes(&desk).into_iter().find(|one| one["scope"] == "tickets:read").expect("the scope");
    assert_eq!((&again["asked_at"], &again["used_at"]), (&row["asked_at"], &row["used_at"]));
    scene.leaks_nothing();
}

#[tokio::test]
async fn a_server_that_is_never_content_makes_no_loop() {
    let scene = scene().await;
    passes(&scene.read().await);
    let before = scene.issuer.given();
    // The authorization server gives tokens without it, so that whatever is brought is not enough.
    scene.issuer.behave(|manner| manner.withholds = true);
    *scene.wants.lock().unwrap() = vec!["tickets:admin"];
    for _ in 0..6 {
        scene.gate.ends(&scene.read().await, CREDENTIAL_UNAVAILABLE, "not-sent").await;
    }
    assert!(scene.issuer.given() <= before + 1, "{} tokens for six calls", scene.issuer.given() - before);
}

#[tokio::test]
async fn a_token_is_renewed_before_its_end() {
    let scene = scene_of(|issuer| issuer.behave(|manner| manner.expires_in = 8)).await;
    let deadline = Instant::now() + PATIENCE;
    loop {
        passes(&scene.read().await);
        let presented = scene.presented();
        if presented[0] != presented[presented.len() - 1] {
            break;
        }
        assert!(Instant::now() < deadline, "the same token is still presented");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    scene.leaks_nothing();
}

#[tokio::test]
async fn without_a_token_a_call_is_not_made_and_the_next_one_may_be() {
    let scene = scene().await;
    // Before the token is given up: the gate's own looks at the server would ask for the next one at once.
    scene.issuer.behave(|manner| manner.fails = Some(StatusCode::SERVICE_UNAVAILABLE));
    scene.issuer.revoke_all();
    scene.gate.ends(&scene.read().await, CREDENTIAL_UNAVAILABLE, "not-sent").await;
    let before = scene.presented().len();
    let outcome = scene.gate.ends(&scene.read().await, CREDENTIAL_UNAVAILABLE, "not-sent").await;
    assert!(outcome["detail"].as_str().unwrap().contains("temporarily_unavailable"), "{outcome:#}");
    assert_eq!(scene.presented().len(), before, "nothing reached the server");
    scene.issuer.behave(|manner| manner.fails = None);
    passes(&scene.read().await);
    scene.leaks_nothing();
}
