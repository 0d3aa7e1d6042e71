//! Clients of every revision with sessions: what each is told, what each can be asked, and what each must not say.

use http::Method;
use serde_json::{Value, json};

use super::{Lobby, capabilities, taken, text};
use crate::gate::files::{ANA, Caller, OUTSIDER};
use crate::session::{Line, SESSION};
use crate::talker::{form, page};
use crate::verdict::{HEADER_MISMATCH, No, SESSION_UNKNOWN, VERSION_UNSUPPORTED, passes};

/// Every revision with sessions, the newest first.
const LEGACY: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];

/// What a handshake hears that asks for less than is served, in the words of its own revision.
pub(crate) const TOO_OLD: No = No { code: -32602, ..VERSION_UNSUPPORTED.in_body() };

/// The lobby, for clients of this revision and later.
fn from(minimum: &str) -> String {
    format!("name = \"lobby\"\nserver = \"lobby\"\npurpose = \"A help desk\"\nminimum_revision = \"{minimum}\"\n")
}

#[tokio::test]
async fn a_client_is_given_the_revision_that_it_asks_for() {
    let lobby = Lobby::start().await;
    for version in LEGACY {
        let session = lobby.line(ANA).begin_in(version, capabilities()).await;
        assert_eq!(session.revision, version);
        passes(&session.send("tools/list", json!({})).await);
        passes(&session.read_ticket().await);
        passes(&session.send("resources/list", json!({})).await);
        passes(&session.send("prompts/list", json!({})).await);
        passes(&session.send("ping", json!({})).await);
        passes(&session.send("logging/setLevel", json!({ "level": "info" })).await);
        let (mut heard, aside) = lobby.aside(&session).await;
        aside.logs("news");
        assert_eq!(heard.message().await["params"]["data"], "news", "{version}");
        let (mut answer, speech) = lobby.talk(&session).await;
        speech.logs("working");
        assert_eq!(answer.message().await["params"]["data"], "working", "{version}");
        speech.answers("done");
        assert_eq!(text(&answer.message().await), "done", "{version}");
        assert_eq!(session.delete().await.status, 204);
        lobby.gate.refuses(&session.read_ticket().await, SESSION_UNKNOWN).await;
    }
    for seen in lobby.talker.forwarded() {
        assert_eq!(seen.headers["mcp-protocol-version"], "2025-11-25", "a server is spoken to in its own revision");
    }
}

#[tokio::test]
async fn an_unknown_version_is_answered_with_the_newest_that_has_sessions() {
    let lobby = Lobby::start().await;
    for wish in ["2026-07-28", "2024-10-07", "2099-01-01", "1.0"] {
        let hello = lobby.line(ANA).greet(wish, json!({})).await;
        assert_eq!(hello.result().unwrap()["protocolVersion"], "2025-11-25", "{wish}");
    }
}

#[tokio::test]
async fn every_message_of_a_session_is_of_its_revision() {
    let lobby = Lobby::start().await;
    for version in LEGACY {
        let session = lobby.line(ANA).begin_in(version, capabilities()).await;
        let call = session.request("tools/call", json!({ "name": "read_ticket", "arguments": { "ticket": "1" } }));
        let answer = json!({ "jsonrpc": "2.0", "id": 1, "result": {} });
        let calls = lobby.talker.calls();
        for said in LEGACY.into_iter().filter(|said| *said != version) {
            let mut headers = session.headers();
            headers.insert("mcp-protocol-version", said.parse().unwrap());
            for message in [&call, &answer] {
                let reply = session.line.send(Method::POST, headers.clone(), message.to_string()).await.whole().await;
                lobby.gate.refuses(&reply, HEADER_MISMATCH).await;
            }
            for verb in [Method::GET, Method::DELETE] {
                let reply = session.line.send(verb, headers.clone(), "").await.whole().await;
                lobby.gate.refuses(&reply, HEADER_MISMATCH).await;
            }
        }
        assert_eq!(lobby.talker.calls(), calls, "{version}");
        // With the header or without it, it goes by what was agreed on.
        for said in [Some(version), None] {
            let mut headers = session.headers();
            headers.remove("mcp-protocol-version");
            if let Some(said) = said {
                headers.insert("mcp-protocol-version", said.parse().unwrap());
            }
            passes(&session.line.send(Method::POST, headers, call.to_string()).await.whole().await);
        }
    }
}

/// What the server heard whose question was not put.
async fn is_told_no(lobby: &Lobby, id: &Value) {
    let no = |talker: &crate::talker::Talker| {
        talker.responses().iter().any(|one| one.get("error").is_some() && one["id"] == *id)
    };
    lobby.hears("that it may not ask", no).await;
}

