//! A text as it is to be read: without what hides words from people or from rules, which is told as a flaw.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use regex::Regex;
use unicode_normalization::UnicodeNormalization as _;
use unicode_security::skeleton;

use super::{Class, Remark};

/// Texts decoded out of one text.
const DECODED_MAX: usize = 8;
/// Blank lines in a row, or spaces, that push what follows out of sight.
const FAR_LINES: usize = 12;
const FAR_SPACES: usize = 80;

/// A text in its plain form.
pub(crate) struct Plain {
    /// The text, then what was decoded out of it. In lower case, one space between words, lines apart.
    pub(crate) readings: Vec<String>,
    /// The same in its own case, which says who shouts.
    pub(crate) cased: Vec<String>,
    /// What was hidden, each once.
    pub(crate) flaws: Vec<Flaw>,
}

/// A way of hiding words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Characters of no width within words.
    ZeroWidth,
    /// Characters that turn the direction of reading around.
    Direction,
    /// Characters that no font draws and models read: tags, variation selectors in a row.
    Tags,
    /// Characters that steer a terminal, or no text has.
    Control,
    /// Letters of another alphabet that look like Latin ones, within Latin words.
    Confusable,
    /// Letters spaced out, so that no word stands there.
    Spaced,
    /// Text encoded as base64, hexadecimal digits or escapes.
    Encoded,
    /// A comment of a markup language.
    Comment,
    /// Words pushed far below or aside.
    Far,
}

impl Flaw {
    pub(super) fn remark(self, pointer: &str) -> Remark {
        let (rule, points, says) = match self {
            Self::ZeroWidth => ("hidden.zero-width", 60, "has characters of no width within its words"),
            Self::Direction => ("hidden.direction", 60, "has characters that turn the direction of reading around"),
            Self::Tags => ("hidden.tags", 60, "has characters that people cannot see and models read"),
            Self::Control => ("hidden.control", 60, "has control characters, which steer terminals"),
            Self::Confusable => ("hidden.confusable", 60, "has letters of another alphabet that look like Latin ones"),
            Self::Spaced => ("hidden.spaced", 40, "has its letters spaced out, so that no word stands there"),
            Self::Encoded => ("hidden.encoded", 40, "has text in it that is encoded"),
            Self::Comment => ("hidden.comment", 40, "has a comment in it, which a page does not show"),
            Self::Far => ("hidden.far", 40, "has words far below or aside, where nobody looks"),
        };
        let (pointer, excerpt) = (pointer.to_owned(), String::new());
        Remark { rule, class: Class::Hidden, points, pointer, says, excerpt }
    }
}

/// Puts a text in its plain form.
pub(crate) fn plain(text: &str) -> Plain {
    let mut flaws = Flaws::default();
    if is_far(text) {
        flaws.add(Flaw::Far);
    }
    let (visible, smuggled) = visible(text, &mut flaws);
    let composed: String = visible.nfkc().collect();
    let folded = folded(&composed, &mut flaws);
    let lower = folded.to_lowercase();
    let mut cased = vec![tidy(&folded)];
    // Before the spaces between words are one: they tell the words apart.
    if let Some(joined) = joined(&lower) {
        flaws.add(Flaw::Spaced);
        cased.push(tidy(&joined));
    }
    if COMMENT.is_match(&lower) {
        flaws.add(Flaw::Comment);
    }
    for decoded in decoded(&composed) {
        flaws.add(Flaw::Encoded);
        cased.push(tidy(&decoded));
    }
    if !smuggled.is_empty() {
        cased.push(tidy(&smuggled));
    }
    let readings = cased.iter().map(|text| text.to_lowercase()).collect();
    Plain { readings, cased, flaws: flaws.0 }
}

#[derive(Default)]
struct Flaws(Vec<Flaw>);

impl Flaws {
    fn add(&mut self, flaw: Flaw) {
        if !self.0.contains(&flaw) {
            self.0.push(flaw);
        }
    }
}

#[expect(clippy::expect_used, reason = "a constant, which the tests compile")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is one")
}

static COMMENT: LazyLock<Regex> = LazyLock::new(|| pattern(r"<!--[^>]{12,}"));
static SPACED: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?-u:\b)(?:[a-z][ ._*-]{1,3}){7,}[a-z](?-u:\b)"));
static BASE64: LazyLock<Regex> = LazyLock::new(|| pattern(r"[A-Za-z0-9+/_-]{24,}={0,2}"));
static HEX: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?:[0-9A-Fa-f]{2}[ :]?){16,}"));
static ESCAPES: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?:%[0-9A-Fa-f]{2}|\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|&#[xX]?[0-9A-Fa-f]{2,6};){6,}"));
static ESCAPE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"%([0-9A-Fa-f]{2})|\\x([0-9A-Fa-f]{2})|\\u([0-9A-Fa-f]{4})|&#[xX]([0-9A-Fa-f]{2,6});|&#([0-9]{2,6});")
});

