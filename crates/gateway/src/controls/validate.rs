//! Do the arguments fit the schema people approved, and the headers the arguments?

use http::HeaderMap;
use model::{Reason, Refusal};
use serde_json::Value;

use crate::controls::halted::{Live, Running};
use crate::controls::read::Message;
use crate::search::Phrasing;
use crate::tasks::Arguments;

/// An object with arguments its pinned schema declares; for other objects, whatever their method takes.
pub(crate) struct Valid {
    pub(crate) live: Live,
    /// The arguments, as policies will see them.
    pub(crate) arguments: Option<Value>,
}

/// Violations shown to the caller at once.
const VIOLATIONS_SHOWN_MAX: usize = 5;

/// Validates the arguments of a tool; other objects have no schema.
pub(crate) fn run(running: &Running, live: Live, message: &Message, headers: &HeaderMap) -> Result<Valid, Refusal> {
    if let Some(task) = live.visible.wording().task() {
        // Its call was validated against the very definition that `visible` has found again.
        let arguments = match &task.arguments {
            Arguments::Known(arguments) => arguments.clone(),
            Arguments::TooLarge => None,
        };
        return Ok(Valid { live, arguments });
    }
    let arguments: Option<Value> = match message.request.subject.arguments() {
        Some(raw) => Some(value(raw).map_err(invalid)?),
        None => None,
    };
    if let Some(tool) = live.visible.tool() {
        // Headers that say an argument once more came with 2026-07-28, and say it of what is called by name.
        let mirrored = running.door.mirrored.get(&tool.server).and_then(|tools| tools.get(&tool.name));
        let is_mirrored = !message.request.revision.has_sessions() && message.phrasing == Phrasing::Direct;
        if let Some(mirrored) = mirrored.filter(|_| is_mirrored) {
            mirrored.check(headers, arguments.as_ref()).map_err(|flaw| flaw.refusal)?;
        }
        let empty = Value::Object(serde_json::Map::new());
        if let Err(violations) = tool.check(arguments.as_ref().unwrap_or(&empty)) {
            let mut shown: Vec<String> = Vec::new();
            for violation in violations.iter().map(ToString::to_string) {
                // Two branches of a schema may find the same.
                if shown.len() < VIOLATIONS_SHOWN_MAX && !shown.contains(&violation) {
                    shown.push(violation);
                }
            }
            return Err(invalid(format!("{} violations", violations.len())).with_hint(shown.join("; ")));
        }
    }
    Ok(Valid { live, arguments })
}

/// Reads arguments. Whether they are UTF-8 is looked at once, and not string by string.
fn value(raw: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(raw).map_err(|error| error.to_string())?;
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn invalid(detail: String) -> Refusal {
    Refusal::new(Reason::ArgumentsInvalid, detail)
}
