//! International bank account numbers.

use std::ops::Range;

use crate::check::number::{iban, iban_length};

/// Every account number whose check digits are right.
pub(super) fn accounts(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut found: Vec<Range<usize>> = Vec::new();
    // Two letters and two digits, with nothing before: the check digits are what is rare.
    for (at, four) in bytes.windows(4).enumerate() {
        let [first, second, third, fourth] = four else { continue };
        if !third.is_ascii_digit()
            || !fourth.is_ascii_digit()
            || !first.is_ascii_alphabetic()
            || !second.is_ascii_alphabetic()
        {
            continue;
        }
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        if before.is_some_and(u8::is_ascii_alphanumeric) || found.last().is_some_and(|last| last.end > at) {
            continue;
        }
        let country = text.get(at..at + 2).unwrap_or_default().to_ascii_uppercase();
        if let Some(end) = iban_length(&country).and_then(|length| end(bytes, at, length))
            && text.get(at..end).is_some_and(iban)
        {
            found.push(at..end);
        }
    }
    found
}

/// Where so many letters and digits end, with single spaces or dashes between them, and no more of them behind.
fn end(bytes: &[u8], start: usize, length: usize) -> Option<usize> {
    let mut count = 0;
    let mut apart = false;
    for (offset, byte) in bytes.get(start..)?.iter().enumerate() {
        if byte.is_ascii_alphanumeric() {
            count += 1;
            apart = false;
        } else if matches!(byte, b' ' | b'-') && !apart {
            apart = true;
        } else {
            return None;
        }
        if count == length {
            let end = start + offset + 1;
            return (!bytes.get(end).is_some_and(u8::is_ascii_alphanumeric)).then_some(end);
        }
    }
    None
}
