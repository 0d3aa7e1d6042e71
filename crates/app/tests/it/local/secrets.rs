//! Secrets meant for a local server: it has them, and nobody else can find them.

use std::fs;

use drill::hostile::local::Mode;
use serde_json::Value;

use super::{Ground, Yard, all_end, lives, report};
use crate::client::eventually;
use crate::gate::Setup;
use crate::gate::files::write_private;
use crate::resilience::process_id;
use crate::verdict::{CREDENTIAL_UNAVAILABLE, passes};

const FOUND: &str = "secret-found-by-whom-it-is-meant-for-4e";
const OWN: &str = "secret-of-the-reports-8b1f0c";
const OTHERS: &str = "secret-of-somebody-else-77d0aa";
const NEXT: &str = "secret-of-the-reports-9c2e1d";

const SECRETS: &str = "[command.environment]\nMODE = \"plain\"\n\
                       [command.secrets]\nREPORTS_TOKEN = \"file:secrets/reports\"\nREPORTS_KEY = \"env:REPORTS_KEY\"\n";

/// A yard whose server is given two secrets, one from a file and one from the gate's own environment.
async fn yard(token: &str, shell: &'static str) -> Yard {
    let setup = Setup { shell: Some(shell), ..Setup::default() };
    let yard = Yard::unapproved(Ground { command: SECRETS, setup }).await;
    write_private(&yard.gate.directory().join("secrets/reports"), token);
    yard.approve().await;
    yard.misbehave(Mode::TellsEnvironment);
    yard
}

/// What the server finds in its environment.
async fn environment(yard: &Yard) -> Value {
    let reply = report(&yard.client()).await;
    passes(&reply);
    let told: Value = serde_json::from_str(&reply.text()).unwrap();
    told["environment"].clone()
}

#[tokio::test]
async fn a_secret_is_found_by_whom_it_is_meant_for_and_nowhere_else() {
    let shell = "export REPORTS_KEY=key-of-the-reports-31aa SOMEBODY_ELSES=secret-of-somebody-else-77d0aa";
    let yard = yard(FOUND, shell).await;
    let found = environment(&yard).await;
    let names: Vec<&String> = found.as_object().unwrap().keys().collect();
    assert_eq!(names, ["HOME", "LANG", "MODE", "PATH", "REPORTS_KEY", "REPORTS_TOKEN"]);
    assert_eq!((&found["REPORTS_TOKEN"], &found["REPORTS_KEY"]), (&FOUND.into(), &"key-of-the-reports-31aa".into()));
    let text = found.to_string();
    assert!(!text.contains(OTHERS), "{text}");
    yard.gate.holds_no_secret(&text, "the program's environment");

    // Not in anybody's command line, nor in an environment other than its own and the gate's.
    let (own, gate) = (yard.newest(), process_id(&yard.gate));
    let supervisor = super::parent(own);
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(process) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let read = |file: &str| fs::read(format!("/proc/{process}/{file}")).unwrap_or_default();
        let holds = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes).into_owned();
            text.contains(FOUND) || text.contains("key-of-the-reports-31aa")
        };
        assert!(!holds(&read("cmdline")), "the command line of {process} holds it");
        if process == supervisor {
            assert!(read("environ").is_empty(), "a supervisor needs no environment");
        }
        assert!(!holds(&read("environ")) || [own, gate].contains(&process), "the environment of {process} holds it");
    }
    for (file, bytes) in yard.gate.kept() {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!text.contains(FOUND), "{} holds it", file.display());
    }
    let said = yard.gate.output();
    assert!(!said.contains(FOUND) && !said.contains("key-of-the-reports-31aa"), "the log holds it");
    let shown = yard.gate.must(&["server", "show", "reports", "--definitions"]).await;
    assert!(shown.contains("file:secrets/reports") && !shown.contains(FOUND), "{shown}");
}

#[tokio::test]
async fn a_secret_that_changed_is_given_after_a_reload_and_one_that_is_gone_gives_nothing() {
    let yard = yard(OWN, "export REPORTS_KEY=another-key").await;
    environment(&yard).await;
    let process = yard.newest();
    write_private(&yard.gate.directory().join("secrets/reports"), NEXT);
    assert_eq!(environment(&yard).await["REPORTS_TOKEN"], OWN, "nobody said so yet");
    yard.gate.reload();
    all_end(&[process]).await;
    assert_eq!(environment(&yard).await["REPORTS_TOKEN"], NEXT);

    let (process, calls) = (yard.newest(), yard.local.calls());
    fs::remove_file(yard.gate.directory().join("secrets/reports")).unwrap();
    yard.gate.reload();
    all_end(&[process]).await;
    let outcome = yard.gate.ends(&report(&yard.client()).await, CREDENTIAL_UNAVAILABLE, "not-sent").await;
    assert!(outcome["detail"].as_str().unwrap().contains("REPORTS_TOKEN"), "{outcome:#}");
    assert_eq!((yard.local.calls(), yard.newest()), (calls, process));

    write_private(&yard.gate.directory().join("secrets/reports"), OWN);
    yard.gate.reload();
    let starts = yard.local.starts().len();
    eventually("it is read again", || yard.gate.output().matches("settings were reloaded").count() == 3).await;
    let mut reply = report(&yard.client()).await;
    while reply.status != 200 {
        reply = report(&yard.client()).await;
    }
    assert_eq!(yard.local.starts().len(), starts + 1);
}

#[tokio::test]
async fn a_reload_leaves_a_process_without_secrets_alone() {
    let yard = Yard::start().await;
    let process = yard.running().await;
    yard.gate.reload();
    yard.gate.has_said("settings were reloaded").await;
    passes(&report(&yard.client()).await);
    assert_eq!((yard.newest(), lives(process)), (process, true));
}
