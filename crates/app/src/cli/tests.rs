use clap::CommandFactory as _;

use super::*;

fn parsed(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split(' '))
}

#[test]
fn the_commands_are_well_formed() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_of_a_running_gate_is_understood() {
    for line in [
        "portcullis apply -f state --dry-run",
        "portcullis apply -f state --yes --json --config gate.toml",
        "portcullis server submit crm.toml",
        "portcullis server list --json",
        "portcullis server show crm --definitions",
        "portcullis server approve crm --yes",
        "portcullis server suspend crm --reason broken",
        "portcullis endpoint list",
        "portcullis policy list",
        "portcullis policy check policies",
        "portcullis halt user ana --reason leak",
        "portcullis halt tool erp/refund --reason leak",
        "portcullis halt everything --reason leak",
        "portcullis resume everything",
        "portcullis halts --admin http://127.0.0.1:9443 --token-file token",
        "portcullis audit show 01KADZ3NRE0000000000000000",
        "portcullis audit search refund --agent helpdesk --since 7d --kind refused",
        "portcullis audit verify --dir journal",
        "portcullis status",
        "portcullis login --admin https://gate.example:9443 --no-browser",
        "portcullis login --device --first data/first.code",
        "portcullis logout",
        "portcullis whoami --json",
        "portcullis inspect -",
        "portcullis inspect answer.json --json --rules own.toml",
        "portcullis inspect test",
        "portcullis inspect rules",
        "portcullis inspect rules github token --json --rules own.toml",
        "portcullis inspect test --rules own.toml",
        "portcullis connect https://gate/desk/mcp --token-file token",
        "portcullis connect --install vscode https://gate/desk/mcp --project --print",
        "portcullis connect --remove codex --name desk --yes",
    ] {
        assert!(parsed(line).is_ok(), "{line}");
    }
}

#[test]
fn what_is_asked_wrongly_is_told_before_anything_is_asked_of_a_gate() {
    for line in [
        "portcullis",
        "portcullis apply",
        "portcullis apply -f state --dry-run --yes",
        "portcullis halt user ana",
        "portcullis halt everything",
        "portcullis server show Not_A_Name",
        "portcullis server approve crm --seen 12ab",
        "portcullis audit show 7",
        "portcullis audit search --since yesterday",
        "portcullis audit search --kind maybe",
        "portcullis login --device --no-browser",
        "portcullis connect",
        "portcullis connect --install vscode",
        "portcullis connect --install notepad https://gate/desk/mcp",
        "portcullis connect https://gate/desk/mcp --print",
        "portcullis connect https://gate/desk/mcp --token secret",
    ] {
        assert!(parsed(line).is_err_and(|error| error.exit_code() == 2), "{line}");
    }
}
