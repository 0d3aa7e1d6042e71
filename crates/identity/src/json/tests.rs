use super::{JsonError, object};

#[test]
fn an_object_is_read_with_everything_in_it() {
    let read = object(br#" {"a":[1,-2,1.5,null,true,"x"],"b":{"a":1}} "#, 100).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), r#"{"a":[1,-2,1.5,null,true,"x"],"b":{"a":1}}"#);
}

#[test]
fn what_two_readers_could_read_differently_is_refused() {
    for text in [
        r#"{"sub":"ada","sub":"mallory"}"#,
        r#"{"sub":"ada","s\u0075b":"mallory"}"#,
        r#"{"act":{"sub":"a","sub":"b"}}"#,
        r#"{"aud":[{"a":1,"a":2}]}"#,
        r#"{"sub":"ada"} {}"#,
        r#"{"sub":"ada",}"#,
        r#"{'sub':'ada'}"#,
        r#"{"exp":1e999}"#,
        "\u{feff}{}",
        "",
    ] {
        assert_eq!(object(text.as_bytes(), 100), Err(JsonError::NotStrict), "{text}");
    }
    assert_eq!(object(b"{\"sub\":\"\xff\"}", 100), Err(JsonError::NotStrict));
}

#[test]
fn only_an_object_of_the_length_that_was_allowed_is_taken() {
    for text in ["[]", "1", "null", "\"x\"", "true"] {
        assert_eq!(object(text.as_bytes(), 100), Err(JsonError::NoObject), "{text}");
    }
    assert_eq!(object(b"{}", 2), Ok(serde_json::Map::new()));
    assert_eq!(object(b"{ }", 2), Err(JsonError::TooLong));
    assert_eq!(object("[".repeat(10_000).as_bytes(), 20_000), Err(JsonError::NotStrict));
}
