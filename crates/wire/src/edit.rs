//! Changing a few members of a message, and nothing else.
//!
//! A message that is written anew from a tree loses what the tree does not hold: the order of keys, the spelling of
//! numbers, white space. So what has to change (an id, a name, a token) is cut out of the text and replaced, and every
//! other byte stays as somebody wrote and signed off on it. [`replace`] is for members that are there, and fails where they
//! are not; [`splice`] also puts members where there are none, and takes members out.

use bytes::{Bytes, BytesMut};
use model::{Reason, Refusal};

use crate::Flaw;
use crate::json::{self, Bounds, Json, Strict};

/// Where one value stands in a text, and what will stand there.
struct Edit<'a> {
    start: usize,
    end: usize,
    text: &'a str,
}

/// Replaces the values of existing members. Each edit is a path of keys from the outermost object, and the JSON text of
/// the new value.
///
/// # Errors
/// When the body is not what [`json::check`] takes; with [`Reason::Internal`] when a new value is not, there where it will
/// be, and when a path leads nowhere, or lies within another, because then the caller did not know its message.
pub fn replace(body: &Bytes, edits: &[(&[&str], &str)]) -> Result<Bytes, Flaw> {
    let strict = json::check(body, &Bounds::MESSAGE).map_err(Flaw::from_agent)?;
    let mut places = Vec::with_capacity(edits.len());
    for &(path, text) in edits {
        check_at(path, text)?;
        let value = find(&strict, path).ok_or_else(|| internal(path, "the message has no such member"))?;
        // The value is a part of the body, so its address says where.
        let start = value.text().as_ptr().addr().saturating_sub(body.as_ptr().addr());
        places.push(Edit { start, end: start + value.text().len(), text });
    }
    places.sort_by_key(|edit| edit.start);
    let grown: usize = places.iter().map(|edit| edit.text.len()).sum();
    let mut edited = BytesMut::with_capacity(body.len() + grown);
    let mut copied = 0;
    for Edit { start, end, text } in places {
        let Some(kept) = body.get(copied..start) else {
            return Err(internal(&[], "one path lies within another"));
        };
        edited.extend_from_slice(kept);
        edited.extend_from_slice(text.as_bytes());
        copied = end;
    }
    edited.extend_from_slice(body.get(copied..).unwrap_or_default());
    Ok(edited.freeze())
}

/// What happens to one member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change<'a> {
    /// It has this JSON text for its value from now on, whether it was there or not.
    Put(&'a str),
    /// It is there no more, if it was.
    Remove,
}

/// Where a change happens: keys from the outermost object.
pub type Path<'a> = &'a [&'a str];

/// Puts members into a message and takes members out, each named by a path of keys from the outermost object. A member
/// that is put and was not there comes last in its object; objects on the way to it are made. What is not named stays byte
/// for byte, but for the commas of what goes.
///
/// # Errors
/// When the body is not what [`json::check`] takes; with [`Reason::Internal`] when a new value is not, there where it will
/// be, and when a path is empty, leads through something that is no object, or lies within another.
pub fn splice(body: &Bytes, changes: &[(Path<'_>, Change<'_>)]) -> Result<Bytes, Flaw> {
    let strict = json::check(body, &Bounds::MESSAGE).map_err(Flaw::from_agent)?;
    for (path, change) in changes {
        if let Change::Put(text) = change {
            check_at(path, text)?;
        }
    }
    let mut spliced = String::with_capacity(body.len());
    let (before, after) = around(body, strict.top());
    spliced.push_str(before);
    write(strict.top(), changes, &mut spliced)?;
    spliced.push_str(after);
    Ok(spliced.into())
}

/// What stands before and after the one value of a body: white space.
fn around<'a>(body: &'a [u8], top: Json<'a>) -> (&'a str, &'a str) {
    let start = top.text().as_ptr().addr().saturating_sub(body.as_ptr().addr());
    let text = |range: Option<&'a [u8]>| range.and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
    (text(body.get(..start)), text(body.get(start + top.text().len()..)))
}

/// What becomes of a member.
enum Fate<'a> {
    Stays,
    Goes,
    Becomes(&'a str),
    /// Something within it changes.
    Changes(Vec<(Path<'a>, Change<'a>)>),
}

