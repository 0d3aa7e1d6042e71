use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::*;
use crate::check::github_token;

fn inspector() -> Inspector {
    Inspector::standard().unwrap()
}

fn token() -> String {
    github_token("ghp", "k3Jx9QmZ2vT7bN4cR8wY1sD6fG5hL0").unwrap()
}

/// The rules, pointers and ranges of what is seen.
fn seen(json: &serde_json::Value) -> Vec<(String, String, Range<usize>)> {
    let findings = inspector().scan_json(&json.to_string(), Origin::Answer);
    assert!(findings.complete);
    let place = |finding: Finding| (finding.rule.to_string(), finding.place.pointer, finding.place.range);
    findings.list.into_iter().map(place).collect()
}

const RULE: &str = "secret.github.token";

#[test]
fn a_secret_is_found_at_its_pointer_and_range() {
    let token = token();
    let json = serde_json::json!({"a": [{"note": format!("use \"{token}\" now")}]});
    assert_eq!(seen(&json), [(RULE.to_owned(), "/a/0/note".to_owned(), 5..5 + token.len())]);
}

#[test]
fn a_secret_in_a_key_is_found_as_a_key() {
    let findings = inspector().scan_json(&serde_json::json!({token(): 1}).to_string(), Origin::Answer);
    assert_eq!(findings.list.first().unwrap().place.part, Part::Key);
}

#[test]
fn a_secret_is_found_through_every_disguise() {
    let token = token();
    let percent: String = token.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let units: String = token.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
    let references: String = token.bytes().map(|byte| format!("&#{byte};")).collect();
    let hex: String = token.bytes().map(|byte| format!("{byte:02x}")).collect();
    let base64 = BASE64_STANDARD.encode(&token);
    let twice = BASE64_STANDARD.encode(&base64);
    let zero_width: String = token.chars().flat_map(|letter| [letter, '\u{200b}']).collect();
    let wide: String =
        token.chars().map(|c| if c == '_' { c } else { char::from_u32(u32::from(c) + 0xfee0).unwrap() }).collect();
    let data = format!("data:text/plain;base64,{base64}");
    let comment = token.replacen("Jx9", "J<!-- -->x9", 1);
    for disguise in [percent, units, references, hex, base64, twice, zero_width, wide, data, comment] {
        let json = serde_json::json!({"text": format!("see {disguise} there")});
        let found = seen(&json);
        let secret = found.iter().find(|(rule, ..)| rule == RULE);
        let (_, pointer, range) = secret.unwrap_or_else(|| panic!("`{disguise}` hides it"));
        assert_eq!(pointer, "/text");
        assert!(range.start >= 4 && range.end <= 4 + disguise.len(), "{range:?} of `{disguise}`");
    }
}

#[test]
fn a_secret_split_over_several_strings_is_found_in_each() {
    let token = token();
    let (first, second) = token.split_at(12);
    let json = serde_json::json!({"content": [
        {"type": "text", "text": format!("look: {first}")},
        {"type": "text", "text": format!("{second} was it")},
    ]});
    let found = seen(&json);
    assert_eq!(
        found,
        [
            (RULE.to_owned(), "/content/0/text".to_owned(), 6..18),
            (RULE.to_owned(), "/content/1/text".to_owned(), 0..token.len() - 12),
        ]
    );
}

#[test]
fn a_secret_split_over_strings_is_found_whatever_stands_around_it() {
    let token = token();
    let (first, second) = token.split_at(17);
    for json in [
        serde_json::json!({"id": "1", "part-1": first, "part-2": second, "last": "x"}),
        serde_json::json!({"id": "1", "parts": [first.split_at(5).0, first.split_at(5).1, second], "last": "x"}),
    ] {
        assert!(seen(&json).iter().any(|(rule, ..)| rule == RULE), "{json}");
    }
}

#[test]
fn an_address_at_the_end_of_a_string_is_not_another_one_because_of_the_next_string() {
    let found = seen(&serde_json::json!({"to": "ana@example.com", "note": "card is lost"}));
    assert_eq!(found, [("personal.email".to_owned(), "/to".to_owned(), 0..15)]);
    let found = seen(&serde_json::json!({"first": "to ana@exam", "second": "ple.com now"}));
    let places: Vec<_> = found.into_iter().map(|(_, pointer, range)| (pointer, range)).collect();
    assert_eq!(places, [("/first".to_owned(), 3..11), ("/second".to_owned(), 0..7)]);
}

#[test]
fn everything_in_an_encoded_piece_is_told() {
    let piece = BASE64_STANDARD.encode(format!("{} of ana@example.com, her card 4111 1111 1111 1111", token()));
    let rules: Vec<_> = seen(&serde_json::json!({"blob": piece})).into_iter().map(|(rule, ..)| rule).collect();
    for rule in [RULE, "personal.email", "payment.card"] {
        assert!(rules.iter().any(|found| found == rule), "{rule} in {rules:?}");
    }
}

