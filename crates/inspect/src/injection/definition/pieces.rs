//! What is told of a sentence of a definition: words, two words in a row, and three or four letters of a word.
//!
//! Each piece is a number below [`PIECES`]: words in the lower half, letters in the upper, where a piece is worth less.

use super::super::concepts::{EMPTY, step};
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

/// Whether a piece is one of letters.
pub fn is_of_letters(piece: u32) -> bool {
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
    let upper = 1 << (PIECE_BITS - 1);
    upper | (number(3, spelled, 0) >> 1)
}

/// A number of as many bits as pieces have, for what is told of up to two things.
fn number(what: u64, first: u64, second: u64) -> u32 {
    let mixed = what.wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ first.wrapping_mul(0xff51_afd7_ed55_8ccd)
        ^ second.wrapping_mul(0xc4ce_b9fe_1a85_ec53).rotate_left(21);
    let spread = (mixed ^ (mixed >> 31)).wrapping_mul(0x94d0_49bb_1331_11eb);
    u32::try_from(spread >> (u64::BITS - PIECE_BITS)).unwrap_or_default()
}
