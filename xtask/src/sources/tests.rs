use super::*;

#[test]
fn lints_are_inherited_only_when_the_manifest_says_so() {
    let inherits = |text: &str| inherits_lints(&text.parse().unwrap());
    assert!(inherits("[lints]\nworkspace = true"));
    assert!(!inherits("[lints]\nworkspace = false"));
    assert!(!inherits("[lints.rust]\nunsafe_code = \"allow\""));
    assert!(!inherits("[package]\nname = \"x\""));
}

#[test]
fn lints_written_out_are_all_of_the_workspaces_but_that_unsafe_can_be_excepted() {
    let workspace = "[workspace.lints.rust]\nunsafe_code = \"forbid\"\n[workspace.lints.clippy]\npanic = \"deny\"";
    let written = |text: &str| writes_lints_out(&text.parse().unwrap(), &workspace.parse().unwrap());
    assert!(written("[lints.rust]\nunsafe_code = \"deny\"\n[lints.clippy]\npanic = \"deny\""));
    assert!(!written("[lints.rust]\nunsafe_code = \"allow\"\n[lints.clippy]\npanic = \"deny\""));
    assert!(!written("[lints.rust]\nunsafe_code = \"deny\"\n[lints.clippy]\npanic = \"warn\""));
    assert!(!written("[lints.rust]\nunsafe_code = \"deny\""));
    assert!(!written("[package]\nname = \"x\""));
}

#[test]
fn an_example_in_a_comment_has_to_be_text() {
    let told = |text: &str| tests_in_comments(text).collect::<Vec<_>>();
    assert_eq!(told("/// ```text\n/// a\n/// ```\n/// ```\n/// b()\n/// ```\n"), [4]);
    assert_eq!(told("//! ```rust\n//! ```\nfn f() {}\n    /// ```no_run\n    /// ```"), [1, 4]);
    assert_eq!(told("/// A `word`.\n// ```\n\"```\""), [0_usize; 0]);
}
