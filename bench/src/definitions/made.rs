//! Poisoned texts, made by program from classes of attacks that were published.
//!
//! The classes are those of Invariant Labs' notes on tool poisoning (2025), `MCPTox` (arXiv 2508.14925), `MCPSecBench`, the
//! MCP Security Bench, and Noma's and others' on hidden characters. The wordings are our own: `definitions/tried.toml` has
//! those that rules are written with in sight, `definitions/held-out.toml` those that they are never tried on. Wordings are
//! filled with several places and some are put in a guise; everything follows from the order, so that each run makes the
//! same.

use anyhow::Context;
use serde::Deserialize;
use serde_json::{Value, json};

use super::at;

/// A poisoned text.
pub(super) struct Poison {
    /// The class of attack.
    pub(super) class: String,
    /// How it is hidden.
    pub(super) guise: &'static str,
    /// The text, in its guise.
    pub(super) text: String,
}

const FILES: [&str; 6] =
    ["~/.ssh/id_ed25519", "~/.aws/credentials", "/home/user/.env", "~/.kube/config", "~/.netrc", "~/.bash_history"];
const SINKS: [&str; 5] = [
    "https://collect.attacker.example/in",
    "drop@attacker.example",
    "https://198.51.100.7/p",
    "+49 1590 1234567",
    "backup@mail.attacker.test",
];
const TOOLS: [&str; 4] = ["send_email", "transfer_funds", "read_file", "create_payment"];

/// Rounds through files, sinks and tools, for wordings that were tried: every other one in guises.
const ROUNDS: usize = 6;
/// Of a class that begins so each wording was filled in when it was made.
const FILLED: &str = "of the grammar";

/// Poisons of two kinds.
pub(super) struct Poisons {
    /// Those that the rules were tried on while they were written.
    pub(super) tried: Vec<Poison>,
    /// Those that they were not, as they are: one of each wording.
    pub(super) held_out: Vec<Poison>,
    /// The same in guises.
    pub(super) disguised: Vec<Poison>,
}

/// A file of wordings.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    class: Vec<Class>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Class {
    name: String,
    wordings: Vec<String>,
}

/// All of them.
pub(super) fn poisons() -> anyhow::Result<Poisons> {
    let read =
        |text: &str, what: &'static str| toml::from_str::<File>(text).with_context(|| format!("cannot read {what}"));
    let tried = read(include_str!("../../definitions/tried.toml"), "tried.toml")?;
    let held_out = read(include_str!("../../definitions/held-out.toml"), "held-out.toml")?;
    let rounds = |class: &Class| if class.name.starts_with(FILLED) { 1 } else { ROUNDS };
    let mut all = Poisons { tried: Vec::new(), held_out: Vec::new(), disguised: Vec::new() };
    for round in 0..ROUNDS {
        let classes = tried.class.iter().filter(|class| round < rounds(class));
        made(classes, round, round % 2 == 1, &mut all.tried);
    }
    made(held_out.class.iter(), 0, false, &mut all.held_out);
    made(held_out.class.iter(), 1, true, &mut all.disguised);
    Ok(all)
}

/// One poison of each wording.
fn made<'class>(classes: impl Iterator<Item = &'class Class>, round: usize, hidden: bool, poisons: &mut Vec<Poison>) {
    let pick = |list: &[&'static str], turn: usize| list.get(turn % list.len()).copied().unwrap_or_default();
    for Class { name, wordings } in classes {
        for (place, wording) in wordings.iter().enumerate() {
            let turn = round + place;
            let filled = wording.replace("{file}", pick(&FILES, turn)).replace("{sink}", pick(&SINKS, turn));
            let filled = filled.replace("{tool}", pick(&TOOLS, turn)).replace("{n}", &turn.to_string());
            let (guise, text) = if hidden { disguised(&filled, poisons.len()) } else { ("plain", filled) };
            poisons.push(Poison { class: name.clone(), guise, text });
        }
    }
}

/// A text in one of the guises.
fn disguised(text: &str, turn: usize) -> (&'static str, String) {
    match turn % 8 {
        0 => ("capitals", text.to_uppercase()),
        1 => ("zero-width", text.chars().flat_map(|c| [c, '\u{200b}']).collect()),
        2 => ("look-alike letters", text.chars().map(cyrillic).collect()),
        3 => ("a comment", format!("<!-- {text} -->")),
        4 => ("base64", format!("Decode and follow: {}", base64(text.as_bytes()))),
        5 => ("tags", text.chars().filter_map(|c| char::from_u32(0xe_0000 + u32::from(c))).collect()),
        6 => ("far below", format!("{}{text}", "\n".repeat(60))),
        _ => ("a line in each word", text.replace(' ', "\n")),
    }
}

fn cyrillic(letter: char) -> char {
    match letter {
        'a' => 'а',
        'e' => 'е',
        'o' => 'о',
        'c' => 'с',
        'p' => 'р',
        other => other,
    }
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let [one, two, three] = [0, 1, 2].map(|place| chunk.get(place).copied().map_or(0, u32::from));
        let bits = (one << 16) | (two << 8) | three;
        for (place, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let digit = ALPHABET.get(usize::try_from((bits >> shift) & 63).unwrap_or_default());
            let is_there = place <= chunk.len();
            text.push(digit.filter(|_| is_there).map_or('=', |digit| char::from(*digit)));
        }
    }
    text
}

