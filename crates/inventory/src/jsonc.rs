//! JSON with comments and trailing commas, changed in place.
//!
//! A client's settings are its user's: their comments, order and indentation stay, because nothing is written anew but
//! the one entry. [`put`] and [`take`] find the place and give the whole text with that entry in it, or out of it.

use std::ops::Range;

use serde::Serialize as _;
use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};

/// Arrays and objects inside one another.
const DEPTH_MAX: usize = 200;
/// What a file that indents nothing is indented with.
const INDENT: &str = "  ";

/// Why a text was left alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}, in line {line}, column {column}")]
pub struct Malformed {
    what: &'static str,
    line: usize,
    column: usize,
}

/// A text and what stood at the place before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The whole text, changed.
    pub text: String,
    /// The entry's text before, as it was written.
    pub before: Option<String>,
}

/// What the text says; an empty one says an empty object.
///
/// # Errors
/// Where it is no JSON, even with comments and trailing commas.
pub fn read(text: &str) -> Result<Value, Malformed> {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    let mut reader = Reader::new(text, 0);
    reader.gap()?;
    reader.value(0)?;
    reader.gap()?;
    if reader.at < text.len() {
        return Err(reader.malformed("something follows the end"));
    }
    serde_json::from_str(&without_noise(text, reader.noise))
        .map_err(|_| Reader::new(text, 0).malformed("it is no JSON"))
}

/// Puts `entry` at `section.name`, in place of what stands there. `None` when exactly that stands there already.
///
/// # Errors
/// Where the text is not understood.
pub fn put(text: &str, section: &str, name: &str, entry: &Value) -> Result<Option<Changed>, Malformed> {
    if text.trim_start_matches('\u{feff}').trim().is_empty() {
        let whole = serde_json::json!({ section: { name: entry } });
        return Ok(Some(Changed { text: format!("{}\n", pretty(&whole, INDENT)), before: None }));
    }
    let style = Style::of(text);
    let top = Object::top(text)?;
    let Some(held) = top.sole(text, section)? else {
        let member = Value::Object(serde_json::Map::from_iter([(name.to_owned(), entry.clone())]));
        return Ok(Some(Changed { text: top.with(text, section, &member, &style), before: None }));
    };
    let section = Object::at(text, held.value.start)?;
    let Some(there) = section.sole(text, name)? else {
        return Ok(Some(Changed { text: section.with(text, name, entry, &style), before: None }));
    };
    let before = slice(text, &there.value);
    if plain(before) == Some(entry.clone()) {
        return Ok(None);
    }
    let written = style.indented(entry, line_indent(text, there.key.start));
    let text = spliced(text, &[(there.value.clone(), written)]);
    Ok(Some(Changed { text, before: Some(before.to_owned()) }))
}

/// Takes the entry at `section.name` out. `None` when there is none.
///
/// # Errors
/// Where the text is not understood.
pub fn take(text: &str, section: &str, name: &str) -> Result<Option<Changed>, Malformed> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let top = Object::top(text)?;
    let Some(held) = top.sole(text, section)? else { return Ok(None) };
    let section = Object::at(text, held.value.start)?;
    let Some(place) = section.members.iter().position(|member| member.name == name) else { return Ok(None) };
    section.sole(text, name)?;
    let Some(there) = section.members.get(place) else { return Ok(None) };
    let before = slice(text, &there.value).to_owned();
    let mut edits = Vec::new();
    let previous = place.checked_sub(1).and_then(|place| section.members.get(place));
    // The last member takes the comma before it along, unless it had one of its own.
    if let (None, Some(Some(comma))) = (there.comma, previous.map(|previous| previous.comma)) {
        edits.push((comma..comma + 1, String::new()));
    }
    edits.push((lines_of(text, there, section.members.get(place + 1)), String::new()));
    Ok(Some(Changed { text: spliced(text, &edits), before: Some(before) }))
}

/// The entry as a text of its own, indented by [`INDENT`].
pub fn pretty(value: &Value, indent: &str) -> String {
    let mut bytes = Vec::new();
    let formatter = PrettyFormatter::with_indent(indent.as_bytes());
    let written = value.serialize(&mut Serializer::with_formatter(&mut bytes, formatter));
    // Writing a value to memory does not fail, and what is written is UTF-8.
    written.ok().and_then(|()| String::from_utf8(bytes).ok()).unwrap_or_default()
}

/// How a file is written.
struct Style {
    newline: &'static str,
    indent: String,
}

impl Style {
    fn of(text: &str) -> Self {
        let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let indented = |line: &&str| line.starts_with([' ', '\t']) && line.trim_start().starts_with('"');
        let indent = text.lines().find(indented).map(|line| {
            let depth = line.len() - line.trim_start().len();
            line.get(..depth).unwrap_or(INDENT).to_owned()
        });
        Self { newline, indent: indent.unwrap_or_else(|| INDENT.to_owned()) }
    }

    /// A value whose first line stands in a line indented by `base`.
    fn indented(&self, value: &Value, base: &str) -> String {
        pretty(value, &self.indent).replace('\n', &format!("{}{base}", self.newline))
    }
}

