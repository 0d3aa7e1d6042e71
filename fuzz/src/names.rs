//! What a name server answers.

#[rustfmt::skip]
#[path = "../../crates/egress/src/dns/message.rs"]
mod message_file;

use crate::line_and_rest;

/// An answer is read or refused, however its names lead into one another. The first line is the name that was asked for; the rest
/// is all of the answer, and then what follows a head that answers the question.
pub(crate) fn names(bytes: &[u8]) {
    let (name, rest) = line_and_rest(bytes);
    let name = String::from_utf8_lossy(name);
    let Some(question) = message_file::question(7, &name) else { return };
    let _ = message_file::texts(&question, rest);
    let end = 12 + question.get(12..).and_then(|rest| rest.iter().position(|byte| *byte == 0)).unwrap_or_default() + 5;
    let asked = question.get(12..end).unwrap_or_default();
    let answer = [&question[..2], &[0x80, 0, 0, 1, 0, 255, 0, 0, 0, 0], asked, rest].concat();
    // One record is one text at most, and a text is no longer than the record.
    if let Ok(texts) = message_file::texts(&question, &answer) {
        assert!(texts.len() <= 255 && texts.iter().map(String::len).sum::<usize>() <= rest.len() * 3);
    }
}
