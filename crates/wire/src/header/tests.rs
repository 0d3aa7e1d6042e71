use super::*;

fn headers(pairs: &[(&'static str, &[u8])]) -> HeaderMap {
    let pair = |(name, value): &(&'static str, &[u8])| {
        (HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap())
    };
    pairs.iter().map(pair).collect()
}

#[test]
fn a_header_has_one_plain_value() {
    assert_eq!(sole(&headers(&[]), &NAME).unwrap(), None);
    assert_eq!(sole(&headers(&[("mcp-name", b"a b")]), &NAME).unwrap(), Some("a b"));
    assert_eq!(sole(&headers(&[("mcp-name", b" \ta\t ")]), &NAME).unwrap(), Some("a"));
    for refused in [
        &[("mcp-name", b"a".as_slice()), ("mcp-name", b"a".as_slice())][..],
        &[("mcp-name", "é".as_bytes())][..],
        &[("mcp-name", b"\xff".as_slice())][..],
    ] {
        assert_eq!(sole(&headers(refused), &NAME).unwrap_err().refusal.reason, Reason::HeaderMismatch);
    }
}

#[test]
fn values_are_wrapped_as_the_specification_shows() {
    for (text, value) in [
        ("us-west1", "us-west1"),
        ("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="),
        (" padded ", "=?base64?IHBhZGRlZCA=?="),
        ("line1\nline2", "=?base64?bGluZTEKbGluZTI=?="),
        ("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="),
        ("a b", "a b"),
        ("", ""),
        ("a\tb", "=?base64?YQli?="),
    ] {
        assert_eq!(encode(text), value, "{text}");
        assert_eq!(decode(&NAME, value).unwrap(), text);
    }
}

#[test]
fn what_only_resembles_a_wrapped_value_is_literal() {
    for value in
        ["SGVsbG8=", "=?base64?SGVsbG8=", "SGVsbG8=?=", "=?BASE64?SGVsbG8=?=", "=?utf-8?q?a?=", "x=?base64?YQ==?="]
    {
        assert_eq!(decode(&NAME, value).unwrap(), value);
    }
}

#[test]
fn a_wrapped_value_must_be_canonical_base64_of_utf8() {
    for value in [
        "=?base64?SGVsbG8?=",
        "=?base64?SGVs!!!bG8=?=",
        "=?base64?SGVsbG9=?=",
        "=?base64?SGVs bG8=?=",
        "=?base64?/w==?=",
        "=?base64?-_8=?=",
        "=?base64?=",
    ] {
        assert_eq!(decode(&NAME, value).unwrap_err().refusal.reason, Reason::HeaderMismatch, "{value}");
    }
    assert_eq!(decode(&NAME, "=?base64??=").unwrap(), "");
}
