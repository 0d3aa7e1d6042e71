//! Letters that look like others, and characters that nobody sees.

use model::Decoding;
use unicode_normalization::UnicodeNormalization;
use unicode_security::confusable_detection::skeleton;

use crate::bytes::next;
use crate::map::{Map, Writer};

/// The text as a person would read it aloud, in ASCII where it looks like ASCII, and the way back. `None` if that is
/// the text itself.
pub(crate) fn fold(text: &str) -> Option<(String, Map)> {
    let mut writer = Writer::default();
    let mut kept = 0;
    let mut letters = text.char_indices().peekable();
    let mut smuggled = Vec::new();
    while let Some((at, letter)) = letters.next() {
        if letter.is_ascii() {
            continue;
        }
        let Some((instead, decoding)) = plain(letter, &mut smuggled) else { continue };
        writer.keep(text.get(kept..at)?);
        kept = at + letter.len_utf8();
        writer.put(&(at..kept), &instead, decoding);
        if !smuggled.is_empty() && letters.peek().is_none_or(|(_, next)| variation(*next).is_none()) {
            writer.put(&(at..kept), &told(&smuggled), Decoding::Invisible);
            smuggled.clear();
        }
    }
    if writer.turns.is_empty() {
        return None;
    }
    writer.keep(text.get(kept..)?);
    Some((writer.text, Map::Pieces(writer.turns)))
}

/// What stands for a letter, if it is not itself.
fn plain(letter: char, smuggled: &mut Vec<u8>) -> Option<(String, Decoding)> {
    if let Some(byte) = variation(letter) {
        smuggled.push(byte);
        return Some((String::new(), Decoding::Invisible));
    }
    if let Some(tag) = tag(letter) {
        return Some((tag.map(String::from).unwrap_or_default(), Decoding::Invisible));
    }
    if is_invisible(letter) {
        return Some((String::new(), Decoding::Invisible));
    }
    if is_ideograph(letter) {
        return None;
    }
    if letter.is_whitespace() {
        return Some((" ".to_owned(), Decoding::Lookalike));
    }
    let compatible: String = std::iter::once(letter).nfkc().collect();
    let changed = !compatible.chars().eq(std::iter::once(letter));
    if changed && compatible.is_ascii() {
        return Some((compatible, Decoding::Lookalike));
    }
    lookalike(letter).map(|ascii| (ascii, Decoding::Lookalike))
}

/// The letters of ASCII that a letter looks like (TR 39).
fn lookalike(letter: char) -> Option<String> {
    let mut buffer = [0; 4];
    let likeness: String = skeleton(letter.encode_utf8(&mut buffer)).collect();
    if !likeness.is_ascii() || likeness.is_empty() {
        return None;
    }
    // The standard's likenesses join what can be told apart by case: `I` and `l`, and `m` is written `rn`.
    Some(match likeness.as_str() {
        "l" if letter.is_uppercase() => "I".to_owned(),
        "rn" => "m".to_owned(),
        other => other.to_owned(),
    })
}

/// What a tag character hides: a letter of ASCII, or nothing.
fn tag(letter: char) -> Option<Option<char>> {
    let code = u32::from(letter);
    match code {
        0xe0020..=0xe007e => Some(char::from_u32(code - 0xe0000)),
        0xe0000..=0xe007f => Some(None),
        _ => None,
    }
}

/// The byte that a variation selector stands for where somebody writes bytes with them.
fn variation(letter: char) -> Option<u8> {
    match u32::from(letter) {
        code @ 0xfe00..=0xfe0f => u8::try_from(code - 0xfe00).ok(),
        code @ 0xe0100..=0xe01ef => u8::try_from(code - 0xe0100 + 16).ok(),
        _ => None,
    }
}

/// Variation selectors in a row from which on they are no emoji's.
const SMUGGLED_MIN: usize = 4;

/// What a run of variation selectors says.
fn told(bytes: &[u8]) -> String {
    if bytes.len() < SMUGGLED_MIN {
        return String::new();
    }
    std::str::from_utf8(bytes).map(str::to_owned).unwrap_or_default()
}

/// Characters that nobody sees: no marks on letters among them.
pub(crate) fn is_hidden(letter: char) -> bool {
    let is_mark = matches!(u32::from(letter),
        0x80..=0x9f | 0x300..=0x36f | 0x483..=0x489 | 0x1ab0..=0x1aff | 0x1dc0..=0x1dff | 0x20d0..=0x20ff | 0xfe20..=0xfe2f);
    !is_mark && (is_invisible(letter) || tag(letter).is_some() || variation(letter).is_some())
}

