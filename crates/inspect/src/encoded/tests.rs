use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

use super::*;

fn pieces(text: &str) -> Vec<(Range<usize>, String)> {
    let mut room = usize::MAX;
    let mut at = 0;
    let mut found = Vec::new();
    for run in runs(text) {
        if run.start < at {
            continue;
        }
        let (pieces, end) = read(text, run, &mut room);
        at = end;
        found.extend(pieces.into_iter().map(|piece| (piece.range, piece.text)));
    }
    found
}

#[test]
fn text_in_base_64_and_hexadecimal_is_read_where_it_stands() {
    let hidden = "the quick brown fox jumps";
    let standard = BASE64_STANDARD.encode(hidden);
    let url = BASE64_URL_SAFE_NO_PAD.encode(hidden);
    let hex: String = hidden.bytes().map(|byte| format!("{byte:02x}")).collect();
    for encoded in [standard, url, hex] {
        for text in [encoded.clone(), format!("see {encoded} there"), format!("https://x.example/a/{encoded}?q")] {
            let at = text.find(&encoded).unwrap();
            assert_eq!(pieces(&text), [(at..at + encoded.len(), hidden.to_owned())], "`{text}`");
        }
    }
}

#[test]
fn lines_that_continue_each_other_are_read_together() {
    let hidden = "all work and no play makes jack a dull boy. ".repeat(4);
    let encoded = BASE64_STANDARD.encode(&hidden);
    let wrapped: Vec<&str> = encoded.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
    assert_eq!(pieces(&wrapped.join("\n")).first().unwrap().1, hidden);
}

#[test]
fn what_encodes_no_text_is_left() {
    let picture = BASE64_STANDARD.encode((0..=255_u8).map(|byte| byte.wrapping_mul(167)).collect::<Vec<u8>>());
    for text in [picture.as_str(), "internationalization", "0123456789abcdef0123456789abcdef", "short"] {
        assert_eq!(pieces(text), [], "`{text}`");
    }
}

#[test]
fn every_long_run_is_found_wherever_it_begins() {
    for before in 0..40 {
        let text = format!("{}{} {}", "- ".repeat(before), "a".repeat(limits::ENCODED_CHARS_MIN), " b".repeat(before));
        let run = next_run(&text, 0).unwrap();
        assert_eq!(text.get(run).unwrap().trim_start_matches('-').len(), limits::ENCODED_CHARS_MIN);
    }
}
