//! What kinds of bytes a text holds, found in one pass, so that work that needs one of them is skipped without it.

/// A set of kinds of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Traits(u8);

impl Traits {
    pub(crate) const NON_ASCII: Self = Self(1);
    pub(crate) const DIGIT: Self = Self(2);
    pub(crate) const AT: Self = Self(4);
    pub(crate) const PERCENT: Self = Self(8);
    pub(crate) const BACKSLASH: Self = Self(16);
    pub(crate) const AMPERSAND: Self = Self(32);
    pub(crate) const LESS: Self = Self(64);
    /// A control character other than tab and line breaks.
    pub(crate) const CONTROL: Self = Self(128);

    /// The kinds that stand in the text.
    pub(crate) fn of(text: &str) -> Self {
        Self(text.bytes().fold(0, |kinds, byte| kinds | KINDS.get(usize::from(byte)).copied().unwrap_or_default()))
    }

    /// Whether any of these kinds is there.
    pub(crate) fn any(self, kinds: Self) -> bool {
        self.0 & kinds.0 != 0
    }

    /// Both sets.
    pub(crate) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

const KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::indexing_slicing, reason = "the loop ends at the array's length, and this runs at build time")]
        {
            kinds[byte] = kind(byte);
        }
        byte += 1;
    }
    kinds
};

#[expect(clippy::cast_possible_truncation, reason = "the values are those of a byte")]
const fn kind(byte: usize) -> u8 {
    match byte as u8 {
        b'0'..=b'9' => Traits::DIGIT.0,
        b'@' => Traits::AT.0,
        b'%' => Traits::PERCENT.0,
        b'\\' => Traits::BACKSLASH.0,
        b'&' => Traits::AMPERSAND.0,
        b'<' => Traits::LESS.0,
        b'\t' | b'\n' | b'\r' => 0,
        0..0x20 | 0x7f => Traits::CONTROL.0,
        0x80..=0xff => Traits::NON_ASCII.0,
        _ => 0,
    }
}
