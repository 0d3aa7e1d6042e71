//! Makes a record fit. What callers and servers choose freely can be long, and JSON escapes make it up to six times
//! longer; a receipt with a shortened text is worth more than none.

use model::{Object, PolicyId};
use serde_json::Value;

use super::{Asked, Changed, End, Event, Intent, Listed, Opened, Outcome, Refused, Strangers, Taken};

/// Bytes left of each free text, one try after the other. At the last one every event fits, names at their longest
/// and every byte escaped.
pub(super) const TEXT_BYTES: [usize; 3] = [4_096, 1_024, 256];

/// Policies named in a record that had to be shortened.
const POLICIES_MAX: usize = 16;

/// Cuts every free text of the event to `bytes`.
pub(super) fn event(event: &mut Event, bytes: usize) {
    match event {
        Event::Opened(Opened { version, records: _, truncated_bytes: _, orphans: _ }) => text(version, bytes),
        Event::Intent(Intent { session, method, request, object, policies: named, .. }) => {
            text(method, bytes);
            session.iter_mut().chain(request).for_each(|it| text(it, bytes));
            object.iter_mut().for_each(|it| name(it, bytes));
            policies(named);
        }
        Event::Outcome(Outcome { end, detail, .. }) => {
            detail.iter_mut().for_each(|it| text(it, bytes));
            if let End::Unknown(why) = end {
                text(why, bytes);
            }
        }
        Event::Refused(Refused { method, request, object, control, detail, policies: named, .. }) => {
            method.iter_mut().chain(request).chain([control, detail]).for_each(|it| text(it, bytes));
            object.iter_mut().for_each(|it| name(it, bytes));
            policies(named);
        }
        Event::Listed(Listed { method, .. }) => text(method, bytes),
        Event::Changed(Changed { actor, what, subject, detail, .. }) => {
            [what, subject].into_iter().for_each(|it| text(it, bytes));
            if let model::Actor::Person(person) = actor {
                text(person, bytes);
            }
            value(detail, bytes);
        }
        Event::Strangers(Strangers { source, .. }) => text(source, bytes),
        Event::Unrecorded(_) => {}
        Event::Taken(Taken { method, .. }) | Event::Asked(Asked { method, .. }) => text(method, bytes),
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
