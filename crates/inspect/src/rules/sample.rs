//! Texts in which rules are tested, without secrets in them.
//!
//! A file of rules holds no token that has a real one's form: it would alarm everybody who scans this repository. In its
//! place stands what to make it of, between angle brackets: `<alnum:36>` is 36 letters and digits, always the same ones.

/// The text with each `<kind:length>` replaced by that many characters of the kind.
pub(super) fn fill(text: &str) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    let mut state = SEED;
    while let Some((before, after)) = rest.split_once('<') {
        filled.push_str(before);
        match after.split_once('>').and_then(|(inside, behind)| Some((made(inside, &mut state)?, behind))) {
            Some((letters, behind)) => {
                filled.push_str(&letters);
                rest = behind;
            }
            None => {
                filled.push('<');
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}

/// Any number will do, as long as it stays the same.
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

fn made(inside: &str, state: &mut u64) -> Option<String> {
    let (kind, length) = inside.split_once(':')?;
    let letters: &[u8] = match kind {
        "digit" => b"0123456789",
        "hex" => b"0123456789abcdef",
        "HEX" => b"0123456789ABCDEF",
        "lower" => b"abcdefghijklmnopqrstuvwxyz",
        "upper" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "lowernum" => b"abcdefghijklmnopqrstuvwxyz0123456789",
        "UPPERNUM" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
        "base32" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
        "alpha" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        "alnum" => b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        "base64" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        "url" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
        // Not letters: lines of a conversation, and one sentence again and again.
        "turns" => {
            return Some(
                "User: open the door, please.\nAssistant: Of course, it is open.\n".repeat(length.parse().ok()?),
            );
        }
        "again" => return Some("the same words over and over\n".repeat(length.parse().ok()?)),
        "github" => return crate::check::github_token(kind_prefix(length)?, &random(ALNUM, 30, state)),
        _ => return None,
    };
    Some(random(letters, length.parse().ok()?, state))
}

const ALNUM: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `<github:ghp>` is a token with its checksum.
fn kind_prefix(prefix: &str) -> Option<&str> {
    prefix.bytes().all(|byte| byte.is_ascii_lowercase()).then_some(prefix)
}

/// Marsaglia's xorshift: enough to look like a token, and the same on every machine.
fn random(letters: &[u8], length: usize, state: &mut u64) -> String {
    let mut text = String::with_capacity(length);
    for _ in 0..length {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        let index = usize::try_from((*state >> 11) % u64::try_from(letters.len()).unwrap_or(1)).unwrap_or_default();
        text.push(letters.get(index).copied().map_or('0', char::from));
    }
    text
}
