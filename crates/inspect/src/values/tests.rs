use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::*;
use crate::{Inspector, Origin};

const SECRET: &str = "plain words as a pass phrase";

fn values() -> Values {
    let key = FingerprintKey::new(42);
    let one = |text: &str, rule: &str, class: &str| Value {
        fingerprint: Fingerprint::of(&key, text.as_bytes()).unwrap(),
        rule: rule.parse().unwrap(),
        class: class.parse().unwrap(),
    };
    Values::new(key, [one(SECRET, "vault.desk", "vault-secret"), one("a canary of paper", "canary.share", "canary")])
}

fn seen(text: &str) -> Vec<String> {
    let inspector = Inspector::standard().unwrap();
    let message = json!({ "a": { "b": text } }).to_string();
    let alone = inspector.find_values(&message, &values());
    assert!(alone.complete);
    let whole = inspector.scan_for(&message, Origin::Answer, None, &values());
    let of_values = |class: &str| class == "vault-secret" || class == "canary";
    let named: Vec<_> = whole.list.iter().filter(|finding| of_values(finding.class.as_str())).cloned().collect();
    assert_eq!(alone.list, named);
    alone.list.iter().map(|finding| finding.rule.to_string()).collect()
}

#[test]
fn a_known_text_is_seen_in_any_disguise_and_its_parts_are_not() {
    let percent: String = SECRET.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let hex: String = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect();
    let spaced: String = SECRET.chars().flat_map(|letter| [letter, '\u{200b}']).collect();
    for text in [SECRET.to_owned(), format!("it is {SECRET}."), percent, hex, STANDARD.encode(SECRET), spaced] {
        assert_eq!(seen(&text), ["vault.desk"], "{text}");
    }
    assert_eq!(seen("a canary of paper and plain words as a pass phrase"), ["canary.share", "vault.desk"]);
    for text in ["plain words as a pass", "words as a pass phrase", "Plain words as a pass phrase", ""] {
        assert_eq!(seen(text), Vec::<String>::new(), "{text}");
    }
}
