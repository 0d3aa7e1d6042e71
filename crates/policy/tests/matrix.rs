//! The decision table of a sample company, as a snapshot that people review: role × tool class × action.
//!
//! To change it, run with `UPDATE_SNAPSHOTS=1` and read the difference before you commit it.

#![expect(clippy::expect_used, reason = "a test stops on a mistake")]

use std::fmt::Write;
use std::path::Path;

use model::{Agent, AgentKind, Assurance, Caller, EndpointName, Object, Reason, ServerName, Timestamp};
use policy::{Action, Policies, Question, ServerVocabulary, Source, Target, ToolVocabulary, Vocabulary};
use serde_json::value::to_raw_value;
use serde_json::{Value, json};

const POLICIES: &str = include_str!("matrix.cedar");

/// The classes of tool, each by one that stands for it, with the arguments it is called with.
fn classes() -> Vec<(&'static str, Object, Value)> {
    let tool = |name: &str| Object::Tool { server: erp(), name: name.parse().expect("tool name") };
    vec![
        ("reads", tool("get_order"), json!({"order": "a-1"})),
        ("writes", tool("add_note"), json!({"order": "a-1", "note": "called back"})),
        ("pays, 100", tool("refund_order"), json!({"order": "a-1", "amount": 100})),
        ("pays, 501", tool("refund_order"), json!({"order": "a-1", "amount": 501})),
        ("pays, 5001", tool("refund_order"), json!({"order": "a-1", "amount": 5001})),
        ("administers", tool("set_role"), json!({"user": "bob"})),
        ("unknown", tool("no_such_tool"), json!({})),
        ("the server", Object::Server { server: erp() }, json!({})),
    ]
}

fn roles() -> Vec<(&'static str, Caller)> {
    let person = |group: &str| {
        let agent = Agent { id: "assistant".parse().expect("id"), kind: AgentKind::Delegated };
        let groups = vec![group.parse().expect("group")];
        Caller::new(agent, Some("ann".parse().expect("id")), groups, Assurance::Development).expect("caller")
    };
    let robot = |id: &str| {
        let agent = Agent { id: id.parse().expect("id"), kind: AgentKind::Autonomous };
        Caller::new(agent, None, Vec::new(), Assurance::Development).expect("caller")
    };
    vec![
        ("support", person("support")),
        ("finance", person("finance")),
        ("admins", person("admins")),
        ("no group", person("guests")),
        ("nightly job", robot("nightly")),
        ("stray robot", robot("stray")),
    ]
}

fn erp() -> ServerName {
    "erp".parse().expect("server name")
}

fn endpoint() -> EndpointName {
    "desk".parse().expect("endpoint name")
}

fn policies() -> Policies {
    let tool = |name: &str, required: Value, properties: Value| {
        let schema = json!({"type": "object", "required": required, "properties": properties});
        let definition = to_raw_value(&json!({"name": name, "inputSchema": schema})).expect("a definition");
        ToolVocabulary::new(name.parse().expect("tool name"), definition.into(), Vec::new())
    };
    let tools = vec![
        tool("get_order", json!(["order"]), json!({"order": {"type": "string"}})),
        tool("add_note", json!(["order"]), json!({"order": {"type": "string"}, "note": {"type": "string"}})),
        tool(
            "refund_order",
            json!(["order", "amount"]),
            json!({"order": {"type": "string"}, "amount": {"type": "integer"}}),
        ),
        tool("set_role", json!(["order"]), json!({"user": {"type": "string"}})),
    ];
    let server = ServerVocabulary { name: erp(), tools };
    let vocabulary = Vocabulary { endpoints: vec![endpoint()], servers: vec![server.into()] };
    let source = Source { file: "matrix.cedar".to_owned(), text: POLICIES.to_owned() };
    Policies::compile(&[source], &vocabulary).expect("the sample's policies load")
}

fn answer(policies: &Policies, action: Action, caller: &Caller, target: Target<'_>, arguments: &Value) -> &'static str {
    let endpoint = endpoint();
    let arguments = (action == Action::Call).then_some(arguments);
    let question =
        Question { action, caller, endpoint: &endpoint, target, arguments, findings: None, now: Timestamp(0) };
    let Err(refusal) = policies.decide(&question) else { return "yes" };
    let told = [
        (Reason::PolicyForbids, "-"),
        (Reason::ObligationUnmet, "if"),
        (Reason::StepUpRequired, "if"),
        (Reason::PolicyError, "error"),
    ];
    told.iter().find(|(reason, _)| *reason == refusal.reason).map(|(_, word)| word).expect("a reason policy gives")
}

fn table() -> String {
    let policies = policies();
    let mut table = String::from("# yes: permitted   -: refused   if: permitted once an obligation is met\n");
    for (role, caller) in roles() {
        let endpoint = endpoint();
        let connect = answer(&policies, Action::Connect, &caller, Target::Endpoint(&endpoint), &json!({}));
        writeln!(table, "\n{role:<14} connect: {connect}").expect("a text");
        writeln!(table, "{:<14} {:<6} {:<6} {:<8} ask", "", "list", "call", "release").expect("a text");
        for (class, object, arguments) in classes() {
            let ask = |action| answer(&policies, action, &caller, Target::Object(&object), &arguments);
            let [list, call, release, ask] = [Action::List, Action::Call, Action::Release, Action::Ask].map(ask);
            let row = format!("  {class:<12} {list:<6} {call:<6} {release:<8} {ask}");
            writeln!(table, "{}", row.trim_end()).expect("a text");
        }
    }
    table
}

#[test]
fn the_decision_table_is_the_one_that_people_reviewed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/matrix.snap");
    let table = table();
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, &table).expect("the snapshot is written");
    }
    let reviewed = std::fs::read_to_string(&path).expect("the snapshot is there");
    assert!(table == reviewed, "the table changed; it is now\n{table}");
}
