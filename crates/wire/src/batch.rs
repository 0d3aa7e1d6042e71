//! Several messages of an agent in one JSON array, which revision 2025-03-26 alone has (basic/transports).

use bytes::Bytes;
use model::{Reason, limits};

use crate::json::{self, Bounds, Json};
use crate::{Flaw, Id};

/// Bytes that JSON allows around a value.
const WHITE: &[u8] = b" \t\r\n";

/// One message of a batch, unread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// It, byte for byte as it stands in the batch.
    pub body: Bytes,
    /// Whether it is answered by a message: a request is, and so is what is neither request, notification nor response.
    pub is_answered: bool,
}

/// Whether a body can only be a batch, if it is anything.
pub fn is_batch(body: &[u8]) -> bool {
    body.iter().find(|byte| !WHITE.contains(byte)) == Some(&b'[')
}

/// The messages of a batch, in their order. What each of them says is not read here: a message that is wrong is refused by
/// itself, and does not keep the others from being carried out.
///
/// # Errors
/// When the batch as a whole is none: it is no strict JSON, empty, of more than [`limits::BATCH_MESSAGES_MAX`] messages,
/// begins a session (2025-03-26, basic/lifecycle), or has two requests with one id, whose answers nobody could tell apart.
pub fn split(body: &Bytes) -> Result<Vec<Element>, Flaw> {
    let strict = json::check(body, &Bounds::MESSAGE).map_err(Flaw::from_agent)?;
    let refused = |text: String| Flaw::new(Reason::NotJsonRpc, text);
    let (mut elements, mut ids) = (Vec::new(), Vec::new());
    for element in strict.top().elements() {
        if elements.len() == limits::BATCH_MESSAGES_MAX {
            return Err(refused(format!("a batch has at most {} messages", limits::BATCH_MESSAGES_MAX)));
        }
        let outline = Outline::of(element);
        if outline.is_handshake {
            return Err(refused("`initialize` cannot be part of a batch".to_owned()));
        }
        if let Some(id) = outline.id {
            if ids.contains(&id) {
                return Err(refused("two requests of a batch have the same `id`".to_owned()));
            }
            ids.push(id);
        }
        let body = body.slice_ref(element.text().as_bytes());
        elements.push(Element { body, is_answered: outline.is_answered });
    }
    if elements.is_empty() {
        return Err(refused("a batch without messages".to_owned()));
    }
    Ok(elements)
}

/// What can be seen of a message without reading it.
struct Outline {
    /// The id, if it is a request.
    id: Option<Id>,
    is_handshake: bool,
    is_answered: bool,
}

impl Outline {
    fn of(element: Json<'_>) -> Self {
        let (mut id, mut method, mut responds) = (None, None, false);
        for (key, value) in element.members() {
            match key.as_ref() {
                "id" => id = Some(value),
                "method" => method = Some(value),
                "result" | "error" => responds = true,
                _ => {}
            }
        }
        let is_handshake = method.and_then(Json::string).as_deref() == Some("initialize");
        let is_answered = id.is_some() == method.is_some() && !(responds && method.is_none());
        Self { id: id.filter(|_| method.is_some()).and_then(Id::from_json), is_handshake, is_answered }
    }
}

#[cfg(test)]
mod tests;
