use super::*;

#[test]
fn a_suppression_counts_to_the_end_of_its_day() {
    assert_eq!(end_of("1970-01-01"), Some(Timestamp(24 * 60 * 60 * 1_000)));
    assert_eq!(end_of("2027-02-30"), None);
    assert_eq!(end_of("soon"), None);
}

/// What is wrong with settings that end with this.
fn mistake(text: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("portcullis.toml");
    let settings =
        "[agents]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n[data]\ndirectory = \"data\"\n";
    std::fs::write(&file, format!("{settings}{text}")).unwrap();
    std::fs::write(directory.path().join("other.known"), "name,number\n").unwrap();
    std::fs::write(directory.path().join("bad.toml"), "[[rule]]\nid = \"a\"\n").unwrap();
    let loaded = Loaded::read(&file).unwrap();
    let key = FingerprintKey::new(1);
    let told =
        loaded.inspector(key).err().or_else(|| loaded.suppressions().err()).or_else(|| loaded.canaries(key).err());
    let told = told.unwrap().to_string();
    told.replace(&directory.path().display().to_string(), "")
}

#[test]
fn what_is_wrong_is_told_at_its_place() {
    let suppress = "[[inspection.suppress]]\nrule = \"a\"\nowner = \"o\"\nreason = \"r\"\n";
    for (text, line, words) in [
        ("[inspection]\nrules = [\"none.toml\"]\n", 8, "No such file"),
        ("[inspection]\nrules = [\"bad.toml\"]\n", 8, "`bad.toml:1:1` is no file of rules"),
        ("[inspection]\nknown = [\"none.known\"]\n", 8, "none.known"),
        ("[inspection]\nknown = [\"other.known\"]\n", 8, "it is no file that `portcullis inspect dictionary`"),
        (&format!("{suppress}until = \"soon\"\n"), 11, "`soon` is no day"),
        (&format!("{suppress}until = \"2027-01-31\"\ntool = \"t\"\n"), 12, "a tool without its server"),
        ("[[inspection.canary]]\nname = \"A b\"\nfingerprint = \"1-c-2\"\n", 8, "rule id"),
    ] {
        let told = mistake(text);
        assert!(told.contains(words) && told.contains(&format!(":{line}:")), "{text}: {told}");
    }
}
