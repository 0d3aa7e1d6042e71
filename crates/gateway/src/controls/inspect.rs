//! What is in it? Where a policy asks, the whole message is looked at before anything is decided on it, and what a policy
//! wants taken out is taken out; what is left is looked at and decided on once more.
//!
//! A message that no policy asks about is not looked at: inspection permits nothing by itself, and forbids nothing.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::HeaderMap;
use inspect::{Findings, Inspector, Origin};
use model::{Object, Reason, Refusal, Timestamp};
use policy::Action;
use wire::Flaw;

use crate::controls::connect::Connected;
use crate::controls::halted::Running;
use crate::controls::read::{self, Message, Said};
use crate::controls::release::{self, Expected};
use crate::search::Phrasing;

/// What was seen in a message: for policies, and for taking it out.
pub(crate) struct Seen {
    findings: Findings,
    told: policy::Findings,
}

impl Seen {
    fn of(inspector: &Inspector, body: &[u8], origin: Origin) -> Self {
        // What is no text was refused before: nothing in it could be read.
        let findings = match std::str::from_utf8(body) {
            Ok(text) => inspector.scan_json(text, origin),
            Err(_) => Findings { list: Vec::new(), complete: false },
        };
        let told = policy::Findings::new(&findings.list, findings.complete);
        Self { findings, told }
    }

    /// What policies are told.
    pub(crate) fn told(&self) -> &policy::Findings {
        &self.told
    }

    /// The text without what is of these classes.
    fn taken_out(&self, body: &[u8], classes: &BTreeSet<String>) -> Option<Bytes> {
        let text = std::str::from_utf8(body).ok()?;
        let asked = |finding: &model::Finding| classes.contains(finding.class.as_str());
        inspect::redact(text, &self.findings.list, asked).map(Bytes::from)
    }
}

/// What is in a call, if a policy asks.
pub(crate) fn call(
    inspector: &Inspector,
    running: &Running,
    objects: &[Object],
    message: &Message,
) -> Result<Option<Seen>, Refusal> {
    again(inspector, running, objects, &message.request.body)
}

/// The same for a body of the gate's, on a further leg of a call.
pub(crate) fn again(
    inspector: &Inspector,
    connected: &Connected,
    objects: &[Object],
    body: &Bytes,
) -> Result<Option<Seen>, Refusal> {
    let asked = is_asked(connected, Action::Call, objects)?;
    Ok(asked.then(|| Seen::of(inspector, body, Origin::Arguments)))
}

/// The call without what policies want taken out of it, if that is all they want. It has to take the path once more, from
/// `validate` on: what is left may fit the tool's schema no more.
pub(crate) fn redacted(
    inspector: &Inspector,
    running: &Running,
    objects: &[Object],
    message: &Message,
    headers: &HeaderMap,
    refusal: Refusal,
    now: Timestamp,
) -> Result<Message, Refusal> {
    // A call by another's name says its arguments in a wrapping of the gate's, which nobody has approved a change of.
    if refusal.reason != Reason::ObligationUnmet || message.phrasing != Phrasing::Direct {
        return Err(refusal);
    }
    let Some(seen) = call(inspector, running, objects, message)? else { return Err(refusal) };
    let raw = message.request.subject.arguments();
    let arguments = raw.and_then(|raw| serde_json::from_slice::<serde_json::Value>(raw).ok());
    let mut classes = BTreeSet::new();
    for object in objects {
        classes.extend(running.redactions(Action::Call, object, arguments.as_ref(), Some(seen.told()), now)?);
    }
    let body = seen.taken_out(&message.request.body, &classes).ok_or(refusal)?;
    match read::run(headers, &body) {
        Ok(Said::Message(mut message)) => {
            message.agree(running.present.revision).map_err(|flaw| flaw.refusal)?;
            // Its headers say what stood there before, and are made anew.
            message.phrasing = Phrasing::Redacted;
            Ok(message)
        }
        Ok(Said::Answer(_)) => Err(Refusal::new(Reason::Internal, "a call that was redacted became an answer")),
        Err(flaw) => Err(flaw.refusal),
    }
}

/// Decides whether an answer, or a notification on the way to one, may be released: as it is, or without what policies want
/// taken out, which is then returned.
pub(crate) fn answer(
    inspector: &Inspector,
    expected: &Expected,
    bytes: &Bytes,
    now: Timestamp,
) -> Result<Option<Bytes>, Flaw> {
    let objects: Vec<&Object> =
        expected.objects.iter().filter(|object| !matches!(object, Object::Server { .. })).collect();
    let connected = &expected.connected;
    let asked = objects
        .iter()
        .try_fold(false, |asked, object| Ok::<_, Refusal>(asked | connected.reads_findings(Action::Release, object)?));
    let seen = asked.map_err(release::withheld)?.then(|| Seen::of(inspector, bytes, Origin::Answer));
    let decide = |seen: Option<&Seen>| {
        let decide = |object| connected.decide_seen(Action::Release, object, None, seen.map(Seen::told), now).map(drop);
        objects.iter().copied().try_for_each(decide)
    };
    let (refusal, seen) = match (decide(seen.as_ref()), seen) {
        (Ok(()), _) => return Ok(None),
        (Err(refusal), Some(seen)) if refusal.reason == Reason::ObligationUnmet => (refusal, seen),
        (Err(refusal), _) => return Err(release::withheld(refusal).into()),
    };
    let mut classes = BTreeSet::new();
    for object in objects.iter().copied() {
        let more = connected.redactions(Action::Release, object, None, Some(seen.told()), now);
        classes.extend(more.map_err(release::withheld)?);
    }
    let redacted = seen.taken_out(bytes, &classes).ok_or_else(|| release::withheld(refusal))?;
    // Taking out may have brought together what was apart.
    decide(Some(&Seen::of(inspector, &redacted, Origin::Answer))).map_err(release::withheld)?;
    Ok(Some(redacted))
}

fn is_asked(connected: &Connected, action: Action, objects: &[Object]) -> Result<bool, Refusal> {
    for object in objects.iter().filter(|object| !matches!(object, Object::Server { .. })) {
        if connected.reads_findings(action, object)? {
            return Ok(true);
        }
    }
    Ok(false)
}
