use super::*;

fn text(bytes: &[u8]) -> Option<(String, bool)> {
    text_of(bytes.to_vec()).map(|text| (text.text, text.is_whole))
}

#[test]
fn a_file_is_text_or_is_told_to_be_none() {
    let whole = |text: &str| Some((text.to_owned(), true));
    assert_eq!(text("grüß dich".as_bytes()), whole("grüß dich"));
    assert_eq!(text(b"\xef\xbb\xbf{}"), whole("{}"));
    assert_eq!(text(b"\xff\xfeh\0i\0"), whole("hi"));
    assert_eq!(text(b"\xfe\xff\0h\0i"), whole("hi"));
    assert_eq!(text(b""), whole(""));
    // Bytes that are no text are not silently left out.
    assert_eq!(text(b"caf\xe9 au lait"), Some(("caf\u{fffd} au lait".to_owned(), false)));
    assert_eq!(text(b"\xff\xfeh\0i"), Some(("h".to_owned(), false)));
    assert_eq!(text(b"PK\x03\x04\0\0"), None);
    assert_eq!(text(b"\xff\xfe\x00\xd8"), None);
}
