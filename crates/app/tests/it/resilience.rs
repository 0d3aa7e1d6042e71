//! What happens to the gate itself: crashes, reloads, stops, full disks, damaged files, wrong settings, people who change
//! the same thing at once. Afterwards the journal is whole, and nothing was lost that was acknowledged.

mod apply;
mod approval;
mod auditor;
mod chance;
mod crash;
mod damage;
mod disk;
mod keeping;
mod kills;
mod power;
mod reload;
mod settings;
mod stop;

use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::gate::{Gate, serve};

/// The process that serves the gate's directory.
pub(crate) fn process_id(gate: &Gate) -> u32 {
    let settings = gate.directory().join("portcullis.toml").display().to_string();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let mut ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let serves = |id: &u32| {
        let line = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).any(|argument| argument == settings.as_bytes())
    };
    ids.find(serves).expect("the gate runs")
}

/// Starts a gate that must not start, and gives what it says, on one line.
pub(crate) async fn refuses_to_start(directory: &Path) -> String {
    let command = serve(directory, None);
    // A gate that does start would run for ever.
    let mut limited = Command::new("timeout");
    limited.arg("20").arg(command.get_program()).args(command.get_args()).stdin(Stdio::null());
    let Output { status, stderr, stdout } =
        tokio::task::spawn_blocking(move || limited.output()).await.unwrap().unwrap();
    let said = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(1), "it started:\n{said}{}", String::from_utf8_lossy(&stdout));
    assert_eq!(stdout, b"", "nothing is ready");
    one_line(&said, directory)
}

/// A message on one line, however it was wrapped, with the test's directory as `DIR`; log lines are left out.
pub(crate) fn one_line(said: &str, directory: &Path) -> String {
    let lines = said.lines().filter(|line| !line.starts_with('{')).map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ").replace(&directory.display().to_string(), "DIR")
}

/// Verifies the journal from its files alone, with a gate that runs or not.
pub(crate) async fn journal_is_intact(gate: &Gate) {
    let journal = gate.directory().join("data/journal");
    let said = gate.cli(&["audit", "verify", "--dir", journal.to_str().unwrap()]).await;
    assert!(said.ok && said.out.contains("intact"), "{}{}", said.out, said.err);
}
