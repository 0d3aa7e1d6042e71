use super::*;

#[test]
fn a_name_that_is_nearly_a_known_one_is_told() {
    for (form, name, known) in [
        (Form::Npm, "@modelcontextprotocol/server-filesytem", "@modelcontextprotocol/server-filesystem"),
        (Form::Npm, "@modelcontextprotoco1/server-filesystem", "@modelcontextprotocol/server-filesystem"),
        (Form::Npm, "@acme/server-filesystem", "@modelcontextprotocol/server-filesystem"),
        (Form::Npm, "modelcontextprotocol-server-filesystem", "@modelcontextprotocol/server-filesystem"),
        (Form::Npm, "mcp-remtoe", "mcp-remote"),
        (Form::Wheel, "mcp-server-fecth", "mcp-server-fetch"),
        (Form::Wheel, "mcpserverfetch", "mcp-server-fetch"),
    ] {
        assert_eq!(resemblance(form, name).map(|one| one.name).as_deref(), Some(known), "{name}");
    }
}

#[test]
fn known_names_and_other_names_resemble_nothing() {
    for (form, name) in [
        (Form::Npm, "@modelcontextprotocol/server-filesystem"),
        (Form::Npm, "acme-tickets"),
        (Form::Npm, "left-pad"),
        (Form::Wheel, "mcp_server_fetch"),
        (Form::Wheel, "pandas"),
        (Form::Crate, "mcp-remotee"),
    ] {
        assert_eq!(resemblance(form, name), None, "{name}");
    }
}
