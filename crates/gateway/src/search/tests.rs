use super::*;

#[test]
fn the_definitions_are_json_with_closed_schemas_and_their_own_names() {
    for (definition, name) in DEFINITIONS.into_iter().zip([FIND, DESCRIBE, CALL]) {
        let definition: Value = serde_json::from_str(definition).unwrap();
        assert_eq!(definition["name"], name);
        assert_eq!(definition["inputSchema"]["additionalProperties"], false);
    }
    let find: Value = serde_json::from_str(DEFINITIONS[0]).unwrap();
    assert_eq!(find["inputSchema"]["properties"]["limit"]["maximum"], limits::FOUND_TOOLS_MAX);
    assert!(DEFINITIONS[0].contains(&format!("{} if not said", limits::FOUND_TOOLS)));
}

#[test]
fn what_is_wrapped_is_read_strictly() {
    let read = |text: &'static str| {
        let bytes = Bytes::from_static(text.as_bytes());
        parse::<Wrapped<'_>>(&bytes).map(|one| (one.name.into_owned(), one.arguments.map(|raw| raw.get().to_owned())))
    };
    assert_eq!(read(r#"{"name":"a"}"#).unwrap(), ("a".to_owned(), None));
    let (_, arguments) = read(r#"{"arguments":{ "x" : 1.50 },"n\u0061me":"a"}"#).unwrap();
    assert_eq!(arguments.unwrap(), r#"{ "x" : 1.50 }"#, "byte for byte");
    for (wrong, hint) in [
        ("{}", "missing field `name`"),
        (r#"{"name":1}"#, "invalid type"),
        (r#"{"name":"a","more":1}"#, "unknown field `more`"),
        (r#"{"name":"a","Arguments":{}}"#, "unknown field `Arguments`"),
    ] {
        let refusal = read(wrong).unwrap_err();
        assert_eq!(refusal.reason, Reason::ArgumentsInvalid);
        assert!(refusal.public().contains(hint), "{}", refusal.public());
    }
}

#[test]
fn a_long_description_is_told_as_far_as_its_first_words() {
    assert_eq!(first_words("äöü", 3), "äöü");
    assert_eq!(first_words("äöüß", 3), "äöü…");
}
