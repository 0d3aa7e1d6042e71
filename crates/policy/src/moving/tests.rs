use cedar_policy::{Context, EntityUid, RestrictedExpression};

use super::*;

/// Policies with these clauses, joined; each has the scope of a call of the tool `erp/pay`.
fn joined(effect: &str, clauses: &[&str]) -> Moving {
    let mut gathered = Vec::new();
    for (number, clauses) in clauses.iter().enumerate() {
        let scope = "principal, action == Action::\"call\", resource in Server::\"erp\"";
        let policy: Policy = format!("{effect}({scope}) {clauses};").parse().expect("policy");
        let policy = policy.new_id(cedar_policy::PolicyId::new(number.to_string()));
        Gathered::add(&mut gathered, &policy, &policy.to_pst().expect("tree")).expect("added");
    }
    assert_eq!(gathered.len(), 1, "one effect and one scope are one set");
    gathered.pop().expect("one").join().expect("joined")
}

fn request(resource: &str, amount: i64) -> Request {
    let uid = |text: &str| text.parse::<EntityUid>().expect("uid");
    let context = Context::from_pairs([("amount".to_owned(), RestrictedExpression::new_long(amount))]);
    let (principal, action) = (uid("Agent::\"a\""), uid("Action::\"call\""));
    Request::new(principal, action, uid(resource), context.expect("context"), None).expect("request")
}

fn is_silent(clauses: &[&str], amount: i64) -> bool {
    joined("forbid", clauses).is_silent(&request("Server::\"erp\"", amount), &Entities::empty())
}

const OVER: [&str; 5] = [
    "when { context.amount > 10 }",
    "when { context.amount > 20 }",
    "when { context.amount > 30 } unless { context.amount > 35 }",
    "unless { context.amount < 40 }",
    "when { true } when { context.amount == -1 }",
];

#[test]
fn forbids_are_silent_exactly_while_none_of_them_holds() {
    for number in 1..=OVER.len() {
        for amount in [-1, 0, 11, 21, 31, 36, 41] {
            let clauses = &OVER[..number];
            let silent = clauses.iter().all(|one| is_silent(&[one], amount));
            assert_eq!(is_silent(clauses, amount), silent, "the first {number} at {amount}");
        }
    }
    assert!(is_silent(&OVER, 5) && !is_silent(&OVER, 31) && is_silent(&OVER[2..3], 36));
}

#[test]
fn one_that_errs_is_never_silent_wherever_it_stands() {
    let errs = "when { context.amount + 9223372036854775807 == 0 }";
    for place in 0..=OVER.len() {
        let mut clauses = OVER.to_vec();
        clauses.insert(place, errs);
        assert!(is_silent(&clauses, 0));
        assert!(!is_silent(&clauses, 1), "at {place}");
    }
    assert!(!is_silent(&["when { context.missing == 1 }"], 0));
    assert!(!is_silent(&["when { context.amount }"], 0), "a condition that is no truth value");
    assert!(is_silent(&["when { false && context.missing == 1 }"], 0), "what is not reached does not err");
}

#[test]
fn permits_are_always_asked_each() {
    let permits = joined("permit", &["when { context.amount > 10 }"]);
    assert!(permits.permits());
    assert!(!permits.is_silent(&request("Server::\"erp\"", 0), &Entities::empty()));
}

#[test]
fn the_scope_decides_whether_they_apply_and_the_context_does_not() {
    let forbids = joined("forbid", &OVER);
    for amount in [0, 41] {
        let applies = |resource| forbids.applies(&request(resource, amount), &Entities::empty()).expect("no error");
        assert!(applies("Server::\"erp\""));
        assert!(!applies("Server::\"crm\""));
    }
}

#[test]
fn other_scopes_and_effects_are_kept_apart() {
    let scopes = [
        "forbid(principal, action, resource in Server::\"erp\")",
        "forbid(principal, action, resource is Tool in Server::\"erp\")",
        "forbid(principal, action, resource == Server::\"erp\")",
        "forbid(principal is User, action, resource in Server::\"erp\")",
        "permit(principal, action, resource in Server::\"erp\")",
    ];
    let mut gathered = Vec::new();
    for (number, scope) in scopes.iter().chain(&scopes).enumerate() {
        let policy: Policy = format!("{scope} when {{ context.amount > 1 }};").parse().expect("policy");
        let policy = policy.new_id(cedar_policy::PolicyId::new(number.to_string()));
        Gathered::add(&mut gathered, &policy, &policy.to_pst().expect("tree")).expect("added");
    }
    assert_eq!(gathered.len(), scopes.len());
    assert!(gathered.into_iter().all(|one| one.join().expect("joined").each().policies().count() == 2));
}

#[test]
fn a_thousand_conditions_nest_no_deeper_than_ten_more() {
    let many: Vec<Arc<Expr>> = (0..1000).map(|_| Arc::new(Expr::Literal(Literal::Bool(false)))).collect();
    let mut depth = 0;
    let mut at = any(many).expect("a condition");
    while let Expr::BinaryOp { left, .. } = &*Arc::clone(&at) {
        at = Arc::clone(left);
        depth += 1;
    }
    assert_eq!(depth, 10);
}
