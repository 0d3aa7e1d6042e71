use std::collections::HashSet;

use super::*;

#[test]
fn words_are_unique_and_serialise_as_themselves() {
    let mut seen = HashSet::new();
    for reason in Reason::ALL {
        assert!(seen.insert(reason.row().word), "{reason:?} repeats a word");
        assert_eq!(serde_json::to_value(reason).unwrap(), reason.row().word);
    }
}

#[test]
fn our_own_codes_lie_outside_the_reserved_range() {
    let defined = [-32700, -32600, -32601, -32602, -32603, -32020, -32021, -32022];
    for reason in Reason::ALL {
        let (Error(code) | ToolError(code)) = reason.row().code;
        assert!(defined.contains(&code) || !(-32768..=-32000).contains(&code), "{reason:?} uses {code}");
    }
}

#[test]
fn the_operators_text_is_never_in_the_callers() {
    let refusal =
        Refusal::new(Reason::ObjectNotFound, "hidden by policy p1").with_policies(vec!["p1".parse().unwrap()]);
    assert_eq!(refusal.public(), "not found");
}
