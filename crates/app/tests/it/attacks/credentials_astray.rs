//! What is meant for one server must never reach another one, nor whoever pretends to give out its tokens: a server that
//! names somebody else's authorization server, or one that says it is another, is not believed.

use std::sync::{Arc, Mutex};

use axum::Json;
use axum::response::IntoResponse as _;
use http::header;
use serde_json::json;

use crate::gate::files::{ANA, caller_token, server};
use crate::gate::{Gate, Setup};
use crate::identity::authorization::{Authorization, CLIENT_SECRET};
use crate::identity::browser::Browser;
use crate::identity::connecting::{connected, invitation};
use crate::puppet::{Guard, Puppet, Seen};
use crate::verdict::passes;

/// Whether anything of what reached a server holds the text.
fn holds(seen: &[Seen], text: &str) -> bool {
    let shown = |one: &Seen| format!("{:?}\n{}", one.headers, String::from_utf8_lossy(&one.body));
    seen.iter().any(|one| shown(one).contains(text))
}

/// A server that says of itself that somebody else protects it, or that it is another server than it is.
fn liar(resource: Option<String>, issuer: String) -> Guard {
    Arc::new(move |_, uri, headers| {
        let origin = format!("http://{}", headers[header::HOST].to_str().unwrap());
        if uri.path().starts_with("/.well-known/oauth-protected-resource") {
            let resource = resource.clone().unwrap_or_else(|| format!("{origin}/mcp"));
            return Some(Json(json!({ "resource": resource, "authorization_servers": [issuer] })).into_response());
        }
        let place = format!("Bearer resource_metadata=\"{origin}/.well-known/oauth-protected-resource/mcp\"");
        let refused = (http::StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, place)], "no");
        (!headers.contains_key(header::AUTHORIZATION)).then(|| refused.into_response())
    })
}

/// A gate with the desk behind a guard, and a second server `other` behind another.
async fn gate_with(desk: (Guard, String), other: &Puppet, credential: &str) -> Gate {
    let manifest = format!("{}{credential}", server("other", &other.url(), false));
    let state = vec![("servers/other.toml".to_owned(), manifest)];
    let secrets = Authorization::secrets();
    Gate::with(Setup { guard: Some(desk), state, secrets, ..Setup::default() }).await
}

#[tokio::test]
async fn a_token_of_one_server_is_never_shown_to_another() {
    let (here, there) = (Authorization::start().await, Authorization::start().await);
    let wants: Arc<Mutex<Vec<&'static str>>> = Arc::default();
    let other = Puppet::guarded(there.guard(&wants)).await;
    let desk = (here.guard(&wants), here.client_credentials());
    let gate = gate_with(desk, &other, &there.client_credentials()).await;
    gate.must(&["server", "approve", "other", "--yes"]).await;
    passes(&gate.client(ANA).call("read_ticket", json!({ "ticket": "1" })).await.unwrap());
    let tag = |issuer: &Authorization| format!("-of-{}", issuer.issuer().rsplit_once(':').unwrap().1);
    assert!(holds(&gate.desk.seen(), &tag(&here)) && holds(&other.seen(), &tag(&there)));
    assert!(!holds(&gate.desk.seen(), &tag(&there)) && !holds(&other.seen(), &tag(&here)));
    for issuer in [&here, &there] {
        issuer.found_no_fault();
        assert!(issuer.requests().iter().all(|request| !request.contains(&caller_token(ANA.name))));
    }
}

#[tokio::test]
async fn a_server_that_names_another_authorization_server_learns_no_secret() {
    let (honest, evil) = (Authorization::start().await, Authorization::start().await);
    let wants: Arc<Mutex<Vec<&'static str>>> = Arc::default();
    // What people approved says who gives out its tokens; the server names its accomplice.
    let other = Puppet::guarded(liar(None, evil.issuer())).await;
    let desk = (honest.guard(&wants), honest.client_credentials());
    let gate = gate_with(desk, &other, &honest.client_credentials()).await;
    let said = gate.cli(&["server", "check", "other"]).await;
    assert!(!said.ok && format!("{}{}", said.out, said.err).contains("authorization servers"), "{said:?}");
    assert_eq!(evil.requests(), Vec::<String>::new(), "nobody but whom people approved is asked for anything");
    assert!(!holds(&other.seen(), "authorization") && !holds(&other.seen(), CLIENT_SECRET));
}

