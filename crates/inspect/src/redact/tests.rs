use serde_json::{Value, json};

use super::*;
use crate::{Inspector, Origin};

fn redacted(text: &str, class: &str) -> (String, Vec<Finding>) {
    let inspector = Inspector::standard().unwrap();
    let findings = inspector.scan_json(text, Origin::Answer);
    let redacted = redact(text, &findings.list, |finding| finding.class.as_str() == class).unwrap();
    let left = inspector.scan_json(&redacted, Origin::Answer);
    (redacted, left.list)
}

#[test]
fn what_is_asked_for_is_taken_out_and_nothing_else_changes() {
    let text =
        r#"{ "a":1.50, "to" : ["x", "mail \"jane@company.org\" or joe@company.org\n"], "card":"4111111111111111" }"#;
    let (redacted, left) = redacted(text, "personal");
    assert_eq!(
        redacted,
        r#"{ "a":1.50, "to" : ["x", "mail \"[personal.email]\" or [personal.email]\n"], "card":"4111111111111111" }"#
    );
    assert!(left.iter().all(|finding| finding.class.as_str() == "payment") && left.len() == 1);
}

#[test]
fn keys_and_numbers_and_what_is_encoded_are_taken_out() {
    let encoded = "am9lQGNvbXBhbnkub3JnIGlzIGhlcmU=";
    let text = json!({"jane@company.org": encoded, "n": 4_111_111_111_111_111_u64}).to_string();
    let (personal, _) = redacted(&text, "personal");
    let value: Value = serde_json::from_str(&personal).unwrap();
    assert_eq!(value.get("[personal.email]"), Some(&json!("[personal.email]")));
    let (payment, left) = redacted(&text, "payment");
    assert_eq!(serde_json::from_str::<Value>(&payment).unwrap().get("n"), Some(&json!("[payment.card]")));
    assert!(left.iter().all(|finding| finding.class.as_str() == "personal"));
}

#[test]
fn what_was_split_over_several_strings_is_taken_out_of_each() {
    let text = json!({"content": [{"type": "text", "text": "Number 4111 1111"}, {"type": "text", "text": " 1111 1111 thanks"}]});
    let (redacted, left) = redacted(&text.to_string(), "payment");
    let value: Value = serde_json::from_str(&redacted).unwrap();
    assert_eq!(value["content"][0]["text"], json!("Number [payment.card]"));
    assert_eq!(value["content"][1]["text"], json!("[payment.card] thanks"));
    assert_eq!(left, []);
}

#[test]
fn findings_of_another_text_are_not_taken_out_of_this_one() {
    let findings = Inspector::standard().unwrap().scan_json(r#"["jane@company.org"]"#, Origin::Answer);
    assert_eq!(redact(r#"{"a": "b"}"#, &findings.list, |_| true), None);
    assert_eq!(redact(r#"["j"]"#, &findings.list, |_| true), None);
}

#[test]
fn a_placeholder_that_is_known_is_undone_and_others_stay() {
    let known = |placeholder: &str| {
        let is = |one: &str| placeholder == one;
        let text = if is("[personal.email#a1]") {
            "j\"@company.org"
        } else if is("[payment.card#b2]") {
            "4111111111111111"
        } else {
            return None;
        };
        Some(Restored { text: text.to_owned(), is_number: is("[payment.card#b2]") })
    };
    let text = r#"{"to":"x [a] [personal.email#a1], [personal.email#zz]","[personal.email#a1]":["[payment.card#b2]"],"n":"n [payment.card#b2]"}"#;
    let back = r#"{"to":"x [a] j\"@company.org, [personal.email#zz]","j\"@company.org":[4111111111111111],"n":"n 4111111111111111"}"#;
    assert_eq!(restore(text, |_| true, known).as_deref(), Some(back));
    assert_eq!(restore(r#"{"to":"[personal.email#zz] #"}"#, |_| true, known), None);
    assert_eq!(restore(text, |pointer| pointer.starts_with("/x"), known), None);
}
