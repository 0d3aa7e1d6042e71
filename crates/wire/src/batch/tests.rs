use super::*;

fn bodies(text: &str) -> Result<Vec<(String, bool)>, String> {
    let plain = |element: &Element| (String::from_utf8(element.body.to_vec()).unwrap(), element.is_answered);
    let split = split(&Bytes::from(text.to_owned()));
    split.map(|elements| elements.iter().map(plain).collect()).map_err(|flaw| flaw.refusal.public())
}

#[test]
fn messages_are_cut_out_byte_for_byte() {
    let text =
        " [ {\"id\":1, \"method\":\"ping\"} ,\n{\"method\":\"notifications/initialized\"},{\"id\":1,\"result\":{}} ]";
    let expected = [
        ("{\"id\":1, \"method\":\"ping\"}", true),
        ("{\"method\":\"notifications/initialized\"}", false),
        ("{\"id\":1,\"result\":{}}", false),
    ];
    assert_eq!(bodies(text).unwrap(), expected.map(|(text, is_answered)| (text.to_owned(), is_answered)));
}

#[test]
fn what_is_wrong_with_one_message_is_for_the_message_to_say() {
    for element in ["7", "[]", "{}", "null", r#"{"id":1.5,"method":"ping"}"#, r#"{"id":null,"method":"ping"}"#] {
        assert_eq!(bodies(&format!("[{element}]")).unwrap(), [(element.to_owned(), true)], "{element}");
    }
}

#[test]
fn a_batch_that_is_none_is_refused_whole() {
    for (text, words) in [
        ("[]".to_owned(), "without messages"),
        (format!("[{}]", vec!["{}"; limits::BATCH_MESSAGES_MAX + 1].join(",")), "at most"),
        (r#"[{"id":1,"method":"ping"},{"id":2,"method":"initialize"}]"#.to_owned(), "cannot be part"),
        (r#"[{"id":1,"method":"initi\u0061lize"}]"#.to_owned(), "cannot be part"),
        (r#"[{"method":"initialize"}]"#.to_owned(), "cannot be part"),
        (r#"[{"id":1,"method":"ping"},{"method":"tools/list","id":1}]"#.to_owned(), "the same `id`"),
        (r#"[{"id":"a","method":"ping"},{"method":"tools/list","id":"\u0061"}]"#.to_owned(), "the same `id`"),
        (r#"[{"id":1,"method":"ping"}"#.to_owned(), ""),
        (r#"[{"id":1,"method":"ping","method":"tools/call"}]"#.to_owned(), ""),
        (r#"[{"id":1,"method":"ping"},]"#.to_owned(), ""),
    ] {
        let told = bodies(&text).unwrap_err();
        assert!(told.contains(words), "{text}: {told}");
    }
    assert_eq!(bodies(&format!("[{}]", vec!["{}"; limits::BATCH_MESSAGES_MAX].join(","))).unwrap().len(), 64);
    // A number and a text are two ids.
    assert!(bodies(r#"[{"id":1,"method":"ping"},{"method":"ping","id":"1"}]"#).is_ok());
}

#[test]
fn a_batch_is_known_by_its_first_character() {
    for (text, is) in [("[", true), (" \t\r\n[1]", true), ("{}", false), ("", false), ("\u{feff}[]", false)] {
        assert_eq!(is_batch(text.as_bytes()), is, "{text:?}");
    }
}
