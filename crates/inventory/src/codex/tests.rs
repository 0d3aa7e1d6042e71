use serde_json::json;

use super::*;

fn entry() -> Map<String, Value> {
    let entry = json!({ "command": "/bin/gate", "args": ["connect", "https://gate.example/desk/mcp"] });
    entry.as_object().unwrap().clone()
}

const WRITTEN: &str = "[mcp_servers.desk]
command = \"/bin/gate\"
args = [\"connect\", \"https://gate.example/desk/mcp\"]
";

#[test]
fn a_new_file_holds_the_entry_and_nothing_else() {
    assert_eq!(put("", "desk", &entry()).unwrap().unwrap().text, WRITTEN);
    assert_eq!(format!("{}\n", pretty("desk", &entry())), WRITTEN);
}

#[test]
fn everything_else_stays_and_the_entry_can_be_taken_out_again() {
    for text in [
        "# mine\nmodel = \"x\"   # best\n\n[mcp_servers.files]\ncommand = 'files'\n",
        "model = \"x\"\n\n[mcp_servers.files]\ncommand = 'files'\n[mcp_servers.files.env]\nKEY = \"k\"\n\n[tui]\na = 1\n",
        "model = \"x\"\n\n[tui]\nnotifications = [ \"a\",  \"b\" ]\n",
    ] {
        let there = put(text, "desk", &entry()).unwrap().unwrap().text;
        assert!(there.contains(&format!("\n\n{WRITTEN}")), "{there}");
        assert_eq!(put(&there, "desk", &entry()).unwrap(), None, "put twice it is there once");
        assert_eq!(take(&there, "desk").unwrap().unwrap().text, text);
    }
}

#[test]
fn an_entry_of_that_name_is_replaced_where_it_stands() {
    let text = "[mcp_servers.desk] # old\nurl = \"x\"\n\n[tui]\na = 1\n";
    let changed = put(text, "desk", &entry()).unwrap().unwrap();
    assert!(changed.before.unwrap().contains("url = \"x\""));
    assert!(changed.text.starts_with("[mcp_servers.desk] # old\ncommand = "), "{}", changed.text);
    assert!(changed.text.ends_with("\n\n[tui]\na = 1\n"), "{}", changed.text);
}

#[test]
fn servers_written_in_one_line_are_understood() {
    let text = "mcp_servers = { desk = { command = \"/bin/gate\", args = [\"connect\", \"https://gate.example/desk/mcp\"] } }\n";
    assert_eq!(put(text, "desk", &entry()).unwrap(), None);
    let there = put("mcp_servers = { files = { command = \"files\" } }\n", "desk", &entry()).unwrap().unwrap().text;
    let said: Value = toml::from_str(&there).unwrap();
    assert_eq!(said["mcp_servers"]["desk"], Value::Object(entry()), "{there}");
}

#[test]
fn what_is_no_toml_is_refused_with_its_place() {
    let error = put("a = \n", "desk", &entry()).unwrap_err().to_string();
    assert!(error.contains("line 1"), "{error}");
    assert!(matches!(put("mcp_servers = 1\n", "desk", &entry()), Err(Malformed::NotATable)));
}

#[test]
fn line_ends_of_either_kind_stay_or_the_file_is_left_alone() {
    let text = "a = 1\r\n\r\n[tui]\r\nb = 2\r\n";
    match put(text, "desk", &entry()) {
        Ok(changed) => assert!(changed.unwrap().text.starts_with(text)),
        Err(error) => assert!(matches!(error, Malformed::NotKept)),
    }
}
