use super::*;

#[test]
fn plain_text_stays_as_it_is() {
    assert_eq!(
        visible("Refunds an order.\n\tAmounts in €, größer null"),
        "Refunds an order.\n\tAmounts in €, größer null"
    );
}

#[test]
fn what_a_terminal_would_act_on_is_written_out() {
    assert_eq!(visible("a\u{1b}[2Jb\rc\u{7f}"), "a\\u{1b}[2Jb\\u{d}c\\u{7f}");
}

#[test]
fn what_only_a_model_would_see_is_written_out() {
    assert_eq!(visible("x\u{e0041}\u{200b}\u{202e}y"), "x\\u{e0041}\\u{200b}\\u{202e}y");
}
