use model::Timestamp;
use serde_json::json;

use super::*;
use crate::{Definitions, Excluded};

fn definitions(tools: &[(&str, i64)]) -> Definitions {
    let tools = tools.iter().map(|(name, version)| Definition::new(*name, json!({ "v": version })).unwrap()).collect();
    Definitions { tools, instructions: Some("one".to_owned()), ..Definitions::default() }
}

fn pins(definitions: Definitions) -> Pins {
    let digest = definitions.digest().unwrap();
    Pins { definitions, identity: Digest::of(b"identity"), digest }
}

fn observed(definitions: Definitions, excluded: &[&str]) -> Observed {
    let excluded =
        excluded.iter().map(|name| Excluded { kind: Kind::Tool, name: (*name).to_owned(), why: "unusable".to_owned() });
    Observed::new(definitions, Timestamp(1), excluded.collect()).unwrap()
}

fn table(difference: &Difference) -> Vec<String> {
    let changed = difference.changed.iter().map(|one| format!("changed {} {}", one.kind, one.name));
    let added = difference.added.iter().map(|one| format!("added {} {}", one.kind, one.name));
    let removed = difference.removed.iter().map(|one| format!("removed {} {}", one.kind, one.name));
    let unusable = difference.unusable.iter().map(|one| format!("unusable {} {}", one.kind, one.name));
    changed.chain(added).chain(removed).chain(unusable).collect()
}

#[test]
fn each_definition_is_told_once_by_what_happened_to_it() {
    let old = pins(definitions(&[("same", 1), ("changed", 1), ("gone", 1), ("broken", 1)]));
    let new = observed(definitions(&[("new", 1), ("changed", 2), ("same", 1)]), &["broken", "never-approved"]);
    let difference = Difference::between(&old, &new);
    assert_eq!(
        table(&difference),
        ["changed tool changed", "added tool new", "removed tool gone", "unusable tool broken"]
    );
    let mut withheld: Vec<_> = difference.withheld().into_iter().collect();
    withheld.sort_unstable();
    assert_eq!(withheld, [(Kind::Tool, "broken"), (Kind::Tool, "changed")]);
}

#[test]
fn another_order_is_no_difference() {
    let old = pins(definitions(&[("a", 1), ("b", 1)]));
    let new = observed(definitions(&[("b", 1), ("a", 1)]), &[]);
    assert!(Difference::between(&old, &new).is_empty());
}

#[test]
fn a_tool_that_becomes_a_prompt_is_removed_and_added() {
    let old = pins(definitions(&[("a", 1)]));
    let mut moved = definitions(&[("a", 1)]);
    moved.prompts = std::mem::take(&mut moved.tools);
    let difference = Difference::between(&old, &observed(moved, &[]));
    assert_eq!(table(&difference), ["added prompt a", "removed tool a"]);
}

#[test]
fn instructions_and_what_the_server_says_of_itself_are_told_apart() {
    let old = pins(definitions(&[]));
    let mut other = definitions(&[]);
    other.instructions = Some("two".to_owned());
    let difference = Difference::between(&old, &observed(other, &[]));
    assert!(difference.instructions_changed && !difference.server_changed);
    let mut other = definitions(&[]);
    other.capabilities = json!({ "tools": {} });
    let difference = Difference::between(&old, &observed(other, &[]));
    assert!(!difference.instructions_changed && difference.server_changed);
}