/// An object's members, as they stand in a text.
struct Object {
    /// Between its brackets.
    inside: Range<usize>,
    members: Vec<Member>,
}

struct Member {
    name: String,
    key: Range<usize>,
    value: Range<usize>,
    /// The comma after it.
    comma: Option<usize>,
}

impl Object {
    /// The object that the whole text is, all of it read.
    fn top(text: &str) -> Result<Self, Malformed> {
        let mut reader = Reader::new(text, 0);
        reader.skip('\u{feff}');
        reader.gap()?;
        let top = reader.object(0)?;
        reader.gap()?;
        if reader.at < text.len() { Err(reader.malformed("something follows the end")) } else { Ok(top) }
    }

    fn at(text: &str, at: usize) -> Result<Self, Malformed> {
        Reader::new(text, at).object(1)
    }

    /// The one member of this name. Two would be read differently by different readers, so neither is touched.
    fn sole(&self, text: &str, name: &str) -> Result<Option<&Member>, Malformed> {
        let mut found = self.members.iter().filter(|member| member.name == name);
        let first = found.next();
        match found.next() {
            Some(second) => Err(Reader::new(text, second.key.start).malformed("a key stands here for the second time")),
            None => Ok(first),
        }
    }

    /// The text with one more member at this object's end.
    fn with(&self, text: &str, name: &str, value: &Value, style: &Style) -> String {
        let key = Value::from(name).to_string();
        let (Some(first), Some(last)) = (self.members.first(), self.members.last()) else {
            let outer = line_indent(text, self.inside.start);
            let base = format!("{outer}{}", style.indent);
            let kept = slice(text, &self.inside).trim_end();
            let (newline, value) = (style.newline, style.indented(value, &base));
            let inside = format!("{kept}{newline}{base}{key}: {value}{newline}{outer}");
            return spliced(text, &[(self.inside.clone(), inside)]);
        };
        let end = last.comma.map_or(last.value.end, |comma| comma + 1);
        // Where the last member has a comma of its own, the new one has one too.
        let (comma, own) = if last.comma.is_some() { ("", ",") } else { (",", "") };
        if !slice(text, &(self.inside.start..first.key.start)).contains('\n') {
            return spliced(text, &[(end..end, format!("{comma} {key}: {value}{own}"))]);
        }
        let base = line_indent(text, first.key.start);
        let member = format!("{}{base}{key}: {}{own}", style.newline, style.indented(value, base));
        // What is said about the last member in its line stays in its line.
        let line_end = end_of_line(text, end).unwrap_or(end);
        spliced(text, &[(end..end, comma.to_owned()), (line_end..line_end, member)])
    }
}

/// What goes when a member goes: its lines where it has them for itself, otherwise what is between it and the next.
fn lines_of(text: &str, member: &Member, next: Option<&Member>) -> Range<usize> {
    let end = member.comma.map_or(member.value.end, |comma| comma + 1);
    let start = member.key.start - line_indent(text, member.key.start).len();
    let before = text.get(..start).unwrap_or_default();
    let begins_line =
        (before.is_empty() || before.ends_with('\n')) && slice(text, &(start..member.key.start)).trim().is_empty();
    match end_of_line(text, end) {
        Some(line_end) if begins_line => {
            let newline = text.get(line_end..).map_or(0, |rest| if rest.starts_with("\r\n") { 2 } else { 1 });
            start..(line_end + newline).min(text.len())
        }
        Some(_) | None => {
            let to = next.map_or(end, |next| next.key.start);
            let spaces = slice(text, &(0..member.key.start));
            let from = if next.is_some() { member.key.start } else { spaces.trim_end_matches([' ', '\t']).len() };
            from..to
        }
    }
}

/// The end of the line that goes on at `from`, if nothing but spaces and a comment stand before it.
fn end_of_line(text: &str, from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    let line = rest.split_inclusive('\n').next().unwrap_or_default();
    let bare = line.trim_end_matches('\n').trim_end_matches('\r');
    let said = bare.trim();
    let comment = said.starts_with("//") || (said.starts_with("/*") && said.find("*/") == said.len().checked_sub(2));
    (line.ends_with('\n') && (said.is_empty() || comment)).then_some(from + bare.len())
}

/// The white space with which the line of `at` begins.
fn line_indent(text: &str, at: usize) -> &str {
    let before = text.get(..at).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.get(start..).unwrap_or_default();
    line.get(..line.len() - line.trim_start_matches([' ', '\t']).len()).unwrap_or_default()
}

fn slice<'a>(text: &'a str, range: &Range<usize>) -> &'a str {
    text.get(range.clone()).unwrap_or_default()
}

/// The text with some ranges, in order, replaced.
fn spliced(text: &str, edits: &[(Range<usize>, String)]) -> String {
    let mut changed = String::with_capacity(text.len() + 256);
    let mut from = 0;
    for (range, put) in edits {
        changed.push_str(slice(text, &(from..range.start)));
        changed.push_str(put);
        from = range.end;
    }
    changed.push_str(slice(text, &(from..text.len())));
    changed
}

