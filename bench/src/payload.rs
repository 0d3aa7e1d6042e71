//! The bytes that travel: one tool call there, one answer back, each of an exact size.
//!
//! Both are ordinary English inside ordinary JSON, so that parsers, schemas and inspection do the work they would do on
//! a real message of that size.

use std::sync::LazyLock;

use bytes::Bytes;

/// The revision every message speaks.
pub const PROTOCOL_VERSION: &str = "2026-07-28";
/// The one tool that is called.
pub const TOOL: &str = "refund";
/// Bytes in the largest message, either way.
pub const MESSAGE_BYTES_MAX: usize = 1024 * 1024;
/// Bytes in the smallest call: its envelope alone.
pub const MESSAGE_BYTES_MIN: usize = 512;
/// The start of every good answer after its id. [`is_good_answer`] looks for the marker in it.
const ANSWER_START: &str = r#","result":{"resultType":"complete","isError":false,"content":[{"type":"text","text":""#;
/// What a refusal, an error or another server would not say.
const ANSWER_MARKER: &[u8] = br#""resultType":"complete","isError":false"#;
/// The marker stands within this many bytes of an answer, server-sent-event framing included.
const ANSWER_MARKER_BYTES_MAX: usize = 256;

static PROSE: LazyLock<String> = LazyLock::new(|| {
    const SENTENCE: &str = "The customer sent the parcel back because the box was damaged on its way, and asks for the \
                            price and the postage; the warehouse has looked at it and agrees. ";
    SENTENCE.chars().cycle().take(MESSAGE_BYTES_MAX).collect()
});

/// A `tools/call` of exactly `bytes` bytes that asks for an answer of `answer_bytes`.
///
/// Calls with different ids ask for different amounts, so that a decision about one tells nothing about the next.
pub fn call(id: usize, bytes: usize, answer_bytes: usize) -> Bytes {
    let amount = 10 + id;
    let head = format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{TOOL}","arguments":{{"order":"A-{id}","amount":{amount},"currency":"EUR","answer_bytes":{answer_bytes},"note":""#
    );
    let tail = format!(
        r#""}},"_meta":{{"io.modelcontextprotocol/protocolVersion":"{PROTOCOL_VERSION}","io.modelcontextprotocol/clientInfo":{{"name":"bench","version":"1"}},"io.modelcontextprotocol/clientCapabilities":{{}}}}}}}}"#
    );
    filled(&head, &tail, bytes)
}

/// The answer to the call with this id, as raw JSON, of exactly `bytes` bytes.
pub fn answer(id: &str, bytes: usize) -> Bytes {
    let head = format!(r#"{{"jsonrpc":"2.0","id":{id}{ANSWER_START}"#);
    filled(&head, r#""}]}}"#, bytes)
}

/// Whether this is the server's own answer at about the size that was asked for, and no refusal.
pub fn is_good_answer(body: &[u8], bytes: usize) -> bool {
    let start = body.get(..ANSWER_MARKER_BYTES_MAX).unwrap_or(body);
    body.len() + ANSWER_MARKER_BYTES_MAX >= bytes
        && start.windows(ANSWER_MARKER.len()).any(|window| window == ANSWER_MARKER)
}

fn filled(head: &str, tail: &str, bytes: usize) -> Bytes {
    let room = bytes.saturating_sub(head.len() + tail.len());
    let prose = PROSE.get(..room).unwrap_or(&PROSE);
    let mut message = String::with_capacity(head.len() + prose.len() + tail.len());
    message.push_str(head);
    message.push_str(prose);
    message.push_str(tail);
    message.into()
}

#[cfg(test)]
mod tests;
