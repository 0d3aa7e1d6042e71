//! The message within an answer: a body that is one, or an event that has one.

use serde_json::Value;

use super::asker::Heard;

/// The first message that answers something.
pub(super) fn message(heard: &Heard) -> Option<Value> {
    if !heard.is_events() {
        return read(&heard.body);
    }
    let text = String::from_utf8_lossy(&heard.body);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    // What has no empty line behind it may go on.
    let (ended, _rest) = text.rsplit_once("\n\n")?;
    ended.split("\n\n").find_map(|event| {
        let data = event.lines().filter_map(|line| line.strip_prefix("data:"));
        let data = data.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n");
        read(data.as_bytes())
    })
}

fn read(bytes: &[u8]) -> Option<Value> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    (value.get("result").is_some() || value.get("error").is_some()).then_some(value)
}
