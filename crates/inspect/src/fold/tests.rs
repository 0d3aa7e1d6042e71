use super::*;

#[test]
fn lookalikes_are_read_as_what_they_look_like() {
    for (given, read) in [
        ("ѕесrеt", "secret"),
        ("АКІА", "AKIA"),
        ("ｔｏｋｅｎ", "token"),
        ("𝐭𝐨𝐤𝐞𝐧", "token"),
        ("to\u{200b}ken", "token"),
        ("t\u{301}oken", "token"),
        ("a\u{a0}b", "a b"),
        ("\u{e0068}\u{e0069}", "hi"),
        ("x\u{202e}y\u{202c}", "xy"),
    ] {
        assert_eq!(fold(given).map(|(text, _)| text).as_deref(), Some(read), "`{given}`");
    }
}

#[test]
fn ordinary_letters_of_other_languages_stay() {
    for text in ["naïve café", "Straße", "日本語のテキスト", "한국어", "plain"] {
        assert_eq!(fold(text).map(|(text, _)| text), None, "`{text}`");
    }
}

#[test]
fn bytes_smuggled_in_variation_selectors_are_read() {
    let smuggled: String =
        "hide me".bytes().filter_map(|byte| char::from_u32(0xe0100 + u32::from(byte) - 16)).collect();
    let (text, map) = fold(&format!("ok😀{smuggled}.")).unwrap();
    assert_eq!(text, "ok😀hide me.");
    assert_eq!(map.back(&(0..2)), 0..2);
}

#[test]
fn stand_ins_inside_words_are_read_as_letters() {
    assert_eq!(leetspeak("1gn0r3 4ll pr3v10u5").unwrap().0, "ignore all previous");
    for text in ["version2", "12345", "deadbeef01", "no digits"] {
        assert_eq!(leetspeak(text).map(|(text, _)| text), None, "`{text}`");
    }
}
