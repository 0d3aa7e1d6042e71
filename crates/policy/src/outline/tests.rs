use super::*;

fn fault(text: &str) -> Option<String> {
    check(&Source { file: "a.cedar".to_owned(), text: text.to_owned() }).err().map(|error| error.to_string())
}

#[test]
fn texts_and_comments_do_not_count() {
    let brackets = "(".repeat(100);
    assert_eq!(
        fault(&format!("// {brackets}\npermit(principal, action, resource) when {{ \"\\\"{brackets}\" == \"\" }};")),
        None
    );
}

#[test]
fn each_policy_is_counted_anew() {
    assert_eq!(fault(&"permit(principal, action, resource) when { if a.b.c then d else e };\n".repeat(5_000)), None);
}

#[test]
fn chains_begin_anew_after_an_operator() {
    assert_eq!(fault(&"context.a.b == 1 && ".repeat(500)), None);
    assert_eq!(fault(&"context has a.b || context.a > context.b, ".repeat(500)), None);
}

#[test]
fn what_goes_too_far_is_told_at_its_place() {
    let deep = format!("permit(principal, action, resource)\nwhen {{ {} }};", "(".repeat(40));
    assert_eq!(fault(&deep).as_deref(), Some("a.cedar:2:39: the policy nests more than 32 brackets"));
    let long = format!("x{}", ".y".repeat(40));
    assert_eq!(fault(&long).as_deref(), Some("a.cedar:1:66: the policy takes more than 32 steps into one value"));
    assert!(fault(&"if ".repeat(70)).is_some_and(|fault| fault.contains("`if` more than 64 times")));
    assert!(fault(&"a ".repeat(20_000)).is_some_and(|fault| fault.contains("more than 32768 bytes")));
}
