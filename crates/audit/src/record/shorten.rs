//! Makes a record fit. What callers and servers choose freely can be long, and JSON escapes make it up to six times
//! longer; a receipt with a shortened text is worth more than none.

use model::{Account, Actor, Object, PolicyId};
use serde_json::Value;

use super::{Asked, Changed, End, Event, Feedback, Intent, Listed, Opened, Outcome, Refused, Saw, Strangers, Taken};

/// Bytes left of each free text, one try after the other. At the last one every event fits, names at their longest
/// and every byte escaped.
pub(super) const TEXT_BYTES: [usize; 3] = [4_096, 1_024, 256];

/// Policies named in a record that had to be shortened.
const POLICIES_MAX: usize = 16;

/// Cuts every free text of the event to `bytes`.
pub(super) fn event(event: &mut Event, bytes: usize) {
    match event {
        Event::Opened(Opened { version, records: _, truncated_bytes: _, orphans: _ }) => text(version, bytes),
        Event::Intent(Intent { session, method, request, object, findings, policies: named, .. }) => {
            text(method, bytes);
            findings.iter_mut().for_each(|saw| fewer(saw, bytes));
            session.iter_mut().chain(request).for_each(|it| text(it, bytes));
            object.iter_mut().for_each(|it| name(it, bytes));
            policies(named);
        }
        Event::Outcome(Outcome { end, detail, findings, .. }) => {
            findings.iter_mut().for_each(|saw| fewer(saw, bytes));
            detail.iter_mut().for_each(|it| text(it, bytes));
            if let End::Unknown(why) = end {
                text(why, bytes);
            }
        }
        Event::Refused(Refused { method, request, object, control, detail, findings, policies: named, .. }) => {
            findings.iter_mut().for_each(|saw| fewer(saw, bytes));
            method.iter_mut().chain(request).chain([control, detail]).for_each(|it| text(it, bytes));
            object.iter_mut().for_each(|it| name(it, bytes));
            policies(named);
        }
        Event::Listed(Listed { method, .. }) => text(method, bytes),
        Event::Changed(Changed { actor, what, subject, detail, .. }) => {
            [what, subject].into_iter().for_each(|it| text(it, bytes));
            who(actor, bytes);
            value(detail, bytes);
        }
        Event::Strangers(Strangers { source, .. }) => text(source, bytes),
        Event::Unrecorded(_) => {}
        Event::Taken(Taken { method, .. }) => text(method, bytes),
        Event::Feedback(Feedback { actor, note, .. }) => {
            note.iter_mut().for_each(|it| text(it, bytes));
            who(actor, bytes);
        }
        Event::Asked(Asked { method, findings, .. }) => {
            text(method, bytes);
            findings.iter_mut().for_each(|saw| fewer(saw, bytes));
        }
    }
}

fn who(actor: &mut Actor, bytes: usize) {
    match actor {
        Actor::Person(person) => text(person, bytes),
        Actor::SignedIn(Account { issuer, subject, name }) => {
            [issuer, subject, name].into_iter().for_each(|it| text(it, bytes));
        }
        // A user's name is short by its type.
        Actor::User(_) | Actor::Gate => {}
    }
}

/// Cuts a text to `bytes`, at a character, and says how much is missing.
fn text(text: &mut String, bytes: usize) {
    if text.len() <= bytes {
        return;
    }
    let keep = (0..=bytes).rev().find(|&at| text.is_char_boundary(at)).unwrap_or_default();
    let missing = text.len() - keep;
    text.truncate(keep);
    text.push_str(&format!("…[{missing} bytes more]"));
}

fn name(object: &mut Object, bytes: usize) {
    match object {
        Object::Resource { uri: long, .. } | Object::Template { template: long, .. } => text(long, bytes),
        // Their names are short by their types.
        Object::Tool { .. } | Object::Prompt { .. } | Object::Server { .. } => {}
    }
}

/// Findings in a record that had to be shortened.
const FINDINGS_MAX: usize = 8;

fn fewer(saw: &mut Saw, bytes: usize) {
    let missing = u32::try_from(saw.list.len().saturating_sub(FINDINGS_MAX)).unwrap_or(u32::MAX);
    saw.more = saw.more.saturating_add(missing);
    saw.list.truncate(FINDINGS_MAX);
    saw.done.truncate(FINDINGS_MAX);
    saw.list.iter_mut().for_each(|sight| text(&mut sight.place, bytes));
}

fn policies(named: &mut Vec<PolicyId>) {
    let missing = named.len().saturating_sub(POLICIES_MAX);
    named.truncate(POLICIES_MAX);
    if missing > 0 {
        named.extend(format!("…[{missing} more]").parse::<PolicyId>());
    }
}

/// Replaces a detail that is too long by its own text, cut.
fn value(detail: &mut Value, bytes: usize) {
    let mut long = detail.to_string();
    if long.len() > bytes {
        text(&mut long, bytes);
        *detail = Value::String(long);
    }
}
