//! Pictures: what a client would load or show beside a name.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{Class, Remark};

/// Raster formats, which hold nothing that runs.
const RASTER: [&str; 4] = ["image/png", "image/jpeg", "image/webp", "image/gif"];

/// Whether the address of an icon is a raster picture that stands in the definition itself.
pub(crate) fn is_raster(source: &str) -> bool {
    source.strip_prefix("data:").is_some_and(|rest| {
        RASTER.iter().any(|format| rest.strip_prefix(format).is_some_and(|rest| rest.starts_with(";base64,")))
    })
}

/// Tells what is to be said of a definition's icons.
pub(super) fn look(definition: &Value, told: &mut dyn FnMut(Remark)) {
    let icons = definition.get("icons").and_then(Value::as_array);
    for (place, icon) in icons.into_iter().flatten().enumerate() {
        let Some(source) = icon.get("src").and_then(Value::as_str) else { continue };
        let pointer = format!("/icons/{place}/src");
        let remark = |rule, points, says| Remark {
            rule,
            class: Class::Hidden,
            points,
            pointer: pointer.clone(),
            says,
            excerpt: source.chars().take(80).collect(),
        };
        if is_raster(source) {
            continue;
        }
        let lower: String = source.chars().take(64).collect::<String>().to_ascii_lowercase();
        if lower.starts_with("data:image/svg+xml") {
            if holds_a_script(source) {
                told(remark("icon.script", 60, "has an icon that holds a script"));
            } else {
                told(remark("icon.drawing", 10, "has an icon that is a document, which may hold words and addresses"));
            }
        } else if lower.starts_with("https://") || lower.starts_with("http://") {
            told(remark("icon.fetched", 5, "has an icon that is fetched: whoever serves it learns who looks"));
        } else {
            told(remark("icon.scheme", 60, "has an icon at an address that is no picture's"));
        }
    }
}

/// Whether an SVG in a `data:` address runs something or loads another document.
fn holds_a_script(source: &str) -> bool {
    let (head, body) = source.split_once(',').unwrap_or_default();
    let decoded = if head.ends_with(";base64") { STANDARD.decode(body.trim()).ok() } else { None };
    let text = decoded.map_or_else(|| body.to_owned(), |bytes| String::from_utf8_lossy(&bytes).into_owned());
    let text = text.to_ascii_lowercase().replace("%3c", "<");
    ["<script", "<foreignobject", "javascript:", "onload", "onclick", "onerror"].iter().any(|mark| text.contains(mark))
}