/// Writes an object with its changes.
fn write(object: Json<'_>, changes: &[(Path<'_>, Change<'_>)], out: &mut String) -> Result<(), Flaw> {
    let text = object.text();
    if !object.is_object() {
        return Err(internal(&[], "a path leads through something that is no object"));
    }
    let (mut at, mut written, mut met) = (1, false, Vec::new());
    out.push('{');
    for (key, value) in object.members() {
        let start = value.text().as_ptr().addr().saturating_sub(text.as_ptr().addr());
        // The white space, the comma and the key before the value, as they were written.
        let gap = text.get(at..start).unwrap_or_default();
        at = start + value.text().len();
        let fate = fate(&key, changes)?;
        if let Fate::Goes = fate {
            met.push(key);
            continue;
        }
        out.push_str(if written { gap } else { without_comma(gap) });
        written = true;
        match fate {
            Fate::Stays | Fate::Goes => out.push_str(value.text()),
            Fate::Becomes(text) => out.push_str(text),
            Fate::Changes(within) => write(value, &within, out)?,
        }
        met.push(key);
    }
    for (path, _) in changes {
        let Some(&key) = path.first() else { continue };
        if met.iter().any(|one| one == key) {
            continue;
        }
        met.push(key.into());
        let made = match fate(key, changes)? {
            Fate::Stays | Fate::Goes => continue,
            Fate::Becomes(text) => text.to_owned(),
            Fate::Changes(within) if within.iter().all(|(_, change)| *change == Change::Remove) => continue,
            Fate::Changes(within) => {
                let mut made = String::new();
                let empty = json::check(b"{}", &Bounds::MESSAGE).map_err(Flaw::from_agent)?;
                write(empty.top(), &within, &mut made)?;
                made
            }
        };
        if written {
            out.push(',');
        }
        written = true;
        out.push_str(&serde_json::Value::from(key).to_string());
        out.push(':');
        out.push_str(&made);
    }
    out.push_str(text.get(at..).unwrap_or_default());
    Ok(())
}

/// What the changes make of the member of this key.
fn fate<'a>(key: &str, changes: &[(Path<'a>, Change<'a>)]) -> Result<Fate<'a>, Flaw> {
    let mut within = Vec::new();
    let mut own = None;
    for (path, change) in changes {
        match *path {
            [] => return Err(internal(path, "an empty path")),
            [first] if *first == key && own.is_none() => own = Some(*change),
            [first] if *first == key => return Err(internal(path, "one path lies within another")),
            [first, rest @ ..] if *first == key => within.push((rest, *change)),
            [_, ..] => {}
        }
    }
    match (own, within.is_empty()) {
        (None, true) => Ok(Fate::Stays),
        (None, false) => Ok(Fate::Changes(within)),
        (Some(Change::Put(text)), true) => Ok(Fate::Becomes(text)),
        (Some(Change::Remove), true) => Ok(Fate::Goes),
        (Some(_), false) => Err(internal(&[key], "one path lies within another")),
    }
}

/// What stands before the first member that stays, if others stood before it.
fn without_comma(gap: &str) -> &str {
    gap.trim_start().strip_prefix(',').unwrap_or(gap)
}

/// The value at the end of a path; an empty path leads nowhere.
fn find<'a>(strict: &Strict<'a>, path: &[&str]) -> Option<Json<'a>> {
    match path {
        [] => None,
        [outer] => strict.members().find(|(key, _)| key == outer).map(|(_, value)| value),
        [outer, inner, rest @ ..] => {
            let value = strict.members_of(outer).find(|(key, _)| key == inner).map(|(_, value)| value)?;
            rest.iter().try_fold(value, |value, key| value.members().find(|(k, _)| k == key).map(|(_, value)| value))
        }
    }
}

/// Checks a new value: within the objects on the way to it, it is no deeper than a message may be.
fn check_at(path: Path<'_>, text: &str) -> Result<(), Flaw> {
    let depth = Bounds::MESSAGE.depth.checked_sub(path.len());
    let depth = depth.ok_or_else(|| internal(path, "a message may not be as deep"))?;
    let bounds = Bounds { depth, ..Bounds::MESSAGE };
    json::check(text.as_bytes(), &bounds).map(drop).map_err(|fault| internal(path, &fault.to_string()))
}

fn internal(path: &[&str], why: &str) -> Flaw {
    Refusal::new(Reason::Internal, format!("a message could not be edited at `{}`: {why}", path.join("."))).into()
}

#[cfg(test)]
mod tests;
