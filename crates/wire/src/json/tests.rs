use super::*;

fn verdict(text: &str) -> Result<(), FaultKind> {
    check(text.as_bytes(), &Bounds::MESSAGE).map(|_| ()).map_err(|fault| fault.kind)
}

#[test]
fn plain_json_is_accepted() {
    for text in [
        "{}",
        "[]",
        " \t\r\n null \n",
        "true",
        "false",
        "\"\"",
        r#""\"\\\/\b\f\n\r\tA""#,
        r#"{"a":1,"b":[1,2,{"c":null}],"d":{"a":1}}"#,
        r#"[{"a":1},{"a":1}]"#,
        "\"\u{7f}\u{80}\u{2028}\u{fffd}\u{1f600}\"",
        r#""\ud83d\ude00""#,
        "-1",
        "0",
        "9223372036854775807",
        "-9223372036854775808",
        "0.0",
        "-0.0",
        "0e999",
        "1e5",
        "1E+05",
        "5e-324",
        "1.7976931348623157e308",
        "0.1000000000000000055511151231257827",
    ] {
        assert_eq!(verdict(text), Ok(()), "{text}");
    }
}

#[test]
fn what_is_not_json_is_refused() {
    for (text, kind) in [
        ("", FaultKind::Truncated),
        ("  ", FaultKind::Truncated),
        ("{", FaultKind::Truncated),
        ("[1", FaultKind::Truncated),
        (r#"{"a""#, FaultKind::Truncated),
        (r#"{"a":"#, FaultKind::Truncated),
        ("\"a", FaultKind::Truncated),
        ("\"a\\", FaultKind::Truncated),
        ("tru", FaultKind::Truncated),
        ("-", FaultKind::Truncated),
        ("1.", FaultKind::Truncated),
        ("1e", FaultKind::Truncated),
        ("[1,]", FaultKind::Unexpected),
        (r#"{"a":1,}"#, FaultKind::Unexpected),
        ("{a:1}", FaultKind::Unexpected),
        ("{'a':1}", FaultKind::Unexpected),
        ("{1:1}", FaultKind::Unexpected),
        (r#"{"a" 1}"#, FaultKind::Unexpected),
        ("[1 2]", FaultKind::Unexpected),
        ("[1}", FaultKind::Unexpected),
        (".5", FaultKind::Unexpected),
        ("+1", FaultKind::Unexpected),
        ("-a", FaultKind::Unexpected),
        ("1.e5", FaultKind::Unexpected),
        ("1e+a", FaultKind::Unexpected),
        ("NaN", FaultKind::Unexpected),
        ("Infinity", FaultKind::Unexpected),
        ("nulL", FaultKind::Unexpected),
        ("/**/1", FaultKind::Unexpected),
        ("\u{a0}1", FaultKind::Unexpected),
        ("01", FaultKind::Trailing),
        ("1 2", FaultKind::Trailing),
        ("{}{}", FaultKind::Trailing),
        ("null//", FaultKind::Trailing),
        ("{}\0", FaultKind::Trailing),
        ("\u{feff}{}", FaultKind::ByteOrderMark),
        ("\"a\nb\"", FaultKind::ControlCharacter),
        ("\"\0\"", FaultKind::ControlCharacter),
        (r#""\x""#, FaultKind::Escape),
        (r#""\'""#, FaultKind::Escape),
        (r#""\u12""#, FaultKind::Escape),
        (r#""\u+123""#, FaultKind::Escape),
    ] {
        assert_eq!(verdict(text), Err(kind), "{text}");
        assert_eq!(kind.reason(), Reason::NotJson, "{text}");
    }
    let fault = check(b"\"a\xff\"", &Bounds::MESSAGE).unwrap_err();
    assert_eq!(fault, Fault { kind: FaultKind::NotUtf8, at: 2 });
}

#[test]
fn what_two_readers_read_differently_is_refused() {
    for (text, kind) in [
        (r#"{"a":1,"a":1}"#, FaultKind::RepeatedKey),
        (r#"{"a":1,"b":2,"\u0061":3}"#, FaultKind::RepeatedKey),
        (r#"{"😀":1,"\ud83d\ude00":2}"#, FaultKind::RepeatedKey),
        (r#"{"":1,"":2}"#, FaultKind::RepeatedKey),
        (r#"[[{"x":{"deep":[{"k":0,"k":0}]}}]]"#, FaultKind::RepeatedKey),
        (r#""\ud800""#, FaultKind::LoneSurrogate),
        (r#""\ud83d x""#, FaultKind::LoneSurrogate),
        (r#""\ude00""#, FaultKind::LoneSurrogate),
        (r#""\ud83d\ud83d""#, FaultKind::LoneSurrogate),
        (r#""\ud83d\u0041""#, FaultKind::LoneSurrogate),
        (r#""\ud83d\n""#, FaultKind::LoneSurrogate),
        (r#"{"\udc00":1}"#, FaultKind::LoneSurrogate),
        ("9223372036854775808", FaultKind::Integer),
        ("-9223372036854775809", FaultKind::Integer),
        ("18446744073709551615", FaultKind::Integer),
        ("[-0]", FaultKind::Integer),
        ("1e309", FaultKind::Float),
        ("-1e309", FaultKind::Float),
        ("1e-400", FaultKind::Float),
        ("0.0000000001e-320", FaultKind::Float),
        (&format!("0.{}", "1".repeat(64)), FaultKind::NumberTooLong),
        (&"1".repeat(65), FaultKind::NumberTooLong),
    ] {
        assert_eq!(verdict(text), Err(kind), "{text}");
        assert_eq!(kind.reason(), Reason::Ambiguous, "{text}");
    }
}

#[test]
fn a_repeated_key_is_found_among_many_and_many_keys_stay_quick() {
    let members =
        |count: usize| (0..count).map(|place| format!(r#""key{place}":{place}"#)).collect::<Vec<_>>().join(",");
    for count in [15, 16, 17, 18, 500, 9_999] {
        assert_eq!(verdict(&format!("{{{}}}", members(count))), Ok(()), "{count}");
        for repeated in [0, 7, count - 1] {
            let text = format!(r#"{{{},"\u006bey{repeated}":0}}"#, members(count));
            assert_eq!(verdict(&text), Err(FaultKind::RepeatedKey), "{count} {repeated}");
        }
    }
}

#[test]
fn limits_hold_exactly() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let objects = |depth: usize| format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
    assert_eq!(verdict(&nested(64)), Ok(()));
    assert_eq!(verdict(&objects(64)), Ok(()));
    assert_eq!(verdict(&nested(65)), Err(FaultKind::TooDeep));
    assert_eq!(verdict(&objects(65)), Err(FaultKind::TooDeep));
    assert_eq!(verdict(&"[".repeat(100_000)), Err(FaultKind::TooDeep));

    let members = |count: usize| (0..count).map(|place| format!(r#""{place}":0"#)).collect::<Vec<_>>().join(",");
    assert_eq!(verdict(&format!("{{{}}}", members(10_000))), Ok(()));
    assert_eq!(verdict(&format!("{{{}}}", members(10_001))), Err(FaultKind::TooManyMembers));

    let small = Bounds { bytes: 4, ..Bounds::MESSAGE };
    assert!(check(b"1234", &small).is_ok());
    assert_eq!(check(b"12345", &small).unwrap_err(), Fault { kind: FaultKind::TooLong, at: 4 });
    for kind in [FaultKind::TooDeep, FaultKind::TooManyMembers, FaultKind::TooLong] {
        assert_eq!(kind.reason(), Reason::TooLarge);
    }
}

#[test]
fn a_fault_names_its_place_and_never_quotes_the_text() {
    let fault = check(br#"{"secret":1,"secret":2}"#, &Bounds::MESSAGE).unwrap_err();
    assert_eq!(fault.to_string(), "an object repeats a key, at byte 12");
}

#[test]
fn members_of_the_two_outermost_levels_are_at_hand() {
    let text = br#"{"a":{"x":1,"y":{"deep":1}},"b":[{"x":3}],"c":4,"d":{"x":5}}"#;
    let strict = check(text, &Bounds::MESSAGE).unwrap();
    let list = |members: &mut dyn Iterator<Item = (&str, Json<'_>)>| {
        members.map(|(key, value)| format!("{key}={}", value.text())).collect::<Vec<_>>()
    };
    assert_eq!(list(&mut strict.members()), [r#"a={"x":1,"y":{"deep":1}}"#, r#"b=[{"x":3}]"#, "c=4", r#"d={"x":5}"#]);
    assert_eq!(list(&mut strict.members_of("a")), ["x=1", r#"y={"deep":1}"#]);
    assert_eq!(list(&mut strict.members_of("d")), ["x=5"]);
    for other in ["b", "c", "x", "deep", "none"] {
        assert!(list(&mut strict.members_of(other)).is_empty(), "{other}");
    }
}

#[test]
fn values_are_read_as_what_they_are() {
    let text =
        r#"{"s":"a\"\ud83d\ude00\u00e9\/\n","i":-7,"f":1.0,"t":true,"n":null,"l":[ 1 , [2] ,"x" ],"o":{ "k" : 1 }}"#;
    let strict = check(text.as_bytes(), &Bounds::MESSAGE).unwrap();
    let get = |name: &str| strict.members().find(|(key, _)| *key == name).unwrap().1;
    assert_eq!(get("s").string().unwrap(), "a\"😀é/\n");
    assert_eq!((get("i").integer(), get("f").integer(), get("s").integer()), (Some(-7), None, None));
    assert_eq!((get("t").boolean(), get("n").boolean()), (Some(true), None));
    assert!(get("n").is_null() && get("l").is_array() && get("o").is_object());
    assert_eq!(get("l").elements().map(Json::text).collect::<Vec<_>>(), ["1", "[2]", "\"x\""]);
    let members: Vec<_> = get("o").members().map(|(key, value)| (key.into_owned(), value.text())).collect();
    assert_eq!(members, [("k".to_owned(), "1")]);
    assert_eq!(get("l").members().count() + get("o").elements().count() + get("i").members().count(), 0);
}

#[test]
fn keys_that_differ_only_in_case_are_seen_as_other_readers_see_them() {
    let known = &["name", "uri", "task", "inputResponses"];
    for key in ["name", "uri", "nam", "names", "", "näme", "urn", "inputResponse"] {
        assert_eq!(in_another_case(key, known), None, "{key}");
    }
    for (key, meant) in [
        ("NAME", "name"),
        ("Name", "name"),
        ("urI", "uri"),
        ("tas\u{212a}", "task"),
        ("ta\u{17f}k", "task"),
        ("ur\u{131}", "uri"),
        ("UR\u{130}", "uri"),
        ("inputresponses", "inputResponses"),
    ] {
        assert_eq!(in_another_case(key, known), Some(meant), "{key}");
    }
}
