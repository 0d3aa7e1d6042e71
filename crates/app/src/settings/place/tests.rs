use super::Step::{Index, Key};
use super::*;

const TEXT: &str = "[a]\nx = 1\n\n[[a.list]]\ny = 'one'\n\n[[a.list]]\ny = 'two'\n";

fn rest(steps: &[Step<'_>]) -> &'static str {
    TEXT.get(offset(TEXT, steps)..).unwrap()
}

#[test]
fn a_value_is_found_where_it_stands() {
    assert!(rest(&[Key("a"), Key("x")]).starts_with("1\n"));
    assert!(rest(&[Key("a"), Key("list"), Index(0), Key("y")]).starts_with("'one'"));
    assert!(rest(&[Key("a"), Key("list"), Index(1), Key("y")]).starts_with("'two'"));
}

#[test]
fn what_is_not_there_is_told_at_what_it_would_be_in() {
    assert!(rest(&[Key("a"), Key("list"), Index(1), Key("z")]).starts_with("[[a.list]]\ny = 'two'"));
    assert!(rest(&[Key("b")]).starts_with("[a]"));
    assert_eq!(offset("no = toml = here", &[Key("a")]), 0);
}
