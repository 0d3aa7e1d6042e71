//! Values borrowed from a checked text.

use std::borrow::Cow;

use super::reader::Reader;

/// A text that passed [`check`](super::check), with the members of its two outermost levels at hand.
#[derive(Debug)]
pub struct Strict<'a> {
    top: Json<'a>,
    outline: Vec<Entry<'a>>,
}

/// A member met on the way, in the order of the text: an outer one stands before those inside it.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) depth: usize,
    pub(super) key: Cow<'a, str>,
    pub(super) value: Json<'a>,
}

impl<'a> Strict<'a> {
    pub(super) fn new(top: Json<'a>, outline: Vec<Entry<'a>>) -> Self {
        Self { top, outline }
    }

    /// The whole value.
    pub fn top(&self) -> Json<'a> {
        self.top
    }

    /// The members of the object the text is; none if it is something else.
    pub fn members(&self) -> impl Iterator<Item = (&str, Json<'a>)> {
        self.outline.iter().filter(|entry| entry.depth == 1).map(|entry| (entry.key.as_ref(), entry.value))
    }

    /// One of them.
    pub fn member(&self, name: &str) -> Option<Json<'a>> {
        self.members().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// The members of the object that is the member `outer`; none if it is something else or missing.
    pub fn members_of(&self, outer: &str) -> impl Iterator<Item = (&str, Json<'a>)> {
        let start = self.outline.iter().position(|entry| entry.depth == 1 && entry.key == outer);
        let after = start.map_or(self.outline.len(), |start| start + 1);
        let inside = self.outline.iter().skip(after).take_while(|entry| entry.depth > 1);
        inside.map(|entry| (entry.key.as_ref(), entry.value))
    }
}

/// One value of a checked text, without white space around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Json<'a> {
    text: &'a str,
}

impl<'a> Json<'a> {
    pub(super) const NULL: Self = Self { text: "null" };

    pub(super) fn checked(text: &'a str) -> Self {
        Self { text }
    }

    /// The value's text, byte for byte.
    pub fn text(self) -> &'a str {
        self.text
    }

    /// The string that the value is, unescaped.
    pub fn string(self) -> Option<Cow<'a, str>> {
        let inside = self.text.strip_prefix('"')?.strip_suffix('"')?;
        Some(if inside.contains('\\') { Cow::Owned(unescape(inside)) } else { Cow::Borrowed(inside) })
    }

    /// The whole number that the value is, if it is written as one: `1.0` is not.
    pub fn integer(self) -> Option<i64> {
        self.text.parse().ok()
    }

    /// The boolean that the value is.
    pub fn boolean(self) -> Option<bool> {
        self.text.parse().ok()
    }

    /// Is the value `null`?
    pub fn is_null(self) -> bool {
        self.text == "null"
    }

    /// Is the value an object?
    pub fn is_object(self) -> bool {
        self.text.starts_with('{')
    }

    /// Is the value an array?
    pub fn is_array(self) -> bool {
        self.text.starts_with('[')
    }

    /// The members of the object that the value is; none if it is something else.
    pub fn members(self) -> Members<'a> {
        Members { reader: self.is_object().then(|| Reader::inside(self)) }
    }

    /// The elements of the array that the value is; none if it is something else.
    pub fn elements(self) -> Elements<'a> {
        Elements { reader: self.is_array().then(|| Reader::inside(self)) }
    }
}

/// Members of an object, in the order of the text.
#[derive(Debug)]
pub struct Members<'a> {
    reader: Option<Reader<'a>>,
}

impl<'a> Iterator for Members<'a> {
    type Item = (Cow<'a, str>, Json<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.reader.as_mut()?.next_member()
    }
}

/// Elements of an array, in the order of the text.
#[derive(Debug)]
pub struct Elements<'a> {
    reader: Option<Reader<'a>>,
}

impl<'a> Iterator for Elements<'a> {
    type Item = Json<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        self.reader.as_mut()?.next_element()
    }
}

/// What stands between the quotes of a checked string, unescaped.
pub(super) fn unescape(inside: &str) -> String {
    let mut plain = String::with_capacity(inside.len());
    let mut rest = inside;
    while let Some((before, escape)) = rest.split_once('\\') {
        plain.push_str(before);
        let mut letters = escape.chars();
        match letters.next() {
            Some('b') => plain.push('\u{8}'),
            Some('f') => plain.push('\u{c}'),
            Some('n') => plain.push('\n'),
            Some('r') => plain.push('\r'),
            Some('t') => plain.push('\t'),
            Some('u') => {
                let (letter, bytes) = unicode(escape);
                plain.push(letter);
                rest = escape.get(bytes..).unwrap_or_default();
                continue;
            }
            Some(itself) => plain.push(itself),
            None => {}
        }
        rest = letters.as_str();
    }
    plain.push_str(rest);
    plain
}

/// The letter that `u` and four digits say, or that a surrogate pair says, and how many bytes that took.
fn unicode(escape: &str) -> (char, usize) {
    let unit = |from: usize| escape.get(from..from + 4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let first = unit(1).unwrap_or_default();
    let (code, bytes) = match unit(7) {
        Some(second) if (0xd800..0xdc00).contains(&first) => {
            (0x10000 + ((first - 0xd800) << 10) + second.wrapping_sub(0xdc00), 11)
        }
        Some(_) | None => (first, 5),
    };
    (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), bytes)
}
