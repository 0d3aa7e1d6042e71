use super::*;

fn reads(condition: &str) -> Reads {
    let text = format!("permit(principal, action, resource) when {{ {condition} }};");
    let policy: cedar_policy::Policy = text.parse().expect("policy parses");
    Reads::of(&policy.to_pst().expect("policy has a tree"))
}

#[test]
fn arguments_are_found_by_name_in_every_spelling() {
    assert_eq!(reads("context.arguments.amount > 1").argument_names(), ["amount"]);
    assert_eq!(reads("context[\"arguments\"][\"amount\"] > 1").argument_names(), ["amount"]);
    assert_eq!(reads("context.arguments has amount").argument_names(), ["amount"]);
    assert_eq!(reads("context has arguments.customer.email").argument_names(), ["customer.email"]);
    assert_eq!(
        reads("if context.arguments.a then [context.arguments.b].contains(1) else {x: context.arguments.c} == {x: 1}")
            .argument_names(),
        ["a", "b", "c"]
    );
}

#[test]
fn anything_else_that_touches_the_arguments_reads_all_of_them() {
    assert_eq!(reads("context.arguments == {a: 1}").argument_names(), ["*"]);
    assert_eq!(reads("context has arguments").argument_names(), ["*"]);
    let whole = reads("context == {a: 1}");
    assert!(whole.all_arguments && whole.time && whole.surroundings);
}

#[test]
fn the_rest_of_the_context_stands_still() {
    let still =
        reads("context.agent.kind == \"autonomous\" && context has user && context.endpoint == Endpoint::\"a\"");
    assert!(!still.moves() && still.surroundings);
    assert!(reads("context.arguments.a == 1 && context has user").surroundings);
    assert!(!reads("context.arguments.a == 1 && context.now < datetime(\"2027-01-01\")").surroundings);
    assert!(reads("context.now < datetime(\"2027-01-01\")").moves());
}

#[test]
fn a_record_or_a_text_that_spells_arguments_is_none() {
    assert!(!reads("{arguments: {amount: 1}}.arguments.amount == 1 && \"context.arguments.x\" like \"*\"").moves());
}

#[test]
fn a_condition_on_the_principal_is_noticed_wherever_it_stands() {
    assert!(reads("context.arguments.a == 1 && (if principal is Agent then true else false)").principal);
    assert!(!reads("context.arguments.a == 1 && resource is Tool && context.agent.kind == \"principal\"").principal);
}
