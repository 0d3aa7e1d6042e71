//! Is it to be another message? What mutators of the customer's own make of a call, or of its answer (MCP interceptors,
//! SEP-2624, experimental).
//!
//! A mutator decides nothing. A call is asked about once it fits its tool's schema, and what comes back is held against the
//! schema, looked into and decided on as if it had come so. An answer is asked about once it may be released, and what comes
//! back has to be releasable again.

use bytes::Bytes;
use http::HeaderMap;
use inspect::Findings;
use model::{Reason, Refusal, Timestamp};
use policy::Action;
use wire::Flaw;
use wire::answer::{Outcome, ResultType};

use crate::callouts::Subject;
use crate::controls::halted::{self, Running};
use crate::controls::read::Message;
use crate::controls::release::{self, Expected};
use crate::controls::{inspect as look, validate, visible};
use crate::gate::Gate;
use crate::search::Phrasing;
use crate::trail::Trail;

/// Nothing is told of what the gate itself found: a mutator is sent the message whole.
const NOTHING: Findings = Findings { list: Vec::new(), complete: true };

/// What mutators make of a call; `None` if it stays as it is.
pub(crate) fn call(
    gate: &Gate,
    running: &Running,
    message: &Message,
    headers: &HeaderMap,
    trail: &mut Trail,
) -> Result<Option<Message>, Refusal> {
    let (sight, now) = (gate.sight.load(), trail.began);
    if !sight.callouts.may_change() {
        return Ok(None);
    }
    let visible = visible::run(running, visible::name(gate, running, message, now)?, now)?;
    if !sight.callouts.changes(Action::Call, visible.objects()) {
        return Ok(None);
    }
    let live = halted::object(&gate.halts, visible)?;
    let valid = validate::run(running, live, message, headers)?;
    let (objects, body) = (valid.live.visible.objects(), &message.request.body);
    if message.phrasing == Phrasing::Wrapped {
        let detail = "a call by `call_tool` has its arguments in a wrapping that mutators are not shown";
        return Err(Refusal::new(Reason::InspectionFailed, detail));
    }
    look::is_nobodys(gate, running, objects, body, &mut trail.noted)?;
    let Ok(text) = std::str::from_utf8(body) else { return Ok(None) };
    let subject = Subject { action: Action::Call, objects, text, own: &NOTHING, now };
    let changed = sight.callouts.change(gate, &subject, |did| trail.noted.did([did]))?;
    changed.map(|body| look::changed(running, headers, &body)).transpose()
}

/// What mutators make of an answer that may be released, once that may be released too; `None` if it stays as it is.
pub(crate) fn answer(
    gate: &Gate,
    expected: &Expected,
    outcome: &Outcome,
    bytes: &Bytes,
    now: Timestamp,
) -> Result<Option<Bytes>, Flaw> {
    let sight = gate.sight.load();
    let Outcome::Result { result_type: ResultType::Complete, is_error, raw } = outcome else { return Ok(None) };
    if !sight.callouts.changes(Action::Release, &expected.objects) {
        return Ok(None);
    }
    if !is_error {
        release::fits(expected, raw)?;
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return Ok(None) };
    let subject = Subject { action: Action::Release, objects: &expected.objects, text, own: &NOTHING, now };
    let changed = sight.callouts.change(gate, &subject, |did| expected.looked.noted().did([did]));
    let Some(changed) = changed.map_err(release::withheld)? else { return Ok(None) };
    Ok(Some(look::answer(gate, expected, &changed, now)?.unwrap_or(changed)))
}
