use super::*;

#[test]
fn comments_and_tags_are_left_out() {
    for (text, bare) in [
        ("ig<!-- x -->nore", "ignore"),
        ("ig<b>no</b>re", "ignore"),
        ("<td>a</td><td>b</td>", " a  b "),
        ("a <!-- never closed <b>x</b>", "a <!-- never closed x"),
    ] {
        assert_eq!(strip(text).map(|(text, _)| text).as_deref(), Some(bare), "`{text}`");
    }
}

#[test]
fn what_is_no_tag_stays() {
    for text in ["a < b > c", "1<2", "<", "<>", "< b>"] {
        assert_eq!(strip(text).map(|(text, _)| text), None, "`{text}`");
    }
}
