//! What acts by being shown: links that carry data away, images that are fetched, markup that is drawn, sequences that a
//! terminal obeys and characters that nobody sees. And the same text with all of that made harmless: still to be read by a
//! person and a model, and by no renderer obeyed.
//!
//! What is there is what would be changed, so that after the change nothing is. Each kind is one pass over the text.

use std::borrow::Cow;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::{memchr, memmem};
use model::{Active, Part};

use crate::walk::Walk;
use crate::{fold, unescape};

/// The kinds that are in a message.
pub fn active(text: &str) -> Vec<Active> {
    let is_in = |kind: &Active| harmless(text, &[*kind]).is_some_and(|changed| changed.is_some());
    Active::ALL.into_iter().filter(is_in).collect()
}

/// The JSON text with what is of these kinds made harmless, every other byte as it was; `Some(None)` if there is nothing of
/// them, `None` if the text is no JSON.
pub fn harmless(text: &str, kinds: &[Active]) -> Option<Option<String>> {
    let mut changed = String::new();
    let mut copied = 0;
    let mut walk = Walk::new(text);
    while let Some(leaf) = walk.next_leaf() {
        if leaf.part == Part::Key || leaf.raw.len() == leaf.text.len() {
            continue;
        }
        let Some(instead) = string(walk.key().unwrap_or_default(), &leaf.text, kinds) else { continue };
        changed.push_str(text.get(copied..leaf.raw.start)?);
        changed.push_str(&serde_json::to_string(&instead).ok()?);
        copied = leaf.raw.end;
    }
    if !walk.sound {
        return None;
    }
    if copied == 0 {
        return Some(None);
    }
    changed.push_str(text.get(copied..)?);
    Some(Some(changed))
}

/// Members by which messages and things are known: nobody shows them, and changed they would mean something else.
const NAMES: [&str; 14] = [
    "jsonrpc",
    "method",
    "id",
    "uri",
    "uriTemplate",
    "mimeType",
    "type",
    "role",
    "resultType",
    "taskId",
    "requestState",
    "progressToken",
    "nextCursor",
    "elicitationId",
];

/// One string of a message, made harmless; `None` if it is already.
fn string(key: &str, text: &str, kinds: &[Active]) -> Option<String> {
    if NAMES.contains(&key) {
        return None;
    }
    // A page or a drawing can come as bytes.
    if matches!(key, "blob" | "data")
        && let Some(page) = STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok())
    {
        return plain(&page, kinds).map(|page| STANDARD.encode(page));
    }
    plain(text, kinds)
}

/// The text without what is of this kind; `None` if there is nothing of it.
fn without(kind: Active, text: &str) -> Option<String> {
    match kind {
        Active::Links => links(text),
        Active::Images => images(text),
        Active::Markup => markup(text),
        Active::Terminal => terminal(text),
        Active::Invisible => invisible(text),
    }
}

/// A text, made harmless; `None` if it is already.
fn plain(text: &str, kinds: &[Active]) -> Option<String> {
    let mut now: Cow<'_, str> = Cow::Borrowed(text);
    for kind in Active::ALL.into_iter().filter(|kind| kinds.contains(kind)) {
        if let Some(changed) = without(kind, &now) {
            now = Cow::Owned(changed);
        }
    }
    match now {
        Cow::Borrowed(_) => None,
        Cow::Owned(changed) => Some(changed),
    }
}

/// Puts texts in the place of ranges, which come in order; `None` if there are none.
fn replaced<'t>(text: &str, changes: impl Iterator<Item = (Range<usize>, &'t str)>) -> Option<String> {
    let mut changed = String::new();
    let mut copied = 0;
    for (range, instead) in changes {
        if range.start < copied {
            continue;
        }
        changed.push_str(text.get(copied..range.start)?);
        changed.push_str(instead);
        copied = range.end;
    }
    if copied == 0 && changed.is_empty() {
        return None;
    }
    changed.push_str(text.get(copied..)?);
    Some(changed)
}

/// Where a fixed text stands, with what takes its place.
fn each<'t>(text: &'t str, what: &'t str, instead: &'t str) -> impl Iterator<Item = (Range<usize>, &'t str)> {
    memmem::find_iter(text.as_bytes(), what.as_bytes()).map(move |at| (at..at + what.len(), instead))
}

