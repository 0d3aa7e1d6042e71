use crate::fixture::{ask, autonomous, compile, tool};
use crate::{Effect, ObligationKind};

/// The errors of a text, one a line, with their help indented below.
fn errors(text: &str) -> String {
    let errors = compile(text).expect_err("it must not load");
    let tell = |error: &crate::LoadError| match &error.help {
        Some(help) => format!("{error}\n    {help}\n"),
        None => format!("{error}\n"),
    };
    errors.iter().map(tell).collect()
}

#[track_caller]
fn says(text: &str, words: &[&str]) {
    let errors = errors(text);
    for words in words {
        assert!(errors.contains(words), "`{words}` is not in:\n{errors}");
    }
}

#[test]
fn a_sound_file_loads_and_is_summed_up() {
    let policies = compile(
        r#"// permit(principal, action, resource);
@id("reads") @owner("it")
permit(principal, action in Action::"use", resource in Server::"erp");

@message("a person must look at it") @approval("managers")
forbid(principal, action == Action::"call", resource == Tool::"erp/refund_order")
when { context.arguments.amount > 500 && context.now > datetime("2026-01-01") };
forbid(principal, action, resource in Server::"epr");
"#,
    )
    .expect("it loads");
    let summaries = policies.summaries();
    let [reads, refunds, slip] = summaries.as_slice() else { panic!("{summaries:?}") };
    assert_eq!((reads.id.as_str(), reads.line, reads.effect), ("reads", 2, Effect::Permit));
    assert_eq!(reads.actions, crate::Action::USE);
    assert_eq!((refunds.id.as_str(), refunds.line), ("test.cedar#2", 5));
    assert_eq!(refunds.obligations[0].kind, ObligationKind::Approval);
    assert_eq!((refunds.reads_arguments.as_slice(), refunds.reads_time), (&["amount".to_owned()][..], true));
    assert!(reads.warnings.is_empty() && refunds.warnings.is_empty(), "{reads:?} {refunds:?}");
    assert_eq!(slip.warnings, [r#"there is no Server::"epr""#]);
}

#[test]
fn a_syntax_error_is_told_at_its_line_and_column() {
    says("permit(principal, action, resource);\nforbid(principal, action resource);", &["test.cedar:2:26: "]);
}

#[test]
fn every_error_of_every_policy_is_told_at_once() {
    says(
        "@colour(\"red\")\npermit(principal, action, resource);\n  @approval(\"x\")\n  permit(principal, action, resource);",
        &["test.cedar:1:1: unknown annotation `@colour`", "test.cedar:3:3: `@approval` belongs on a `forbid`"],
    );
}

#[test]
fn an_obligation_must_be_known_to_every_action_of_the_scope() {
    says(
        r#"@approval("x") forbid(principal, action, resource);"#,
        &["`connect` does not know `@approval`; limit the policy's action to `Action::\"call\"`"],
    );
    says(
        r#"@approval("x") forbid(principal, action in Action::"use", resource);"#,
        &["`list` does not know `@approval`"],
    );
    says(
        r#"@stepup("mfa") forbid(principal, action == Action::"release", resource);"#,
        &["`release` does not know `@stepup`"],
    );
    says(
        r#"@label("untrusted") forbid(principal, action == Action::"call", resource);"#,
        &["`call` does not know `@label`"],
    );
    says(
        r#"@label("two words") forbid(principal, action == Action::"release", resource);"#,
        &["`two words` is no label"],
    );
    says(
        r#"@redact("pii") forbid(principal, action == Action::"connect", resource);"#,
        &["`connect` does not know `@redact`"],
    );
    compile(r#"@stepup("mfa") forbid(principal, action in [Action::"connect", Action::"call"], resource);"#)
        .expect("loads");
    compile(r#"@redact("pii") forbid(principal, action in [Action::"release", Action::"call"], resource);"#)
        .expect("loads");
}

#[test]
fn an_annotation_without_a_value_fails_the_load() {
    says(r#"@approval forbid(principal, action == Action::"call", resource);"#, &["`@approval` needs a value"]);
}

#[test]
fn an_id_given_twice_fails_the_load() {
    says(
        "@id(\"a\") permit(principal, action, resource);\n@id(\"a\") forbid(principal, action, resource);",
        &["test.cedar:2:1: the id `a` is taken by the policy at test.cedar:1"],
    );
}

#[test]
fn a_template_fails_the_load() {
    says(
        "permit(principal, action, resource);\n\npermit(principal == ?principal, action, resource);",
        &["test.cedar:3:1: a template", "write the entity instead"],
    );
}

#[test]
fn names_and_types_that_the_schema_lacks_fail_the_load() {
    says(r#"permit(principal is Robot, action, resource);"#, &["test.cedar:1:", "Robot"]);
    says(r#"permit(principal, action == Action::"cal", resource);"#, &["cal"]);
    says(
        r#"permit(principal is Agent, action, resource) when { principal.knd == "x" };"#,
        &["test.cedar:1:53: ", "knd"],
    );
    says(r#"permit(principal, action, resource) when { principal.kind == "x" };"#, &["kind"]);
}

#[test]
fn a_misspelt_argument_fails_the_load() {
    let refund = r#"action == Action::"call", resource == Tool::"erp/refund_order""#;
    says(
        &format!("forbid(principal, {refund})\nwhen {{ context.arguments.amuont > 500 }};"),
        &["test.cedar:2:26: no tool this policy can apply to has an argument `amuont`", "`amount`"],
    );
    says(
        &format!(
            "forbid(principal, {refund})\nwhen {{ context.arguments has amuont && context.arguments.amuont > 5 }};"
        ),
        &["test.cedar:2:30: no tool this policy can apply to has an argument `amuont`"],
    );
    says(
        &format!("forbid(principal, {refund}) when {{ context.arguments.customer.emial == \"x\" }};"),
        &["argument `customer.emial`"],
    );
}

#[test]
fn an_argument_is_checked_against_every_tool_the_policy_can_apply_to() {
    let whole = r#"principal, action == Action::"call", resource is Tool in Server::"erp""#;
    says(
        &format!("forbid({whole}) when {{ context.arguments.amount > 5 }};"),
        &["amount", "checked against the tool `erp/get_order`"],
    );
    compile(&format!("forbid({whole}) when {{ context.arguments has amount && context.arguments.amount > 5 }};"))
        .expect("loads");
}

#[test]
fn an_argument_of_the_wrong_type_fails_the_load() {
    let refund = r#"principal, action == Action::"call", resource == Tool::"erp/refund_order""#;
    says(&format!("forbid({refund}) when {{ context.arguments.order > 5 }};"), &["test.cedar:1:"]);
    says(&format!("forbid({refund}) when {{ context.arguments.rate == \"1\" }};"), &["test.cedar:1:"]);
    says(&format!("forbid({refund}) when {{ context.arguments.path == \"x\" }};"), &["path"]);
}

#[test]
fn an_argument_without_one_type_fails_the_load_and_says_why() {
    let refund = r#"principal, action == Action::"call", resource == Tool::"erp/refund_order""#;
    for read in ["context.arguments.note == \"x\"", "context.arguments has note", "context has arguments"] {
        says(
            &format!("forbid({refund}) when {{ {read} }};"),
            &[
                "argument `note` of tool `erp/refund_order` cannot be read by a policy: its schema allows more than one type",
            ],
        );
    }
}

#[test]
fn arguments_of_anything_but_a_called_tool_fail_the_load() {
    for scope in [
        "action == Action::\"call\", resource",
        "action, resource is Tool",
        "action == Action::\"list\", resource is Tool",
    ] {
        says(
            &format!(
                "forbid(principal, {scope}) when {{ context.arguments has amount && context.arguments.amount > 5 }};"
            ),
            &["arguments are there only when a tool is called"],
        );
    }
    compile(r#"forbid(principal, action, resource) when {
        action == Action::"call" && resource is Tool && context.arguments has amount && context.arguments.amount > 5 };"#)
    .expect("a condition that narrows is as good as a scope");
}

#[test]
fn a_policy_about_a_tool_to_come_loads_with_a_warning() {
    let policies = compile(
        r#"forbid(principal, action == Action::"call", resource == Tool::"erp/new") when { context.arguments.x == 1 };"#,
    );
    let summaries = policies.expect("loads").summaries();
    assert_eq!(summaries[0].warnings, [r#"there is no Tool::"erp/new""#]);
}

#[test]
fn a_policy_that_can_never_apply_loads_with_a_warning() {
    let policies =
        compile(r#"forbid(principal is Group, action, resource == Endpoint::"finance") when { resource is Tool };"#);
    if let Ok(policies) = policies {
        assert!(policies.summaries()[0].warnings.iter().any(|warning| warning.contains("never apply")));
    }
    let policies = compile(r#"forbid(principal, action == Action::"ask", resource is Tool);"#).expect("loads");
    assert!(policies.summaries()[0].warnings.iter().any(|warning| warning.contains("never apply")));
}

/// Loads, asks and drops on a thread with the stack that a runtime gives its workers; tells whether it loaded.
fn loads(condition: &str) -> bool {
    let text = format!("permit(principal, action, resource) when {{ {condition} }};");
    let work = move || match compile(&text) {
        Err(_) => false,
        Ok(policies) => {
            // Where the stack does not suffice for Cedar's evaluator, it says so, and that refuses.
            drop(ask(&policies, &autonomous("job"), crate::Action::Call, &tool("erp/get_order"), None));
            true
        }
    };
    let worker = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
    worker.spawn(work).expect("a thread").join().expect("it comes back")
}

#[test]
fn no_policy_however_deep_exhausts_the_stack() {
    for depth in [100, 1_000, 100_000, 1_000_000] {
        assert!(!loads(&format!("{}true{}", "(".repeat(depth), ")".repeat(depth))));
        assert!(!loads(&format!("{}1{} == 1", "[".repeat(depth), "]".repeat(depth))));
        assert!(!loads(&format!("context{}", ".a".repeat(depth))));
        assert!(!loads(&format!("context{}", "[\"a\"]".repeat(depth))));
        assert!(!loads(&format!("{}true", "if true then true else ".repeat(depth))));
    }
}

#[test]
fn a_policy_at_every_limit_at_once_loads() {
    let deepest = "context.agent.kind == \"x\" || ".repeat(600) + "1" + &"+1".repeat(2_000) + " == 1";
    assert!(loads(&deepest));
    let choices = "if context has user then true else ".repeat(60);
    let nested = format!("{}{choices}{deepest}{}", "(".repeat(30), ")".repeat(30));
    assert!(loads(&nested));
}
