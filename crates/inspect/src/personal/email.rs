//! E-mail addresses: what stands before and after an `@`.

use std::ops::Range;

/// Bytes in the local part of an address (RFC 5321 §4.5.3.1.1).
const LOCAL_BYTES_MAX: usize = 64;
/// Bytes in a domain (§4.5.3.1.2).
const DOMAIN_BYTES_MAX: usize = 255;

/// Every address in the text.
pub(super) fn addresses(text: &str) -> impl Iterator<Item = Range<usize>> {
    memchr::memchr_iter(b'@', text.as_bytes()).filter_map(|at| address(text, at))
}

fn address(text: &str, at: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let before = bytes.get(..at)?;
    let local = before.iter().rev().take(LOCAL_BYTES_MAX + 1).take_while(|byte| is_local(**byte)).count();
    // The count may have ended inside a character.
    let inside = (at - local.min(at)..at).find_map(|start| text.get(start..at))?;
    let inside = inside.trim_start_matches(['.', '-', '\'', '+']);
    if inside.is_empty() || inside.len() > LOCAL_BYTES_MAX || inside.ends_with('.') {
        return None;
    }
    let after = bytes.get(at + 1..)?;
    let length = after.iter().take(DOMAIN_BYTES_MAX).take_while(|byte| is_domain(**byte)).count();
    let domain = text.get(at + 1..at + 1 + length)?.trim_end_matches(['.', '-']);
    // `a@b@c` is no address, and `git@host:path` names none.
    if !is_public(domain) || bytes.get(at + 1 + domain.len()) == Some(&b'@') {
        return None;
    }
    Some(at - inside.len()..at + 1 + domain.len())
}

fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-' | b'\'') || !byte.is_ascii()
}

fn is_domain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-') || !byte.is_ascii()
}

/// Labels with letters at the end: neither a version nor a host without a domain.
fn is_public(domain: &str) -> bool {
    let Some((name, top)) = domain.rsplit_once('.') else { return false };
    let top_level = top.len() >= 2 && top.chars().all(|letter| letter.is_alphabetic() || letter == '-');
    top_level && name.split('.').all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'))
}
