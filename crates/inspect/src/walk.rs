//! The strings of a JSON text, in order, without building a tree.
//!
//! A message was checked strictly before it gets here, and a file given to `portcullis inspect` was not; so the walk
//! believes nothing: on text that is no JSON it stops early and says so.

use std::borrow::Cow;
use std::fmt::Write;
use std::ops::Range;

use model::{Part, limits};

use crate::readings::floor;

/// A string or a long number of the text.
pub(crate) struct Leaf<'a> {
    pub(crate) part: Part,
    pub(crate) text: Cow<'a, str>,
    /// The bytes it is written with, quotes included.
    pub(crate) raw: Range<usize>,
}

/// What the walk is inside of.
enum Frame<'a> {
    /// An object: the raw key of the member that is being read, and whether a key comes next.
    Object { key: &'a str, key_next: bool },
    /// An array, and the index of the element that is being read.
    Array { index: usize },
}

/// Goes through a JSON text from string to string.
pub(crate) struct Walk<'a> {
    text: &'a str,
    at: usize,
    frames: Vec<Frame<'a>>,
    /// False once the text turned out not to be JSON, too deep, or with a key too long to say where something is.
    pub(crate) sound: bool,
}

/// Digits from which on a number is worth reading: shorter ones are in nobody's numbering plan.
const NUMBER_BYTES_MIN: usize = 7;

impl<'a> Walk<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0, frames: Vec::new(), sound: true }
    }

    /// The next string or long number. `None` at the end.
    pub(crate) fn next_leaf(&mut self) -> Option<Leaf<'a>> {
        let bytes = self.text.as_bytes();
        loop {
            let byte = *bytes.get(self.at)?;
            match byte {
                b'"' => return self.string(),
                b'{' => self.enter(Frame::Object { key: "", key_next: true })?,
                b'[' => self.enter(Frame::Array { index: 0 })?,
                b'}' | b']' => {
                    self.frames.pop();
                    self.at += 1;
                }
                b',' => {
                    match self.frames.last_mut() {
                        Some(Frame::Object { key_next, .. }) => *key_next = true,
                        Some(Frame::Array { index }) => *index += 1,
                        None => self.sound = false,
                    }
                    self.at += 1;
                }
                b'-' | b'0'..=b'9' => {
                    if let Some(leaf) = self.number() {
                        return Some(leaf);
                    }
                }
                _ => self.at += 1,
            }
        }
    }

    /// The raw key of the member that is being read, or of the nearest one around it; the beginning of a long one.
    pub(crate) fn key(&self) -> Option<&'a str> {
        self.frames.iter().rev().find_map(|frame| match frame {
            Frame::Object { key, .. } => Some(*key),
            Frame::Array { .. } => None,
        })
    }

    /// The JSON pointer of what was read last.
    pub(crate) fn pointer(&self) -> String {
        let mut pointer = String::new();
        for frame in &self.frames {
            match frame {
                Frame::Object { key, .. } => {
                    pointer.push('/');
                    pointer.push_str(&unquoted(key).replace('~', "~0").replace('/', "~1"));
                }
                Frame::Array { index } => {
                    // Writing to a string cannot fail.
                    let _ = write!(pointer, "/{index}");
                }
            }
        }
        pointer
    }

    fn enter(&mut self, frame: Frame<'a>) -> Option<()> {
        if self.frames.len() >= limits::JSON_DEPTH_MAX {
            self.sound = false;
            self.at = self.text.len();
            return None;
        }
        self.frames.push(frame);
        self.at += 1;
        Some(())
    }

    fn string(&mut self) -> Option<Leaf<'a>> {
        let start = self.at + 1;
        let Some(end) = end_of_string(self.text.as_bytes(), start) else {
            self.sound = false;
            self.at = self.text.len();
            return None;
        };
        let inside = self.text.get(start..end)?;
        self.at = end + 1;
        let part = match self.frames.last_mut() {
            Some(Frame::Object { key, key_next }) if *key_next => {
                self.sound &= inside.len() <= limits::INSPECTED_KEY_BYTES_MAX;
                *key = inside.get(..floor(inside, limits::INSPECTED_KEY_BYTES_MAX)).unwrap_or_default();
                *key_next = false;
                Part::Key
            }
            Some(Frame::Object { .. } | Frame::Array { .. }) | None => Part::Value,
        };
        Some(Leaf { part, text: unquoted(inside), raw: start - 1..self.at })
    }

    fn number(&mut self) -> Option<Leaf<'a>> {
        let start = self.at;
        let rest = self.text.as_bytes().get(start..)?;
        let length = rest
            .iter()
            .position(|byte| !matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
            .unwrap_or(rest.len());
        self.at += length;
        let text = self.text.get(start..self.at)?;
        (length >= NUMBER_BYTES_MIN).then_some(Leaf {
            part: Part::Value,
            text: Cow::Borrowed(text),
            raw: start..self.at,
        })
    }
}

/// Where the string that begins at `start` ends: at its closing quote.
fn end_of_string(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes.get(at) == Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}

/// What a raw JSON string says. What is no valid JSON string says what it is.
pub(crate) fn unquoted(raw: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\\', raw.as_bytes()).is_none() {
        return Cow::Borrowed(raw);
    }
    let quoted = format!("\"{raw}\"");
    serde_json::from_str::<String>(&quoted).map_or(Cow::Borrowed(raw), Cow::Owned)
}

#[cfg(test)]
mod tests;
