use super::*;

#[test]
fn lints_are_inherited_only_when_the_manifest_says_so() {
    let inherits = |text: &str| inherits_lints(&text.parse().unwrap());
    assert!(inherits("[lints]\nworkspace = true"));
    assert!(!inherits("[lints]\nworkspace = false"));
    assert!(!inherits("[lints.rust]\nunsafe_code = \"allow\""));
    assert!(!inherits("[package]\nname = \"x\""));
}
