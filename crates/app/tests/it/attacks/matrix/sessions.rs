//! The same in a session of each revision that has them: every row of that revision against every control it names.

use drill::mcp::Reply;
use gateway::register::{About, Control, Path, Row};
use http::{HeaderMap, Method, header};
use serde_json::{Value, json};
use wire::Revision;

use super::{Cell, SMALL_DISK, Thing, fill, rows_of, unbent};
use crate::gate::Setup;
use crate::gate::files::{ANA, ANA_AT_DESKTOP, BOB, OUTSIDER};
use crate::gate::value;
use crate::many::allow_at;
use crate::puppet::Manner;
use crate::session::{SESSION, Session};
use crate::sessions::{Lobby, capabilities};
use crate::talker::Talker;
use crate::verdict::{
    ANSWER_REFUSED, ARGUMENTS_INVALID, CAPABILITY_MISSING, CREDENTIAL_UNAVAILABLE, ENDPOINT_NOT_FOUND, HALTED,
    HEADER_MISMATCH, HOST_UNKNOWN, JOURNAL_UNAVAILABLE, No, OBJECT_NOT_FOUND, OUTCOME_UNKNOWN, POLICY_FORBIDS,
    RELEASE_REFUSED, SERVER_BUSY, SESSION_MISSING, SESSION_UNKNOWN, UNAUTHENTICATED,
};

/// What the gate says on a client's behalf, because of what the client said to the gate.
const TOLD: [&str; 3] = ["logging/setLevel", "notifications/cancelled", "notifications/roots/list_changed"];

/// The gate, and sessions in it.
struct Table {
    lobby: Lobby,
    session: Session,
    /// Of a client that can be asked nothing.
    mute: Session,
    bobs: Session,
    /// Its agent will be halted.
    desktop: Session,
}

impl Table {
    async fn laid(revision: Revision) -> Self {
        let (lobby, version) = (Lobby::silent().await, revision.as_str());
        let session = lobby.line(ANA).begin_in(version, capabilities()).await;
        let mute = lobby.line(ANA).begin_in(version, json!({})).await;
        let bobs = lobby.line(BOB).begin_in(version, capabilities()).await;
        let desktop = lobby.line(ANA_AT_DESKTOP).begin_in(version, capabilities()).await;
        assert_eq!(session.revision, version);
        lobby.gate.must(&["halt", "agent", "desktop", "--reason", "for the matrix"]).await;
        Self { lobby, session, mute, bobs, desktop }
    }

    /// How many messages reached the server that some client meant for it.
    fn reached(&self) -> usize {
        reached(&self.lobby.talker)
    }
}

fn reached(talker: &Talker) -> usize {
    talker.forwarded().iter().filter(|seen| !TOLD.contains(&seen.method())).count()
}

/// The right parameters for a row about such a thing; none where the row is about the server.
fn params(row: &Row, thing: Thing) -> Option<Value> {
    match row.method {
        "initialize" | "logging/setLevel" | "notifications/cancelled" | "notifications/progress" => {
            matches!(thing, Thing::Usable).then(|| match row.method {
                "initialize" => {
                    json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "it" } })
                }
                "logging/setLevel" => json!({ "level": "info" }),
                "notifications/cancelled" => json!({ "requestId": 9_999 }),
                _ => json!({ "progressToken": 9_999, "progress": 1 }),
            })
        }
        _ => {
            let params = super::params(row, thing)?.to_string().replace("desk://", "lobby://");
            Some(serde_json::from_str(&params).unwrap())
        }
    }
}

/// Sends a row's message, bent in its head.
async fn send(session: &Session, row: &Row, thing: Thing, bend: impl FnOnce(&mut HeaderMap)) -> Reply {
    say(session, row, params(row, thing).expect("a thing of this kind"), bend).await
}

async fn say(session: &Session, row: &Row, params: Value, bend: impl FnOnce(&mut HeaderMap)) -> Reply {
    let mut message = session.request(row.method, params);
    if row.method.starts_with("notifications/") {
        message.as_object_mut().unwrap().remove("id");
    }
    let mut headers = if row.method == "initialize" { session.line.headers() } else { session.headers() };
    bend(&mut headers);
    session.line.send(Method::POST, headers, message.to_string()).await.whole().await
}

/// How it is refused where a resource is not there.
fn missing(row: &Row) -> No {
    if row.about == About::Resource { OBJECT_NOT_FOUND.of_resource() } else { OBJECT_NOT_FOUND }
}

