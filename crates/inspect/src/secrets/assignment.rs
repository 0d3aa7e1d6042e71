//! Values that are called a secret: `password = …`, `"api_key": "…"`, `--token …`.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use model::{Part, limits};

use crate::View;
use crate::check::{Check, is_placeholder};

/// What the names of secrets end with, in lower case and without `_`, `-` and spaces between words.
pub(super) const NAMES: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "passwort",
    "contraseña",
    "pwd",
    "secret",
    "token",
    "apikey",
    "api_key",
    "api-key",
    "api key",
    "accesskey",
    "access_key",
    "access-key",
    "privatekey",
    "private_key",
    "secretkey",
    "secret_key",
    "secret-key",
    "authkey",
    "auth_key",
    "encryption_key",
    "signing_key",
    "account_key",
    "accountkey",
    "credential",
    "credentials",
    "client_secret",
    "mot_de_passe",
    "kennwort",
];

/// The part of a name by which it is told that it is public or no secret itself, or that a rule of its own looks for it.
const HARMLESS: &[&str] =
    &["aws_secret_access", "public", "csrf", "xsrf", "next", "page", "cursor", "continuation", "max", "num", "total"];

/// Bytes of a name before its last word.
const NAME_BYTES_MAX: usize = 64;
/// Bytes between a name and its value.
const GAP_BYTES_MAX: usize = 8;

/// The value that is assigned to the name whose last word stands at `word`.
pub(super) fn value(view: &View<'_>, word: &Range<usize>) -> Option<Range<usize>> {
    let bytes = view.text.as_bytes();
    let before = bytes.get(word.start.saturating_sub(NAME_BYTES_MAX)..word.start)?;
    let prefix = before.iter().rev().take_while(|byte| is_name(**byte)).count();
    let name = view.text.get(word.start - prefix..word.end)?;
    if !is_own_word(view.text.get(word.clone())?, before) {
        return None;
    }
    let behind = bytes.get(word.end..(word.end + GAP_BYTES_MAX).min(bytes.len()))?;
    // The word has to be the last one of the name: `token_url` and `secretName` are no secrets.
    let plural = usize::from(behind.first() == Some(&b's'));
    let gap = gap(behind.get(plural..)?)?;
    let name = name.to_ascii_lowercase();
    if is_harmless(&name) {
        return None;
    }
    let start = word.end + plural + gap;
    let range = start..start + length(view.text.get(start..)?)?;
    let called = before.get(..before.len() - prefix).unwrap_or_default();
    if is_argument(called, bytes.get(word.end..start).unwrap_or_default()) {
        return None;
    }
    is_secret(&name, view.text.get(range.clone())?).then_some(range)
}

/// Whether the whole text is the value of a member that is called a secret.
pub(super) fn is_named(view: &View<'_>) -> bool {
    let is_value = view.part == Part::Value && !view.key.is_empty() && view.key.len() <= NAME_BYTES_MAX;
    // Most values are not one word of such a length, which is soon seen.
    if !is_value || length(view.text) != Some(view.text.len()) {
        return false;
    }
    let key = view.key.to_ascii_lowercase();
    let named = NAMES.iter().any(|name| key.strip_suffix('s').unwrap_or(&key).ends_with(name) || key.ends_with(name));
    named && !is_harmless(&key) && is_secret(&key, view.text)
}

/// Whether a word stands by itself, or as one of several in a name: `authToken`, and no `jsonwebtoken`.
fn is_own_word(word: &str, before: &[u8]) -> bool {
    let joined = before.last().is_some_and(u8::is_ascii_lowercase);
    let may_join = word.starts_with(|first: char| first.is_ascii_uppercase() || matches!(first, 'p' | 'P'));
    !joined || may_join
}

/// Whether a name is that of an argument, `login(token: value)`, and its value that of a variable: it has no quotes.
fn is_argument(before: &[u8], gap: &[u8]) -> bool {
    let is_call = matches!(before, [.., function, b'('] if function.is_ascii_alphanumeric());
    is_call && gap.contains(&b':') && !gap.iter().any(|byte| matches!(byte, b'"' | b'\'' | b'`'))
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'$')
}

fn is_harmless(name: &str) -> bool {
    HARMLESS.iter().any(|part| name.contains(part))
}

/// How many bytes stand between a name and its value: quotes, spaces, and one sign of assignment.
fn gap(behind: &[u8]) -> Option<usize> {
    let mut at = 0;
    let skip = |at: &mut usize, signs: &[u8]| {
        while behind.get(*at).is_some_and(|byte| signs.contains(byte)) {
            *at += 1;
        }
    };
    skip(&mut at, b"\"'` ]\t");
    let sign = at;
    match behind.get(at..)? {
        [b':', b'=', ..] | [b'=', b'>', ..] => at += 2,
        [b'=' | b':', after, ..] if !matches!(after, b'=' | b':' | b'/') => at += 1,
        _ => return None,
    }
    skip(&mut at, b"\"'` \t");
    (at > sign).then_some(at)
}

/// Bytes in a value: shorter ones are no secrets, longer ones are text.
const VALUE_BYTES: std::ops::RangeInclusive<usize> = 6..=limits::RULE_WINDOW_BYTES;

fn length(rest: &str) -> Option<usize> {
    let ends =
        |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'`' | b',' | b';' | b'<' | b'>');
    let within = rest.as_bytes().iter().take(VALUE_BYTES.end() + 1);
    let length = within.clone().position(ends).unwrap_or_else(|| within.len());
    VALUE_BYTES.contains(&length).then_some(length)
}

/// Signs of a value that says where the secret is, and is none.
static REFERENCES: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let signs =
        ["${", "$(", "{{", "://", "::", "()", "...", "=>", "process.env", "environ", "getenv", "secrets.", "var."];
    AhoCorasick::new(signs).ok()
});

/// Whether a value could be the secret that its name promises: no placeholder, no reference to where the secret is, no
/// name of something else, and not a word.
fn is_secret(name: &str, value: &str) -> bool {
    let whole = value;
    let value = value.trim_end_matches(['.', ')', '}', ']', '\\']);
    let reference = whole.starts_with(['$', '%', '{', '[', '(', '/', '@', '*', '.', '&', '-', '\\'])
        || REFERENCES.as_ref().is_some_and(|references| references.is_match(whole));
    if reference || value.len() < *VALUE_BYTES.start() || is_placeholder(value) {
        return false;
    }
    let is_password = ["pass", "pwd", "kenn", "mot_de", "contra"].iter().any(|part| name.contains(part));
    if is_password { Check::Password.passes(value) } else { Check::Mixed.passes(value) && !is_path(value) }
}

/// Names of classes, files and modules have dots and capitals in them, and no digits among the letters.
fn is_path(value: &str) -> bool {
    let parts = value.split(['.', '/', '_', '-', ':']);
    // A number by itself is no sign of chance either.
    let plain = |part: &&str| part.bytes().all(|b| b.is_ascii_alphabetic()) || part.bytes().all(|b| b.is_ascii_digit());
    let words = parts.clone().filter(|part| plain(part) && part.len() > 2);
    words.count() * 2 > parts.count()
}
