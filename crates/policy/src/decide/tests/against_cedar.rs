//! Slices, halves and memory must not change an answer: Cedar's own authorizer, given every policy and every entity
//! at once, is asked the same questions.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicySet, Request,
    RestrictedExpression,
};
use model::{Caller, Object, Reason, Refusal};
use serde_json::{Value, json};

use crate::fixture::{ask, autonomous, compile, delegated, tool};
use crate::{Action, Permit, Policies};

/// Repeatable choices: a multiplier and a shift are random enough here.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % sides
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len())]
    }
}

const PRINCIPALS: &[&str] = &[
    "principal",
    "principal",
    "principal is Agent",
    "principal is User",
    "principal == User::\"ann\"",
    "principal == Agent::\"helper\"",
    "principal in Group::\"sales\"",
    "principal is User in Group::\"sales\"",
    "principal in User::\"bob\"",
];
const ACTIONS: &[&str] = &[
    "action",
    "action == Action::\"call\"",
    "action in Action::\"use\"",
    "action in [Action::\"list\", Action::\"call\"]",
    "action == Action::\"list\"",
];
const RESOURCES: &[&str] = &[
    "resource",
    "resource is Tool",
    "resource in Server::\"erp\"",
    "resource is Tool in Server::\"erp\"",
    "resource == Tool::\"erp/refund_order\"",
    "resource in Tool::\"crm/find_customer\"",
    "resource == Tool::\"erp/pay_invoice\"",
];
const CONDITIONS: &[&str] = &[
    "",
    "",
    "when { principal is User }",
    "when { context.agent.kind == \"autonomous\" }",
    "when { context has user && context.user in Group::\"sales\" }",
    "unless { resource in Server::\"crm\" }",
    "when { 9223372036854775807 + 1 == 0 }",
];
/// These read arguments, so their scope is the call of a tool that has them.
const READING: &[&str] = &[
    "when { context.arguments has amount && context.arguments.amount > 500 }",
    "when { context.arguments has amount && context.arguments.amount + 1 > 0 }",
    "unless { context.arguments has order }",
    "when { context.arguments has order && context.arguments.order like \"a*\" && principal is Agent }",
    "when { context has user } unless { context.arguments has amount && context.arguments.amount < 9 }",
    "when { context has user } when { context.user in Group::\"sales\" && context.arguments has amount }",
    "unless { context.agent.kind == \"delegated\" } when { context.arguments has order }",
];

const READ_RESOURCES: &[&str] = &[
    "resource is Tool in Server::\"erp\"",
    "resource is Tool in Server::\"erp\"",
    "resource == Tool::\"erp/refund_order\"",
    "resource in Tool::\"erp/refund_order\"",
    "resource is Tool in Tool::\"erp/refund_order\"",
];

/// A handful of policies; with some obligations among the forbids.
fn policies(dice: &mut Dice) -> String {
    // Most sets begin with a permit for all, or nearly every answer would be no.
    let mut text = match dice.roll(3) {
        0 => String::new(),
        _ => "@id(\"all\") permit(principal, action, resource);\n".to_owned(),
    };
    for number in 0..2 + dice.roll(8) {
        let effect = dice.pick(&["permit", "permit", "forbid"]);
        let reads = dice.roll(3) == 0;
        let obliges = effect == "forbid" && (reads || dice.roll(3) == 0) && dice.roll(2) == 0;
        let principal = if reads && dice.roll(2) == 0 { "principal" } else { dice.pick(PRINCIPALS) };
        let action = if reads || obliges { "action == Action::\"call\"" } else { dice.pick(ACTIONS) };
        let resource = if reads { dice.pick(READ_RESOURCES) } else { dice.pick(RESOURCES) };
        let condition = dice.pick(if reads { READING } else { CONDITIONS });
        let obligation = if obliges { "@approval(\"managers\") " } else { "" };
        text.push_str(&format!(
            "@id(\"p{number}\") {obligation}{effect}({principal}, {action}, {resource}) {condition};\n"
        ));
    }
    text
}

