//! Addresses of machines.

use std::net::Ipv6Addr;
use std::ops::Range;

/// Bytes in the longest address.
const ADDRESS_BYTES_MAX: usize = 45;

/// Every address of IP, version 4 or 6, that is written as one.
pub(super) fn addresses(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    four(text, &mut found);
    six(text, &mut found);
    found
}

/// Four numbers up to 255 with dots between them, and nothing that makes them a version or a longer number.
fn four(text: &str, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(offset) = bytes.get(from..).and_then(|rest| memchr::memchr(b'.', rest)) {
        let dot = from + offset;
        from = dot + 1;
        // Most dots end a sentence.
        if !dot.checked_sub(1).and_then(|before| bytes.get(before)).is_some_and(u8::is_ascii_digit) {
            continue;
        }
        let inside = |byte: &&u8| byte.is_ascii_digit() || **byte == b'.';
        let before =
            bytes.get(..dot).unwrap_or_default().iter().rev().take(ADDRESS_BYTES_MAX).take_while(inside).count();
        let rest = bytes.get(dot..).unwrap_or_default();
        let after = rest.iter().take(ADDRESS_BYTES_MAX).take_while(inside).count();
        let run = dot - before..dot + after;
        let Some(numbers) = text.get(run.clone()) else { continue };
        from = run.end.max(from);
        let end = run.start + numbers.trim_end_matches('.').len();
        let around = [run.start.checked_sub(1).and_then(|at| bytes.get(at)), bytes.get(end)];
        let apart = around.iter().flatten().all(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'_' | b'-'));
        if apart && is_four(numbers.trim_end_matches('.')) {
            found.push(run.start..end);
        }
    }
}

fn is_four(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let number = |part: &&str| !part.is_empty() && part.len() <= 3 && part.parse::<u8>().is_ok();
    // Noughts and ones alone are placeholders and versions.
    parts.len() == 4 && parts.iter().all(number) && parts.iter().any(|part| part.len() > 1) && text != "127.0.0.1"
}

fn six(text: &str, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(offset) = bytes.get(from..).and_then(|rest| memchr::memchr(b':', rest)) {
        let colon = from + offset;
        from = colon + 1;
        // Most colons stand behind a word.
        let beside = colon.checked_sub(1).and_then(|before| bytes.get(before));
        if !beside.is_some_and(u8::is_ascii_hexdigit) && bytes.get(colon + 1) != Some(&b':') {
            continue;
        }
        let inside = |byte: &&u8| byte.is_ascii_hexdigit() || **byte == b':';
        let before = bytes.get(..colon).unwrap_or_default();
        let before = before.iter().rev().take(ADDRESS_BYTES_MAX).take_while(inside).count();
        let rest = bytes.get(colon..).unwrap_or_default();
        let after = rest.iter().take(ADDRESS_BYTES_MAX).take_while(inside).count();
        let run = colon - before..colon + after;
        from = run.end.max(from);
        let around = [run.start.checked_sub(1).and_then(|at| bytes.get(at)), bytes.get(run.end)];
        let apart = around.iter().flatten().all(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'_' | b'-'));
        let Some(address) = text.get(run.clone()) else { continue };
        let groups = address.split(':').filter(|group| !group.is_empty()).count();
        if apart && groups >= 3 && address.parse::<Ipv6Addr>().is_ok() {
            found.push(run);
        }
    }
}
