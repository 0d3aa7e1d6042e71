//! DER (X.690), as far as a signature has it: definite lengths in their shortest form, tags of one byte.

/// A type that holds others in order.
pub(super) const SEQUENCE: u8 = 0x30;
/// A type that holds others in any order.
pub(super) const SET: u8 = 0x31;
/// A whole number.
pub(super) const INTEGER: u8 = 0x02;
/// Bits.
pub(super) const BITS: u8 = 0x03;
/// Bytes.
pub(super) const BYTES: u8 = 0x04;
/// An object identifier.
pub(super) const OBJECT: u8 = 0x06;

/// What is left to be read of a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

/// A value: its tag, what is in it, and all of it with tag and length.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value<'a> {
    pub(super) tag: u8,
    pub(super) content: &'a [u8],
    pub(super) whole: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    /// The next value.
    pub(super) fn next(&mut self) -> Option<Value<'a>> {
        let (&tag, rest) = self.0.split_first()?;
        // Tags of more bytes are in nothing that is read here.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x84 => {
                let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                let length = digits
                    .iter()
                    .try_fold(0_usize, |sum, digit| sum.checked_mul(256)?.checked_add(usize::from(*digit)))?;
                let is_shortest = digits.first().is_some_and(|digit| *digit != 0) && length > 0x7f;
                (Some(length).filter(|_| is_shortest)?, rest)
            }
            _ => return None,
        };
        let (content, after) = rest.split_at_checked(length)?;
        let whole = self.0.get(..self.0.len() - after.len())?;
        self.0 = after;
        Some(Value { tag, content, whole })
    }

    /// The next value, which must be of a type.
    pub(super) fn take(&mut self, tag: u8) -> Option<Value<'a>> {
        self.next().filter(|value| value.tag == tag)
    }

    /// The next value if it is of a type; nothing is read if it is of another.
    pub(super) fn maybe(&mut self, tag: u8) -> Option<Value<'a>> {
        let mut ahead = *self;
        let value = ahead.take(tag)?;
        *self = ahead;
        Some(value)
    }
}

impl<'a> Value<'a> {
    /// What is in it.
    pub(super) fn inside(&self) -> Reader<'a> {
        Reader(self.content)
    }
}
