//! What a detector is asked, in the format of the gate's own.

use ::inspect::redact;
use model::Finding;
use serde_json::{Value, json};

use super::line::Unseen;
use super::{Callout, Sends, Subject, answer};

/// Asks what is in a message.
pub(super) async fn ask(callout: &Callout, subject: &Subject<'_>) -> Result<Vec<Finding>, Unseen> {
    let Callout { name, url, way, authorization, sends, .. } = callout;
    let question = question(subject, *sends)?;
    let answered = way.post_json(url, &question, authorization.as_ref()).await;
    let fetched = answered.map_err(|_| Unseen::Unreachable)?;
    if !fetched.status.is_success() {
        return Err(Unseen::Status(fetched.status.as_u16()));
    }
    answer::read(name, &fetched.body, subject.text).map_err(Unseen::Answer)
}

/// The message as a detector is sent it.
pub(super) fn sent(subject: &Subject<'_>, sends: Sends) -> Result<Value, Unseen> {
    let redacted = match sends {
        Sends::Whole => None,
        Sends::Redacted => {
            let left = redact(subject.text, &subject.own.list, |_| true);
            Some(left.ok_or(Unseen::Answer("what the gate found cannot be taken out"))?)
        }
    };
    let message = serde_json::from_str::<Value>(redacted.as_deref().unwrap_or(subject.text));
    message.map_err(|_| Unseen::Answer("the message is no JSON"))
}

fn question(subject: &Subject<'_>, sends: Sends) -> Result<Value, Unseen> {
    let told = |finding: &Finding| {
        json!({
            "rule": finding.rule.as_str(),
            "class": finding.class.as_str(),
            "severity": finding.severity.as_str(),
            "pointer": finding.place.pointer,
        })
    };
    Ok(json!({
        "format": 1,
        "action": subject.action.as_str(),
        "objects": subject.objects,
        "message": sent(subject, sends)?,
        "findings": subject.own.list.iter().map(told).collect::<Vec<_>>(),
        "complete": subject.own.complete,
    }))
}
