//! What confirms that a text which looks like a thing is one: checksums, and how much the characters differ.

pub(crate) mod national;
pub(crate) mod number;
mod token;

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use serde::Deserialize;

pub(crate) use token::github_token;

/// A check that a rule can ask for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// No placeholder: not a few characters over and over.
    NotPlaceholder,
    /// Letters and digits mixed as chance mixes them; words and numbers alone are not.
    Mixed,
    /// The same, or hexadecimal.
    MixedOrHex,
    /// What somebody could have chosen as a password: no word that stands for one.
    Password,
    /// `user:password`, the password no placeholder and not the user's name.
    UserPassword,
    /// A GitHub or npm token: the last six characters are the CRC-32 of the thirty before, in base 62.
    Github,
    /// An AWS access key id: no example, and more than letters.
    Aws,
    /// A Google key: no alphabet in order.
    Google,
    /// A Slack token: its numbers are as long as Slack's.
    Slack,
    /// A user's name and password in base 64, as HTTP has them (RFC 7617).
    Basic,
    /// A JSON Web Token: its header is JSON and names an algorithm.
    Jwt,
    /// Base 58 with the checksum of Bitcoin.
    Base58,
    /// 32 bytes in hexadecimal that are no hash of zeros and the like.
    Ethereum,
    /// The digits pass Luhn's check.
    Luhn,
    /// An IBAN: its country's length, and its remainder modulo 97 (ISO 13616).
    Iban,
}