/// What a text with comments says.
fn plain(text: &str) -> Option<Value> {
    let mut reader = Reader::new(text, 0);
    reader.value(0).ok()?;
    serde_json::from_str(&without_noise(text, reader.noise)).ok()
}

fn without_noise(text: &str, mut noise: Vec<Range<usize>>) -> String {
    // A trailing comma is known for one only after the comments behind it.
    noise.sort_by_key(|range| range.start);
    let noise: Vec<_> = noise.into_iter().map(|range| (range, " ".to_owned())).collect();
    spliced(text, &noise)
}

/// One pass over a text.
struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// Comments and trailing commas.
    noise: Vec<Range<usize>>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, at: usize) -> Self {
        Self { text, at, noise: Vec::new() }
    }

    fn malformed(&self, what: &'static str) -> Malformed {
        let before = self.text.get(..self.at).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Malformed { what, line, column }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip(&mut self, letter: char) -> bool {
        let there = self.rest().starts_with(letter);
        if there {
            self.at += letter.len_utf8();
        }
        there
    }

    /// Steps over white space and comments.
    fn gap(&mut self) -> Result<(), Malformed> {
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
            let rest = self.rest();
            let length = if rest.starts_with("//") {
                rest.find('\n').unwrap_or(rest.len())
            } else if rest.starts_with("/*") {
                let end = rest.get(2..).and_then(|inside| inside.find("*/"));
                end.ok_or_else(|| self.malformed("a comment does not end"))? + 4
            } else {
                return Ok(());
            };
            self.noise.push(self.at..self.at + length);
            self.at += length;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Range<usize>, Malformed> {
        let start = self.at;
        match self.rest().chars().next() {
            Some('{') => drop(self.object(depth)?),
            Some('[') => self.array(depth)?,
            Some('"') => drop(self.string()?),
            _ => {
                let word = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.');
                let rest = self.rest();
                let length = rest.find(|letter| !word(letter)).unwrap_or(rest.len());
                let token = rest.get(..length).unwrap_or_default();
                if serde_json::from_str::<Value>(token).is_err() {
                    return Err(self.malformed("a value is missing or is none of JSON's"));
                }
                self.at += length;
            }
        }
        Ok(start..self.at)
    }

    fn string(&mut self) -> Result<String, Malformed> {
        let rest = self.rest();
        if !rest.starts_with('"') {
            return Err(self.malformed("a key in quotes is missing"));
        }
        let mut escaped = false;
        let end = rest.char_indices().skip(1).find(|(_, letter)| {
            let ends = *letter == '"' && !escaped;
            escaped = *letter == '\\' && !escaped;
            ends
        });
        let written = end.and_then(|(end, _)| rest.get(..=end));
        let read = written.and_then(|written| serde_json::from_str::<String>(written).ok());
        let (Some(written), Some(read)) = (written, read) else {
            return Err(self.malformed("a string does not end or is not well-formed"));
        };
        self.at += written.len();
        Ok(read)
    }

    fn array(&mut self, depth: usize) -> Result<(), Malformed> {
        self.deeper(depth)?;
        self.at += 1;
        self.gap()?;
        let mut comma = None;
        while !self.skip(']') {
            if self.at > 0 && comma == Some(None) {
                return Err(self.malformed("a comma or `]` is missing"));
            }
            self.value(depth + 1)?;
            self.gap()?;
            let place = self.at;
            comma = Some(self.skip(',').then_some(place));
            self.gap()?;
        }
        self.noise.extend(comma.flatten().map(|place| place..place + 1));
        Ok(())
    }

    fn object(&mut self, depth: usize) -> Result<Object, Malformed> {
        self.deeper(depth)?;
        if !self.skip('{') {
            return Err(self.malformed("an object is wanted here"));
        }
        let start = self.at;
        let mut members: Vec<Member> = Vec::new();
        self.gap()?;
        while !self.rest().starts_with('}') {
            if members.last().is_some_and(|last| last.comma.is_none()) {
                return Err(self.malformed("a comma or `}` is missing"));
            }
            members.push(self.member(depth)?);
            self.gap()?;
        }
        self.noise.extend(members.last().and_then(|last| last.comma).map(|place| place..place + 1));
        let inside = start..self.at;
        self.at += 1;
        Ok(Object { inside, members })
    }

    fn member(&mut self, depth: usize) -> Result<Member, Malformed> {
        let start = self.at;
        let name = self.string()?;
        let key = start..self.at;
        self.gap()?;
        if !self.skip(':') {
            return Err(self.malformed("`:` is missing"));
        }
        self.gap()?;
        let value = self.value(depth + 1)?;
        self.gap()?;
        let place = self.at;
        let comma = self.skip(',').then_some(place);
        Ok(Member { name, key, value, comma })
    }

    fn deeper(&self, depth: usize) -> Result<(), Malformed> {
        if depth < DEPTH_MAX { Ok(()) } else { Err(self.malformed("it is nested too deep")) }
    }
}

#[cfg(test)]
mod tests;
