//! What a new user sees, compared with what the documents say they see.

use std::path::Path;
use std::process::Command;

/// `docs/quickstart.md` holds the story as it was recorded, with ports, ids and times as they fall. `UPDATE_REFERENCE=1`
/// records it anew.
#[test]
fn the_quickstart_goes_as_told_and_looks_as_documented() {
    let run =
        Command::new(env!("CARGO_BIN_EXE_portcullis")).args(["quickstart", "--once"]).env("NO_COLOR", "1").output();
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
    assert_eq!(
        words(recorded),
        words(&told),
        "docs/quickstart.md is out of date: UPDATE_REFERENCE=1 tests/front quickstart records it anew"
    );
}

/// The story with what differs from run to run made the same.
fn settled(told: &str) -> String {
    let mut page = String::new();
    for line in told.trim_matches('\n').lines() {
        let mut line = line.trim_end().to_owned();
        if let Some((before, after)) = line.split_once("http://127.0.0.1:") {
            let path = after.split_once('/').map_or(String::new(), |(_, path)| format!("/{path}"));
            line = format!("{before}http://127.0.0.1:8600{path}");
        }
        if let Some((before, _)) = line.split_once("receipt    ") {
            line = format!("{before}receipt    01M7Y200EWY2SM5QHK2TNZXQ7Z");
        }
        if line.contains("files in") {
            "     files in   a temporary directory".clone_into(&mut line);
        }
        for (unit, number) in [(" ms", "20"), (" records", "34"), (" under a signed root", "34")] {
            line = with_number(&line, unit, number);
        }
        page.push_str(&line);
        page.push('\n');
    }
    page
}

/// Replaces the number that stands right before `unit`, if one does.
fn with_number(line: &str, unit: &str, number: &str) -> String {
    match line.split_once(unit) {
        Some((before, after)) if before.ends_with(|c: char| c.is_ascii_digit()) => {
            let text = before.trim_end_matches(|c: char| c.is_ascii_digit());
            format!("{text}{number}{unit}{after}")
        }
        Some(_) | None => line.to_owned(),
    }
}