/// Breaks one control for one row.
async fn break_it(table: &Table, row: &Row, control: Control) -> Cell {
    let (gate, talker, session) = (&table.lobby.gate, &table.lobby.talker, &table.session);
    match control {
        Control::Accept => {
            let foreign = |headers: &mut HeaderMap| _ = headers.insert(header::HOST, value("attacker.example"));
            gate.turns_away(&send(session, row, Thing::Usable, foreign).await, HOST_UNKNOWN).await;
        }
        Control::Authenticate => {
            let nobody = |headers: &mut HeaderMap| _ = headers.remove(header::AUTHORIZATION);
            gate.turns_away(&send(session, row, Thing::Usable, nobody).await, UNAUTHENTICATED).await;
        }
        Control::Read => {
            let other = |headers: &mut HeaderMap| _ = headers.insert("mcp-method", value("tools/made-up"));
            gate.refuses(&send(session, row, Thing::Usable, other).await, HEADER_MISMATCH).await;
        }
        Control::Connect => {
            let outsider = session.with(table.lobby.line(OUTSIDER));
            gate.refuses(&send(&outsider, row, Thing::Usable, unbent).await, ENDPOINT_NOT_FOUND).await;
        }
        Control::Session => {
            if row.method == "initialize" {
                return Cell::Nothing("it begins a session");
            }
            let none = |headers: &mut HeaderMap| {
                headers.remove(SESSION);
                // Without either it would be of no revision.
                headers.insert("mcp-protocol-version", value(&session.revision));
            };
            gate.refuses(&send(session, row, Thing::Usable, none).await, SESSION_MISSING).await;
            let made_up = session.named("made-up");
            gate.refuses(&send(&made_up, row, Thing::Usable, unbent).await, SESSION_UNKNOWN).await;
        }
        Control::Halted => {
            // Whoever had a session has none any more, and whoever wants one hears why not.
            let no = if row.method == "initialize" { HALTED } else { SESSION_UNKNOWN };
            gate.refuses(&send(&table.desktop, row, Thing::Usable, unbent).await, no).await;
        }
        Control::Visible => return unseen(table, row).await,
        Control::Validate => {
            if row.about != About::Tool {
                return Cell::Nothing("only tools have a schema");
            }
            let wrong = json!({ "name": "read_ticket", "arguments": { "ticket": 1 } });
            gate.refuses(&say(session, row, wrong, unbent).await, ARGUMENTS_INVALID).await;
        }
        Control::Decide => {
            if params(row, Thing::Forbidden).is_none() {
                return Cell::Nothing("a server's lists are seen, not called: `visible` decides");
            }
            gate.refuses(&send(session, row, Thing::Forbidden, unbent).await, POLICY_FORBIDS).await;
        }
        Control::Turn => return Cell::Nothing("see `without_its_turn_nothing_leaves_a_session`"),
        Control::Intent => return Cell::Nothing("see `with_a_full_disk_nothing_leaves_a_session`"),
        Control::Credential => return Cell::Nothing("see `without_its_credential_nothing_leaves_a_session`"),
        Control::Forward => {
            talker.behave(|script| script.manner = Manner::Hangs);
            let reply = send(session, row, Thing::Usable, unbent).await;
            gate.ends(&reply, OUTCOME_UNKNOWN.in_body(), "unknown").await;
        }
        Control::Ask => {
            talker.behave(|script| script.manner = Manner::Asks);
            let reply = send(&table.mute, row, Thing::Usable, unbent).await;
            gate.ends(&reply, CAPABILITY_MISSING.in_body(), "result-withheld").await;
            let reply = send(session, row, Thing::Usable, unbent).await;
            // What is asked is a page, which older clients do not know.
            let newest = session.revision == Revision::NEWEST_LEGACY.as_str();
            let no = if newest { RELEASE_REFUSED } else { CAPABILITY_MISSING.in_body() };
            gate.ends(&reply, no, "result-withheld").await;
        }
        Control::Release => {
            talker.behave(|script| script.manner = Manner::AnswersAnother);
            let reply = send(session, row, Thing::Usable, unbent).await;
            gate.ends(&reply, ANSWER_REFUSED.in_body(), "result-withheld").await;
        }
    }
    Cell::Refused
}

/// What the row is about is hidden from the caller.
async fn unseen(table: &Table, row: &Row) -> Cell {
    let (gate, session) = (&table.lobby.gate, &table.session);
    match (row.about, row.path) {
        (About::Server, Path::Pinned) => {
            let shown = send(session, row, Thing::Usable, unbent).await.json.to_string();
            assert!(shown.contains("\"result\""), "{shown}");
            for hidden in ["purge", "sweep", "minutes", "vault"] {
                assert!(!shown.contains(hidden), "{} shows `{hidden}`: {shown}", row.method);
            }
        }
        (About::Server, _) => {
            _ = gate.refuses(&send(&table.bobs, row, Thing::Usable, unbent).await, missing(row)).await;
        }
        (About::Task, _) => panic!("no revision with sessions has tasks"),
        (About::Tool | About::Prompt | About::Resource | About::Reference | About::Subscribed, _) => {
            _ = gate.refuses(&send(session, row, Thing::Hidden, unbent).await, missing(row)).await;
        }
    }
    Cell::Refused
}

#[tokio::test]
async fn every_control_of_every_row_refuses_in_a_session_of_2025_11_25() {
    every_control_refuses(Revision::V2025_11_25).await;
}