/// What is left when the characters are out that are not seen; and what those spell, where they spell something.
fn visible(text: &str, flaws: &mut Flaws) -> (String, String) {
    let (mut visible, mut smuggled) = (String::with_capacity(text.len()), String::new());
    let mut chars = text.chars().peekable();
    let (mut flag, mut selected) = (false, false);
    while let Some(c) = chars.next() {
        let beside_a_word = || visible.ends_with(|c: char| c.is_ascii_alphanumeric());
        let mut selects = false;
        match c {
            '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{ad}' | '\u{180e}' | '\u{34f}' => {
                let next_is_a_word = chars.peek().is_some_and(char::is_ascii_alphanumeric);
                if beside_a_word() || (next_is_a_word && !visible.is_empty()) {
                    flaws.add(Flaw::ZeroWidth);
                }
            }
            '\u{200e}' | '\u{200f}' | '\u{61c}' => {}
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => flaws.add(Flaw::Direction),
            // A flag of a region is spelled in tags, and nothing else is.
            '\u{e0000}'..='\u{e007f}' => {
                if !flag {
                    flaws.add(Flaw::Tags);
                    smuggled.extend(char::from_u32(u32::from(c) - 0xe_0000).filter(|c| !c.is_control()));
                }
                continue;
            }
            '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => {
                selects = true;
                if selected {
                    flaws.add(Flaw::Tags);
                }
            }
            '\n' | '\t' | '\r' => visible.push(c),
            c if c.is_control() => flaws.add(Flaw::Control),
            c => visible.push(c),
        }
        flag = c == '\u{1f3f4}';
        selected = selects;
    }
    (visible, smuggled)
}

/// Words of Latin letters and such as look like them, in Latin letters.
fn folded(text: &str, flaws: &mut Flaws) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut folded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric();
        let end = match is_word(first) {
            true => rest.find(|c| !is_word(c)),
            false => rest.find(is_word),
        };
        let (run, after) = rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or((rest, ""));
        let is_mixed = run.chars().any(imitates) && run.chars().any(|c| c.is_ascii_alphabetic());
        let plain: String = if is_mixed { skeleton(run).collect() } else { String::new() };
        if is_mixed && plain.is_ascii() {
            flaws.add(Flaw::Confusable);
            folded.push_str(&plain);
        } else {
            folded.push_str(run);
        }
        rest = after;
    }
    folded
}

/// Whether a letter is of an alphabet with look-alikes of Latin letters.
fn imitates(c: char) -> bool {
    matches!(c, '\u{370}'..='\u{58f}' | '\u{13a0}'..='\u{13ff}' | '\u{2c80}'..='\u{2cff}' | '\u{a4d0}'..='\u{a4ff}')
}

/// One space between words, lines apart, straight quotation marks.
fn tidy(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' => {
                if tidy.ends_with(' ') {
                    tidy.pop();
                }
                if !tidy.ends_with('\n') {
                    tidy.push('\n');
                }
            }
            c if c.is_whitespace() => {
                if !tidy.ends_with([' ', '\n']) {
                    tidy.push(' ');
                }
            }
            '‘' | '’' => tidy.push('\''),
            '“' | '”' => tidy.push('"'),
            c => tidy.push(c),
        }
    }
    tidy
}

/// The text with its spaced-out letters together, if it has some.
fn joined(lower: &str) -> Option<String> {
    let joined = SPACED.replace_all(lower, |found: &regex::Captures<'_>| {
        let run = found.get(0).map(|run| run.as_str()).unwrap_or_default();
        // Two separators stand between words.
        let words = run.split("  ").map(|word| word.replace([' ', '.', '_', '*', '-'], ""));
        words.collect::<Vec<_>>().join(" ")
    });
    (joined != lower).then(|| joined.into_owned())
}

/// Texts that stand encoded in a text.
fn decoded(text: &str) -> Vec<String> {
    let unpadded = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let readers = [&alphabet::STANDARD, &alphabet::URL_SAFE].map(|one| GeneralPurpose::new(one, unpadded));
    let base64 = BASE64.find_iter(text).filter_map(|run| {
        readers.iter().find_map(|reader| reader.decode(run.as_str()).ok().and_then(|bytes| sentence(&bytes)))
    });
    let hex = HEX.find_iter(text).filter_map(|run| {
        let digits: Vec<u8> = run.as_str().bytes().filter(u8::is_ascii_hexdigit).collect();
        let bytes = digits.chunks_exact(2).filter_map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok());
        sentence(&bytes.collect::<Vec<_>>())
    });
    let escaped = ESCAPES.find_iter(text).filter_map(|run| {
        let chars = ESCAPE.captures_iter(run.as_str()).filter_map(|one| {
            let hex = (1..=4).find_map(|group| one.get(group)).map(|digits| u32::from_str_radix(digits.as_str(), 16));
            let code = hex.or_else(|| one.get(5).map(|digits| digits.as_str().parse())).and_then(Result::ok)?;
            char::from_u32(code)
        });
        sentence(chars.collect::<String>().as_bytes())
    });
    base64.chain(hex).chain(escaped).take(DECODED_MAX).collect()
}

/// The bytes as a text, if they are one of some words.
fn sentence(bytes: &[u8]) -> Option<String> {
    let text = str::from_utf8(bytes).ok()?;
    let is_read = text.chars().all(|c| !c.is_control() || c == '\n');
    let letters = text.chars().filter(|c| c.is_alphabetic() || *c == ' ').count();
    (is_read && letters * 10 >= text.chars().count() * 7 && text.len() >= 6).then(|| text.to_owned())
}

fn is_far(text: &str) -> bool {
    let (mut lines, mut spaces) = (0, 0);
    for c in text.trim_end().chars() {
        match c {
            '\n' => (lines, spaces) = (lines + 1, 0),
            '\r' => {}
            c if c.is_whitespace() => spaces += 1,
            _ => (lines, spaces) = (0, 0),
        }
        if lines > FAR_LINES || spaces > FAR_SPACES {
            return true;
        }
    }
    false
}
