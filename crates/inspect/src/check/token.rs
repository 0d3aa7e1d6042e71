//! Checksums and forms of particular tokens.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use model::Digest;

/// Characters of a GitHub token's checksum.
const GITHUB_CHECKSUM_CHARS: usize = 6;

/// Whether the last six characters are the checksum of those before.
pub(super) fn github(text: &str) -> bool {
    let Some((_, body)) = text.split_once('_') else { return false };
    let Some(at) = body.len().checked_sub(GITHUB_CHECKSUM_CHARS) else { return false };
    let (Some(random), Some(checksum)) = (body.get(..at), body.get(at..)) else { return false };
    base62(crc32(random.as_bytes())) == checksum
}

/// A token of GitHub's form with its checksum.
pub(crate) fn github_token(prefix: &str, random: &str) -> Option<String> {
    Some(format!("{prefix}_{random}{}", base62(crc32(random.as_bytes()))))
}

fn base62(mut value: u32) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut text = [b'0'; GITHUB_CHECKSUM_CHARS];
    for place in text.iter_mut().rev() {
        let digit = usize::try_from(value % 62).unwrap_or_default();
        *place = DIGITS.get(digit).copied().unwrap_or(b'0');
        value /= 62;
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// The CRC-32 of ISO 3309, bit by bit: the texts are short, and a match is rare.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0_u32, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

/// Whether the numbers after the kind are as long as Slack's, and a secret follows where the kind has one.
pub(super) fn slack(text: &str) -> bool {
    let mut parts = text.split('-');
    let kind = parts.next().unwrap_or_default();
    let last = parts.next_back().unwrap_or_default();
    let varied = last.bytes().any(|byte| byte.is_ascii_alphabetic()) && last.len() >= 16;
    let numbered = parts.clone().any(|part| part.len() >= 8) || last.len() >= 10;
    numbered && (varied || matches!(kind, "xoxa" | "xoxb" | "xoxo") && parts.count() >= 1)
}

/// Whether a text is a user's name, a colon and perhaps a password, in base 64.
pub(super) fn basic(text: &str) -> bool {
    let Ok(decoded) = BASE64_STANDARD.decode(text) else { return false };
    let printable = decoded.iter().filter(|byte| matches!(byte, b' '..=b'~')).count();
    decoded.len() > 4 && decoded.contains(&b':') && !decoded.contains(&b'{') && printable * 10 >= decoded.len() * 9
}

/// Claims one of which every token has that lets somebody in.
const CLAIMS: &[&str] = &[
    "iss", "sub", "aud", "exp", "iat", "nbf", "jti", "scope", "role", "user", "username", "name", "email", "id", "uid",
];

/// Whether the first part is a JSON object that names an algorithm, and the second, if it is one, claims anything.
pub(super) fn jwt(text: &str) -> bool {
    let mut parts = text.split('.').map(|part| {
        let part = BASE64_URL_SAFE_NO_PAD.decode(part).ok()?;
        serde_json::from_slice::<serde_json::Value>(&part).ok()
    });
    let (header, claims) = (parts.next().flatten(), parts.next().flatten());
    let names_one = |claims: &serde_json::Value| CLAIMS.iter().any(|claim| claims.get(claim).is_some());
    header.is_some_and(|header| header.get("alg").is_some()) && claims.is_none_or(|claims| names_one(&claims))
}

const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/// Bytes of a checksum in base 58.
const BASE58_CHECKSUM_BYTES: usize = 4;

/// Whether the last four bytes are the first of the double digest of those before.
pub(super) fn base58(text: &str) -> bool {
    let mut number: Vec<u8> = Vec::new();
    for letter in text.bytes() {
        let Some(digit) = BASE58.iter().position(|known| *known == letter) else { return false };
        let mut carry = digit;
        for byte in &mut number {
            carry += usize::from(*byte) * 58;
            *byte = (carry % 256).to_le_bytes()[0];
            carry /= 256;
        }
        while carry > 0 {
            number.push((carry % 256).to_le_bytes()[0]);
            carry /= 256;
        }
    }
    number.reverse();
    let Some(at) = number.len().checked_sub(BASE58_CHECKSUM_BYTES) else { return false };
    let (body, checksum) = number.split_at(at);
    Digest::of(Digest::of(body).as_bytes()).as_bytes().starts_with(checksum)
}