/// The answer in the words that both sides can say.
fn told(answer: Result<Permit, Refusal>) -> (Option<Reason>, BTreeSet<String>) {
    let names = |ids: &[model::PolicyId]| ids.iter().map(ToString::to_string).collect();
    match answer {
        Ok(permit) => (None, names(permit.policies())),
        Err(refusal) => (Some(refusal.reason), names(&refusal.policies)),
    }
}

/// Parsing a type's name is slow, so each is parsed once.
fn uid(kind: &'static str, id: &str) -> EntityUid {
    static KINDS: LazyLock<HashMap<&str, EntityTypeName>> = LazyLock::new(|| {
        let kinds = ["Agent", "User", "Group", "Tool", "Server", "Endpoint", "Action"];
        kinds.map(|kind| (kind, kind.parse().expect("type name"))).into()
    });
    EntityUid::from_type_name_and_id(KINDS[kind].clone(), EntityId::new(id))
}

/// The rule once more, as plainly as it can be said, on unsliced sets.
fn plainly(
    text: &str,
    caller: &Caller,
    action: Action,
    object: &Object,
    arguments: Option<&Value>,
) -> (Option<Reason>, BTreeSet<String>) {
    let all: PolicySet = text.parse().expect("policies");
    let named = |policy: &cedar_policy::Policy| {
        policy.new_id(cedar_policy::PolicyId::new(policy.annotation("id").expect("id")))
    };
    let obliges = |policy: &&cedar_policy::Policy| policy.annotation("approval").is_some();
    let hard = PolicySet::from_policies(all.policies().filter(|policy| !obliges(policy)).map(named)).expect("set");
    let soft = PolicySet::from_policies(all.policies().filter(obliges).map(named)).expect("set");
    let agent = uid("Agent", caller.agent.id.as_str());
    let user = caller.user().map(|user| uid("User", user.as_str()));
    let resource = uid("Tool", &format!("{}/{}", object.server(), object.name()));
    let action_uid = uid("Action", action.as_str());
    let entities = entities(caller, &agent, user.as_ref(), &resource, &action_uid, object);
    let mut pairs = HashMap::from([
        ("agent".to_owned(), RestrictedExpression::new_entity_uid(agent.clone())),
        ("endpoint".to_owned(), RestrictedExpression::new_entity_uid(uid("Endpoint", "finance"))),
    ]);
    let none = || RestrictedExpression::new_set([]);
    pairs.extend([("amr".to_owned(), none()), ("scopes".to_owned(), none())]);
    pairs.extend(user.clone().map(|user| ("user".to_owned(), RestrictedExpression::new_entity_uid(user))));
    if action == Action::Call {
        let members = arguments.and_then(Value::as_object).into_iter().flatten().map(|(name, value)| {
            let text = value.as_str().map(|text| RestrictedExpression::new_string(text.to_owned()));
            let whole = || RestrictedExpression::new_long(value.as_i64().expect("a whole number"));
            (name.clone(), text.unwrap_or_else(whole))
        });
        pairs.insert("arguments".to_owned(), RestrictedExpression::new_record(members).expect("record"));
    }
    let context = Context::from_pairs(pairs).expect("context");
    let respond = |principal: &EntityUid, set: &PolicySet| {
        let request = Request::new(principal.clone(), action_uid.clone(), resource.clone(), context.clone(), None)
            .expect("request");
        let response = Authorizer::new().is_authorized(&request, set, &entities);
        let reasons: BTreeSet<String> = response.diagnostics().reason().map(ToString::to_string).collect();
        let errors: BTreeSet<String> = response
            .diagnostics()
            .errors()
            .map(|error| match error {
                cedar_policy::AuthorizationError::PolicyEvaluationError(error) => error.policy_id().to_string(),
            })
            .collect();
        (response.decision(), reasons, errors)
    };
    let principals: Vec<EntityUid> = [agent].into_iter().chain(user).collect();
    let mut permitting = BTreeSet::new();
    for principal in &principals {
        match respond(principal, &hard) {
            (_, _, errors) if !errors.is_empty() => return (Some(Reason::PolicyError), errors),
            (Decision::Deny, reasons, _) => return (Some(Reason::PolicyForbids), reasons),
            (Decision::Allow, reasons, _) => permitting.extend(reasons),
        }
    }
    let mut owed = BTreeSet::new();
    for principal in &principals {
        match respond(principal, &soft) {
            (_, _, errors) if !errors.is_empty() => return (Some(Reason::PolicyError), errors),
            (_, reasons, _) => owed.extend(reasons),
        }
    }
    if owed.is_empty() { (None, permitting) } else { (Some(Reason::ObligationUnmet), owed) }
}

