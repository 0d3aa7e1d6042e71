//! A local server that looks around for what was not given to it: the gate's environment, its memory, its open files,
//! anybody's secrets. It finds its own variables and three pipes, and can read and end nobody above it.

use std::fs;
use std::path::Path;

use drill::hostile::local::Mode;
use serde_json::Value;

use crate::gate::files::write_private;
use crate::gate::{Gate, Setup};
use crate::local::{Ground, Yard, parent, report};
use crate::resilience::process_id;
use crate::verdict::passes;

/// What only the gate knows: in its environment, and in a file that whoever started it left open.
const ONLY_THE_GATES: &str = "environment-of-the-gate-5e02ab";

/// A yard in whose gate there is something to find, and what its server found.
async fn surroundings() -> (Yard, Value) {
    let shell = "export GATE_KEY=environment-of-the-gate-5e02ab; exec 7</proc/self/environ 9</etc/passwd";
    let setup = Setup { shell: Some(shell), ..Setup::default() };
    let command = "[command.secrets]\nREPORTS_TOKEN = \"file:secrets/reports\"\n";
    let yard = Yard::unapproved(Ground { command, setup }).await;
    write_private(&yard.gate.directory().join("secrets/reports"), "secret-of-the-reports-8b1f0c");
    yard.approve().await;
    // A neighbour, which has no more rights than it and is no better concealed.
    passes(&report(&yard.client_at("annex")).await);
    yard.misbehave(Mode::TellsEnvironment);
    let reply = report(&yard.client()).await;
    passes(&reply);
    let found = serde_json::from_str(&reply.text()).unwrap();
    (yard, found)
}

/// What the processes of a list hold, which has to be a list of numbers.
fn numbers(found: &Value) -> Vec<u64> {
    found.as_array().unwrap().iter().map(|number| number.as_u64().unwrap()).collect()
}

fn links(process: u32) -> Vec<String> {
    let entries = fs::read_dir(format!("/proc/{process}/fd")).unwrap().flatten();
    entries.filter_map(|entry| Some(fs::read_link(entry.path()).ok()?.display().to_string())).collect()
}

/// Whether the kernel lets a program be kept from signalling others (Linux 6.12).
fn signals_are_walled() -> bool {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
    (numbers.next(), numbers.next()) >= (Some(6), Some(12))
}

#[tokio::test]
async fn nothing_of_the_gates_environment_or_open_files_is_in_its_own() {
    let (yard, found) = surroundings().await;
    environment(&yard, &found);
    open_files(&yard, &found);
}

fn environment(yard: &Yard, found: &Value) {
    let names: Vec<&String> = found["environment"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["HOME", "LANG", "PATH", "REPORTS_TOKEN"]);
    let all = found.to_string();
    assert!(!all.contains(ONLY_THE_GATES), "{all}");
    yard.gate.holds_no_secret(&all, "what the program found");
    let own = Path::new(found["directory"].as_str().unwrap());
    assert!(own.ends_with("data/local/yard/reports"), "{}", own.display());
    assert_eq!(fs::read_dir(own).unwrap().count(), 0, "its directory is an empty one");
}

fn open_files(yard: &Yard, found: &Value) {
    let gates = links(process_id(&yard.gate));
    assert!(gates.iter().any(|file| file == "/etc/passwd"), "the gate itself was left one: {gates:?}");
    let open = found["open_files"].as_array().unwrap().iter().map(|file| file.as_str().unwrap());
    // Sockets and the like are of its own making unless the gate has them too; of a pipe both have an end.
    let shared: Vec<&str> = open.clone().filter(|file| gates.iter().any(|gates| gates == file)).collect();
    let unnamed = |file: &&str| file.starts_with("anon_inode:");
    let shared: Vec<&str> = shared.into_iter().filter(|file| !unnamed(file)).collect();
    assert!(shared.len() == 3 && shared.iter().all(|file| file.starts_with("pipe:")), "{shared:?}");
    let listing = format!("/proc/{}/fd", found["process"]);
    let files: Vec<&str> = open.filter(|file| file.starts_with('/') && *file != listing).collect();
    assert!(files.is_empty(), "{files:?}");
}

#[tokio::test]
async fn it_can_read_no_other_process_and_end_none_above_it() {
    let (yard, found) = surroundings().await;
    let gate = process_id(&yard.gate);
    let above = numbers(&found["ancestors"]);
    assert_eq!(above[..2], [u64::from(parent(yard.newest())), u64::from(gate)]);
    assert_eq!(found["readable"], serde_json::json!([]), "it could read others");
    if signals_are_walled() {
        assert_eq!(found["could_end"], serde_json::json!([]), "it could end others");
    }
}

#[tokio::test]
async fn a_command_cannot_ask_for_what_it_would_be_refused() {
    let gate = Gate::start().await;
    let directory = gate.directory().join("attempts");
    fs::create_dir(&directory).unwrap();
    let attempts = [
        ("[command.environment]\nLD_PRELOAD = \"/opt/x.so\"\n", "steer the loading of programs"),
        ("[command.environment]\nREPORTS_TOKEN = \"written out\"\n", "by its name this is a secret"),
        ("[command.secrets]\nREPORTS_TOKEN = \"written out\"\n", "never written out"),
        ("[command.limits]\nmemory_bytes = 1099511627776\n", "use a number from"),
    ];
    for (more, told) in attempts {
        let text =
            format!("name = \"reports\"\nowner = \"ops\"\npurpose = \"x\"\n[command]\nprogram = \"/bin/true\"\n{more}");
        let file = directory.join("reports.toml");
        fs::write(&file, text).unwrap();
        let said = gate.cli(&["server", "submit", file.to_str().unwrap()]).await;
        let words = said.err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(!said.ok && words.contains(told), "{more}: {}{words}", said.out);
    }
}
