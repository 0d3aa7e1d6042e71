//! What a server of 2026-07-28 wants returned with the answers to its questions (`requestState`; MCP 2026-07-28,
//! basic/patterns/mrtr), sealed.
//!
//! A server must not trust what comes back, and many do. So the client is given a sealed text instead, which opens for the
//! agent and user that were asked, at that endpoint, for that server and that very thing; the server gets back its own words,
//! as it wrote them.

use bytes::Bytes;
use model::{Object, Reason, Refusal};
use serde_json::Value;
use wire::{bridge, edit};

use crate::controls::connect::Connected;
use crate::controls::release::Expected;
use crate::gate::Gate;
use crate::holder;

/// An answer that asks, with the server's words sealed. What the bridge asks with is sealed already, and a client with a
/// session is asked otherwise.
pub(crate) fn seal(gate: &Gate, expected: &Expected, answer: Bytes, result: &Bytes) -> Result<Bytes, Refusal> {
    let (_, spoken) = expected.connected.door.reach(&expected.server, expected.revision)?;
    let Some(state) = bridge::state(result).filter(|_| !spoken.has_sessions() && !expected.revision.has_sessions())
    else {
        return Ok(answer);
    };
    let owner = owner(&expected.connected, &expected.objects)?;
    let sealed = gate.bridge.seal().seal_text(state.as_bytes(), &owner);
    let sealed = sealed.ok_or_else(|| Refusal::new(Reason::Internal, "a server's words could not be sealed"))?;
    let sealed = Value::from(sealed).to_string();
    edit::replace(&answer, &[(&["result", "requestState"], &sealed)]).map_err(|flaw| flaw.refusal)
}

/// A request with the server's own words in place of the sealed ones.
pub(crate) fn open(
    gate: &Gate,
    connected: &Connected,
    objects: &[Object],
    sealed: &str,
    body: &Bytes,
) -> Result<Bytes, Refusal> {
    let opened = gate.bridge.seal().open_text(sealed, &owner(connected, objects)?);
    let opened = opened.and_then(|words| String::from_utf8(words).ok());
    let unknown = || {
        let hint = "the `requestState` was not given to this caller for this";
        Refusal::new(Reason::ParamsInvalid, "a `requestState` that does not open").with_hint(hint)
    };
    edit::replace(body, &[(&["params", "requestState"], &opened.ok_or_else(unknown)?)]).map_err(|flaw| flaw.refusal)
}

fn owner(connected: &Connected, objects: &[Object]) -> Result<Vec<u8>, Refusal> {
    let about = serde_json::to_string(objects);
    let about = about.map_err(|error| Refusal::new(Reason::Internal, error.to_string()))?;
    Ok(holder::bound(&connected.caller.session_key(), &["rounds", connected.door.name.as_str(), &about]))
}