#[test]
fn a_broken_terminal_sequence_does_not_hide_what_follows() {
    let hidden: String = token().bytes().map(|byte| format!("%{byte:02x}")).collect();
    let found = seen(&serde_json::json!({"a": format!("\u{1b}]\u{1b}é {hidden}")}));
    assert!(found.iter().any(|(rule, ..)| rule == RULE), "{found:?}");
}

#[test]
fn layers_beyond_the_limit_are_not_called_looked_at() {
    let nested = |layers: usize| (0..layers).fold("%41".to_owned(), |text, _| text.replace('%', "%25"));
    let complete =
        |layers| inspector().scan_json(&serde_json::json!({"a": nested(layers)}).to_string(), Origin::Answer).complete;
    assert!(complete(2));
    assert!(!complete(40));
}

#[test]
fn a_key_too_long_to_name_is_not_called_looked_at() {
    let json = serde_json::json!({"k".repeat(limits::INSPECTED_KEY_BYTES_MAX + 1): token()});
    let findings = inspector().scan_json(&json.to_string(), Origin::Answer);
    assert!(!findings.complete);
    assert_eq!(findings.list.len(), 1);
}

#[test]
fn text_that_is_no_json_is_read_as_one_string() {
    let found = inspector().scan_text(&format!("token: {}", token()), Origin::Text);
    assert_eq!(found.list.first().unwrap().place.pointer, "");
}

#[test]
fn the_same_text_has_the_same_findings() {
    let text = serde_json::json!({"a": token(), "b": "x".repeat(5_000)}).to_string();
    let inspector = inspector();
    assert_eq!(inspector.scan_json(&text, Origin::Answer), inspector.scan_json(&text, Origin::Answer));
}

#[test]
fn what_is_not_wholly_looked_at_is_not_called_complete() {
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    assert!(!inspector().scan_json(&deep, Origin::Answer).complete);
    let mut nested = token();
    for _ in 0..=limits::DECODING_DEPTH_MAX {
        nested = BASE64_STANDARD.encode(&nested);
    }
    assert!(!inspector().scan_text(&nested, Origin::Text).complete);
    let many = format!("{} ", token()).repeat(limits::FINDINGS_MAX + 1);
    assert!(!inspector().scan_text(&many, Origin::Text).complete);
}

#[test]
fn clean_text_has_no_findings() {
    let json = serde_json::json!({
        "title": "Quarterly report", "count": 12, "when": "2026-11-21T18:00:00Z",
        "body": "The meeting is on Tuesday; please bring the slides. Café, naïve, 日本語.",
        "id": "0b3f6e1c-7d2a-4c55-9a55-0f6a1f5a7c11",
    });
    assert_eq!(seen(&json), []);
}

/// Numbers of cards that are split where one message ends and the next begins.
#[test]
fn what_is_split_over_messages_of_a_stream_is_seen_in_the_later_one() {
    let inspector = Inspector::standard().unwrap();
    let mut tail = Tail::default();
    let message = |text: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":"t","progress":1,"message":"{text}"}}}}"#
        )
    };
    let token = ["ghp", "_k3Jx9QmZ2vT7b", "N4cR8wY1sD6fG5hL0aBcDeF"];
    let mut seen = |text: &str| inspector.scan_json_after(&message(text), Origin::Answer, &mut tail).list;
    assert_eq!(seen(&format!("it is {}", token[0])), []);
    assert_eq!(seen(token[1]), []);
    let last = seen(&format!("{}, use it", token[2]));
    let [finding] = last.as_slice() else { panic!("{last:?}") };
    assert_eq!((finding.rule.as_str(), finding.place.pointer.as_str()), ("secret.github.token", "/params/message"));
    assert_eq!(
        (finding.place.range.clone(), finding.place.decodings.as_slice()),
        (0..23, [Decoding::Joined].as_slice())
    );
    // The same message again, with nothing before it.
    assert_eq!(inspector.scan_json_after(&message(token[2]), Origin::Answer, &mut Tail::default()).list, []);
}

#[test]
fn a_key_that_is_a_secret_is_in_no_pointer() {
    let inspector = Inspector::standard().unwrap();
    let token = ["ghp", "_k3Jx9QmZ2vT7bN4cR8wY1sD6fG5hL0aBcDeF"].concat();
    let text = format!(r#"{{"a":{{"{token}":{{"b/c":["jane@company.org"]}}}}}}"#);
    let findings = inspector.scan_json(&text, Origin::Answer);
    let pointers: Vec<String> = findings.pointers().collect();
    assert_eq!(pointers, ["/a/*", "/a/*/b~1c/0"]);
}
