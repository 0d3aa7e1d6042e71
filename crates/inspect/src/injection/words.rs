//! A text as words: what each is, what it means, where it stands.
//!
//! Addresses, numbers and names of things become one word each, so that nothing is learned of a certain address.
//! Sentences are numbered: the end of one is punctuation, an empty line, or the border of a field.

mod kinds;

use super::concepts::{Concepts, EMPTY, Lexicon, UNSPACED_CHARS_MAX, hash, step};
use super::kin::Kin;
use kinds::{EXCLAMATION, QUESTION, TAG, is_field, is_unspaced, kind_of, mark, run, starts_path};

pub use kinds::MARKS;

/// Words in one sentence, at most; a longer one goes on as the next.
const SENTENCE_WORDS_MAX: u32 = 24;

/// What a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Letters.
    Plain,
    /// A character of a script without spaces, with the one before it.
    Unspaced,
    /// An e-mail address.
    Email,
    /// A web address.
    Url,
    /// A file's path.
    Path,
    /// Digits.
    Number,
    /// Letters with digits: an account, a key.
    Code,
    /// A name in a program: `send_email`, `getUser`.
    Identifier,
    /// Signs that put text apart: their place in [`MARKS`].
    Mark(u8),
}

/// One word of a text.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    /// Where it begins, in bytes.
    pub start: usize,
    /// Where it ends, in bytes.
    pub end: usize,
    /// Of its letters in lower case, or of its kind where the letters do not matter.
    pub hash: u64,
    /// What it is.
    pub kind: Kind,
    /// What it means.
    pub concepts: Concepts,
    /// The words that it is used like.
    pub kin: Kin,
    /// It begins a sentence, or stands after a colon or a quotation mark: where orders have their verb.
    pub opens: bool,
    /// All in capital letters.
    pub shouts: bool,
    /// The number of its sentence in the text.
    pub sentence: u32,
}

/// Splits a text into words, into `words`, which is emptied first.
pub fn split(text: &str, lexicon: &Lexicon, words: &mut Vec<Word>) {
    words.clear();
    let mut splitter = Splitter { lexicon, words, sentence: 0, in_sentence: 0, opens: true, last_unspaced: None };
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        at += splitter.take(rest, at);
    }
}

/// What the letters of a word say.
struct Spelling {
    hash: u64,
    concepts: Concepts,
    bytes: usize,
    digits: u32,
    capitals: u32,
    smalls: u32,
    /// Whether a capital or an underscore stands inside.
    inner: bool,
}

impl Default for Spelling {
    fn default() -> Self {
        let (digits, capitals, smalls) = (0, 0, 0);
        Self { hash: EMPTY, concepts: Concepts::NONE, bytes: 0, digits, capitals, smalls, inner: false }
    }
}

struct Splitter<'text> {
    lexicon: &'text Lexicon,
    words: &'text mut Vec<Word>,
    sentence: u32,
    in_sentence: u32,
    opens: bool,
    /// Where the character of an unspaced script ended that the next one may follow.
    last_unspaced: Option<(usize, u64)>,
}

