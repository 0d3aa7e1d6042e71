use model::{Actor, Expected, Timestamp};

use super::*;

fn change(reason: Option<&str>) -> Change {
    let reason = reason.map(str::to_owned);
    Change { actor: Actor::Gate, expected: Expected::Any, at: Timestamp(0), reason }
}

#[test]
fn the_longest_detail_and_the_longest_reason_fit_in_one_record() {
    let servers = (0..800).map(|number| {
        let url = format!("https://s{number}.example/");
        let name = format!("{}{number:03}", "s".repeat(30));
        serde_json::from_value(json!({ "name": name, "url": url, "owner": "o", "purpose": "p" })).unwrap()
    });
    let plan = Plan { servers: Edits { create: servers.collect(), ..Edits::default() }, ..Plan::default() };
    // Control characters take six bytes each when written as JSON.
    let reason = "\u{1}".repeat(limits::REASON_BYTES_MAX);
    let detail = Entry::applied(&plan).detail(&change(Some(&reason))).unwrap();
    assert!(detail.len() > limits::OUTBOX_DETAIL_BYTES_MAX * 9 / 10, "the test is near the bound: {}", detail.len());
    assert!(detail.len() < limits::RECORD_BYTES_MAX * 3 / 4);
    assert!(detail.contains("\"create\":[\"sss"));
}

#[test]
fn a_halt_names_its_scope() {
    let scope = Scope::Tool { server: "crm".parse().unwrap(), tool: "read".parse().unwrap() };
    let entry = Entry::halted(&scope, false);
    assert_eq!((entry.what, entry.subject.as_str()), ("halt", "tool crm/read"));
    let detail: Value = serde_json::from_str(&entry.detail(&change(None)).unwrap()).unwrap();
    assert_eq!(detail.pointer("/scope/scope"), Some(&json!("tool")));
}
