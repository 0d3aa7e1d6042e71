use super::*;

fn undone(text: &str) -> Option<String> {
    undo(text).map(|(text, _)| text)
}

#[test]
fn escapes_of_every_kind_are_undone() {
    for (escaped, plain) in [
        ("a%41b", "aAb"),
        ("%C3%A9", "é"),
        (r"\u0041\x42\n\t\/", "AB\n\t/"),
        (r"\ud83d\ude00", "😀"),
        (r"\u{1F600}", "😀"),
        (r"\101", "A"),
        ("&#65;&#x42;&amp;&lt;", "AB&<"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;https://x\x07link\x1b]8;;\x07", "link"),
    ] {
        assert_eq!(undone(escaped).as_deref(), Some(plain), "`{escaped}`");
    }
}

#[test]
fn what_is_no_escape_stays() {
    for text in ["100% of it", r"C:\dir", "a & b", "&unknown;", "\\", "%", "%4", "&#;", "\\u12"] {
        assert_eq!(undone(text), None, "`{text}`");
    }
}

#[test]
fn a_place_in_the_undone_text_leads_back() {
    let (text, map) = undo("key=%41%42C;").unwrap();
    assert_eq!(text, "key=ABC;");
    assert_eq!(map.back(&(4..7)), 4..11);
    assert_eq!(map.back(&(0..3)), 0..3);
    assert_eq!(map.back(&(7..8)), 11..12);
    let mut undone = Vec::new();
    map.undone(&(4..7), &mut undone);
    assert_eq!(undone, [Decoding::Percent]);
}