impl Splitter<'_> {
    /// Takes the next run or sign off `rest`, which stands at `at`; gives back its bytes.
    fn take(&mut self, rest: &str, at: usize) -> usize {
        // Most of a text is words and single spaces.
        match rest.as_bytes().first() {
            Some(b' ') => return 1,
            Some(byte) if byte.is_ascii_alphanumeric() => return self.take_run(rest, at),
            Some(_) | None => {}
        }
        let Some(first) = rest.chars().next() else { return 1 };
        if is_unspaced(first) {
            self.unspaced(rest, first, at);
            return first.len_utf8();
        }
        if first.is_alphanumeric() || (matches!(first, '~' | '/' | '.') && starts_path(rest)) {
            return self.take_run(rest, at);
        }
        self.sign(rest, first, at)
    }

    fn take_run(&mut self, rest: &str, at: usize) -> usize {
        match run(rest) {
            (word, true) => {
                self.last_unspaced = None;
                self.spelt(word, at);
                word.len()
            }
            (run, false) => {
                self.run(run, at);
                run.len().max(1)
            }
        }
    }

    fn push(&mut self, start: usize, end: usize, hash: u64, kind: Kind, concepts: Concepts, shouts: bool) {
        if self.in_sentence >= SENTENCE_WORDS_MAX {
            self.end_sentence();
            self.opens = false;
        }
        let (opens, sentence) = (self.opens, self.sentence);
        let kin = if kind == Kind::Plain { self.lexicon.kin(hash) } else { Kin::default() };
        self.words.push(Word { start, end, hash, kind, concepts, kin, opens, shouts, sentence });
        self.in_sentence += 1;
        self.opens &= matches!(kind, Kind::Mark(_));
    }

    fn end_sentence(&mut self) {
        if self.in_sentence > 0 {
            self.sentence = self.sentence.saturating_add(1);
            self.in_sentence = 0;
        }
        self.opens = true;
    }

    /// Letters, digits and what stands between them without a space.
    fn run(&mut self, run: &str, at: usize) {
        self.last_unspaced = None;
        let whole = run.trim_end_matches(['.', ':', '/', '-', '?', '=', '&', '%', '+', '#', ',']);
        let kind = kind_of(whole);
        if let Some((kind, name)) = kind {
            self.push(at, at + whole.len(), hash(name), kind, Concepts::NONE, false);
        } else {
            let mut start = 0;
            for part in whole.split(|sign: char| !(sign.is_alphanumeric() || matches!(sign, '_' | '\'' | '’'))) {
                self.word(part, at + start);
                start += part.len() + 1;
            }
        }
        let tail = run.get(whole.len()..).unwrap_or_default();
        if tail.starts_with('?') {
            self.mark(QUESTION, at + whole.len(), 1);
        }
        if tail.starts_with(['.', '?']) {
            self.end_sentence();
        } else if tail.starts_with(':') {
            self.opens = true;
        }
    }

    /// One word of letters, digits, apostrophes and underscores.
    fn word(&mut self, word: &str, at: usize) {
        let word = word.trim_matches(['\'', '’', '_']);
        // What is somebody's means what they mean.
        let word = word.strip_suffix("'s").or_else(|| word.strip_suffix("’s")).unwrap_or(word);
        if word.is_empty() {
            return;
        }
        if !word.is_ascii() && word.chars().any(is_unspaced) {
            for (start, sign) in word.char_indices() {
                self.unspaced(word.get(start..).unwrap_or_default(), sign, at + start);
            }
            return;
        }
        self.spelt(word, at);
    }

    /// A word without anything around it.
    fn spelt(&mut self, word: &str, at: usize) {
        let Spelling { hash: hash_so_far, concepts, bytes, digits, capitals, smalls, inner } =
            if word.is_ascii() { self.spell_ascii(word) } else { self.spell(word) };
        let letters = capitals + smalls;
        let concepts = concepts.or(self.lexicon.word(hash_so_far));
        let shouts = capitals >= 3 && smalls == 0;
        let end = at + word.len();
        if digits > 0 && letters == 0 {
            self.push(at, end, hash("\u{1}number"), Kind::Number, Concepts::NONE, false);
        } else if digits >= 2 && bytes >= 6 && !inner {
            self.push(at, end, hash("\u{1}code"), Kind::Code, concepts, false);
        } else if inner && concepts.is_empty() {
            self.push(at, end, hash("\u{1}identifier"), Kind::Identifier, concepts, false);
        } else {
            self.push(at, end, hash_so_far, Kind::Plain, concepts, shouts);
        }
    }

    fn spell_ascii(&self, word: &str) -> Spelling {
        let mut spelling = Spelling::default();
        for byte in word.bytes() {
            spelling.digits += u32::from(byte.is_ascii_digit());
            spelling.smalls += u32::from(byte.is_ascii_lowercase());
            spelling.capitals += u32::from(byte.is_ascii_uppercase());
            spelling.inner |= byte == b'_' || (byte.is_ascii_uppercase() && spelling.smalls > 0);
            spelling.hash = step(spelling.hash, byte.to_ascii_lowercase());
            spelling.concepts = spelling.concepts.or(self.lexicon.stem(spelling.hash));
        }
        spelling.bytes = word.len();
        spelling
    }

    fn spell(&self, word: &str) -> Spelling {
        let mut spelling = Spelling::default();
        for sign in word.chars() {
            spelling.digits += u32::from(sign.is_ascii_digit());
            spelling.smalls += u32::from(sign.is_lowercase());
            spelling.capitals += u32::from(sign.is_uppercase());
            spelling.inner |= sign == '_' || (sign.is_uppercase() && spelling.smalls > 0);
            let mut buffer = [0; 4];
            for small in sign.to_lowercase() {
                for byte in small.encode_utf8(&mut buffer).bytes() {
                    spelling.hash = step(spelling.hash, byte);
                    spelling.bytes += 1;
                }
            }
            spelling.concepts = spelling.concepts.or(self.lexicon.stem(spelling.hash));
        }
        spelling
    }

    /// A character of a script that puts no spaces between words: what begins here is looked up, and it is a word
    /// with the one before it.
    fn unspaced(&mut self, rest: &str, first: char, at: usize) {
        let (mut hash_so_far, mut concepts) = (EMPTY, Concepts::NONE);
        for sign in rest.chars().take(UNSPACED_CHARS_MAX) {
            let mut buffer = [0; 4];
            hash_so_far = sign.encode_utf8(&mut buffer).bytes().fold(hash_so_far, step);
            concepts = concepts.or(self.lexicon.stem(hash_so_far)).or(self.lexicon.word(hash_so_far));
        }
        let mut buffer = [0; 4];
        let own = hash(first.encode_utf8(&mut buffer));
        let before = self.last_unspaced.filter(|(end, _)| *end == at).map_or(EMPTY, |(_, hash)| hash);
        let end = at + first.len_utf8();
        self.push(at, end, own ^ before.rotate_left(7), Kind::Unspaced, concepts, false);
        self.last_unspaced = Some((end, own));
    }

    /// A sign that is no letter: an end of a sentence, a mark, or nothing.
    fn sign(&mut self, rest: &str, first: char, at: usize) -> usize {
        let after = rest.get(first.len_utf8()..).unwrap_or_default();
        match first {
            ' ' | ',' | '\t' => return 1,
            '\\' => return self.escape(after),
            '\n' => self.line(after),
            '?' | '？' | '؟' if self.in_sentence > 0 => {
                self.mark(QUESTION, at, first.len_utf8());
                self.end_sentence();
            }
            '.' | '?' | ';' if after.is_empty() || after.starts_with([' ', '\n', '"', '\'', '\\', ')', '<']) => {
                self.end_sentence();
            }
            '。' | '！' | '？' | '؟' | '।' => self.end_sentence(),
            ':' | '：' | '\'' | '(' | '“' | '»' | '，' | '、' => self.opens = true,
            _ => {}
        }
        if let Some((mark, sign)) = mark(rest, first) {
            self.end_sentence();
            self.mark(mark, at, sign.len());
            return sign.len()
                + after.bytes().skip(sign.len() - 1).take_while(|next| sign.ends_with(char::from(*next))).count();
        }
        match first {
            '<' if after.starts_with(|next: char| next.is_ascii_alphabetic()) => {
                self.end_sentence();
                self.mark(TAG, at, 1);
            }
            '!' if self.in_sentence > 0 => {
                self.mark(EXCLAMATION, at, 1);
                self.end_sentence();
            }
            '!' | '"' | '<' | '>' | '{' | '}' | '[' | ']' | '|' | '•' | '*' | '#' | '`' => self.end_sentence(),
            _ => {}
        }
        first.len_utf8()
    }

    fn mark(&mut self, mark: u8, at: usize, bytes: usize) {
        let name = step(hash("\u{1}mark"), mark);
        self.push(at, at + bytes, name, Kind::Mark(mark), Concepts::NONE, false);
    }

    /// A backslash: an escape that was not taken back, or the sign itself.
    fn escape(&mut self, after: &str) -> usize {
        match after.chars().next() {
            Some('n' | 'r') => {
                let next = after.get(1..).unwrap_or_default();
                if next.starts_with("\\n") {
                    self.end_sentence();
                } else {
                    self.line(next);
                }
                2
            }
            Some('t' | '"' | '\\') => 2,
            // A line that was only folded goes on.
            Some('\n') => 2,
            _ => 1,
        }
    }

    /// The end of a line: also of a sentence, unless the next line goes on with it.
    fn line(&mut self, after: &str) {
        let next = after.trim_start_matches([' ', '\t', '\\']);
        let goes_on = next.starts_with(|sign: char| sign.is_lowercase() || sign.is_ascii_digit() || sign == '\'')
            && !is_field(next);
        if !goes_on {
            self.end_sentence();
        }
    }
}
