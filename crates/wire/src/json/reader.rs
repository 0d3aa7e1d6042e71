//! The one pass.

use std::borrow::Cow;
use std::collections::HashSet;

use super::value::{Entry, Json, Strict, unescape};
use super::{Bounds, Fault, FaultKind, number};
use crate::scan;

/// Keys of one object that are compared one by one. Beyond, a set keeps the work linear.
const KEYS_COMPARED_MAX: usize = 16;

/// Keys for which there is room from the start: as many as most messages have, so that the lists need not grow for them.
const KEYS_EXPECTED: usize = 16;

/// Levels of the outermost object whose members are remembered.
const LEVELS_REMEMBERED: usize = 2;

/// Checks a text in one pass.
///
/// # Errors
/// The first [`Fault`] met, in the order of the text.
pub fn check<'a>(bytes: &'a [u8], bounds: &Bounds) -> Result<Strict<'a>, Fault> {
    if bytes.len() > bounds.bytes {
        return Err(Fault { kind: FaultKind::TooLong, at: bounds.bytes });
    }
    let text =
        std::str::from_utf8(bytes).map_err(|error| Fault { kind: FaultKind::NotUtf8, at: error.valid_up_to() })?;
    let mut reader = Reader::new(text, *bounds);
    reader.keys.reserve(KEYS_EXPECTED);
    reader.outline.reserve(KEYS_EXPECTED);
    if text.starts_with('\u{feff}') {
        return Err(reader.fault(FaultKind::ByteOrderMark));
    }
    reader.space();
    let top = reader.value(0)?;
    reader.space();
    if reader.peek().is_some() {
        return Err(reader.fault(FaultKind::Trailing));
    }
    Ok(Strict::new(top, reader.outline))
}

