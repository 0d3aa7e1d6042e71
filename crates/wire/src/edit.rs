//! Changing a few members of a message, and nothing else.
//!
//! A message that is written anew from a tree loses what the tree does not hold: the order of keys, the spelling of
//! numbers, white space. So what has to change (an id, a name, a token) is cut out of the text and replaced, and every
//! other byte stays as somebody wrote and signed off on it.

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
/// When the body or a new value is not what [`json::check`] takes; with [`Reason::Internal`] when a path leads nowhere, or
/// lies within another, because then the caller did not know its message.
pub fn replace(body: &Bytes, edits: &[(&[&str], &str)]) -> Result<Bytes, Flaw> {
    let strict = json::check(body, &Bounds::MESSAGE).map_err(Flaw::from_agent)?;
    let mut places = Vec::with_capacity(edits.len());
    for &(path, text) in edits {
        json::check(text.as_bytes(), &Bounds::MESSAGE).map_err(|fault| internal(path, &fault.to_string()))?;
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

fn internal(path: &[&str], why: &str) -> Flaw {
    Refusal::new(Reason::Internal, format!("a message could not be edited at `{}`: {why}", path.join("."))).into()
}

#[cfg(test)]
mod tests;