#[tokio::test]
async fn every_control_of_every_row_refuses_in_a_session_of_2025_06_18() {
    every_control_refuses(Revision::V2025_06_18).await;
}

#[tokio::test]
async fn every_control_of_every_row_refuses_in_a_session_of_2025_03_26() {
    every_control_refuses(Revision::V2025_03_26).await;
}

#[tokio::test]
async fn every_control_of_every_row_refuses_in_a_session_of_2024_11_05() {
    every_control_refuses(Revision::V2024_11_05).await;
}

async fn every_control_refuses(revision: Revision) {
    let table = Table::laid(revision).await;
    let mut refused = 0;
    for row in rows_of(revision) {
        for control in row.controls() {
            table.lobby.talker.behave(|script| script.manner = Manner::Honest);
            let before = table.reached();
            let cell = break_it(&table, row, *control).await;
            let reached = table.reached() - before;
            let may_leave = *control > Control::Credential;
            assert!(reached == 0 || may_leave, "{} reached the server past `{}`", row.method, control.as_str());
            match cell {
                Cell::Refused => refused += 1,
                Cell::Nothing(why) => println!("{} × {}: {why}", row.method, control.as_str()),
            }
        }
        // And nothing else was wrong with it.
        table.lobby.talker.behave(|script| script.manner = Manner::Honest);
        works(&table, row).await;
    }
    println!("{refused} cells refused");
    assert!(refused >= 130, "only {refused} cells refused: did a row or a control lose its controls?");
}

/// The right message of a row passes.
async fn works(table: &Table, row: &Row) {
    let before = table.reached();
    let reply = send(&table.session, row, Thing::Usable, unbent).await;
    let reached = match row.path {
        Path::Pinned | Path::Listed | Path::Called => {
            assert!(reply.status == 200 && reply.result().is_some(), "{}: {:?}", row.method, reply.json);
            usize::from(row.path != Path::Pinned)
        }
        Path::Absorbed if row.method.starts_with("notifications/") => {
            assert_eq!((reply.status.as_u16(), reply.body.len()), (202, 0), "{}", row.method);
            0
        }
        Path::Absorbed => {
            assert_eq!((reply.status.as_u16(), reply.result()), (200, Some(&json!({}))), "{}", row.method);
            0
        }
        Path::Streamed => panic!("no session subscribes by a stream"),
        Path::Relayed | Path::Asked | Path::Heeded => panic!("agents do not send it"),
    };
    assert_eq!(table.reached() - before, reached, "{}", row.method);
}

fn with(control: Control) -> impl Iterator<Item = &'static Row> {
    rows_of(Revision::V2025_11_25).filter(move |row| row.controls().contains(&control))
}

#[tokio::test]
async fn without_its_turn_nothing_leaves_a_session() {
    let lobby = Lobby::with(Setup::default()).await;
    allow_at(&lobby.gate, "lobby", 1).await;
    let (desktop, session) = (lobby.begin(ANA_AT_DESKTOP).await, lobby.begin(ANA).await);
    let (_answer, _speech) = lobby.talk(&desktop).await;
    let before = reached(&lobby.talker);
    // At once, because each waits for as long as one may.
    let late = with(Control::Turn).map(|row| send(&session, row, Thing::Usable, unbent));
    for reply in futures_util::future::join_all(late).await {
        lobby.gate.refuses(&reply, SERVER_BUSY.in_body()).await;
    }
    assert_eq!(reached(&lobby.talker), before);
}

#[tokio::test]
async fn without_its_credential_nothing_leaves_a_session() {
    let lobby = Lobby::with(Setup { guarded: true, ..Setup::default() }).await;
    lobby.gate.end().await;
    std::fs::remove_file(lobby.gate.directory().join("secrets/desk")).unwrap();
    lobby.gate.again().await;
    let session = lobby.begin(ANA).await;
    let before = lobby.talker.seen().len();
    for row in with(Control::Credential) {
        let reply = send(&session, row, Thing::Usable, unbent).await;
        let outcome = lobby.gate.ends(&reply, CREDENTIAL_UNAVAILABLE.in_body(), "not-sent").await;
        assert_eq!(outcome["end"]["why"], "credential-unavailable");
    }
    assert_eq!(lobby.talker.seen().len(), before, "it is not even greeted");
}

#[tokio::test]
async fn with_a_full_disk_nothing_leaves_a_session() {
    let lobby = Lobby::with(Setup { shell: Some(SMALL_DISK), ..Setup::default() }).await;
    let session = lobby.line(ANA).begin(capabilities()).await;
    fill(&lobby.gate).await;
    for row in with(Control::Intent) {
        let reply = send(&session, row, Thing::Usable, unbent).await;
        lobby.gate.says(&reply, JOURNAL_UNAVAILABLE.in_body());
    }
    assert_eq!(lobby.talker.calls(), 0);
}
