use super::*;

#[test]
fn every_rule_that_ships_does_what_its_tests_say() {
    assert_eq!(Rules::standard().unwrap().test().unwrap(), Vec::<String>::new());
}

#[test]
fn every_rule_that_ships_has_a_text_it_sees_and_one_it_lets_pass() {
    for rule in Rules::standard().unwrap().iter() {
        assert!(!rule.matches.is_empty() && !rule.passes.is_empty(), "`{}` has no tests", rule.id);
    }
}

const RULE: &str = r#"
[[rule]]
id = "custom.project"
version = 1
about = "The name of a project that nobody is told of."
class = "custom.project"
severity = "high"
confidence = "high"
keywords = ["falcon"]
pattern = '(?i)\bfalcon\b'
matches = ["project Falcon"]
passes = ["falconry"]
"#;

#[test]
fn a_file_of_an_organisation_s_own_is_added() {
    let rules = Rules::standard().unwrap().and("own.toml", RULE).unwrap();
    assert!(rules.iter().any(|rule| rule.id.as_str() == "custom.project"));
    assert_eq!(rules.test().unwrap(), Vec::<String>::new());
}

#[test]
fn rules_that_cannot_be_used_are_refused() {
    let standard = || Rules::standard().unwrap();
    let twice = format!("{RULE}{RULE}");
    assert!(matches!(standard().and("f", &twice), Err(RuleError::Twice(_))));
    assert!(matches!(standard().and("f", &RULE.replace(r"\b'", "('")), Err(RuleError::Pattern { .. })));
    assert!(matches!(standard().and("f", &RULE.replace("[\"falcon\"]", "[]")), Err(RuleError::Keywords(_))));
    assert!(matches!(standard().and("f", "rule = 1"), Err(RuleError::Read { .. })));
}