/// A place in a text, and what must be remembered to go on from it.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
    bounds: Bounds,
    /// The keys of every object that is open, innermost last.
    keys: Vec<Cow<'a, str>>,
    outline: Vec<Entry<'a>>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, bounds: Bounds) -> Self {
        Self { text, at: 0, bounds, keys: Vec::new(), outline: Vec::new() }
    }

    /// A reader inside the array or object that `value` is, before its first element or member.
    pub(super) fn inside(value: Json<'a>) -> Self {
        // The text was checked already, so only its own end bounds it now.
        let bounds = Bounds { bytes: usize::MAX, depth: usize::MAX, members: usize::MAX, number_bytes: usize::MAX };
        let mut reader = Self::new(value.text(), bounds);
        reader.at = 1;
        reader.space();
        reader
    }

    /// The next member of the object this reader is inside.
    pub(super) fn next_member(&mut self) -> Option<(Cow<'a, str>, Json<'a>)> {
        if self.peek() != Some(b'"') {
            return None;
        }
        let key = self.string().ok().map(|(inside, escaped)| plain(inside, escaped))?;
        self.colon().ok()?;
        let value = self.value(LEVELS_REMEMBERED).ok()?;
        self.comma();
        Some((key, value))
    }

    /// The next element of the array this reader is inside.
    pub(super) fn next_element(&mut self) -> Option<Json<'a>> {
        let value = self.value(LEVELS_REMEMBERED).ok()?;
        self.comma();
        Some(value)
    }

    fn comma(&mut self) {
        self.space();
        if self.peek() == Some(b',') {
            self.at += 1;
            self.space();
        }
    }

    /// Reads one value that lies in `depth` arrays and objects.
    fn value(&mut self, depth: usize) -> Result<Json<'a>, Fault> {
        let start = self.at;
        match self.peek() {
            Some(b'"') => self.string().map(|_| ())?,
            Some(b'{') => self.object(depth + 1)?,
            Some(b'[') => self.array(depth + 1)?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.word("true")?,
            Some(b'f') => self.word("false")?,
            Some(b'n') => self.word("null")?,
            _ => return Err(self.unexpected()),
        }
        Ok(Json::checked(self.since(start)))
    }

    fn object(&mut self, depth: usize) -> Result<(), Fault> {
        self.enter(depth)?;
        let outer_keys = self.keys.len();
        let mut set = None;
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            let key = self.key(outer_keys, &mut set)?;
            self.colon()?;
            if depth <= LEVELS_REMEMBERED {
                let place = self.outline.len();
                self.outline.push(Entry { depth, key, value: Json::NULL });
                let value = self.value(depth)?;
                if let Some(entry) = self.outline.get_mut(place) {
                    entry.value = value;
                }
            } else {
                self.value(depth)?;
            }
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(self.unexpected()),
            }
            self.space();
        }
        self.at += 1;
        self.keys.truncate(outer_keys);
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Result<(), Fault> {
        self.enter(depth)?;
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value(depth)?;
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return Err(self.unexpected()),
            }
            self.space();
        }
        self.at += 1;
        Ok(())
    }

    /// Steps over an opening bracket. The bound on depth is also what bounds this reader's recursion.
    fn enter(&mut self, depth: usize) -> Result<(), Fault> {
        if depth > self.bounds.depth {
            return Err(self.fault(FaultKind::TooDeep));
        }
        self.at += 1;
        self.space();
        Ok(())
    }

    /// Reads a key, and compares it with the object's earlier ones, which stand in `keys` from `outer_keys` on.
    fn key(&mut self, outer_keys: usize, set: &mut Option<HashSet<Cow<'a, str>>>) -> Result<Cow<'a, str>, Fault> {
        if self.peek() != Some(b'"') {
            return Err(self.unexpected());
        }
        let at = self.at;
        let (inside, escaped) = self.string()?;
        let key = plain(inside, escaped);
        let earlier = self.keys.get(outer_keys..).unwrap_or_default();
        if earlier.len() >= self.bounds.members {
            return Err(Fault { kind: FaultKind::TooManyMembers, at });
        }
        if set.is_none() && earlier.len() >= KEYS_COMPARED_MAX {
            *set = Some(earlier.iter().cloned().collect());
        }
        let repeated = match set {
            Some(set) => !set.insert(key.clone()),
            None => earlier.contains(&key),
        };
        if repeated {
            return Err(Fault { kind: FaultKind::RepeatedKey, at });
        }
        self.keys.push(key.clone());
        Ok(key)
    }

    fn colon(&mut self) -> Result<(), Fault> {
        self.space();
        if self.peek() != Some(b':') {
            return Err(self.unexpected());
        }
        self.at += 1;
        self.space();
        Ok(())
    }

    /// Reads a string, and says what stands between its quotes and whether that holds escapes.
    fn string(&mut self) -> Result<(&'a str, bool), Fault> {
        self.at += 1;
        let start = self.at;
        let mut escaped = false;
        loop {
            self.at = scan::string_stop(self.text.as_bytes(), self.at);
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                Some(_) => return Err(self.fault(FaultKind::ControlCharacter)),
                None => return Err(self.fault(FaultKind::Truncated)),
            }
            escaped = true;
        }
        let inside = self.since(start);
        self.at += 1;
        Ok((inside, escaped))
    }

    fn escape(&mut self) -> Result<(), Fault> {
        match self.byte(1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 2;
                return Ok(());
            }
            Some(b'u') => {}
            Some(_) => return Err(self.fault(FaultKind::Escape)),
            None => return Err(self.fault(FaultKind::Truncated)),
        }
        let first = self.hexadecimal(2)?;
        let (0xd800..=0xdfff) = first else {
            self.at += 6;
            return Ok(());
        };
        let pair_follows = first < 0xdc00 && self.byte(6) == Some(b'\\') && self.byte(7) == Some(b'u');
        if !pair_follows || !(0xdc00..=0xdfff).contains(&self.hexadecimal(8)?) {
            return Err(self.fault(FaultKind::LoneSurrogate));
        }
        self.at += 12;
        Ok(())
    }

    /// The value of the four hexadecimal digits that stand `ahead` bytes further on.
    fn hexadecimal(&self, ahead: usize) -> Result<u32, Fault> {
        (ahead..ahead + 4).try_fold(0, |value, place| {
            let digit = self.byte(place).and_then(|byte| char::from(byte).to_digit(16));
            digit.map(|digit| value * 16 + digit).ok_or_else(|| self.fault(FaultKind::Escape))
        })
    }

    fn number(&mut self) -> Result<(), Fault> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        let mut whole = true;
        if self.peek() == Some(b'.') {
            whole = false;
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            whole = false;
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        let literal = self.since(start);
        let kind = match whole {
            _ if literal.len() > self.bounds.number_bytes => FaultKind::NumberTooLong,
            true if !number::integer_agrees(literal) => FaultKind::Integer,
            false if !number::float_agrees(literal) => FaultKind::Float,
            true | false => return Ok(()),
        };
        Err(Fault { kind, at: start })
    }

    /// Steps over digits, of which there must be one.
    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start { Err(self.unexpected()) } else { Ok(()) }
    }

    fn word(&mut self, word: &str) -> Result<(), Fault> {
        for expected in word.bytes() {
            if self.peek() != Some(expected) {
                return Err(self.unexpected());
            }
            self.at += 1;
        }
        Ok(())
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn unexpected(&self) -> Fault {
        self.fault(if self.peek().is_some() { FaultKind::Unexpected } else { FaultKind::Truncated })
    }

    fn fault(&self, kind: FaultKind) -> Fault {
        Fault { kind, at: self.at }
    }
}

fn plain(inside: &str, escaped: bool) -> Cow<'_, str> {
    if escaped { Cow::Owned(unescape(inside)) } else { Cow::Borrowed(inside) }
}
