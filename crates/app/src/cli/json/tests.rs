use serde_json::json;

use super::*;

#[test]
fn what_fits_stays_on_one_line() {
    assert_eq!(fitted(&json!({ "type": "object", "required": ["a"] }), 4), r#"{"type": "object", "required": ["a"]}"#);
}

#[test]
fn what_does_not_fit_is_broken_where_it_must_be() {
    let long = json!({ "annotations": { "readOnlyHint": true }, "words": ["alpha ".repeat(6), "beta ".repeat(6)] });
    let text = fitted(&long, 4);
    assert!(text.starts_with("{\n      \"annotations\": {\"readOnlyHint\": true},\n      \"words\": [\n"), "{text}");
    assert!(text.ends_with("\n      ]\n    }"), "{text}");
    assert!(text.lines().all(|line| columns(line) <= WIDTH), "{text}");
    let read: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(read, long);
}
