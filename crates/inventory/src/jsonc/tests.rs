use serde_json::json;

use super::*;

fn entry() -> Value {
    json!({ "command": "/bin/gate", "args": ["connect", "https://gate.example/desk/mcp"] })
}

fn with(text: &str) -> String {
    put(text, "mcpServers", "desk", &entry()).unwrap().unwrap().text
}

/// Put in, taken out again, the text is what it was.
fn comes_and_goes(text: &str) {
    let there = with(text);
    assert_eq!(put(&there, "mcpServers", "desk", &entry()).unwrap(), None, "put twice it is there once:\n{there}");
    let gone = take(&there, "mcpServers", "desk").unwrap().unwrap();
    assert_eq!(gone.text, text, "from:\n{there}");
}

#[test]
fn a_new_file_holds_the_entry_and_nothing_else() {
    for text in ["", "\n", " \u{feff}"] {
        let made: Value = serde_json::from_str(&with(text.trim_start())).unwrap();
        assert_eq!(made, json!({ "mcpServers": { "desk": entry() } }));
    }
}

#[test]
fn comments_order_and_indentation_stay() {
    let text = "\
// Mine.
{
    \"theme\": \"dark\", // and nothing else
    /* servers */
    \"mcpServers\": {
        // the files
        \"files\": { \"command\": \"files\" } // keep me
    }, // done
}
";
    let expected = "\
// Mine.
{
    \"theme\": \"dark\", // and nothing else
    /* servers */
    \"mcpServers\": {
        // the files
        \"files\": { \"command\": \"files\" }, // keep me
        \"desk\": {
            \"command\": \"/bin/gate\",
            \"args\": [
                \"connect\",
                \"https://gate.example/desk/mcp\"
            ]
        }
    }, // done
}
";
    assert_eq!(with(text), expected);
    comes_and_goes(text);
}

#[test]
fn what_was_put_in_can_be_taken_out_again() {
    for text in [
        "{\n  \"mcpServers\": {\n    \"a\": {}\n  }\n}\n",
        "{\n\t\"mcpServers\": {\n\t\t\"a\": {},\n\t}\n}",
        "{\r\n  \"x\": [1, 2,],\r\n  \"mcpServers\": {\r\n    \"a\": {}\r\n  }\r\n}\r\n",
        "{\"mcpServers\":{\"a\":{}},\"n\":1}",
        "{\"mcpServers\":{\"a\":{},},\"n\":1}",
        "\u{feff}{\n  \"mcpServers\": {\n    \"a\": {}\n  }\n}\n",
    ] {
        comes_and_goes(text);
    }
}

#[test]
fn the_first_entry_makes_room_for_itself() {
    for text in [
        "{}",
        "{ }",
        "{\n}\n",
        "{\n  // none yet\n}\n",
        "{\n  \"mcpServers\": {}\n}\n",
        "{\n  \"mcpServers\": {\n    // none yet\n  },\n}\n",
        "{\"numStartups\":3}",
        "{\n  \"a\": 1, // one\n}",
    ] {
        let there = with(text);
        assert_eq!(plain(there.trim()).unwrap()["mcpServers"]["desk"], entry(), "{there}");
        let kept = text.trim_matches(['{', '}', '\n', ' ']);
        assert!(there.contains(kept.lines().next().unwrap_or_default()), "{there}");
        let gone = take(&there, "mcpServers", "desk").unwrap().unwrap().text;
        assert_eq!(plain(gone.trim()).unwrap()["mcpServers"], json!({}), "{gone}");
    }
}

#[test]
fn an_entry_of_that_name_is_replaced_where_it_stands() {
    let text = "{\n  \"mcpServers\": {\n    \"desk\": { \"url\": \"x\", /* old */ },\n    \"b\": {}\n  }\n}";
    let changed = put(text, "mcpServers", "desk", &entry()).unwrap().unwrap();
    assert_eq!(changed.before.as_deref(), Some("{ \"url\": \"x\", /* old */ }"));
    let said = plain(&changed.text).unwrap();
    assert_eq!(said["mcpServers"], json!({ "desk": entry(), "b": {} }));
    assert!(changed.text.ends_with("},\n    \"b\": {}\n  }\n}"), "{}", changed.text);
}

#[test]
fn an_entry_that_says_the_same_is_left_as_it_is_written() {
    let text = "{\"mcpServers\":{\"desk\":{\"args\":[\"connect\",\"https://gate.example/desk/mcp\",],//x\n\"command\":\"/bin/gate\"}}}";
    assert_eq!(put(text, "mcpServers", "desk", &entry()).unwrap(), None);
}

#[test]
fn any_entry_can_be_taken_out() {
    let text = "{\n  \"mcpServers\": {\n    \"a\": 1, // a\n    \"b\": 2,\n    \"c\": 3\n  }\n}\n";
    for (name, left) in [
        ("a", "{\n  \"mcpServers\": {\n    \"b\": 2,\n    \"c\": 3\n  }\n}\n"),
        ("b", "{\n  \"mcpServers\": {\n    \"a\": 1, // a\n    \"c\": 3\n  }\n}\n"),
        ("c", "{\n  \"mcpServers\": {\n    \"a\": 1, // a\n    \"b\": 2\n  }\n}\n"),
    ] {
        assert_eq!(take(text, "mcpServers", name).unwrap().unwrap().text, left);
    }
    assert_eq!(take(text, "mcpServers", "d").unwrap(), None);
    assert_eq!(
        take("{\"mcpServers\":{\"a\":1, \"b\":2}}", "mcpServers", "a").unwrap().unwrap().text,
        "{\"mcpServers\":{\"b\":2}}"
    );
}

#[test]
fn what_is_no_json_is_refused_with_its_place() {
    for (text, place) in [
        ("{", "in line 1, column 2"),
        ("[]", "in line 1, column 1"),
        ("{\n  \"a\" 1\n}", "in line 2, column 7"),
        ("{ \"a\": 1 \"b\": 2 }", "in line 1, column 10"),
        ("{ \"a\": tru }", "in line 1, column 8"),
        ("{ 'a': 1 }", "in line 1, column 3"),
        ("{} {}", "in line 1, column 4"),
        ("{ /* }", "in line 1, column 3"),
        ("{ \"mcpServers\": [] }", "in line 1, column 17"),
        ("{ \"mcpServers\": {}, \"mcpServers\": {} }", "in line 1, column 21"),
        ("{ \"mcpServers\": { \"desk\": 1, \"desk\": 2 } }", "in line 1, column 30"),
        ("{ \"a\": \"\n\" }", "in line 1, column 8"),
        ("{ \"a\": [1 2] }", "in line 1, column 11"),
    ] {
        let error = put(text, "mcpServers", "desk", &entry()).unwrap_err().to_string();
        assert!(error.ends_with(place), "{text}: {error}");
    }
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(1_000), "]".repeat(1_000));
    assert!(put(&deep, "mcpServers", "desk", &entry()).is_err());
}
