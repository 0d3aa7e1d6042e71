use serde_json::json;

use super::*;

fn plain(page: &str) -> String {
    anstream::adapter::strip_str(page).to_string()
}

fn refusal() -> Value {
    json!({ "index": 3, "record": {
        "v": 1, "id": "01KADZ3NRE0000000000000000", "at": 1_795_219_200_000_u64, "kind": "refused",
        "event": {
            "who": { "agent": "helpdesk", "kind": "delegated", "user": "ana" }, "endpoint": "orders",
            "method": "tools/call", "object": { "type": "tool", "server": "erp", "name": "refund_order" },
            "control": "decide", "reason": "policy-forbids", "detail": "refund-limit forbids",
            "policies": ["refund-limit"], "revision": 9,
        },
    } })
}

#[test]
fn a_receipt_says_who_asked_for_what_and_why_not() {
    let page = plain(&whole(&refusal()));
    for line in [
        "01KADZ3NRE0000000000000000  refused: policy-forbids\n",
        "  when       2026-11-21 00:00:00Z\n",
        "  agent      helpdesk\n",
        "  object     refund_order\n",
        "  policies   refund-limit\n",
        "  proof      not signed yet",
    ] {
        assert!(page.contains(line), "{line} in\n{page}");
    }
}

#[test]
fn a_list_names_each_in_two_lines() {
    let list = plain(&page(&json!({ "receipts": [refusal()], "before": 3 })));
    assert_eq!(
        list,
        "2026-11-21 00:00:00Z  helpdesk for ana  refund_order at orders\n  \
         01KADZ3NRE0000000000000000  refused: policy-forbids\n\nnext:  the same with --before 3\n"
    );
}

#[test]
fn a_change_says_who_changed_what_and_the_gate_is_somebody() {
    let changed = |actor: Value| {
        json!({ "record": { "id": "X", "at": 0, "kind": "changed",
            "event": { "actor": actor, "what": "server.approve", "subject": "erp" } } })
    };
    let first = |actor| plain(&row(&changed(actor))).lines().next().unwrap().to_owned();
    assert_eq!(first(json!({ "type": "person", "name": "ana" })), "1970-01-01 00:00:00Z  ana  server.approve erp");
    let account = json!({ "issuer": "https://id.example", "subject": "s-1", "name": "ana" });
    let told = first(json!({ "type": "signed-in", "name": account }));
    assert_eq!(told, "1970-01-01 00:00:00Z  ana (s-1 at https://id.example)  server.approve erp");
    let user = first(json!({ "type": "user", "name": "ana" }));
    assert_eq!(user, "1970-01-01 00:00:00Z  the user ana  server.approve erp");
    assert_eq!(first(json!({ "type": "gate" })), "1970-01-01 00:00:00Z  the gate  server.approve erp");
}

#[test]
fn text_from_callers_cannot_act_on_the_terminal() {
    let mut hostile = refusal();
    hostile["record"]["event"]["detail"] = json!("\u{1b}[2Jgone");
    assert!(whole(&hostile).contains("\\u{1b}[2Jgone"));
}
