//! How fast the whole rule set looks, on one core: clean text, a 10 KB answer, and the worst that somebody could send.
//!
//! `cargo run --release -p inspect --example speed`

#![expect(clippy::print_stdout, reason = "figures are for whoever runs it")]

use std::hint::black_box;
use std::time::Instant;

use inspect::{Inspector, Origin};

/// Seconds for which each text is looked at.
const SECONDS: f64 = 1.0;

/// Sentences of ordinary business, none of which any rule should see anything in.
const CLEAN: &str = "The quarterly review went well, and the team agreed to move the launch to the second week of March. \
                     Please update the plan, tell the people in the warehouse, and send the notes to everybody who was \
                     there. We still need a decision on the color of the boxes; blue was the favorite, green came second. ";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let inspector = Inspector::standard()?;
    let message = |text: &str| serde_json::json!({ "result": { "content": [{ "type": "text", "text": text }] } });
    let of = |text: &str, bytes: usize| message(&text.repeat(bytes / text.len() + 1)).to_string();
    let row =
        serde_json::json!({ "id": 4711, "name": "north", "state": "open", "note": "waits for an answer", "ok": true });
    let rows = serde_json::json!({ "result": { "structuredContent": { "rows": vec![row; 10_000] } } });
    let texts = [
        ("clean text, 1 MB", of(CLEAN, 1_000_000)),
        ("clean text, 10 KB", of(CLEAN, 10_000)),
        ("clean records, 1 MB", rows.to_string()),
        ("numbers, 1 MB", of("4111 1111 1111 1112, ", 1_000_000)),
        ("words of every rule, 1 MB", of("password token key secret card iban ssn ", 1_000_000)),
        ("base 64 in base 64, 1 MB", of("UTBGVFFrRlRRa0ZUUWtGVFFrRlQ", 1_000_000)),
        ("one line of a letter, 4 MB", of("a", 4_000_000)),
        ("escapes, 1 MB", of("\\u0041%41&#65;", 1_000_000)),
        ("hidden and look-alike letters, 1 MB", of("p\u{200b}\u{430}ssword ", 1_000_000)),
        ("at signs, 1 MB", of("@.@.@", 1_000_000)),
        ("deep nesting, 60", format!("{}\"a\"{}", "[".repeat(60), "]".repeat(60))),
    ];
    for (name, text) in &texts {
        let (began, mut rounds) = (Instant::now(), 0_u32);
        while began.elapsed().as_secs_f64() < SECONDS || rounds == 0 {
            black_box(inspector.scan_json(black_box(text), Origin::Answer));
            rounds += 1;
        }
        let each = began.elapsed().as_secs_f64() / f64::from(rounds);
        let findings = inspector.scan_json(text, Origin::Answer);
        #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
        let rate = text.len() as f64 / each / 1e6;
        let (found, complete) = (findings.list.len(), findings.complete);
        println!("{name:<38} {rate:>8.1} MB/s {:>10.1} us   {found} findings, complete: {complete}", each * 1e6);
    }
    Ok(())
}
