//! Several messages of a server in one JSON array (MCP 2025-03-26, basic: batching), told one by one.

use bytes::Bytes;
use model::limits;
use wire::json::{self, Bounds};

/// Bytes that JSON allows around a value.
const WHITE: [u8; 4] = [b' ', b'\t', b'\r', b'\n'];

/// The messages of a batch, each byte for byte as it stands there. `None` if the text is no batch, or none that the gate
/// takes: whoever reads it as one message refuses it.
pub(crate) fn split(text: &Bytes) -> Option<Vec<Bytes>> {
    if !is_batch(text) {
        return None;
    }
    let strict = json::check(text, &Bounds::MESSAGE).ok()?;
    let mut messages = Vec::new();
    for element in strict.top().elements() {
        if messages.len() == limits::BATCH_MESSAGES_MAX || !element.is_object() {
            return None;
        }
        messages.push(text.slice_ref(element.text().as_bytes()));
    }
    (!messages.is_empty()).then_some(messages)
}

/// Whether a text can only be a batch, if it is anything.
pub(crate) fn is_batch(text: &Bytes) -> bool {
    text.iter().find(|byte| !WHITE.contains(byte)) == Some(&b'[')
}

#[cfg(test)]
mod tests;
