//! What a new user sees, compared with what the documents say they see.

use std::path::Path;
use std::process::Command;

/// `docs/quickstart.md` holds the story as it was recorded, with ports, ids and times as they fall. `UPDATE_REFERENCE=1`
/// records it anew.
#[test]
fn the_quickstart_goes_as_told_and_looks_as_documented() {
    let run = Command::new(env!("CARGO_BIN_EXE_portcullis")).args(["quickstart", "--once"]).env("NO_COLOR", "1").output();
    let run = run.unwrap();
    let told = String::from_utf8(run.stdout).unwrap();
    assert!(run.status.success(), "{told}\n{}", String::from_utf8_lossy(&run.stderr));
    assert!(!told.contains('\u{1b}'), "colour where none was wanted");
    for line in told.lines() {
        assert!(line.chars().count() <= 80, "wider than 80 columns: {line}");
    }
    let told = settled(&told);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/quickstart.md");
    let page = std::fs::read_to_string(&file).unwrap();
    let (before, rest) = page.split_once("```text\n").unwrap();
    let (recorded, after) = rest.split_once("```\n").unwrap();
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        std::fs::write(&file, format!("{before}```text\n{told}```\n{after}")).unwrap();
        return;
    }
    // Where lines break depends on how many digits a number had.
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(recorded), words(&told), "docs/quickstart.md is out of date: UPDATE_REFERENCE=1 ./test quick records it anew");
}

/// The story with what differs from run to run made the same.
fn settled(told: &str) -> String {
    let mut lines: Vec<String> = told.lines().map(|line| line.trim_end().to_owned()).collect();
    for line in &mut lines {
        if let Some(start) = line.find("http://127.0.0.1:") {
            let port = start + "http://127.0.0.1:".len();
            let end = line[port..].find('/').map_or(line.len(), |slash| port + slash);
            line.replace_range(port..end, "8600");
        }
        if let Some(start) = line.find("receipt    ") {
            line.replace_range(start + 11.., "01M7Y200EWY2SM5QHK2TNZXQ7Z");
        }
        if line.contains("files in") {
            *line = "     files in   a temporary directory".to_owned();
        }
        *line = numbers_before(line, " ms", "20");
        *line = numbers_before(line, " records", "34");
        *line = numbers_before(line, " under a signed root", "34");
    }
    lines.join("\n").trim_matches('\n').to_owned() + "\n"
}

/// Replaces the number that stands right before `unit`.
fn numbers_before(line: &str, unit: &str, number: &str) -> String {
    let Some(end) = line.find(unit) else { return line.to_owned() };
    let digits = line[..end].chars().rev().take_while(char::is_ascii_digit).count();
    if digits == 0 {
        return line.to_owned();
    }
    format!("{}{number}{}", &line[..end - digits], &line[end..])
}
