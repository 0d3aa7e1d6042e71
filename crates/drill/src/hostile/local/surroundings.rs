//! What a local server can see of the machine it was started on.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::process::Command;
use std::{env, process};

use serde_json::{Value, json};

/// How many processes above it are looked at.
const ANCESTORS_MAX: usize = 8;

/// Everything it can see of where it is.
pub(super) fn surroundings() -> Value {
    let environment: BTreeMap<String, String> = env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
        .collect();
    let open_files: Vec<String> = fs::read_dir("/proc/self/fd")
        .into_iter()
        .flatten()
        .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        .map(|target| target.to_string_lossy().into_owned())
        .collect();
    json!({
        "environment": environment,
        "open_files": open_files,
        "directory": env::current_dir().ok(),
        "process": process::id(),
        "ancestors": ancestors(),
        "readable": readable(),
        "could_end": could_end(),
    })
}

/// The processes above it: its parent, and so on.
fn ancestors() -> Vec<u32> {
    let mut found = Vec::new();
    let mut process = process::id();
    while let Some(parent) = parent(process).filter(|&parent| parent > 1 && found.len() < ANCESTORS_MAX) {
        found.push(parent);
        process = parent;
    }
    found
}

fn parent(process: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// What it could read of processes that are not it, as `PROCESS/FILE`.
fn readable() -> Vec<String> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let mut found = Vec::new();
    for process in processes.filter(|&other| other != process::id()) {
        for file in ["environ", "maps"] {
            let path = format!("/proc/{process}/{file}");
            if matches!(File::open(path).and_then(|mut file| file.read(&mut [0])), Ok(1..)) {
                found.push(format!("{process}/{file}"));
            }
        }
        for link in ["cwd", "fd/0"] {
            if fs::read_link(format!("/proc/{process}/{link}")).is_ok() {
                found.push(format!("{process}/{link}"));
            }
        }
    }
    found
}

/// The processes above it that it may send signals to.
fn could_end() -> Vec<u32> {
    // Signal 0 is delivered to nobody: the system only says whether it would be.
    let may = |process: &u32| {
        let asked = Command::new("/bin/sh").args(["-c", &format!("kill -0 {process} 2>/dev/null")]).status();
        asked.is_ok_and(|status| status.success())
    };
    ancestors().into_iter().filter(may).collect()
}