#[tokio::test]
async fn a_server_that_says_it_is_another_is_given_no_token_for_that_one() {
    let honest = Authorization::start().await;
    let wants: Arc<Mutex<Vec<&'static str>>> = Arc::default();
    let victim = "http://127.0.0.1:9/mcp".to_owned();
    let other = Puppet::guarded(liar(Some(victim), honest.issuer())).await;
    let desk = (honest.guard(&wants), honest.client_credentials());
    let gate = gate_with(desk, &other, &honest.client_credentials()).await;
    let said = gate.cli(&["server", "check", "other"]).await;
    assert!(!said.ok && format!("{}{}", said.out, said.err).contains("another resource"), "{said:?}");
    assert!(!honest.asked().iter().any(|asked| asked.contains("%3A9%2Fmcp")), "{:?}", honest.asked());
    assert!(!holds(&other.seen(), "token-"));
}

#[tokio::test]
async fn a_server_that_says_its_metadata_is_elsewhere_has_nobody_asked_there() {
    let honest = Authorization::start().await;
    let wants: Arc<Mutex<Vec<&'static str>>> = Arc::default();
    let inside = Puppet::start().await;
    let place = format!("Bearer resource_metadata=\"{}\"", inside.url());
    let guard: Guard = Arc::new(move |_, _, _| {
        let refused = (http::StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, place.clone())], "no");
        Some(refused.into_response())
    });
    let other = Puppet::guarded(guard).await;
    let desk = (honest.guard(&wants), honest.client_credentials());
    let gate = gate_with(desk, &other, &honest.client_credentials()).await;
    let said = gate.cli(&["server", "check", "other"]).await;
    assert!(!said.ok && format!("{}{}", said.out, said.err).contains("another origin"), "{said:?}");
    assert!(inside.seen().is_empty(), "the gate reached where it cannot reach itself");
}

#[tokio::test]
async fn an_authorization_server_that_says_it_is_another_is_asked_for_nothing() {
    let (honest, evil) = (Authorization::start().await, Authorization::start().await);
    let wants: Arc<Mutex<Vec<&'static str>>> = Arc::default();
    evil.behave(|manner| manner.issuer = Some(honest.issuer()));
    let other = Puppet::guarded(evil.guard(&wants)).await;
    let desk = (honest.guard(&wants), honest.client_credentials());
    let gate = gate_with(desk, &other, &evil.client_credentials()).await;
    let said = gate.cli(&["server", "check", "other"]).await;
    assert!(!said.ok && format!("{}{}", said.out, said.err).contains("another issuer"), "{said:?}");
    assert_eq!(evil.asked(), Vec::<String>::new(), "the secret is told to nobody who is not who they say");
}

/// Has people's approval be of something else than was agreed to; what was agreed to is not used for it.
async fn is_not_used(gate: &Gate, manifest: &str, why: &str) {
    let file = gate.directory().join("desk.toml");
    std::fs::write(&file, manifest).unwrap();
    gate.must(&["server", "submit", file.to_str().unwrap()]).await;
    let said = gate.cli(&["server", "check", "desk"]).await;
    let words = format!("{}{}", said.out, said.err).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(!said.ok && words.contains(why), "{why}: {words}");
}

#[tokio::test]
async fn what_was_agreed_to_is_used_for_nothing_else_than_people_approve_now() {
    let (gate, honest) = connected("").await;
    let evil = Authorization::start().await;
    let wants: Arc<Mutex<Vec<&'static str>>> = Arc::default();
    let theirs = Puppet::guarded(honest.guard(&wants)).await;
    passes(&gate.client(ANA).call("read_ticket", json!({ "ticket": "1" })).await.unwrap());
    let given = honest.given();
    let moved = format!("{}{}", server("desk", &theirs.url(), false), honest.agreed_to());
    is_not_used(&gate, &moved, "connected at another address").await;
    assert!(!holds(&theirs.seen(), "token-"), "a token of one place came to another");
    let swapped = format!("{}{}", server("desk", &gate.desk.url(), false), evil.agreed_to());
    is_not_used(&gate, &swapped, "another authorization server").await;
    assert_eq!((honest.given(), evil.given()), (given, 0));
}

#[tokio::test]
async fn what_was_agreed_to_beyond_what_people_approve_now_is_not_used() {
    let honest = Authorization::start().await;
    let wants: Arc<Mutex<Vec<&'static str>>> = Arc::new(Mutex::new(vec!["read", "write"]));
    let mut secrets = Authorization::secrets();
    secrets.push(("vault", "0f".repeat(32)));
    let guard = Some((honest.guard(&wants), honest.agreed_to()));
    let gate = Gate::unapproved(Setup { guard, secrets, ..Setup::default() }).await;
    let page = Browser::default().connect(&gate, &honest, &invitation(&gate).await).await;
    assert_eq!(page.status, 200, "{}", page.text());
    gate.must(&["server", "check", "desk"]).await;
    let narrow = format!("{}{}scopes = [\"read\"]\n", server("desk", &gate.desk.url(), false), honest.agreed_to());
    is_not_used(&gate, &narrow, "more was agreed to").await;
}
