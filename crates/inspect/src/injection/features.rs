//! What the model is told of a few sentences: which words, which concepts, in which order.
//!
//! Each feature is a number below [`BUCKETS`], the hash of what it says. Words say less than concepts do, and the
//! addresses and numbers among them say only that they are there. Most features are told of one sentence, once, however
//! many sentences it is then looked at together with; what is told of all of them together is who is in whose company.

use super::concepts::{Concepts, Lexicon};
use super::kin::Kin;
use super::words::{Kind, MARKS, Word};

/// Bits of a feature's number.
const BUCKET_BITS: u32 = 18;
/// Numbers of features.
pub const BUCKETS: usize = 1 << BUCKET_BITS;
/// Words between two that are still told as a pair.
const PAIR_WORDS_MAX: usize = 6;
/// Words between two that stand together.
const CLOSE_WORDS_MAX: usize = 2;
/// Things that follow one and are told with it.
const FOLLOWING_MAX: usize = 8;
/// How much a feature of concepts counts for, next to one of words.
pub const CONCEPT_VALUE: i32 = 2;

/// What a feature is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Words and their neighbours.
    Words,
    /// Concepts, their order and their company.
    Concepts,
    /// What words are used like, and their order.
    Kin,
}

/// What stands around the sentences that are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// They are the whole text, or nearly.
    Alone,
    /// They are a good part of it.
    Part,
    /// They stand in a longer text.
    Amid,
}

impl Setting {
    /// Each of them.
    pub(super) const ALL: [Self; 3] = [Self::Alone, Self::Part, Self::Amid];

    /// That of some bytes among all of a text's.
    pub fn of(bytes: usize, all: usize) -> Self {
        if bytes * 5 >= all * 4 {
            Self::Alone
        } else if bytes * 3 >= all {
            Self::Part
        } else {
            Self::Amid
        }
    }

    fn number(self) -> u64 {
        match self {
            Self::Alone => 1,
            Self::Part => 2,
            Self::Amid => 3,
        }
    }
}

/// What a window is as a whole. That of several sentences is the sum of theirs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Summary {
    /// Concepts and kinds of things that are there, by their numbers.
    present: u128,
    /// Those that stand where orders have their verb.
    opening: u128,
    words: usize,
    shouts: usize,
}

impl Summary {
    /// That of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            present: self.present | other.present,
            opening: self.opening | other.opening,
            words: self.words + other.words,
            shouts: self.shouts + other.shouts,
        }
    }
}

/// Something in a sentence that means something: where, and the number of what it means.
#[derive(Clone, Copy)]
struct Bearer {
    place: usize,
    number: u8,
    opens: bool,
}

/// Tells features of words; keeps what it needs between calls.
pub struct Teller {
    /// Whose company is told.
    company: u128,
    bearers: Vec<Bearer>,
}

/// Concepts whose company says nothing.
const COMMON: &[&str] = &["recipient", "greeting", "condition", "third"];

impl Teller {
    /// One that told nothing yet.
    pub fn new(lexicon: &Lexicon) -> Self {
        let common = u128::from(lexicon.named(COMMON).bits());
        Self { company: !common & !(1 << number_of(Kind::Number).unwrap_or_default()), bearers: Vec::new() }
    }

    /// Tells the features of one sentence.
    pub fn sentence(&mut self, words: &[Word], mut tell: impl FnMut(u32, Family)) -> Summary {
        let mut summary = Summary { words: words.len(), ..Summary::default() };
        let mut before: Option<u64> = None;
        self.bearers.clear();
        for (place, word) in words.iter().enumerate() {
            tell(bucket(2, word.hash, 0, 0), Family::Words);
            if word.opens {
                tell(bucket(3, word.hash, 0, 0), Family::Words);
            }
            if let Some(before) = before {
                tell(bucket(4, before, word.hash, 0), Family::Words);
            }
            before = Some(word.hash);
            summary.shouts += usize::from(word.shouts);
            for number in word.concepts.numbers().chain(number_of(word.kind)) {
                summary.present |= 1 << number;
                if word.opens {
                    summary.opening |= 1 << number;
                }
                if word.shouts {
                    tell(bucket(8, u64::from(number), 0, 0), Family::Concepts);
                }
                self.bearers.push(Bearer { place, number, opens: word.opens });
            }
        }
        self.orders(&mut tell);
        kin(words, &mut tell);
        summary
    }

    /// Which concept follows which, near by, and which third one after them.
    fn orders(&self, tell: &mut impl FnMut(u32, Family)) {
        for (index, bearer) in self.bearers.iter().enumerate() {
            let own = u64::from(bearer.number);
            let later = self.bearers.get(index + 1..).unwrap_or_default().iter();
            let near = later.take_while(|other| other.place - bearer.place <= PAIR_WORDS_MAX).take(FOLLOWING_MAX);
            let mut second: Option<Bearer> = None;
            for other in near.filter(|other| other.place != bearer.place) {
                let next = u64::from(other.number);
                tell(bucket(9, own, next, 0), Family::Concepts);
                if bearer.opens {
                    tell(bucket(13, own, next, 0), Family::Concepts);
                }
                if other.place - bearer.place <= CLOSE_WORDS_MAX {
                    tell(bucket(15, own, next, 0), Family::Concepts);
                }
                match second {
                    Some(middle) if middle.place != other.place => {
                        tell(bucket(14, own, u64::from(middle.number), next), Family::Concepts);
                    }
                    Some(_) => {}
                    None => second = Some(*other),
                }
            }
        }
    }

