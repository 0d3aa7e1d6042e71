use super::*;
use crate::source::facts;

fn seen(rule: &Rule, file: &str, code: &str) -> bool {
    let language = Language::of(file);
    let facts = language.and_then(|language| facts(language, code));
    rule.is_about(file, language) && !rule.sights(code, facts.as_ref(), 10).is_empty()
}

#[test]
fn every_rule_is_read_and_each_sees_what_its_examples_say() {
    let rules = read(WRITTEN).unwrap();
    assert!(rules.len() > 20, "{}", rules.len());
    for rule in &rules {
        assert!(rule.examples.iter().any(|one| one.seen), "{} has no example that it sees", rule.id);
        assert!(rule.examples.iter().any(|one| !one.seen), "{} has no example that it does not see", rule.id);
        for Example { file, code, seen: expected } in &rule.examples {
            assert_eq!(seen(rule, file, code), *expected, "{}: {file}: {code}", rule.id);
        }
    }
    let mut ids: Vec<_> = rules.iter().map(|rule| &rule.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), rules.len(), "two rules have one name");
}

#[test]
fn a_sight_names_its_line() {
    let rule = rules().iter().find(|rule| rule.id == "python-evaluates").unwrap();
    let code = "x = 1\n\neval(x)\n";
    let sights = rule.sights(code, facts(Language::Python, code).as_ref(), 10);
    assert_eq!(sights, [Sight { line: 3, excerpt: "eval(x)".to_owned() }]);
}
