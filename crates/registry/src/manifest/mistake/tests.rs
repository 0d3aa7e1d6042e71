use serde::Deserialize;

use super::*;
use crate::ServerManifest;

fn mistake(text: &str) -> String {
    parse::<ServerManifest>("servers/crm.toml", text).unwrap_err().to_string()
}

const GOOD: &str = "name = \"crm\"\nurl = \"https://crm.example/mcp\"\nowner = \"sales\"\npurpose = \"customers\"\n";

#[test]
fn an_unknown_field_is_told_with_its_place_and_the_nearest_name() {
    assert!(
        mistake(&format!("{GOOD}onwer = \"x\"\n")).starts_with(
            "servers/crm.toml:5:1: unknown field `onwer`, expected one of `name`, `url`, `zone`, `owner`, "
        )
    );
    assert!(mistake(&format!("{GOOD}onwer = \"x\"\n")).ends_with("(did you mean `owner`?)"));
    assert!(!mistake(&format!("{GOOD}colour = \"x\"\n")).contains("did you mean"));
    let nested = mistake(&format!("{GOOD}[credential]\nsecret = \"env:A\"\nheadr = \"x-key\"\n"));
    assert!(nested.starts_with("servers/crm.toml:7:1: unknown field `headr`"), "{nested}");
    assert!(nested.ends_with("(did you mean `header`?)"), "{nested}");
}

#[test]
fn a_missing_field_is_named() {
    assert_eq!(
        mistake("name = \"crm\"\nurl = \"https://crm.example/mcp\"\npurpose = \"c\"\n"),
        "servers/crm.toml:1:1: missing field `owner` (add `owner = …`)"
    );
}

#[test]
fn a_wrong_value_is_told_at_its_place_without_the_value() {
    let told = mistake("name = \"crm\"\nurl = \"https://user:hunter2@crm.example/\"\nowner = \"s\"\npurpose = \"c\"\n");
    assert!(told.starts_with("servers/crm.toml:2:7: a server's url is"), "{told}");
    let pasted = mistake(&format!("{GOOD}credential = \"hunter2\"\n"));
    assert_eq!(pasted, "servers/crm.toml:5:14: invalid type: string, expected struct Written");
    let secret = mistake(&format!("{GOOD}[credential]\nsecret = \"hunter2\"\n"));
    assert_eq!(secret, "servers/crm.toml:6:10: a secret is named as `env:NAME` or `file:PATH`, never written out");
    for told in [told, pasted, secret] {
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[test]
fn broken_toml_is_told_at_its_place() {
    let told = mistake("name = \"crm\"\nurl = https://crm\n");
    assert!(told.starts_with("servers/crm.toml:2:"), "{told}");
    assert!(!told.contains('\n'), "{told}");
}

#[test]
fn columns_count_characters() {
    let told = mistake("name = \"crm\"\npurpose = \"späße\" owner = 1\n");
    assert!(told.starts_with("servers/crm.toml:2:19:"), "{told}");
}

#[test]
fn unknown_words_have_hints_too() {
    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Kind {
        Delegated,
        Autonomous,
    }
    #[derive(Debug, Deserialize)]
    struct Agent {
        kind: Kind,
    }
    assert!(matches!(parse::<Agent>("a", "kind = \"delegated\"").unwrap().kind, Kind::Delegated));
    assert!(matches!(parse::<Agent>("a", "kind = \"autonomous\"").unwrap().kind, Kind::Autonomous));
    let told = parse::<Agent>("portcullis.toml", "kind = \"delegate\"").unwrap_err();
    assert_eq!((told.line, told.column), (1, 8));
    assert_eq!(told.hint.as_deref(), Some("did you mean `delegated`?"));
}

#[test]
fn distances_are_counted_in_letters() {
    for (from, to, expected) in [
        ("", "", 0),
        ("owner", "owner", 0),
        ("onwer", "owner", 1),
        ("own", "owner", 2),
        ("", "abc", 3),
        ("ab", "ba", 1),
    ] {
        assert_eq!(distance(from, to), expected, "{from} {to}");
        assert_eq!(distance(to, from), expected, "{to} {from}");
    }
}
