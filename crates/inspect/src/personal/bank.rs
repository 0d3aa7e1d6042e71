//! International bank account numbers.

use std::ops::Range;

use super::digits::Digits;
use crate::check::number::{iban, iban_length};

/// Every account number whose check digits are right.
pub(super) fn accounts(text: &str, digits: &Digits) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut found: Vec<Range<usize>> = Vec::new();
    // Two letters and two digits, with nothing before: the check digits are what is rare.
    for row in digits.rows().filter(|row| row.len() >= 2) {
        let Some(at) = row.start.checked_sub(2) else { continue };
        if !bytes.get(at..row.start).is_some_and(|country| country.iter().all(u8::is_ascii_alphabetic)) {
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
