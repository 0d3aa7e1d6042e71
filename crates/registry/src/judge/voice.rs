//! Does it speak to a model rather than of a tool?
//!
//! Rules know what was thought of. What `inspect` learned knows how such words sound, in other wordings and other languages:
//! little alone, and much beside a rule that found something. It is heard over all of a definition, as a model reads it.

use inspect::injection::definition::{Level, Loudest, Scale};

use serde_json::Value;

use super::plain::{Plain, plain};
use super::{Class, HIGH_POINTS, Remark, Text, texts};

/// What a hint is worth: it makes of a rule that is worth most of it enough.
const HINT_POINTS: u32 = 15;
/// What nearer ones are worth.
const HINT_STEPS: [(f32, u32); 2] = [(0.35, 25), (0.7, 35)];
/// What is worth nearly enough alone.
const ORDER_POINTS: u32 = 50;
/// Characters of an excerpt.
const EXCERPT_CHARS_MAX: usize = 160;
/// Texts that were decoded, each heard alone.
const DECODED_MAX: usize = 8;

/// Tells how loudly the texts speak to a model. The plain forms of the first of them are known already.
pub(super) fn listen(scale: &Scale, texts: &[Text], read: Vec<Plain>, tell: &mut dyn FnMut(Remark)) {
    let (mut whole, mut decoded) = (String::new(), Vec::new());
    let read = read.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
    for (Text { text, .. }, read) in texts.iter().zip(read).filter(|(one, _)| is_prose(&one.text)) {
        if whole.len() + text.len() > model::limits::JUDGED_BYTES_MAX {
            break;
        }
        let mut readings = read.unwrap_or_else(|| plain(text)).cased.into_iter();
        whole.push_str(&readings.next().unwrap_or_default());
        whole.push_str("\n\n");
        decoded.extend(readings);
    }
    decoded.truncate(DECODED_MAX);
    let heard = std::iter::once(&whole).chain(&decoded).filter_map(|text| Some((scale.loudest(text)?, text)));
    if let Some((one, text)) = heard.max_by(|(one, _), (other, _)| one.score.total_cmp(&other.score)) {
        remark(&one, text).into_iter().for_each(tell);
    }
}

fn remark(heard: &Loudest, text: &str) -> Option<Remark> {
    let (rule, points, says) = match heard.level {
        Level::Low => return None,
        Level::Hint => ("voice.hint", hint(heard.nearness), "sounds a little like an order to a model"),
        Level::Suspicious => ("voice.order", ORDER_POINTS, "sounds like an order to a model"),
        Level::Certain => {
            ("voice.plain-order", HIGH_POINTS, "sounds like an order to a model, as nearly no honest definition does")
        }
    };
    let words = text.get(heard.range.clone()).unwrap_or_default();
    let excerpt = words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(EXCERPT_CHARS_MAX).collect();
    Some(Remark { rule, class: Class::Order, points, pointer: String::new(), says, excerpt })
}

/// What a hint is worth: more, the nearer it is to what sounds like an order.
fn hint(nearness: f32) -> u32 {
    let steps = HINT_STEPS.into_iter().filter(|(from, _)| nearness >= *from);
    steps.map(|(_, points)| points).max().unwrap_or(HINT_POINTS)
}

/// What is heard of a definition, in its own case: for those who train the weights.
pub fn heard(definition: &Value) -> String {
    let mut whole = String::new();
    for Text { text, .. } in texts(definition).into_iter().filter(|one| is_prose(&one.text)) {
        whole.push_str(plain(&text).cased.first().map(String::as_str).unwrap_or_default());
        whole.push_str("\n\n");
    }
    whole
}

/// Whether a text is more than a name or a type.
fn is_prose(text: &str) -> bool {
    text.contains(char::is_whitespace) || !text.is_ascii()
}
