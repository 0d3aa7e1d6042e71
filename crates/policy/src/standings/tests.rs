use std::hash::{BuildHasher, RandomState};

use model::Timestamp;

use super::*;
use crate::fixture::{autonomous, delegated, endpoint, tool};

#[test]
fn a_question_and_its_key_are_one_and_nothing_else_is() {
    let callers = [
        delegated("helper", "ann", &[]),
        delegated("helper", "ann", &["sales"]),
        delegated("helper", "bob", &[]),
        delegated("other", "ann", &[]),
        autonomous("helper"),
    ];
    let endpoints = [endpoint(), "support".parse().expect("endpoint name")];
    let server = Object::Server { server: "erp".parse().expect("server name") };
    let prompt = Object::Prompt { server: server.server().clone(), name: "refund_order".parse().expect("prompt name") };
    let objects = [tool("erp/refund_order"), tool("erp/pay_invoice"), tool("crm/refund_order"), prompt, server];
    let targets: Vec<Target<'_>> =
        endpoints.iter().map(Target::Endpoint).chain(objects.iter().map(Target::Object)).collect();
    let mut questions = Vec::new();
    for caller in &callers {
        for endpoint in &endpoints {
            for target in targets.iter().copied() {
                let actions = [Action::List, Action::Call].into_iter();
                let now = Timestamp(0);
                questions.extend(actions.map(|action| Question {
                    action,
                    caller,
                    endpoint,
                    target,
                    arguments: None,
                    findings: None,
                    now,
                }));
            }
        }
    }
    let random = RandomState::new();
    for (number, question) in questions.iter().enumerate() {
        let key = Key::of(question);
        assert_eq!(random.hash_one(&key), random.hash_one(Parts::of(question)));
        for (other, asked) in questions.iter().enumerate() {
            assert_eq!(Parts::of(asked).equivalent(&key), number == other, "{question:?} and {asked:?}");
        }
    }
}