/// Links of Markdown lead nowhere (`CommonMark` §6.3, §4.7), and addresses are no addresses to whoever looks for some.
fn links(text: &str) -> Option<String> {
    let mut changes: Vec<(Range<usize>, &str)> = Vec::new();
    changes.extend(each(text, "](", "] ("));
    changes.extend(each(text, "][", "] ["));
    changes.extend(each(text, "]:", "] :"));
    changes.extend(each(text, "://", "[:]//"));
    let is_host = |at: usize| {
        let before = at.checked_sub(1).and_then(|before| text.as_bytes().get(before));
        let after = text.as_bytes().get(at + 4);
        before.is_none_or(|byte| !byte.is_ascii_alphanumeric()) && after.is_some_and(|byte| !byte.is_ascii_whitespace())
    };
    for www in ["www.", "WWW."] {
        changes.extend(each(text, www, "www[.]").filter(|(range, _)| is_host(range.start)));
    }
    // `<mailto:x>`, `<javascript:x>` (CommonMark §6.5).
    let mut from = 0;
    while let Some(offset) = memchr(b'<', text.as_bytes().get(from..).unwrap_or_default()) {
        let at = from + offset;
        from = at + 1;
        let rest = text.as_bytes().get(from..).unwrap_or_default();
        let scheme = rest.iter().take(SCHEME_BYTES_MAX).take_while(|byte| is_of_scheme(**byte)).count();
        let colon = from + scheme;
        if scheme > 1 && text.as_bytes().get(colon) == Some(&b':') && !text.get(colon..).is_some_and(is_authority) {
            changes.push((colon..colon + 1, "[:]"));
        }
    }
    changes.sort_by_key(|(range, _)| range.start);
    replaced(text, changes.into_iter())
}

/// Bytes in the longest scheme of an address between angle brackets.
const SCHEME_BYTES_MAX: usize = 32;

fn is_of_scheme(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'.' | b'-')
}

fn is_authority(rest: &str) -> bool {
    rest.starts_with("://")
}

/// Elements that fetch something when they are drawn.
const FETCHING: [&str; 18] = [
    "img", "image", "picture", "source", "svg", "video", "audio", "track", "iframe", "frame", "object", "embed",
    "link", "style", "script", "base", "input", "meta",
];

/// Images are links, and what fetches is text.
fn images(text: &str) -> Option<String> {
    let mut changes: Vec<(Range<usize>, &str)> = each(text, "![", "! [").collect();
    changes.extend(tags(text).filter(|range| fetches(text, range)).map(|range| (range.start..range.start + 1, "&lt;")));
    changes.sort_by_key(|(range, _)| range.start);
    replaced(text, changes.into_iter())
}

/// Bytes of a tag in which what it fetches is looked for; a longer one is taken to fetch.
const TAG_BYTES_MAX: usize = 1024;

/// Whether the tag that begins here fetches something: by its name, or by how it is to look.
fn fetches(text: &str, range: &Range<usize>) -> bool {
    let inside = text.as_bytes().get(range.start + 1..).unwrap_or_default();
    let name: Vec<u8> = inside.iter().take(16).take_while(|byte| byte.is_ascii_alphanumeric()).copied().collect();
    if FETCHING.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes())) {
        return true;
    }
    let Some(end) = inside.iter().take(TAG_BYTES_MAX).position(|byte| *byte == b'>') else {
        return inside.len() > TAG_BYTES_MAX;
    };
    let attributes = inside.get(..end).unwrap_or_default().to_ascii_lowercase();
    ["style", "background", "poster", "srcset"].iter().any(|word| memmem::find(&attributes, word.as_bytes()).is_some())
}

/// Where tags and comments of HTML begin (HTML §13.2.5.6).
fn tags(text: &str) -> impl Iterator<Item = Range<usize>> {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'<', bytes).filter_map(move |at| {
        let next = bytes.get(at + 1)?;
        (next.is_ascii_alphabetic() || matches!(next, b'/' | b'!' | b'?')).then_some(at..at + 1)
    })
}

/// No tag is one.
fn markup(text: &str) -> Option<String> {
    replaced(text, tags(text).map(|range| (range, "&lt;")))
}

/// No sequence of a terminal's, and none of the characters that it obeys (ECMA-48 §5).
fn terminal(text: &str) -> Option<String> {
    let is_obeyed = |letter: char| matches!(letter, '\u{0}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{9f}');
    let found = text.char_indices().filter(|(_, letter)| is_obeyed(*letter)).map(|(at, letter)| {
        let rest = text.get(at..).unwrap_or_default();
        let length = if letter == '\u{1b}' { unescape::terminal(rest) } else { None };
        (at..at + length.unwrap_or(letter.len_utf8()), "")
    });
    replaced(text, found)
}

/// Nothing that nobody sees. What joins letters of scripts that need it, and parts of an emoji, stays.
fn invisible(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let mut before = None;
    let mut letters = text.char_indices().peekable();
    let mut found = Vec::new();
    while let Some((at, letter)) = letters.next() {
        let after = letters.peek().map(|(_, next)| *next);
        if fold::is_hidden(letter) && !joins(letter, before, after) {
            found.push((at..at + letter.len_utf8(), ""));
        }
        before = Some(letter);
    }
    replaced(text, found.into_iter())
}

/// Whether a character stands between two that it belongs to.
fn joins(letter: char, before: Option<char>, after: Option<char>) -> bool {
    let is_seen = |other: Option<char>| other.is_some_and(|other| !other.is_ascii() && !fold::is_hidden(other));
    match letter {
        '\u{200c}' | '\u{200d}' => (is_seen(before) || before == Some('\u{fe0f}')) && is_seen(after),
        '\u{fe0e}' | '\u{fe0f}' => before.is_some_and(|before| !fold::is_hidden(before)),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