#[tokio::test]
async fn a_client_is_asked_only_what_its_revision_knows() {
    let lobby = Lobby::start().await;
    for (version, forms, pages) in [
        ("2025-11-25", true, true),
        ("2025-06-18", true, false),
        ("2025-03-26", false, false),
        ("2024-11-05", false, false),
    ] {
        // Each of them says that it can be asked everything.
        let session = lobby.line(ANA).begin_in(version, capabilities()).await;
        let (mut answer, speech) = lobby.talk(&session).await;
        for (number, params, may) in [(1, form("Who?"), forms), (2, page("p-9"), pages)] {
            let own = json!(format!("{version} {number}"));
            speech.asks(own.clone(), "elicitation/create", params);
            if may {
                let question = answer.message().await;
                assert_eq!(question["method"], "elicitation/create", "{version}");
                taken(&session.answer(&question["id"], json!({ "action": "decline" })).await);
                let declined = json!({ "jsonrpc": "2.0", "id": own, "result": { "action": "decline" } });
                lobby.hears("the answer", |talker| talker.responses().contains(&declined)).await;
            } else {
                is_told_no(&lobby, &own).await;
            }
        }
        speech.notes("notifications/elicitation/complete", json!({ "elicitationId": "p-9" }));
        if pages {
            assert_eq!(answer.message().await["method"], "notifications/elicitation/complete");
        }
        speech.asks("roots", "roots/list", json!({}));
        let question = answer.message().await;
        assert_eq!(question["method"], "roots/list", "{version}: every revision knows it");
        taken(&session.answer(&question["id"], json!({ "roots": [] })).await);
        // And its server was told so when its session began.
        let told = lobby.talker.session(&speech.session).capabilities;
        speech.answers("done");
        assert_eq!(text(&answer.message().await), "done");
        assert_eq!(told.get("elicitation").is_some(), forms, "{version}: {told}");
        assert_eq!(told["elicitation"].get("url").is_some(), pages, "{version}: {told}");
    }
}

#[tokio::test]
async fn a_call_that_needs_a_page_is_refused_where_the_revision_has_none() {
    let lobby = Lobby::start().await;
    lobby.talker.behave(|script| script.manner = crate::puppet::Manner::Asks);
    let newest = lobby.line(ANA).begin_in("2025-11-25", capabilities()).await;
    assert_eq!(newest.read_ticket().await.error().unwrap()["code"], -32042);
    for version in ["2025-06-18", "2025-03-26", "2024-11-05"] {
        let session = lobby.line(ANA).begin_in(version, capabilities()).await;
        let reply = session.read_ticket().await;
        lobby.gate.ends(&reply, crate::verdict::CAPABILITY_MISSING.in_body(), "result-withheld").await;
        assert!(!String::from_utf8_lossy(&reply.body).contains("login.example"), "{version}");
    }
}

#[tokio::test]
async fn an_endpoint_serves_no_less_than_its_minimum() {
    let lobby = Lobby::start().await;
    lobby.put("endpoints/lobby.toml", &from("2025-06-18")).await;
    for version in ["2025-11-25", "2025-06-18"] {
        passes(&lobby.line(ANA).begin_in(version, json!({})).await.read_ticket().await);
    }
    let calls = lobby.talker.calls();
    for version in ["2025-03-26", "2024-11-05", "2024-10-07", "1.0"] {
        let hello = lobby.line(ANA).greet(version, json!({})).await;
        lobby.gate.refuses(&hello, TOO_OLD).await;
        let data = &hello.error().unwrap()["data"];
        assert_eq!(data["requested"], version);
        let served: Vec<_> = data["supported"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert!(served.contains(&"2025-11-25") && served.contains(&"2025-06-18"), "{served:?}");
        assert!(!served.contains(&"2025-03-26") && !served.contains(&"2024-11-05"), "{served:?}");
        assert!(!hello.headers.contains_key(SESSION));
    }
    // What is newer than anything known is offered what there is.
    let hello = lobby.line(ANA).greet("2099-01-01", json!({})).await;
    assert_eq!(hello.result().unwrap()["protocolVersion"], "2025-11-25");
    // The same server has clients of its own at another endpoint.
    let old = Line::new(&lobby.gate, "annex", ANA).begin_in("2024-11-05", json!({})).await;
    passes(&old.send("tools/list", json!({})).await);
    assert_eq!(lobby.talker.calls(), calls);
}

#[tokio::test]
async fn raising_the_minimum_ends_the_sessions_below_it() {
    let lobby = Lobby::start().await;
    let old = lobby.line(ANA).begin_in("2025-03-26", capabilities()).await;
    let new = lobby.line(ANA).begin_in("2025-11-25", capabilities()).await;
    let (mut heard, _aside) = lobby.aside(&old).await;
    let (mut answer, speech) = lobby.talk(&old).await;
    speech.logs("working");
    answer.message().await;
    lobby.put("endpoints/lobby.toml", &from("2025-06-18")).await;
    assert!(heard.rest().await.iter().all(|one| one.get("error").is_none()), "what was said unasked has ended");
    assert!(answer.rest().await.iter().all(|one| one.get("result").is_none()), "the call was taken back");
    for reply in [old.read_ticket().await, old.send("tools/list", json!({})).await, old.delete().await] {
        lobby.gate.refuses(&reply, SESSION_UNKNOWN).await;
    }
    passes(&new.read_ticket().await);
}

/// The revisions that a caller learns of who sends a message of one that nobody speaks.
async fn supported(lobby: &Lobby, endpoint: &str, caller: Caller) -> Value {
    let line = lobby.line_at(endpoint, caller);
    let mut headers = line.headers();
    headers.insert("mcp-protocol-version", "2099-01-01".parse().unwrap());
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }).to_string();
    let reply = line.send(Method::POST, headers, call).await.whole().await;
    lobby.gate.refuses(&reply, VERSION_UNSUPPORTED).await;
    reply.error().unwrap()["data"]["supported"].clone()
}

#[tokio::test]
async fn an_unknown_revision_is_answered_with_those_that_the_endpoint_serves_to_whoever_may_connect() {
    let lobby = Lobby::start().await;
    lobby.put("endpoints/lobby.toml", &from("2025-06-18")).await;
    assert_eq!(supported(&lobby, "lobby", ANA).await, json!(["2026-07-28", "2025-11-25", "2025-06-18"]));
    let every = json!(["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]);
    // Whether there is such an endpoint is not told.
    assert_eq!(supported(&lobby, "lobby", OUTSIDER).await, every);
    assert_eq!(supported(&lobby, "made-up", OUTSIDER).await, every);
}
