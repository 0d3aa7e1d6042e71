//! What has to change in a message so that many calls can share one line.

use bytes::Bytes;
use wire::answer::Notification;
use wire::edit;
use wire::json::{self, Bounds};

use crate::Unsent;

const SUBSCRIPTION: &[&str] = &["params", "_meta", "io.modelcontextprotocol/subscriptionId"];
const TOKEN_ASKED: &[&str] = &["params", "_meta", "progressToken"];
const TOKEN_TOLD: &[&str] = &["params", "progressToken"];
const ID: &[&str] = &["id"];
const CANCELLED: &[&str] = &["params", "requestId"];

/// What a caller wrote where the process is given a number: JSON texts, exactly as they came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Names {
    /// The request's id, which also names a subscription.
    pub(crate) id: String,
    /// The token by which progress is told, if it was asked for.
    pub(crate) token: Option<String>,
}

/// Reads a caller's message; `None` for one that wants no answer.
pub(crate) fn read(body: &Bytes) -> Result<Option<Names>, Unsent> {
    let unreadable = |fault: json::Fault| Unsent::Message { detail: fault.to_string() };
    let strict = json::check(body, &Bounds::MESSAGE).map_err(unreadable)?;
    let member = |name: &str| strict.members().find(|(key, _)| *key == name).map(|(_, value)| value);
    let (Some(id), Some(_)) = (member("id"), member("method")) else {
        return Ok(None);
    };
    let meta = strict.members_of("params").find(|(key, _)| *key == "_meta").map(|(_, value)| value);
    let token = meta.and_then(|meta| meta.members().find(|(key, _)| key == "progressToken"));
    let token = token.map(|(_, value)| value.text().to_owned());
    Ok(Some(Names { id: id.text().to_owned(), token }))
}

/// A caller's request, with the number in place of the caller's names.
pub(crate) fn numbered(body: &Bytes, names: &Names, number: i64) -> Result<Bytes, Unsent> {
    let number = number.to_string();
    let mut edits = vec![(ID, number.as_str())];
    if names.token.is_some() {
        edits.push((TOKEN_ASKED, number.as_str()));
    }
    edit::replace(body, &edits).map_err(|flaw| Unsent::Message { detail: flaw.refusal.detail })
}

/// An answer, with the caller's id in place of the number. `None` if it cannot be made one.
pub(crate) fn answered(message: &Bytes, names: &Names) -> Option<Bytes> {
    edit::replace(message, &[(ID, names.id.as_str())]).ok()
}

/// A notification about a call, with the caller's names in place of the number. `None` if it names what the caller did
/// not.
pub(crate) fn notified(message: &Bytes, notification: &Notification, names: &Names) -> Option<Bytes> {
    let mut edits = Vec::with_capacity(2);
    if notification.progress_token.is_some() {
        edits.push((TOKEN_TOLD, names.token.as_deref()?));
    }
    if notification.subscription.is_some() {
        edits.push((SUBSCRIPTION, names.id.as_str()));
    }
    edit::replace(message, &edits).ok()
}

/// The call that a notification is about. One that names two is about none.
pub(crate) fn about(notification: &Notification) -> Option<i64> {
    let (token, subscription) = (&notification.progress_token, &notification.subscription);
    match (token, subscription) {
        (Some(one), None) | (None, Some(one)) => one.as_number(),
        (Some(token), Some(subscription)) if token == subscription => token.as_number(),
        (Some(_), Some(_)) | (None, None) => None,
    }
}

/// The number of the call that a message answers, whatever else it says.
pub(crate) fn number_of(message: &Bytes) -> Option<i64> {
    let strict = json::check(message, &Bounds::MESSAGE).ok()?;
    let member = |name: &str| strict.members().find(|(key, _)| *key == name).map(|(_, value)| value);
    if member("method").is_some() {
        return None;
    }
    member("id")?.integer()
}

/// The caller's name of the request that this message takes back, as JSON text, if that is what it does.
pub(crate) fn taken_back(message: &Bytes) -> Option<String> {
    let strict = json::check(message, &Bounds::MESSAGE).ok()?;
    let method = strict.members().find(|(key, _)| *key == "method").and_then(|(_, value)| value.string())?;
    if method != "notifications/cancelled" {
        return None;
    }
    let request = strict.members_of("params").find(|(key, _)| *key == "requestId");
    request.map(|(_, value)| value.text().to_owned())
}

/// The same message, with the number in place of the caller's name.
pub(crate) fn taking_back(message: &Bytes, number: i64) -> Option<Bytes> {
    edit::replace(message, &[(CANCELLED, &number.to_string())]).ok()
}

#[cfg(test)]
mod tests;