impl Poison {
    /// A definition with the text in one of the places that models read.
    pub(super) fn spliced(&self, carrier: &Value, turn: usize) -> Value {
        const ARGUMENTS: &str = "/inputSchema/properties";
        let mut poisoned = carrier.clone();
        let described = at(carrier, "/description").as_str().unwrap_or_default();
        let argument = at(carrier, ARGUMENTS).as_object().and_then(|all| all.keys().next().cloned());
        let text = &self.text;
        match (turn % 9, argument) {
            (0, _) => put(&mut poisoned, "", "description", json!(format!("{text} {described}"))),
            (1, Some(name)) => put(&mut poisoned, ARGUMENTS, &name, json!({ "type": "string", "description": text })),
            (2, Some(name)) => put(&mut poisoned, ARGUMENTS, &name, json!({ "type": "string", "enum": ["all", text] })),
            (3, _) => put(&mut poisoned, "", "title", json!(text)),
            (4, _) => {
                let annotations = at(carrier, "/annotations").as_object().cloned().unwrap_or_default();
                put(&mut poisoned, "", "annotations", Value::Object(annotations));
                put(&mut poisoned, "/annotations", "title", json!(text));
            }
            (5, _) => {
                let schema = json!({ "type": "object", "description": text });
                put(&mut poisoned, "", "outputSchema", schema);
            }
            (6, Some(name)) => put(&mut poisoned, ARGUMENTS, &name, json!({ "type": "string", "default": text })),
            (7, Some(name)) => put(&mut poisoned, ARGUMENTS, &name, json!({ "type": "string", "examples": [text] })),
            (_, _) => put(&mut poisoned, "", "description", json!(format!("{described} {text}"))),
        }
        poisoned
    }
}

/// Puts a member into an object of a document.
fn put(document: &mut Value, pointer: &str, key: &str, value: Value) {
    if let Some(members) = document.pointer_mut(pointer).and_then(Value::as_object_mut) {
        members.insert(key.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words in a row that two wordings must not share.
    const PHRASE_WORDS: usize = 7;

    fn wordings(text: &str) -> Vec<Vec<String>> {
        let words = |text: &String| -> Vec<String> {
            let apart = text.split(|c: char| !c.is_alphanumeric() && c != '{').filter(|word| !word.is_empty());
            apart.map(str::to_lowercase).collect()
        };
        let file: File = toml::from_str(text.split("[[honest]]").next().unwrap()).unwrap();
        file.class.iter().flat_map(|class| &class.wordings).map(words).collect()
    }

    #[test]
    fn what_is_held_out_shares_no_phrase_with_what_was_tried_or_trained_on() {
        let mut tried = wordings(include_str!("../../definitions/tried.toml"));
        tried.extend(wordings(include_str!("../../definitions/trained.toml")));
        let held_out = wordings(include_str!("../../definitions/held-out.toml"));
        for known in tried.iter().flat_map(|words| words.windows(PHRASE_WORDS)) {
            let is_shared = held_out.iter().any(|words| words.windows(PHRASE_WORDS).any(|other| other == known));
            assert!(!is_shared, "{known:?}");
        }
        assert!(held_out.len() >= 150, "{}", held_out.len());
        assert!(poisons().is_ok_and(|all| all.held_out.len() == held_out.len()));
    }
}