impl Check {
    /// Whether the text passes.
    pub(crate) fn passes(self, text: &str) -> bool {
        match self {
            Self::NotPlaceholder => !is_repeated(text) && !is_in_order(text),
            Self::Mixed => is_mixed(text) && !is_placeholder(text),
            Self::MixedOrHex => (is_mixed(text) || is_hex(text)) && !is_placeholder(text),
            Self::Password => is_password(text),
            Self::UserPassword => is_user_password(text),
            Self::Github => token::github(text),
            Self::Aws => {
                !text.ends_with("EXAMPLE")
                    && !text.contains(AWS_EXAMPLE)
                    && text.bytes().any(|byte| byte.is_ascii_digit())
                    && !is_repeated(text)
            }
            Self::Google => !is_repeated(text) && !is_in_order(text),
            Self::Slack => token::slack(text) && !is_repeated(text),
            Self::Basic => token::basic(text),
            Self::Jwt => token::jwt(text),
            Self::Base58 => token::base58(text),
            Self::Ethereum => !is_repeated(text) && entropy(text.as_bytes()) > 3.0,
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
const PLACEHOLDER_WORDS: &[&str] = &[
    "apikey",
    "api_key",
    "example",
    "xxxx",
    "your",
    "change",
    "placeholder",
    "dummy",
    "redacted",
    "sample",
    "insert",
    "....",
    "****",
    "replace",
    "<",
    "todo",
    "none",
    "null",
    "undefined",
    "fake",
    "default",
    "foobar",
    "foo-bar",
    "my_",
    "abcdefgh",
    "12345678",
    "test_",
    "enter_",
    "secret_here",
    "token_here",
    "key_here",
];

/// What AWS's documentation has in place of a key.
const AWS_EXAMPLE: &str = "IOSFODNN7";

/// Words that stand for a password and are none.
const NO_PASSWORDS: &[&str] = &[
    "password",
    "passwd",
    "pass",
    "mypassword",
    "secret",
    "mysecret",
    "token",
    "test",
    "string",
    "required",
    "true",
    "false",
    "optional",
    "hidden",
    "prompt",
    "value",
    "text",
    "pwd",
    "username",
    "user",
];

/// Different characters that a secret has at least.
const DIFFERENT_MIN: usize = 5;
/// The same character so many times in a row is no chance.
const ROW_MIN: usize = 6;
/// Characters at the end that are looked at for a repeated group.
const PERIOD_TAIL: usize = 12;
/// Letters of an alphabet in order from which on they are no chance.
const IN_ORDER_MIN: usize = 10;

/// Whether somebody wrote this in the place of a secret.
pub(crate) fn is_placeholder(text: &str) -> bool {
    PLACEHOLDERS.as_ref().is_some_and(|words| words.is_match(text)) || is_repeated(text)
}

static PLACEHOLDERS: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::builder().ascii_case_insensitive(true).build(PLACEHOLDER_WORDS).ok());

/// Whether a text is a few characters over and over, or has a long row of one in it.
fn is_repeated(text: &str) -> bool {
    let signs = text.bytes().filter(u8::is_ascii_alphanumeric);
    let (mut different, mut row, mut longest, mut last) = (0_u128, 0, 0, 0);
    for sign in signs.clone() {
        row = if sign == last { row + 1 } else { 1 };
        longest = longest.max(row);
        last = sign;
        different |= 1 << sign;
    }
    // `123123123123` is no chance either.
    let mut tail = [0; PERIOD_TAIL];
    let places = tail.iter_mut().rev().zip(signs.rev()).map(|(place, sign)| *place = sign);
    let is_whole = places.count() == PERIOD_TAIL;
    let periodic =
        is_whole && (1..=4).any(|period| tail.iter().skip(period).eq(tail.iter().take(PERIOD_TAIL - period)));
    let different = usize::try_from(different.count_ones()).unwrap_or_default();
    longest >= ROW_MIN || periodic || different < DIFFERENT_MIN.min(text.len() / 2 + 1)
}

/// Whether letters or digits stand in the order of the alphabet.
fn is_in_order(text: &str) -> bool {
    text.as_bytes()
        .windows(IN_ORDER_MIN)
        .any(|row| row.windows(2).all(|pair| matches!(pair, [first, second] if first.wrapping_add(1) == *second)))
}

/// Whether letters and digits are mixed as chance mixes them.
fn is_mixed(text: &str) -> bool {
    let count = |kind: fn(&u8) -> bool| text.bytes().filter(kind).count();
    let (digits, letters) = (count(u8::is_ascii_digit), count(u8::is_ascii_alphabetic));
    text.len() >= 10
        && digits >= 2
        && letters >= 2
        && entropy(text.as_bytes()) >= 3.0
        && !is_in_order(text)
        && !is_typed_hex(text)
}

/// Hexadecimal digits from which on chance alone does not keep to them.
const HEX_DIGITS_MIN: usize = 16;

fn is_hex(text: &str) -> bool {
    text.len() >= HEX_DIGITS_MIN
        && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
        && !is_repeated(text)
        && !is_typed_hex(text)
}

/// Whether somebody typed this in the place of hexadecimal: what makes it keeps to small letters or to capitals, and what makes
/// letters of both kinds by chance uses those behind `f` too.
fn is_typed_hex(text: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| text.bytes().any(|byte| kind(&byte));
    text.len() >= HEX_DIGITS_MIN
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
        && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// Whether a text could be a password: not a word of letters alone, nor one that stands for a password.
fn is_password(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let kinds: [fn(&u8) -> bool; 3] =
        [u8::is_ascii_alphabetic, u8::is_ascii_digit, |byte| !byte.is_ascii_alphanumeric() && !b"_-./".contains(byte)];
    let mixed = kinds.iter().filter(|kind| text.bytes().any(|byte| kind(&byte))).count() >= 2;
    text.len() >= 6 && mixed && !NO_PASSWORDS.contains(&lower.as_str()) && !is_placeholder(text)
}

fn is_user_password(text: &str) -> bool {
    let Some((user, password)) = text.split_once(':') else { return false };
    let bare = |text: &str| text.trim_matches(['"', '\'', '{', '}']).to_ascii_lowercase();
    let (user, password) = (bare(user), bare(password));
    // What is left empty is not asked for, so the other half is the secret.
    let secret = if password.is_empty() { &user } else { &password };
    let varies = secret.contains(|c: char| c.is_ascii_digit());
    let reference = text.starts_with(['<', '['])
        || ["${", "$(", "{{"].iter().any(|sign| text.contains(sign))
        || !varies && (text.starts_with('{') || text.contains(['$', '<', '[', '*']));
    secret.len() >= 4
        && user != password
        && !reference
        && !is_repeated(secret)
        && !NO_PASSWORDS.contains(&secret.as_str())
        && !password.starts_with("//")
        && !PLACEHOLDER_WORDS.iter().any(|word| secret.contains(word) && word.len() > 3)
}

#[cfg(test)]
mod tests;
