use super::*;

fn leaves(text: &str) -> Vec<String> {
    let mut walk = Walk::new(text);
    let mut leaves = Vec::new();
    while let Some(leaf) = walk.next_leaf() {
        let part = if leaf.part == Part::Key { "key" } else { "value" };
        leaves.push(format!("{} {part} {}", walk.pointer(), leaf.text));
    }
    leaves
}

#[test]
fn keys_and_strings_and_long_numbers_are_told_with_their_pointers() {
    let text = r#"{"a/b": ["x", {"c~d": "y\n"}, 12, 4111111111111111], "e": "z"}"#;
    let expected = [
        "/a~1b key a/b",
        "/a~1b/0 value x",
        "/a~1b/1/c~0d key c~d",
        "/a~1b/1/c~0d value y\n",
        "/a~1b/3 value 4111111111111111",
        "/e key e",
        "/e value z",
    ];
    assert_eq!(leaves(text), expected);
}

#[test]
fn what_is_too_deep_ends_the_walk_and_is_told() {
    let text = "[".repeat(limits::JSON_DEPTH_MAX + 1);
    let mut walk = Walk::new(&text);
    assert!(walk.next_leaf().is_none());
    assert!(!walk.sound);
}

#[test]
fn text_that_is_no_json_ends_the_walk_without_harm() {
    for text in ["", "\"", "{\"a", "{\"a\\", "]]}}", "[\"\\u12\"]", ",,,", "{\"a\":\"b", "-", "nonsense \"x\" {"] {
        let mut walk = Walk::new(text);
        while walk.next_leaf().is_some() {}
    }
}