fn entities(
    caller: &Caller,
    agent: &EntityUid,
    user: Option<&EntityUid>,
    resource: &EntityUid,
    action: &EntityUid,
    object: &Object,
) -> Entities {
    let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
    let attributes = HashMap::from([
        ("kind".to_owned(), text(caller.agent.kind.as_str())),
        ("assurance".to_owned(), text(caller.assurance.as_str())),
    ]);
    let server = uid("Server", object.server().as_str());
    let groups = caller.groups().iter().map(|group| uid("Group", group.as_str())).collect();
    let mut all = vec![
        Entity::new(agent.clone(), attributes, Default::default()).expect("agent"),
        Entity::new_no_attrs(resource.clone(), [server.clone()].into()),
        Entity::new_no_attrs(server, Default::default()),
        Entity::new_no_attrs(action.clone(), [uid("Action", "use")].into()),
        Entity::new_no_attrs(uid("Endpoint", "finance"), Default::default()),
    ];
    all.extend(user.map(|user| Entity::new_no_attrs(user.clone(), groups)));
    Entities::from_entities(all, None).expect("entities")
}

#[test]
fn every_answer_is_the_one_cedar_gives_to_all_policies_at_once() {
    let callers = [
        delegated("helper", "ann", &["sales"]),
        delegated("helper", "bob", &[]),
        delegated("other", "cy", &["sales", "it"]),
        autonomous("job"),
    ];
    let objects = ["erp/refund_order", "erp/pay_invoice", "erp/get_order", "crm/find_customer"].map(tool);
    let mut met: HashMap<Option<Reason>, u32> = HashMap::new();
    for seed in 0..60 {
        let mut dice = Dice(seed);
        let text = policies(&mut dice);
        let sliced: Policies = compile(&text).unwrap_or_else(|errors| panic!("seed {seed}: {errors:#?}\n{text}"));
        // Twice as many questions as there are kinds of them, so that remembered answers are asked for as well.
        for _ in 0..40 {
            let caller = &callers[dice.roll(callers.len())];
            let action = [Action::List, Action::Call, Action::Call, Action::Release][dice.roll(4)];
            let object = &objects[dice.roll(objects.len())];
            let arguments = arguments(object, &mut dice);
            let arguments = (action == Action::Call).then_some(&arguments);
            let expected = plainly(&text, caller, action, object, arguments);
            let got = told(ask(&sliced, caller, action, object, arguments));
            assert_eq!(got, expected, "seed {seed}: {caller:?} {action:?} {object:?} {arguments:?}\n{text}");
            *met.entry(expected.0).or_default() += 1;
        }
    }
    let kinds = [None, Some(Reason::PolicyForbids), Some(Reason::PolicyError), Some(Reason::ObligationUnmet)];
    assert!(kinds.iter().all(|kind| met.get(kind).is_some_and(|times| *times > 25)), "each kind was met: {met:?}");
}

fn arguments(object: &Object, dice: &mut Dice) -> Value {
    let order = dice.pick(&["a1", "b2"]);
    let amount = [1, 501, i64::MAX][dice.roll(3)];
    match object.name() {
        "refund_order" => json!({"order": order, "amount": amount}),
        "pay_invoice" => json!({"amount": amount}),
        "get_order" => json!({"order": order}),
        _ => json!({}),
    }
}
