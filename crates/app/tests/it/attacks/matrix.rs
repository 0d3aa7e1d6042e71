//! Every method that agents send, against every control that its row of the register names: each control is broken once
//! for each row, and each time the message is refused by that control. Made from the register itself: a row or a control
//! that is new breaks this build or this test.
//!
//! Here for 2026-07-28, and in [`sessions`] for the revisions before it.

mod sessions;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;

use drill::mcp::{Client, Reply};
use gateway::register::{About, Control, Direction, METHODS, Path, Row};
use http::{HeaderMap, header};
use serde_json::{Value, json};
use wire::Revision;

use crate::gate::files::{ANA, ANA_AT_DESKTOP, BOB, CROWD, Caller, OUTSIDER};
use crate::gate::{Gate, Setup, value};
use crate::many::allow;
use crate::puppet::Manner;
use crate::puppet::tasks::taking;
use crate::verdict::{
    ANSWER_REFUSED, ARGUMENTS_INVALID, CAPABILITY_MISSING, CREDENTIAL_UNAVAILABLE, ENDPOINT_NOT_FOUND, HALTED,
    HEADER_MISMATCH, HOST_UNKNOWN, JOURNAL_UNAVAILABLE, OBJECT_NOT_FOUND, OUTCOME_UNKNOWN, OVERLOADED, POLICY_FORBIDS,
    RELEASE_REFUSED, SERVER_BUSY, UNAUTHENTICATED, passes,
};

/// Streams that one agent and user may have open.
const STREAMS_MAX: usize = 64;

/// What became of one cell.
enum Cell {
    /// The control refused.
    Refused,
    /// There is nothing to break, for this reason.
    Nothing(&'static str),
}

fn rows() -> impl Iterator<Item = &'static Row> {
    rows_of(Revision::V2026_07_28)
}

/// What agents send in a revision.
fn rows_of(revision: Revision) -> impl Iterator<Item = &'static Row> {
    METHODS.iter().filter(move |row| row.direction == Direction::ToServer && row.revisions.contains(&revision))
}

/// A thing of each kind: one that all may use, one that nobody may call, one that nobody may know of.
#[derive(Clone, Copy)]
enum Thing {
    Usable,
    Forbidden,
    Hidden,
}

