//! Text as it is shown: without the comments and tags of HTML.

use model::Decoding;

use crate::map::{Map, Writer};

/// The text without comments and tags, and the way back. `None` if there are none.
///
/// What stands within a line leaves nothing behind, since `ig<b>no</b>re` is shown as one word; other tags leave a
/// space.
pub(crate) fn strip(text: &str) -> Option<(String, Map)> {
    let mut writer = Writer::default();
    let mut kept = 0;
    let mut from = 0;
    // Where nothing closes any more, nothing further on has to look for it again.
    let mut unclosed_comment = false;
    while let Some(offset) = memchr::memchr(b'<', text.as_bytes().get(from..)?) {
        let at = from + offset;
        let rest = text.get(at..)?;
        let comment = (!unclosed_comment && rest.starts_with("<!--")).then(|| rest.find("-->"));
        unclosed_comment |= comment == Some(None);
        let found = match comment.flatten() {
            Some(close) => Some((close + 3, "")),
            None => tag(rest),
        };
        let Some((length, instead)) = found else {
            from = at + 1;
            continue;
        };
        writer.keep(text.get(kept..at)?);
        kept = at + length;
        from = kept;
        writer.put(&(at..kept), instead, Decoding::Markup);
    }
    if writer.turns.is_empty() {
        return None;
    }
    writer.keep(text.get(kept..)?);
    Some((writer.text, Map::Pieces(writer.turns)))
}

/// Bytes in the longest tag that is taken for one.
const TAG_BYTES_MAX: usize = 1024;

/// The tag that the text begins with: how long it is, and what it leaves.
fn tag(rest: &str) -> Option<(usize, &'static str)> {
    let bytes = rest.as_bytes();
    let inside = bytes.iter().take(TAG_BYTES_MAX);
    let closes = inside.clone().position(|byte| *byte == b'>')?;
    let name_from = if bytes.get(1) == Some(&b'/') { 2 } else { 1 };
    if !bytes.get(name_from)?.is_ascii_alphabetic() {
        return None;
    }
    let name = rest.get(name_from..closes)?;
    let name = name.split(|letter: char| !letter.is_ascii_alphanumeric()).next()?.to_ascii_lowercase();
    Some((closes + 1, if INLINE.contains(&name.as_str()) { "" } else { " " }))
}

/// Elements that stand within a word or line.
const INLINE: &[&str] = &[
    "a", "abbr", "b", "bdi", "bdo", "big", "code", "del", "em", "font", "i", "ins", "kbd", "mark", "q", "s", "small",
    "span", "strike", "strong", "sub", "sup", "tt", "u", "var", "wbr",
];

#[cfg(test)]
mod tests;
