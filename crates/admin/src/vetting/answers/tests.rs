use model::{Actor, Change, Digest, Expected, Timestamp};
use serde_json::{Value, json};

use super::*;
use crate::vetting::checks::Verdict;

fn server(name: &str, more: &Value) -> Server {
    let mut manifest = json!({ "name": name, "owner": "o", "purpose": "p" });
    manifest.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let change = Change { actor: Actor::Gate, expected: Expected::Any, at: Timestamp(1), reason: None };
    Server::submit(serde_json::from_value(manifest).unwrap(), &change)
}

fn kept(more: &Value) -> KeptPackage {
    let mut examination = json!({
        "name": "x.tgz", "metadata": { "form": "npm" }, "files": 1, "bytes": 1, "sources": 0, "findings": [], "score": [],
    });
    examination.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let examination = serde_json::from_value(examination).unwrap();
    KeptPackage { examination, digest: Digest::of(b""), approved: None, by: "ada".to_owned(), at: Timestamp(1) }
}

fn verdict(
    check: VettingCheck,
    server: &Server,
    kept: Option<&KeptPackage>,
    advisories: Option<&AdvisoriesView>,
) -> Verdict {
    let facts = Facts { server, others: &[], judgement: None, kept, advisories, document: None };
    let answers = facts.answers();
    answers.into_iter().find(|(one, _)| *one == check).unwrap().1.verdict
}

fn advisories(trouble: Option<&str>) -> AdvisoriesView {
    let trouble = trouble.map(str::to_owned);
    AdvisoriesView { file: "a".to_owned(), advisories: None, imported_at: None, stale: false, trouble }
}

#[test]
fn what_cannot_be_compared_with_advisories_is_not_passed() {
    let server = server("desk", &json!({ "url": "https://desk.example/mcp" }));
    let components = json!([{ "ecosystem": "npm", "name": "lodash", "version": "4.17.20" }]);
    let compared = json!({ "imported_at": 1, "advisories": 9 });
    let weak = json!([{ "id": "MAL-1", "severity": "critical", "purl": "pkg:npm/lodash@4.17.20" }]);
    let bare = kept(&json!({ "components": components }));
    let clean = kept(&json!({ "components": components, "compared": compared }));
    let bad = kept(&json!({ "components": components, "compared": compared, "vulnerabilities": weak }));
    let malice = |kept, advisories| verdict(VettingCheck::Malice, &server, Some(kept), advisories);
    let (good, broken) = (advisories(None), advisories(Some("it is damaged")));
    assert_eq!(malice(&clean, Some(&good)), Verdict::Passed);
    assert_eq!(malice(&clean, Some(&broken)), Verdict::CouldNotLook, "what is known is of before");
    assert_eq!(malice(&bare, Some(&good)), Verdict::CouldNotLook);
    assert_eq!(malice(&bare, None), Verdict::Nothing, "nobody asked for it");
    assert_eq!(malice(&bad, Some(&good)), Verdict::Found);
    assert_eq!(malice(&bad, Some(&broken)), Verdict::Found);
    assert_eq!(verdict(VettingCheck::Advisories, &server, Some(&bad), Some(&good)), Verdict::Passed, "each thing once");
    assert_eq!(malice(&kept(&json!({})), Some(&good)), Verdict::CouldNotLook, "nothing is known of what runs");
}

#[test]
fn a_local_server_without_an_examined_package_was_not_looked_at() {
    let local = server("desk", &json!({ "command": { "program": "npx" } }));
    let remote = server("desk", &json!({ "url": "https://desk.example/mcp" }));
    for check in [VettingCheck::Package, VettingCheck::Repository] {
        assert_eq!(verdict(check, &local, None, None), Verdict::CouldNotLook, "{check:?}");
        assert_eq!(verdict(check, &remote, None, None), Verdict::Nothing, "{check:?}");
    }
    assert_eq!(verdict(VettingCheck::Malice, &local, None, Some(&advisories(None))), Verdict::Nothing);
    assert_eq!(verdict(VettingCheck::Definitions, &remote, None, None), Verdict::CouldNotLook);
}

#[test]
fn who_can_read_along_is_told() {
    let transport = |more: &Value| verdict(VettingCheck::Transport, &server("desk", more), None, None);
    assert_eq!(transport(&json!({ "url": "http://desk.example/mcp" })), Verdict::Found);
    assert_eq!(transport(&json!({ "url": "http://127.0.0.1:1/mcp" })), Verdict::Passed);
    assert_eq!(transport(&json!({ "url": "http://[::1]:1/mcp" })), Verdict::Passed);
    assert_eq!(transport(&json!({ "url": "https://desk.example/mcp" })), Verdict::CouldNotLook, "nobody looked yet");
    assert_eq!(transport(&json!({ "command": { "program": "npx" } })), Verdict::Nothing);
}

#[test]
fn names_that_are_nearly_another_s_are_told() {
    let other = |name: &str, host: &str| {
        let mut other = server(name, &json!({ "url": format!("https://{host}/mcp") }));
        let definitions = Definitions {
            server_info: Value::Null,
            instructions: None,
            capabilities: Value::Null,
            supported_versions: Vec::new(),
            tools: Vec::new(),
            prompts: Vec::new(),
            templates: Vec::new(),
        };
        let (identity, digest) = (other.manifest.identity(), Digest::of(b""));
        other.pins = Some(registry::Pins { definitions, identity, digest });
        other.standing = registry::Standing::Approved;
        other
    };
    let tickets = other("acme-tickets", "mcp.acme-tickets.example");
    let of = |name: &str, host: &str| {
        let own = server(name, &json!({ "url": format!("https://{host}/mcp") }));
        let others = [&tickets];
        let facts =
            Facts { server: &own, others: &others, judgement: None, kept: None, advisories: None, document: None };
        facts.name().verdict
    };
    assert_eq!(of("calendar", "mcp.calendar.example"), Verdict::Passed);
    assert_eq!(of("acme-ticket", "mcp.calendar.example"), Verdict::Found);
    assert_eq!(of("acmetickets", "mcp.calendar.example"), Verdict::Found);
    assert_eq!(of("calendar", "mcp.acme-tickest.example"), Verdict::Found);
    assert_eq!(of("calendar", "mcp.acme-tickets.example"), Verdict::Passed, "the same host is no imitation");
}