/// The right parameters for a row about such a thing; none where the row is about the server.
fn params(row: &Row, thing: Thing) -> Option<Value> {
    let pick = |names: [&'static str; 3]| names[thing as usize];
    let uri = pick(["desk://tickets/1", "desk://escalated/1", "desk://vault/1"]);
    match row.about {
        About::Server => matches!(thing, Thing::Usable).then(|| json!({})),
        About::Tool => {
            let arguments = pick([r#"{"ticket":"1"}"#, r#"{"ticket":"1"}"#, r#"{"days":1}"#]);
            let arguments: Value = serde_json::from_str(arguments).unwrap();
            Some(json!({ "name": pick(["read_ticket", "escalate", "purge"]), "arguments": arguments }))
        }
        About::Prompt => Some(json!({ "name": pick(["summary", "escalation", "minutes"]) })),
        About::Resource => Some(json!({ "uri": uri })),
        About::Reference => {
            let reference = json!({ "type": "ref/prompt", "name": pick(["summary", "escalation", "minutes"]) });
            Some(json!({ "ref": reference, "argument": { "name": "x", "value": "y" } }))
        }
        About::Subscribed => Some(json!({ "notifications": { "resourceSubscriptions": [uri] } })),
        About::Task => match thing {
            Thing::Usable => Some(json!({ "taskId": "ana's" })),
            // A call that may not be made becomes no task.
            Thing::Forbidden => None,
            Thing::Hidden => Some(json!({ "taskId": "desk-task-1" })),
        },
    }
}

/// Sends a row's message, bent in its head.
async fn send(gate: &Gate, caller: Caller, row: &Row, thing: Thing, bend: impl FnOnce(&mut HeaderMap)) -> Reply {
    let params = usable(gate, params(row, thing).expect("a thing of this kind"));
    say(&client(gate, caller, row, json!({})), row, params, bend).await
}

/// A client that can be asked this, and takes tasks if the row is about one.
fn client(gate: &Gate, caller: Caller, row: &Row, capabilities: Value) -> Client {
    let is_task = row.about == About::Task;
    gate.client(caller).with_capabilities(if is_task { taking(capabilities) } else { capabilities })
}

/// The ids of Ana's tasks, by their gates' directories.
static TASKS: Mutex<BTreeMap<PathBuf, String>> = Mutex::new(BTreeMap::new());

/// Has a call of Ana's become a task; the desk has seen nothing afterwards.
async fn prepare(gate: &Gate) {
    gate.desk.behave(|script| script.manner = Manner::BecomesTask);
    let client = gate.client(ANA).with_capabilities(taking(json!({})));
    let reply = client.call("read_ticket", json!({ "ticket": "1" })).await.unwrap();
    let id = reply.json["result"]["taskId"].as_str().unwrap_or_else(|| panic!("{:#}", reply.json)).to_owned();
    TASKS.lock().unwrap().insert(gate.directory().to_owned(), id);
    gate.desk.behave(|script| script.manner = Manner::Honest);
    gate.desk.take_seen();
}

/// The parameters, with the id of Ana's task where one is meant.
fn usable(gate: &Gate, mut params: Value) -> Value {
    if params["taskId"] == "ana's" {
        params["taskId"] = TASKS.lock().unwrap()[gate.directory()].as_str().into();
    }
    params
}

async fn say(client: &Client, row: &Row, params: Value, bend: impl FnOnce(&mut HeaderMap)) -> Reply {
    let mut headers = client.headers(row.method, &params);
    let mut body = client.body(row.method, params);
    if row.method.starts_with("notifications/") {
        body.as_object_mut().unwrap().remove("id");
    }
    bend(&mut headers);
    client.raw(body.to_string(), headers).await.unwrap()
}

fn unbent(_: &mut HeaderMap) {}

/// Breaks one control for one row, at an ordinary gate.
async fn break_it(gate: &Gate, row: &Row, control: Control) -> Cell {
    match control {
        Control::Accept => {
            let foreign = |headers: &mut HeaderMap| _ = headers.insert(header::HOST, value("attacker.example"));
            let reply = send(gate, ANA, row, Thing::Usable, foreign).await;
            gate.turns_away(&reply, HOST_UNKNOWN).await;
        }
        Control::Authenticate => {
            let nobody = |headers: &mut HeaderMap| _ = headers.remove(header::AUTHORIZATION);
            let reply = send(gate, ANA, row, Thing::Usable, nobody).await;
            gate.turns_away(&reply, UNAUTHENTICATED).await;
        }
        Control::Read => {
            let other = |headers: &mut HeaderMap| _ = headers.insert("mcp-method", value("ping"));
            gate.refuses(&send(gate, ANA, row, Thing::Usable, other).await, HEADER_MISMATCH).await;
        }
        Control::Connect => {
            gate.refuses(&send(gate, OUTSIDER, row, Thing::Usable, unbent).await, ENDPOINT_NOT_FOUND).await;
        }
        Control::Session => return crowded(gate, row).await,
        Control::Halted => {
            gate.refuses(&send(gate, ANA_AT_DESKTOP, row, Thing::Usable, unbent).await, HALTED).await;
        }
        Control::Visible => return unseen(gate, row).await,
        Control::Validate => {
            if row.about != About::Tool {
                return Cell::Nothing("only tools have a schema");
            }
            let wrong = json!({ "name": "read_ticket", "arguments": { "ticket": 1 } });
            gate.refuses(&say(&gate.client(ANA), row, wrong, unbent).await, ARGUMENTS_INVALID).await;
        }
        Control::Decide if row.about == About::Task => {
            return Cell::Nothing("see `a_task_is_asked_for_as_its_call_is_made_today`");
        }
        Control::Decide => {
            if params(row, Thing::Forbidden).is_none() {
                return Cell::Nothing("a server's lists are seen, not called: `visible` decides");
            }
            gate.refuses(&send(gate, ANA, row, Thing::Forbidden, unbent).await, POLICY_FORBIDS).await;
        }
        Control::Turn => return Cell::Nothing("see `without_its_turn_nothing_leaves`"),
        Control::Intent => return Cell::Nothing("see `with_a_full_disk_nothing_leaves`"),
        Control::Credential => return Cell::Nothing("see `without_its_credential_nothing_leaves`"),
        Control::Forward => {
            gate.desk.behave(|script| script.manner = Manner::Hangs);
            let reply = send(gate, ANA, row, Thing::Usable, unbent).await;
            gate.ends(&reply, OUTCOME_UNKNOWN, "unknown").await;
        }
        Control::Ask => {
            gate.desk.behave(|script| script.manner = Manner::Asks);
            let reply = send(gate, ANA, row, Thing::Usable, unbent).await;
            gate.ends(&reply, CAPABILITY_MISSING, "result-withheld").await;
            let client = client(gate, ANA, row, json!({ "elicitation": { "form": {} } }));
            let reply = say(&client, row, usable(gate, params(row, Thing::Usable).unwrap()), unbent).await;
            gate.ends(&reply, RELEASE_REFUSED, "result-withheld").await;
        }
        Control::Release => {
            gate.desk.behave(|script| script.manner = Manner::AnswersAnother);
            let reply = send(gate, ANA, row, Thing::Usable, unbent).await;
            gate.ends(&reply, ANSWER_REFUSED, "result-withheld").await;
        }
    }
    Cell::Refused
}

/// `crowd` has as many streams open as it may have.
async fn crowded(gate: &Gate, row: &Row) -> Cell {
    match row.path {
        Path::Streamed => {
            gate.refuses(&send(gate, CROWD, row, Thing::Usable, unbent).await, OVERLOADED).await;
            Cell::Refused
        }
        Path::Called => Cell::Nothing("whether an answer is a stream is known too late: see `a_stream_too_many`"),
        Path::Pinned | Path::Listed | Path::Absorbed => Cell::Nothing("its answer is no stream"),
        Path::Relayed | Path::Asked | Path::Heeded => panic!("agents do not send it"),
    }
}

/// What the row is about is hidden from the caller.
async fn unseen(gate: &Gate, row: &Row) -> Cell {
    match (row.about, row.path) {
        (About::Server, Path::Pinned) => {
            let shown = send(gate, ANA, row, Thing::Usable, unbent).await.json.to_string();
            assert!(shown.contains("\"result\""), "{shown}");
            for hidden in ["purge", "sweep", "minutes", "vault"] {
                assert!(!shown.contains(hidden), "{} shows `{hidden}`: {shown}", row.method);
            }
        }
        // Bob may connect and see tools, not list the server's resources.
        (About::Server, _) => {
            _ = gate.refuses(&send(gate, BOB, row, Thing::Usable, unbent).await, OBJECT_NOT_FOUND).await;
        }
        (About::Tool | About::Prompt | About::Resource | About::Reference | About::Subscribed | About::Task, _) => {
            _ = gate.refuses(&send(gate, ANA, row, Thing::Hidden, unbent).await, OBJECT_NOT_FOUND).await;
        }
    }
    Cell::Refused
}

/// Opens as many streams for `crowd` as it may have.
async fn streams(gate: &Gate) -> Vec<drill::mcp::Answer> {
    let client = gate.client(CROWD);
    let mut streams = Vec::new();
    for _ in 0..STREAMS_MAX {
        let mut stream = client.open("tools/call", json!({ "name": "watch", "arguments": {} })).await.unwrap();
        assert_eq!(stream.next().await.unwrap().unwrap()["method"], "notifications/message");
        streams.push(stream);
    }
    streams
}

#[tokio::test]
async fn every_control_of_every_row_refuses() {
    let gate = Gate::start().await;
    prepare(&gate).await;
    let _streams = streams(&gate).await;
    gate.must(&["halt", "agent", "desktop", "--reason", "for the matrix"]).await;
    let mut refused = 0;
    for row in rows() {
        for control in row.controls() {
            gate.desk.behave(|script| script.manner = Manner::Honest);
            let before = gate.desk.calls();
            let cell = break_it(&gate, row, *control).await;
            let reached = gate.desk.calls() - before;
            let may_leave = *control > Control::Credential;
            assert!(reached == 0 || may_leave, "{} reached the server past `{}`", row.method, control.as_str());
            match cell {
                Cell::Refused => refused += 1,
                Cell::Nothing(why) => println!("{} × {}: {why}", row.method, control.as_str()),
            }
        }
        // And nothing else was wrong with it.
        gate.desk.behave(|script| script.manner = Manner::Honest);
        works(&gate, row).await;
    }
    println!("{refused} cells refused");
    assert!(refused >= 80, "only {refused} cells refused: did a row or a control lose its controls?");
}

/// The right message of a row passes.
async fn works(gate: &Gate, row: &Row) {
    let before = gate.desk.calls();
    let reached = match row.path {
        Path::Pinned | Path::Listed | Path::Called => {
            let reply = send(gate, ANA, row, Thing::Usable, unbent).await;
            assert!(reply.status == 200 && reply.result().is_some(), "{}: {:?}", row.method, reply.json);
            usize::from(row.path != Path::Pinned)
        }
        Path::Streamed => {
            let mut stream = gate.client(ANA).open(row.method, params(row, Thing::Usable).unwrap()).await.unwrap();
            assert!(stream.next().await.unwrap().is_some(), "{}", row.method);
            1
        }
        Path::Absorbed => {
            let reply = send(gate, ANA, row, Thing::Usable, unbent).await;
            assert_eq!((reply.status.as_u16(), reply.body.len()), (202, 0), "{}", row.method);
            0
        }
        Path::Relayed | Path::Asked | Path::Heeded => panic!("agents do not send it"),
    };
    assert_eq!(gate.desk.calls() - before, reached, "{}", row.method);
}

#[tokio::test]
async fn a_stream_too_many_is_withheld_and_not_called_unsent() {
    let gate = Gate::start().await;
    let streams = streams(&gate).await;
    let before = gate.desk.calls();
    let params = json!({ "name": "watch", "arguments": {} });
    let reply = gate.client(CROWD).post("tools/call", params.clone()).await.unwrap();
    assert_eq!(gate.desk.calls(), before + 1, "the server was asked, because nobody could know");
    gate.ends(&reply, RELEASE_REFUSED, "result-withheld").await;
    drop(streams);
    let mut stream = gate.client(CROWD).open("tools/call", params).await.unwrap();
    assert!(stream.next().await.unwrap().is_some());
}

/// Rows that have a control.
fn with(control: Control) -> impl Iterator<Item = &'static Row> {
    rows().filter(move |row| row.controls().contains(&control))
}

#[tokio::test]
async fn without_its_turn_nothing_leaves() {
    let gate = Gate::start().await;
    prepare(&gate).await;
    allow(&gate, 1).await;
    let client = gate.client(ANA_AT_DESKTOP);
    let slow = tokio::spawn(async move { client.call("slow", json!({})).await.unwrap() });
    gate.desk.reached(1).await;
    // At once, because each waits for as long as one may.
    let late = with(Control::Turn).map(|row| send(&gate, ANA, row, Thing::Usable, unbent));
    for reply in futures_util::future::join_all(late).await {
        gate.refuses(&reply, SERVER_BUSY).await;
    }
    assert_eq!(gate.desk.calls(), 1);
    gate.desk.tick();
    passes(&slow.await.unwrap());
}

#[tokio::test]
async fn without_its_credential_nothing_leaves() {
    let gate = Gate::with(Setup { guarded: true, ..Setup::default() }).await;
    prepare(&gate).await;
    gate.end().await;
    std::fs::remove_file(gate.directory().join("secrets/desk")).unwrap();
    gate.again().await;
    for row in with(Control::Credential) {
        let reply = send(&gate, ANA, row, Thing::Usable, unbent).await;
        let outcome = gate.ends(&reply, CREDENTIAL_UNAVAILABLE, "not-sent").await;
        assert_eq!(outcome["end"]["why"], "credential-unavailable");
    }
    assert_eq!(gate.desk.calls(), 0);
}

#[tokio::test]
async fn with_a_full_disk_nothing_leaves() {
    let gate = Gate::with(Setup { shell: Some(SMALL_DISK), ..Setup::default() }).await;
    prepare(&gate).await;
    fill(&gate).await;
    let before = gate.desk.calls();
    for row in with(Control::Intent) {
        let reply = send(&gate, ANA, row, Thing::Usable, unbent).await;
        gate.says(&reply, JOURNAL_UNAVAILABLE);
    }
    assert_eq!(gate.desk.calls(), before);
}

/// No file grows beyond a megabyte, and trying is an error instead of a signal.
const SMALL_DISK: &str = "trap '' XFSZ; ulimit -f 2048";

/// Writes receipts until no more of them fit.
async fn fill(gate: &Gate) {
    let client = gate.client(ANA);
    let mut full = false;
    for number in 0..2_000 {
        // Refusals are recorded too, with the name of what they are about.
        let uri = format!("desk://vault/{}{number}", "x".repeat(3_500));
        client.post("resources/read", json!({ "uri": uri })).await.unwrap();
        if number % 20 == 0 {
            let reply = client.call("read_ticket", json!({ "ticket": "1" })).await.unwrap();
            full = reply.status == JOURNAL_UNAVAILABLE.status;
        }
        if full {
            break;
        }
    }
    assert!(full, "the journal took it all");
}
