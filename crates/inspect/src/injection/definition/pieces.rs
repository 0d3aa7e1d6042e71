//! What is told of a sentence of a definition: words, two words in a row, three or four letters of a word, and what words
//! mean and are used like, so that other words for the same are known, too.
//!
//! Each piece is a number below [`PIECES`]: words in the lower half, the rest in the upper, where a piece is worth less.

use super::super::concepts::{EMPTY, step};
use super::super::kin::Kin;
use super::super::words::{Kind, Word};

/// Bits of a piece's number.
const PIECE_BITS: u32 = 19;
/// Numbers of pieces.
pub const PIECES: usize = 1 << PIECE_BITS;
/// Letters of a piece: as many, and one more.
const LETTERS: usize = 3;
/// Letters of a word that are looked at.
const WORD_LETTERS_MAX: usize = 40;
/// What stands before and after the letters of a word.
const BORDER: char = ' ';
/// Words between two meanings that are still told as a pair.
const PAIR_WORDS_MAX: usize = 6;
/// Meanings that follow one and are told with it.
const FOLLOWING_MAX: usize = 8;
/// From here on, numbers of kinds of words stand where groups of words could, or meanings.
const KINDS: u64 = 4096;

/// Whether a piece says less than a word does.
pub fn is_lesser(piece: u32) -> bool {
    piece >> (PIECE_BITS - 1) == 1
}

/// Tells the pieces of one sentence of `text`.
pub fn tell(text: &str, words: &[Word], told: &mut impl FnMut(u32)) {
    let mut before = 0;
    for word in words {
        told(number(1, word.hash, 0) >> 1);
        told(number(2, before, word.hash) >> 1);
        before = word.hash;
        if matches!(word.kind, Kind::Plain | Kind::Identifier) {
            letters(text.get(word.start..word.end).unwrap_or_default(), told);
        }
    }
    told(number(2, before, 0) >> 1);
    kin(words, told);
    meanings(words, told);
}

/// Tells what words are used like, and what beside: two in a row, and three.
fn kin(words: &[Word], told: &mut impl FnMut(u32)) {
    let (mut last, mut before) = (Kin::default(), Kin::default());
    for word in words.iter().filter(|word| !matches!(word.kind, Kind::Mark(_))) {
        let (narrow, wide) = (u64::from(word.kin.narrow), u64::from(word.kin.wide));
        if narrow != 0 {
            told(lesser(number(4, narrow, 0)));
        }
        // Addresses and names are the company of words, too.
        let of_kind = KINDS + number_of(word.kind).unwrap_or_default();
        let narrow = if narrow == 0 { of_kind } else { narrow };
        let wide = if wide == 0 { of_kind } else { wide };
        let (last_narrow, last_wide) = (u64::from(last.narrow), u64::from(last.wide));
        told(lesser(number(5, last_narrow, wide)));
        told(lesser(number(6, last_wide, narrow)));
        told(lesser(number(7, u64::from(before.wide) << 16 | last_wide, wide)));
        (before, last) = (last, word.kin);
    }
}

/// Something in a sentence that means something: where, and the number of what it means.
#[derive(Clone, Copy)]
struct Meaning {
    place: usize,
    number: u64,
    opens: bool,
}

/// Tells what words mean in any language, in which order, and in whose company.
fn meanings(words: &[Word], told: &mut impl FnMut(u32)) {
    let mut all: Vec<Meaning> = Vec::new();
    for (place, word) in words.iter().enumerate() {
        let of_kind = number_of(word.kind).map(|number| KINDS + number);
        for number in word.concepts.numbers().map(u64::from).chain(of_kind) {
            told(lesser(self::number(8, number, 0)));
            if word.opens {
                told(lesser(self::number(9, number, 0)));
            }
            all.push(Meaning { place, number, opens: word.opens });
        }
    }
    for (index, one) in all.iter().enumerate() {
        let later = all.get(index + 1..).unwrap_or_default().iter();
        let near = later.take_while(|other| other.place - one.place <= PAIR_WORDS_MAX).take(FOLLOWING_MAX);
        let mut second: Option<Meaning> = None;
        for other in near.filter(|other| other.place != one.place) {
            told(lesser(number(10, one.number, other.number)));
            if one.opens {
                told(lesser(number(11, one.number, other.number)));
            }
            match second {
                Some(middle) if middle.place != other.place => {
                    told(lesser(number(12, one.number << 16 | middle.number, other.number)));
                }
                Some(_) => {}
                None => second = Some(*other),
            }
        }
    }
    all.sort_unstable_by_key(|one| one.number);
    all.dedup_by_key(|one| one.number);
    for (index, one) in all.iter().enumerate() {
        for other in all.get(index + 1..).unwrap_or_default() {
            told(lesser(number(13, one.number, other.number)));
        }
    }
}

/// The number of a kind of word that means something itself.
fn number_of(kind: Kind) -> Option<u64> {
    match kind {
        Kind::Email => Some(1),
        Kind::Url => Some(2),
        Kind::Path => Some(3),
        Kind::Code => Some(4),
        Kind::Identifier => Some(5),
        Kind::Plain | Kind::Unspaced | Kind::Number | Kind::Mark(_) => None,
    }
}

/// Tells each three and each four letters of a word, its borders being letters too.
fn letters(word: &str, told: &mut impl FnMut(u32)) {
    let small = word.chars().flat_map(char::to_lowercase).take(WORD_LETTERS_MAX);
    let mut last = [BORDER; LETTERS];
    for (known, letter) in (1..).zip(small.chain([BORDER])) {
        let [first, second, third] = last;
        if known >= LETTERS {
            told(upper(&[first, second, third, letter]));
        }
        if known >= LETTERS - 1 {
            told(upper(&[second, third, letter]));
        }
        last = [second, third, letter];
    }
}

fn upper(letters: &[char]) -> u32 {
    let mut bytes = [0; 4];
    let spelled = letters.iter().fold(EMPTY, |hash, letter| letter.encode_utf8(&mut bytes).bytes().fold(hash, step));
    lesser(number(3, spelled, 0))
}

/// A number in the upper half.
fn lesser(number: u32) -> u32 {
    1 << (PIECE_BITS - 1) | number >> 1
}

/// A number of as many bits as pieces have, for what is told of up to two things.
fn number(what: u64, first: u64, second: u64) -> u32 {
    let mixed = what.wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ first.wrapping_mul(0xff51_afd7_ed55_8ccd)
        ^ second.wrapping_mul(0xc4ce_b9fe_1a85_ec53).rotate_left(21);
    let spread = (mixed ^ (mixed >> 31)).wrapping_mul(0x94d0_49bb_1331_11eb);
    u32::try_from(spread >> (u64::BITS - PIECE_BITS)).unwrap_or_default()
}
