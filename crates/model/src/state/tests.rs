use std::collections::HashSet;

use serde_json::json;

use super::*;

fn signed_in(subject: &str, name: &str) -> Actor {
    let (issuer, subject) = ("https://id.example".to_owned(), subject.to_owned());
    Actor::SignedIn(Account { issuer, subject, name: name.to_owned() })
}

#[test]
fn who_is_called_the_same_is_not_the_same() {
    let all = [
        Actor::Person("ana".to_owned()),
        signed_in("ana", "ana"),
        signed_in("s-1", "ana"),
        Actor::User("ana".parse().unwrap()),
        Actor::Gate,
    ];
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    assert_eq!(all.iter().map(ToString::to_string).collect::<HashSet<_>>().len(), all.len());
}

#[test]
fn an_account_is_the_same_whatever_it_is_called() {
    assert_eq!(signed_in("s-1", "ana"), signed_in("s-1", "ana.maria"));
    assert_ne!(signed_in("s-1", "ana"), signed_in("s-2", "ana"));
}

#[test]
fn receipts_of_before_name_their_people_as_they_did() {
    let before = json!({ "type": "person", "name": "ana" });
    assert_eq!(serde_json::from_value::<Actor>(before.clone()).unwrap(), Actor::Person("ana".to_owned()));
    assert_eq!(serde_json::to_value(Actor::Person("ana".to_owned())).unwrap(), before);
    let account = json!({ "issuer": "https://id.example", "subject": "s-1", "name": "ana" });
    assert_eq!(serde_json::to_value(signed_in("s-1", "ana")).unwrap(), json!({ "type": "signed-in", "name": account }));
}
