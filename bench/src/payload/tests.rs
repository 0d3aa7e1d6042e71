use super::*;

#[test]
fn messages_have_exactly_the_size_asked_for() {
    for bytes in [MESSAGE_BYTES_MIN, 1024, 16 * 1024, 256 * 1024] {
        assert_eq!(call(63, bytes, bytes).len(), bytes);
        assert_eq!(answer("63", bytes).len(), bytes);
    }
}

#[test]
fn messages_are_json() {
    let call: serde_json::Value = serde_json::from_slice(&call(7, 1024, 2048)).unwrap();
    assert_eq!(call["params"]["arguments"]["answer_bytes"], 2048);
    let answer: serde_json::Value = serde_json::from_slice(&answer("7", 1024)).unwrap();
    assert_eq!(answer["id"], 7);
}

#[test]
fn an_answer_is_good_and_a_refusal_is_not() {
    assert!(is_good_answer(&answer("7", 1024), 1024));
    assert!(!is_good_answer(&answer("7", 1024), 16 * 1024));
    let refusal = br#"{"jsonrpc":"2.0","id":7,"result":{"resultType":"complete","isError":true,"content":[]}}"#;
    assert!(!is_good_answer(refusal, 64));
}
