//! A server that the gate starts: the team's notebook, at an endpoint of its own. It must die with the gate each time.

/// What is applied to have it.
pub(super) fn state() -> [(String, String); 3] {
    let binary = env!("CARGO_BIN_EXE_portcullis");
    let server = format!(
        "name = \"notes\"\nowner = \"the desk\"\npurpose = \"A notebook\"\n[command]\nprogram = \"{binary}\"\narguments = \
         [\"sample-server\", \"notes\", \".\"]\n"
    );
    let endpoint = crate::gate::files::endpoint("notes", "notes");
    [
        ("servers/notes.toml".to_owned(), server),
        ("endpoints/notes.toml".to_owned(), endpoint),
        ("policies/notes.cedar".to_owned(), POLICY.to_owned()),
    ]
}

const POLICY: &str = r#"
@id("notes-connect")
permit (principal, action == Action::"connect", resource == Endpoint::"notes");
@id("notes-tools")
permit (principal, action in Action::"use", resource is Tool in Server::"notes");
"#;
