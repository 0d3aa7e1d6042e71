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
        // Without branches and tables, so that many bytes are looked at together.
        Self(text.bytes().fold(0, |kinds, byte| kinds | kind(byte)))
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

#[inline]
fn kind(byte: u8) -> u8 {
    let is = |yes: bool, kind: Traits| if yes { kind.0 } else { 0 };
    let control = (byte < 0x20 && byte != b'\t' && byte != b'\n' && byte != b'\r') || byte == 0x7f;
    is(byte >= 0x80, Traits::NON_ASCII)
        | is(byte.is_ascii_digit(), Traits::DIGIT)
        | is(byte == b'@', Traits::AT)
        | is(byte == b'%', Traits::PERCENT)
        | is(byte == b'\\', Traits::BACKSLASH)
        | is(byte == b'&', Traits::AMPERSAND)
        | is(byte == b'<', Traits::LESS)
        | is(control, Traits::CONTROL)
}
