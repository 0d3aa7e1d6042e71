//! What confirms that a text which looks like a thing is one: checksums, and how much the characters differ.

mod number;

use serde::Deserialize;

/// A check that a rule can ask for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// No placeholder: not one character over and over, no `example`, `xxxx`, `changeme`.
    NotPlaceholder,
    /// A GitHub or npm token: the last six characters are the CRC-32 of the thirty before, in base 62.
    Github,
    /// The digits pass Luhn's check.
    Luhn,
    /// An IBAN: its country's length, and its remainder modulo 97 (ISO 13616).
    Iban,
}

impl Check {
    /// Whether the text passes.
    pub(crate) fn passes(self, text: &str) -> bool {
        match self {
            Self::NotPlaceholder => !is_placeholder(text),
            Self::Github => is_github_token(text) && !is_placeholder(text),
            Self::Luhn => number::luhn(text),
            Self::Iban => number::iban(text),
        }
    }
}

/// Shannon's entropy of the bytes, in bits per byte.
pub(crate) fn entropy(bytes: &[u8]) -> f32 {
    let mut counts = [0_u32; 256];
    for byte in bytes {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "an estimate; texts are short")]
    let total = bytes.len() as f32;
    let bits = counts.iter().filter(|count| **count > 0).map(|count| {
        #[expect(clippy::cast_precision_loss, reason = "an estimate; texts are short")]
        let share = *count as f32 / total;
        -share * share.log2()
    });
    bits.sum()
}

/// Words that stand in placeholders, and in no secret but by chance.
const PLACEHOLDER_WORDS: &[&str] =
    &["example", "xxxx", "your", "changeme", "placeholder", "dummy", "redacted", "sample", "insert", "....", "****"];

/// Different characters that a secret has at least.
const DIFFERENT_MIN: usize = 5;

/// Whether somebody wrote this in the place of a secret.
pub(crate) fn is_placeholder(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    if PLACEHOLDER_WORDS.iter().any(|word| lower.contains(word)) {
        return true;
    }
    let mut different: Vec<u8> = lower.bytes().filter(u8::is_ascii_alphanumeric).collect();
    different.sort_unstable();
    different.dedup();
    different.len() < DIFFERENT_MIN.min(text.len())
}

/// Characters of a GitHub token's checksum.
const GITHUB_CHECKSUM_CHARS: usize = 6;

fn is_github_token(text: &str) -> bool {
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
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0_u32, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

#[cfg(test)]
mod tests;