/// Characters that take no room and change no meaning, and marks that are set on letters.
fn is_invisible(letter: char) -> bool {
    matches!(u32::from(letter),
        0xad | 0x34f | 0x61c | 0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f | 0x202a..=0x202e
        | 0x2060..=0x206f | 0x3164 | 0xfeff | 0xffa0 | 0xfff9..=0xfffb | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a
        | 0x80..=0x84 | 0x86..=0x9f
        // Marks: an overlay of them makes a letter no other.
        | 0x300..=0x36f | 0x483..=0x489 | 0x1ab0..=0x1aff | 0x1dc0..=0x1dff | 0x20d0..=0x20ff | 0xfe20..=0xfe2f)
}

/// Letters of large scripts, none of which looks like one of ASCII.
fn is_ideograph(letter: char) -> bool {
    matches!(u32::from(letter), 0x3040..=0x30ff | 0x3400..=0x9fff | 0xac00..=0xd7a3 | 0x20000..=0x3ffff)
}

/// Digits and signs inside words read as the letters they look like, and the way back. `None` if no word has any.
pub(crate) fn leetspeak(text: &str) -> Option<(String, Map)> {
    let own = |word: &std::ops::Range<usize>| text.get(word.clone()).unwrap_or_default();
    // Who writes several words that way writes all of them so: `7h3` and `th3`.
    let sure = words(text).filter(|word| is_leetspeak(own(word))).take(LEET_WORDS_SURE).count();
    if sure == 0 {
        return None;
    }
    let is_habit = sure == LEET_WORDS_SURE;
    let mut writer = Writer::default();
    let mut kept = 0;
    for word in words(text) {
        let within = own(&word);
        if !(is_leetspeak(within) || (is_habit && may_be_leetspeak_word(within))) {
            continue;
        }
        for (offset, letter) in within.char_indices() {
            let Some(instead) = unleet(letter) else { continue };
            let at = word.start + offset;
            writer.keep(text.get(kept..at)?);
            kept = at + letter.len_utf8();
            writer.put(&(at..kept), instead, Decoding::Leetspeak);
        }
    }
    if writer.turns.is_empty() {
        return None;
    }
    writer.keep(text.get(kept..)?);
    Some((writer.text, Map::Pieces(writer.turns)))
}

fn is_stand_in(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'!' | b'|' | b'@' | b'$' | b'+')
}

fn is_of_leetspeak(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || is_stand_in(byte)
}

/// What stands between spaces and punctuation that is no letter in leetspeak, if it has a stand-in.
fn words(text: &str) -> impl Iterator<Item = std::ops::Range<usize>> {
    let bytes = text.as_bytes();
    let mut from = 0;
    std::iter::from_fn(move || {
        let at = next(bytes, from, is_stand_in)?;
        let before = bytes.get(from..at)?.iter().rev();
        let start = at - before.take_while(|byte| is_of_leetspeak(**byte)).count();
        from =
            bytes.get(at..)?.iter().position(|byte| !is_of_leetspeak(*byte)).map_or(bytes.len(), |length| at + length);
        Some(start..from)
    })
}

/// The longest word that is taken for one: longer ones are identifiers.
const LEET_WORD_BYTES_MAX: usize = 20;

/// A word of letters with a few of their stand-ins among them: at least one letter each, no more digits than letters
/// and a half, and a stand-in before the last letter, since `version2` is a word with a number.
fn is_leetspeak(word: &str) -> bool {
    // Identifiers are often hexadecimal.
    if !(2..=LEET_WORD_BYTES_MAX).contains(&word.len()) || word.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return false;
    }
    let letters = word.bytes().filter(u8::is_ascii_alphabetic).count();
    let stand_ins = word.chars().filter(|letter| unleet(*letter).is_some()).count();
    let last_letter = word.rfind(|letter: char| letter.is_ascii_alphabetic());
    let first_stand_in = word.find(|letter: char| unleet(letter).is_some());
    letters > 0
        && stand_ins > 0
        && letters + stand_ins == word.len()
        && stand_ins <= letters * 2
        && first_stand_in < last_letter
}

/// Words of leetspeak from which on others are likely to be, too.
const LEET_WORDS_SURE: usize = 4;

/// A word of letters and their stand-ins, or of two or three stand-ins alone.
fn may_be_leetspeak_word(word: &str) -> bool {
    let letters = word.bytes().filter(u8::is_ascii_alphabetic).count();
    let stand_ins = word.chars().filter(|letter| unleet(*letter).is_some()).count();
    let least = if letters == 0 { 2..=3 } else { 1..=LEET_WORD_BYTES_MAX };
    least.contains(&stand_ins) && letters + stand_ins == word.len() && word.len() <= LEET_WORD_BYTES_MAX
}

fn unleet(letter: char) -> Option<&'static str> {
    Some(match letter {
        '0' => "o",
        '1' | '!' | '|' => "i",
        '2' => "z",
        '3' => "e",
        '4' | '@' => "a",
        '5' | '$' => "s",
        '6' | '9' => "g",
        '7' | '+' => "t",
        '8' => "b",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
