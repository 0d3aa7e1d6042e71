use serde_json::json;

use super::*;

#[test]
fn two_spellings_of_one_value_have_one_digest() {
    let one: serde_json::Value = serde_json::from_str(r#"{"b":1.0,"a":"\u0041"}"#).unwrap();
    assert_eq!(Digest::of_json(&one).unwrap(), Digest::of_json(&json!({"a": "A", "b": 1})).unwrap());
    assert_ne!(Digest::of_json(&one).unwrap(), Digest::of_json(&json!({"a": "A", "b": 2})).unwrap());
}

#[test]
fn a_digest_reads_back_as_written() {
    let digest = Digest::of(b"abc");
    let text = digest.to_string();
    assert_eq!(text, "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(text.parse::<Digest>().unwrap(), digest);
    assert!(text.replace("ba", "+a").parse::<Digest>().is_err());
    assert!("sha256:00".parse::<Digest>().is_err());
}
