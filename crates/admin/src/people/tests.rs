use axum::http::HeaderValue;
use axum::http::header::AUTHORIZATION;

use super::*;

const ANNA: &str = "anna-0123456789abcdef0123456789abcdef";
const BERT: &str = "bert-0123456789abcdef0123456789abcdef";

fn entry(name: &str, role: Role, token: &str) -> (String, Vec<Role>, Secret<String>) {
    (name.to_owned(), vec![role], Secret::new(token.to_owned()))
}

fn bearing(values: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn refused(list: Vec<(String, Vec<Role>, Secret<String>)>) -> PeopleError {
    People::new(list).err().unwrap()
}

#[test]
fn a_token_names_its_person() {
    let people = People::new(vec![entry("anna", Role::Admin, ANNA), entry("bert", Role::Viewer, BERT)]).unwrap();
    let name =
        |token: &str| people.person(&bearing(&[&format!("Bearer {token}")])).map(|person| person.who.to_string());
    assert_eq!(name(ANNA).as_deref(), Some("anna"));
    assert_eq!(name(BERT).as_deref(), Some("bert"));
}

#[test]
fn anything_else_names_nobody() {
    let people = People::new(vec![entry("anna", Role::Admin, ANNA)]).unwrap();
    let good = format!("Bearer {ANNA}");
    let cut = good.trim_end_matches('f');
    for values in [vec![], vec!["Bearer "], vec![cut], vec![ANNA], vec![good.as_str(), good.as_str()]] {
        assert_eq!(people.person(&bearing(&values)), None, "{values:?}");
    }
}

#[test]
fn a_token_that_two_hold_names_neither() {
    let people = People::new(vec![entry("anna", Role::Admin, ANNA), entry("bert", Role::Admin, ANNA)]).unwrap();
    assert_eq!(people.person(&bearing(&[&format!("Bearer {ANNA}")])), None);
}

#[test]
fn a_list_that_cannot_be_used_says_why() {
    assert_eq!(refused(vec![]), PeopleError::Nobody);
    assert_eq!(refused(vec![entry("anna", Role::Admin, "short")]), PeopleError::Token("anna".to_owned()));
    assert_eq!(refused(vec![entry("", Role::Admin, ANNA)]), PeopleError::Name);
    let none = vec![("anna".to_owned(), vec![], Secret::new(ANNA.to_owned()))];
    assert_eq!(refused(none), PeopleError::NoRole("anna".to_owned()));
    let twice = vec![entry("anna", Role::Admin, ANNA), entry("anna", Role::Viewer, BERT)];
    assert_eq!(refused(twice), PeopleError::NameRepeated("anna".to_owned()));
}

#[test]
fn an_admin_may_do_everything_and_others_what_their_roles_say() {
    let person = |role| Person { who: Actor::Person("anna".to_owned()), roles: vec![role], session: None };
    assert!(person(Role::Admin).has_one_of(&[Role::Auditor]));
    assert!(person(Role::Auditor).has_one_of(&[Role::Auditor, Role::Viewer]));
    assert!(!person(Role::Auditor).has_one_of(&[Role::Approver]));
    assert!(!person(Role::Approver).has_one_of(&[]));
}
