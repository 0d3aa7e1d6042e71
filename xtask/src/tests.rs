use super::*;

#[test]
fn this_repository_keeps_its_own_rules() {
    let violations = violations(&Repository::here().unwrap()).unwrap();
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}
