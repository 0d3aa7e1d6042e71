//! Disguises: the same instruction in a form that a model reads and a plain search does not.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::random::Random;

/// Makes a message of what stands before an injection, the injection, and what stands after it.
pub(crate) type Evasion = fn(&str, &str, &str, &mut Random) -> Value;

/// Every disguise, and its name.
pub(crate) const EVASIONS: &[(&str, Evasion)] = &[
    ("zero-width characters", |before, inside, after, random| {
        around(before, &between(inside, &['\u{200b}', '\u{200c}', '\u{2060}'], random), after)
    }),
    ("bidirectional controls", |before, inside, after, random| {
        around(before, &between(inside, &['\u{202a}', '\u{202c}', '\u{2066}', '\u{2069}'], random), after)
    }),
    ("soft hyphens", |before, inside, after, random| around(before, &between(inside, &['\u{00ad}'], random), after)),
    ("tag characters", |before, inside, after, _| around(before, &inside.chars().map(tag).collect::<String>(), after)),
    ("full width (NFKC)", |before, inside, after, _| {
        around(before, &inside.chars().map(wide).collect::<String>(), after)
    }),
    ("mathematical letters (NFKC)", |before, inside, after, _| {
        around(before, &inside.chars().map(mathematical).collect::<String>(), after)
    }),
    ("look-alike letters", |before, inside, after, random| around(before, &some(inside, 40, lookalike, random), after)),
    ("leetspeak", |before, inside, after, random| around(before, &some(inside, 60, leet, random), after)),
    ("HTML comments inside words", |before, inside, after, random| around(before, &commented(inside, random), after)),
    ("hidden by CSS", |before, inside, after, _| {
        around(before, &format!("<span style=\"display:none\">{inside}</span>"), after)
    }),
    ("HTML comment", |before, inside, after, _| around(before, &format!("<!-- {inside} -->"), after)),
    ("HTML character references", |before, inside, after, _| {
        around(before, &inside.chars().map(reference).collect::<String>(), after)
    }),
    ("terminal escapes", |before, inside, after, random| around(before, &terminal(inside, random), after)),
    ("JSON escapes in text", |before, inside, after, _| {
        around(before, &inside.chars().map(escape).collect::<String>(), after)
    }),
    ("percent-encoding", |before, inside, after, _| {
        around(before, &inside.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>(), after)
    }),
    ("base64", |before, inside, after, _| around(before, &STANDARD.encode(inside), after)),
    ("base64 twice", |before, inside, after, _| around(before, &STANDARD.encode(STANDARD.encode(inside)), after)),
    ("hex", |before, inside, after, _| {
        around(before, &inside.bytes().map(|byte| format!("{byte:02x}")).collect::<String>(), after)
    }),
    ("data URI", |before, inside, after, _| {
        around(before, &format!("data:text/plain;base64,{}", STANDARD.encode(inside)), after)
    }),
    ("split over two fields", |before, inside, after, random| {
        let (first, second) = inside.split_at(border(inside, random));
        json!({"title": format!("{before}{first}"), "body": format!("{second}{after}")})
    }),
    ("JSON in JSON", |before, inside, after, _| around(before, &json!({"note": inside}).to_string(), after)),
    ("CAPITALS", |before, inside, after, _| around(before, &inside.to_uppercase(), after)),
];

fn around(before: &str, inside: &str, after: &str) -> Value {
    json!({"text": format!("{before}{inside}{after}")})
}

/// One of these signs after every second or third letter.
fn between(text: &str, signs: &[char], random: &mut Random) -> String {
    let mut said = String::new();
    for letter in text.chars() {
        said.push(letter);
        if letter.is_alphabetic() && random.happens(40) {
            said.extend(random.of(signs));
        }
    }
    said
}

/// Some letters replaced.
fn some(text: &str, share: usize, replace: fn(char) -> char, random: &mut Random) -> String {
    text.chars().map(|letter| if random.happens(share) { replace(letter) } else { letter }).collect()
}

/// What there is no tag for stays as it is.
fn tag(letter: char) -> char {
    let tag = char::from_u32(0xe0000 + u32::from(letter)).filter(|_| letter.is_ascii_graphic() || letter == ' ');
    tag.unwrap_or(letter)
}

fn wide(letter: char) -> char {
    if letter.is_ascii_graphic() { char::from_u32(u32::from(letter) + 0xfee0).unwrap_or(letter) } else { letter }
}

fn mathematical(letter: char) -> char {
    let from = |base: u32, first: char| char::from_u32(base + u32::from(letter) - u32::from(first)).unwrap_or(letter);
    match letter {
        'a'..='z' => from(0x1d41a, 'a'),
        'A'..='Z' => from(0x1d400, 'A'),
        _ => letter,
    }
}

fn lookalike(letter: char) -> char {
    match letter {
        'a' => 'а',
        'c' => 'с',
        'e' => 'е',
        'i' => 'і',
        'o' => 'о',
        'p' => 'р',
        's' => 'ѕ',
        'x' => 'х',
        'y' => 'у',
        'A' => 'А',
        'E' => 'Е',
        'I' => 'І',
        'O' => 'О',
        other => other,
    }
}

fn leet(letter: char) -> char {
    match letter {
        'a' => '4',
        'e' => '3',
        'i' => '1',
        'o' => '0',
        's' => '5',
        't' => '7',
        other => other,
    }
}

fn commented(text: &str, random: &mut Random) -> String {
    let mut said = String::new();
    for letter in text.chars() {
        said.push(letter);
        if letter.is_ascii_alphabetic() && random.happens(15) {
            said.push_str("<!-- x -->");
        }
    }
    said
}

fn reference(letter: char) -> String {
    if letter.is_ascii_alphanumeric() { format!("&#{};", u32::from(letter)) } else { letter.to_string() }
}

fn escape(letter: char) -> String {
    let mut units = [0; 2];
    letter.encode_utf16(&mut units).iter().fold(String::new(), |mut said, unit| {
        let _ = write!(said, "\\u{unit:04x}");
        said
    })
}

fn terminal(text: &str, random: &mut Random) -> String {
    let mut said = String::new();
    for letter in text.chars() {
        if random.happens(20) {
            said.push_str("\u{1b}[3");
            said.push(char::from(b'0' + u8::try_from(random.below(8)).unwrap_or(0)));
            said.push('m');
        }
        said.push(letter);
    }
    said
}

/// A place inside of a word, somewhere in the middle third.
fn border(text: &str, random: &mut Random) -> usize {
    let places: Vec<usize> =
        text.char_indices().map(|(at, _)| at).filter(|at| *at * 3 > text.len() && *at * 3 < text.len() * 2).collect();
    random.of(&places).copied().unwrap_or(0)
}
