use model::{Confidence, Part, Place, Severity};

use super::*;

fn finding(rule: &str, class: &str, pointer: &str) -> Finding {
    Finding {
        rule: rule.parse().unwrap(),
        class: class.parse().unwrap(),
        severity: Severity::High,
        confidence: Confidence::High,
        place: Place { pointer: pointer.to_owned(), part: Part::Value, range: 0..1, decodings: Vec::new() },
    }
}

fn tool(server: &str, name: &str) -> [Object; 1] {
    [Object::Tool { server: server.parse().unwrap(), name: name.parse().unwrap() }]
}

#[test]
fn a_suppression_covers_its_rule_at_its_place_until_its_end_and_is_counted() {
    let all = Suppressions::new(vec![Suppression {
        rule: "personal.phone".parse().unwrap(),
        server: Some("crm".parse().unwrap()),
        tool: Some("read".parse().unwrap()),
        pointer: Some("/result/content/*/text".to_owned()),
        owner: "ana".to_owned(),
        reason: "order numbers".to_owned(),
        until: Timestamp(100),
    }]);
    let at = "/result/content/3/text";
    let phone = finding("personal.phone", "personal", at);
    assert!(all.suppress(&phone, &tool("crm", "read"), Timestamp(99)));
    assert!(!all.suppress(&phone, &tool("crm", "read"), Timestamp(100)), "it is over");
    assert!(!all.suppress(&phone, &tool("crm", "write"), Timestamp(1)));
    assert!(!all.suppress(&phone, &tool("erp", "read"), Timestamp(1)));
    assert!(!all.suppress(&finding("personal.email", "personal", at), &tool("crm", "read"), Timestamp(1)));
    for place in ["/result/content/3/text/x", "/result/content/3", "/result/content/3/data"] {
        assert!(
            !all.suppress(&finding("personal.phone", "personal", place), &tool("crm", "read"), Timestamp(1)),
            "{place}"
        );
    }
    assert_eq!(all.counted().map(|(_, count)| count).collect::<Vec<_>>(), [1]);
}

#[test]
fn a_secret_of_the_gates_own_is_always_told() {
    let one = |rule: &str| Suppression {
        rule: rule.parse().unwrap(),
        server: None,
        tool: None,
        pointer: None,
        owner: "ana".to_owned(),
        reason: "none".to_owned(),
        until: Timestamp(100),
    };
    let all = Suppressions::new(vec![one("vault.desk")]);
    assert!(!all.suppress(&finding("vault.desk", "vault-secret", ""), &tool("crm", "read"), Timestamp(1)));
}
