//! Text that others wrote, made safe to look at.

use std::borrow::Cow;
use std::fmt::Write as _;

/// A text in which nothing is hidden and nothing acts on a terminal: control characters, and characters that show
/// nothing or change the order of others, are written out as `\u{…}`. Line breaks and tabs stay.
///
/// People approve tools by what they read. A definition can carry letters that only a model sees (Unicode tags, zero
/// widths) or that turn the line around (bidirectional controls); an approver must see that they are there.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unseen) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_unseen(letter) {
            let _infallible = write!(shown, "\\u{{{:x}}}", u32::from(letter));
        } else {
            shown.push(letter);
        }
    }
    Cow::Owned(shown)
}

/// Sources: Unicode 16 general categories Cc, Cf (but for those that scripts need between visible letters, which are
/// rare enough in definitions to be shown too), line and paragraph separators, variation selectors, fillers and tags.
fn is_unseen(letter: char) -> bool {
    match letter {
        '\n' | '\t' => false,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' => true,
        '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' => true,
        '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}' => true,
        other => other.is_control(),
    }
}

#[cfg(test)]
mod tests;
