use super::*;

#[test]
fn a_bearer_challenge_is_read_in_every_way_it_is_written() {
    let wanted = Challenge {
        scopes: Some(vec!["a".into(), "b:c".into()]),
        resource_metadata: Some("https://s.example/.well-known/oauth-protected-resource".into()),
        error: Some("insufficient_scope".into()),
    };
    let metadata = "resource_metadata=\"https://s.example/.well-known/oauth-protected-resource\"";
    for text in [
        format!("Bearer error=\"insufficient_scope\", scope=\"a b:c\", {metadata}"),
        format!("bearer realm=\"x, y\",error=insufficient_scope,scope=\"a b:c a\" , {metadata}"),
        format!("Basic realm=\"z\", Bearer scope=\"a b:c\", error=\"insufficient_scope\", {metadata}"),
        format!("Bearer scope=\"a b:c\", error=\"insufficient_scope\", {metadata}, DPoP scope=\"other\""),
        format!("Bearer scope=\"a b:c\", scope=\"other\", ERROR=\"insufficient_\\scope\", {metadata}"),
    ] {
        assert_eq!(Challenge::parse(&text).as_ref(), Some(&wanted), "{text}");
    }
}

#[test]
fn what_is_no_bearer_challenge_asks_for_nothing() {
    assert_eq!(Challenge::parse("Bearer"), Some(Challenge::default()));
    let long = format!("Bearer scope=\"{}\"", "a".repeat(limits::CHALLENGE_BYTES_MAX));
    for text in ["", "Basic realm=\"x\"", "Bearer scope=\"open", "=,=", &long] {
        assert_eq!(Challenge::parse(text), None, "{text}");
    }
    assert_eq!(Challenge::parse("Bearer scope=\"a \u{1}\"").unwrap().scopes, None, "no scope is a control character");
}
