use super::*;

fn shown(form: Form, text: &str) -> Vec<String> {
    let said = entries(form, text).unwrap();
    said.into_iter().map(|said| format!("{} {}", said.name, said.value)).collect()
}

#[test]
fn every_form_gives_the_same_entries() {
    let expected = [r#"files {"command":"npx","args":["-y","files"]}"#];
    let json = r#"{ "mcpServers": { "files": { "command": "npx", /* so */ "args": ["-y", "files",] }, } } // end"#;
    assert_eq!(shown(Form::Json { section: "mcpServers" }, json), expected);
    let nested = r#"{ "mcp": { "servers": { "files": { "command": "npx", "args": ["-y", "files"] } } } }"#;
    assert_eq!(shown(Form::JsonWithin { path: ["mcp", "servers"] }, nested), expected);
    let flat = r#"{ "mcp.servers": { "files": { "command": "npx", "args": ["-y", "files"] } } }"#;
    assert_eq!(shown(Form::JsonWithin { path: ["mcp", "servers"] }, flat), expected);
    let toml = "[mcp_servers.files]\ncommand = \"npx\"\nargs = [\"-y\", \"files\"]\n";
    assert_eq!(shown(Form::Toml, toml), [r#"files {"args":["-y","files"],"command":"npx"}"#]);
    let yaml = "name: x\nmcpServers:\n  - name: files\n    command: npx\n    args:\n      - -y\n      - files\n";
    assert_eq!(shown(Form::Yaml, yaml), [r#"files {"name":"files","command":"npx","args":["-y","files"]}"#]);
}

#[test]
fn each_project_of_one_file_keeps_its_own() {
    let text = r#"{ "mcpServers": {}, "projects": { "/p": { "mcpServers": { "a": { "url": "https://x.example" } } }, "/q": {} } }"#;
    let said = entries(Form::Projects, text).unwrap();
    assert_eq!(said.len(), 1);
    assert_eq!((said[0].project.as_deref(), said[0].name.as_str()), (Some("/p"), "a"));
    assert_eq!(projects(Form::Projects, text), ["/p", "/q"]);
}

#[test]
fn both_layouts_of_an_ide_s_options_are_read() {
    let early = r#"<?xml version="1.0"?>
        <application>
          <component name="Other"><option name="command" value="no" /></component>
          <component name="McpApplicationServerCommands">
            <McpServerCommand>
              <option name="enabled" value="true" />
              <option name="name" value="files" />
              <option name="programPath" value="npx" />
              <option name="arguments" value="-y files" />
              <envs><env name="API_TOKEN" value="a &amp; b" /></envs>
            </McpServerCommand>
          </component>
        </application>"#;
    let expected =
        r#"files {"enabled":true,"name":"files","command":"npx","args":["-y","files"],"env":{"API_TOKEN":"a & b"}}"#;
    assert_eq!(shown(Form::Xml, early), [expected]);
    let later = r#"<project><component name="McpProjectServerCommands">
        <commands>
          <Properties><option name="name" value="files"/><option name="enabled" value="false"/></Properties>
        </commands>
        <urls>
          <Server><option name="name" value="far"/><option name="url" value="https://x.example/mcp"/>
            <option name="headers"><map><entry key="Authorization" value="t"/></map></option></Server>
        </urls></component></project>"#;
    let expected = r#"far {"name":"far","url":"https://x.example/mcp","headers":{"Authorization":"t"}}"#;
    assert_eq!(shown(Form::Xml, later), [expected], "what has only a state is written elsewhere");
}

#[test]
fn what_is_malformed_is_told_without_what_it_says() {
    for (form, text) in [
        (Form::Json { section: "mcpServers" }, "{ \"sk-secret\": "),
        (Form::Toml, "sk-secret = = 1"),
        (Form::Yaml, "a: [sk-secret"),
        (Form::Xml, "<a><sk-secret></b>"),
        (Form::Xml, "<a>"),
    ] {
        let why = entries(form, text).err().unwrap();
        assert!(!why.contains("secret"), "{why}");
    }
    let deep = "<a>".repeat(100);
    assert_eq!(entries(Form::Xml, &deep).err().unwrap(), "it is nested too deep");
    let deep = "[".repeat(100_000);
    assert!(entries(Form::Json { section: "x" }, &deep).is_err());
    assert!(entries(Form::Yaml, &deep).is_err());
}

#[test]
fn nothing_is_made_of_a_yaml_that_multiplies_itself() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let before = format!("*a{}", level - 1);
        text.push_str(&format!("a{level}: &a{level} [{}]\n", vec![before; 10].join(", ")));
    }
    assert!(entries(Form::Yaml, &text).is_err());
}
