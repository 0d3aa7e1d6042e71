//! `portcullis inspect`: the real binary on files, with what it prints and how it ends.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::attacks::data_leaks::token;

/// How it ended, and what it printed on either output.
fn inspect(folder: &tempfile::TempDir, arguments: &[&str], input: &str) -> (Option<i32>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .arg("inspect")
        .args(arguments)
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    (status.code(), String::from_utf8([stdout, stderr].concat()).unwrap())
}

#[test]
fn what_is_in_a_file_is_told_by_where_it_stands_and_never_by_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let mail = (0..9).map(|number| format!("mail{number}@company.org\n")).collect::<String>();
    std::fs::write(folder.path().join("notes.txt"), format!("key {}\n{mail}", token())).unwrap();
    let (exit, page) = inspect(&folder, &["notes.txt"], "");
    assert_eq!(exit, Some(1), "{page}");
    assert!(!page.contains(&token()) && !page.contains("mail1@"), "{page}");
    let places = ["secret.github.token", "at 1:5, ", "personal.email", "at 2:1, ", "and 4 more places"];
    assert!(places.iter().all(|place| page.contains(place)), "{page}");
    assert!(page.ends_with("10 findings: 1 critical, 9 medium\nClassification restricted\n"), "{page}");
    // What does most harm comes first, and nothing but a place is wider than a screen.
    assert!(page.find("secret.github") < page.find("personal.email"), "{page}");
    assert!(page.lines().all(|line| line.chars().count() <= 80), "{page}");

    let (exit, page) = inspect(&folder, &["-", "--json"], &format!("{{\"a\":{{\"b\":\"{}\"}}}}", token()));
    let told: Value = serde_json::from_str(&page).unwrap();
    assert_eq!((exit, &told["findings"][0]["place"]["pointer"]), (Some(1), &Value::from("/a/b")), "{page}");
    let (exit, page) = inspect(&folder, &["-"], "all is well");
    assert_eq!((exit, page.as_str()), (Some(0), "Nothing was found.\nClassification public\n"));
}

#[test]
fn a_file_that_cannot_be_looked_into_is_no_clean_one() {
    let folder = tempfile::tempdir().unwrap();
    let files: [(&str, &[u8]); 2] = [("picture", b"PK\x03\x04\0\0"), ("half", b"caf\xe9 au lait")];
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    std::fs::File::create(folder.path().join("large")).unwrap().set_len(64 * 1024 * 1024 + 1).unwrap();
    for (arguments, exit, words) in [
        (["missing"].as_slice(), 2, "read `missing`: "),
        (&["."], 2, "read `.`: "),
        (&["picture"], 2, "`picture` is no text"),
        (&["large"], 2, "`large` is larger than 64 MiB"),
        (&["half"], 1, "Some of its bytes are no text"),
        (&[], 2, "required"),
    ] {
        let (ended, page) = inspect(&folder, arguments, "");
        assert!(ended == Some(exit) && page.contains(words), "{arguments:?}: {ended:?} {page}");
    }
}

#[test]
fn rules_are_shown_and_tried_with_those_of_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    let own = "[[rule]]\nid = \"own.project\"\nversion = 3\nabout = \"A project of ours.\"\nclass = \"project\"\n\
               severity = \"high\"\nconfidence = \"high\"\nkeywords = [\"bluebird-\"]\npattern = 'bluebird-[0-9]{3}'\n";
    let tried = "matches = [\"bluebird-123\"]\npasses = [\"bluebird-x\"]\n";
    std::fs::write(folder.path().join("untried.toml"), own).unwrap();
    std::fs::write(folder.path().join("own.toml"), format!("{own}{tried}")).unwrap();
    std::fs::write(folder.path().join("wrong.toml"), format!("{own}\n{} =", token())).unwrap();

    let (exit, page) = inspect(&folder, &["rules", "project", "own", "--rules", "own.toml"], "");
    let shown =
        "own.project version 3\n  class project, severity high, high confidence\n  A project of ours.\n\n1 rule\n";
    assert_eq!((exit, page.as_str()), (Some(0), shown));
    let (exit, page) = inspect(&folder, &["rules", "--json"], "");
    let told: Value = serde_json::from_str(&page).unwrap();
    assert!(exit == Some(0) && told["rules"].as_array().unwrap().len() > 200);
    assert_eq!(inspect(&folder, &["rules", "no such thing"], "").0, Some(1));

    assert_eq!(inspect(&folder, &["test", "--rules", "own.toml"], "").0, Some(0));
    let (exit, page) = inspect(&folder, &["test", "--rules", "untried.toml"], "");
    assert!(exit == Some(1) && page.contains("rule `own.project` has no text that it must see"), "{page}");
    let (exit, page) = inspect(&folder, &["test", "--rules", "wrong.toml"], "");
    assert!(exit == Some(1) && page.contains("wrong.toml:11:") && !page.contains(&token()), "{page}");
    assert_eq!(inspect(&folder, &["--rules", "own.toml", "-"], "about bluebird-123").0, Some(1));
    assert_eq!(inspect(&folder, &["-"], "about bluebird-123").0, Some(0));
}