    /// Tells the features of a window as a whole.
    pub fn company(&self, summary: &Summary, setting: Setting, mut tell: impl FnMut(u32, Family)) {
        tell(around(setting), Family::Concepts);
        for thing in numbers(summary.present) {
            for told in there(thing, setting) {
                tell(told, Family::Concepts);
            }
        }
        for thing in numbers(summary.opening) {
            tell(opening(thing), Family::Concepts);
        }
        Self::size(summary, &mut tell);
        let company = self.companions(summary);
        for first in numbers(company) {
            for second in numbers(company & !((2 << first) - 1)) {
                tell(pair(first, second), Family::Concepts);
            }
        }
    }

    /// Those of a window whose company is told.
    pub(super) fn companions(&self, summary: &Summary) -> u128 {
        summary.present & self.company
    }

    /// Tells how many words a window has, and how many of them shout.
    pub(super) fn size(summary: &Summary, tell: &mut impl FnMut(u32, Family)) {
        let share = if summary.shouts * 2 > summary.words { 2 } else { u64::from(summary.shouts > 0) };
        tell(bucket(11, share, 0, 0), Family::Concepts);
        tell(bucket(12, summary.words.min(40).div_ceil(8) as u64, 0, 0), Family::Concepts);
    }
}

impl Summary {
    /// What is there, and what stands where orders have their verb.
    pub(super) fn things(&self) -> [u128; 2] {
        [self.present, self.opening]
    }
}

/// The number of what is told of what stands around a window.
pub(super) fn around(setting: Setting) -> u32 {
    bucket(1, setting.number(), 0, 0)
}

/// The numbers of what is told of a thing that is there.
pub(super) fn there(thing: u64, setting: Setting) -> [u32; 2] {
    [bucket(5, thing, 0, 0), bucket(6, thing, setting.number(), 0)]
}

/// The number of what is told of a thing that stands where orders have their verb.
pub(super) fn opening(thing: u64) -> u32 {
    bucket(7, thing, 0, 0)
}

/// The number of what is told of two things in company.
pub(super) fn pair(first: u64, second: u64) -> u32 {
    bucket(10, first, second, 0)
}

/// Words that are used alike, and what stands beside them.
fn kin(words: &[Word], tell: &mut impl FnMut(u32, Family)) {
    let (mut last, mut before) = (Kin::default(), Kin::default());
    for word in words.iter().filter(|word| !matches!(word.kind, Kind::Mark(_))) {
        let (narrow, wide) = (u64::from(word.kin.narrow), u64::from(word.kin.wide));
        if wide != 0 {
            tell(bucket(16, narrow, 0, 0), Family::Kin);
            if word.opens {
                tell(bucket(17, narrow, 0, 0), Family::Kin);
            }
        }
        // Addresses and numbers are the company of words, too.
        let wide = if wide == 0 { 256 + number_of(word.kind).map_or(0, u64::from) } else { wide };
        tell(bucket(18, u64::from(last.narrow), wide, 0), Family::Kin);
        tell(bucket(19, u64::from(last.wide), narrow, 0), Family::Kin);
        tell(bucket(20, u64::from(before.wide), u64::from(last.wide), wide), Family::Kin);
        (before, last) = (last, word.kin);
    }
}

/// The number of what is told of up to three things.
#[inline]
fn bucket(what: u64, first: u64, second: u64, third: u64) -> u32 {
    let mixed = what.wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ first.wrapping_mul(0xff51_afd7_ed55_8ccd)
        ^ second.wrapping_mul(0xc4ce_b9fe_1a85_ec53).rotate_left(21)
        ^ third.wrapping_mul(0xbf58_476d_1ce4_e5b9).rotate_left(42);
    let spread = (mixed ^ (mixed >> 31)).wrapping_mul(0x94d0_49bb_1331_11eb);
    u32::try_from(spread >> (u64::BITS - BUCKET_BITS)).unwrap_or_default()
}

/// The numbers of the bits that are set, rising.
pub(super) fn numbers(mut bits: u128) -> impl Iterator<Item = u64> {
    std::iter::from_fn(move || {
        let number = bits.trailing_zeros();
        (number < u128::BITS).then(|| {
            bits &= bits - 1;
            u64::from(number)
        })
    })
}

/// The number under which a kind of thing is told like a concept: above those.
fn number_of(kind: Kind) -> Option<u8> {
    match kind {
        Kind::Email => Some(64),
        Kind::Url => Some(65),
        Kind::Path => Some(66),
        Kind::Number => Some(67),
        Kind::Code => Some(68),
        Kind::Identifier => Some(69),
        Kind::Mark(mark) => Some(70 + mark),
        Kind::Plain | Kind::Unspaced => None,
    }
}

/// Numbers of things, at most.
pub(super) const THINGS_MAX: usize = 128;

// Every mark has a number of its own below those that a set holds.
const _: () = assert!(MARKS.len() + 71 < THINGS_MAX);

/// The concepts of all these words.
pub fn concepts(words: &[Word]) -> Concepts {
    words.iter().fold(Concepts::NONE, |all, word| all.or(word.concepts))
}
