//! What is in it? Where a policy asks, the whole message is looked at before anything is decided on it, and what policies want
//! done to it is done; what is left is looked at and decided on once more.
//!
//! A message that no policy asks about is looked into for two things alone: the gate's own credentials, which nobody may say, and
//! canary tokens, which raise an alarm. Else inspection permits nothing by itself, and forbids nothing.

mod label;
mod seen;

use std::borrow::Cow;

use bytes::Bytes;
use http::HeaderMap;
use inspect::{Findings, Origin, Taken, Values};
use model::{Class, Confidentiality, Object, PolicyId, Reason, Refusal, ServerName, Timestamp};
use policy::{Action, Remedies};
use wire::Flaw;

use crate::controls::connect::Connected;
use crate::controls::halted::Running;
use crate::controls::read::{self, Message, Said};
use crate::controls::release::{self, Expected};
use crate::controls::visible;
use crate::gate::Gate;
use crate::looked::Noted;
use crate::search::Phrasing;
use crate::tokens::Giver;
use crate::trail::Trail;

use seen::At;
pub(crate) use seen::Seen;

/// Puts placeholders in the place of what is taken out of one message.
fn tokeniser<'a>(
    gate: &'a Gate,
    connected: &'a Connected,
    giver: Option<Giver>,
    remedies: &'a Remedies,
    now: Timestamp,
) -> impl FnMut(Taken<'_>) -> String + 'a {
    let owner = connected.caller.session_key();
    move |taken| match (remedies.tokenise.get(taken.finding.class.as_str()), &giver) {
        (Some(policies), Some(giver)) => gate.tokens.token(&owner, giver, policies, taken, now),
        (Some(_), None) | (None, _) => inspect::placeholder(taken.finding),
    }
}

/// How confidential what a server says is at least, as its manifest says.
fn least(connected: &Connected, objects: &[Object]) -> Confidentiality {
    let of = |object: &Object| {
        let member = connected.door.endpoint.member(object.server())?;
        Some(member.server.manifest.confidentiality(object))
    };
    objects.iter().filter_map(of).max().unwrap_or_default()
}

/// What no message may hold, whatever policies say, and what tells of a theft: servers' keys, the token that the gate holds for
/// this caller, and canaries.
fn known<'a>(connected: &'a Connected, objects: &[Object]) -> Cow<'a, Values> {
    let (snapshot, known) = (&connected.snapshot, &*connected.snapshot.known);
    let granted = |object: &Object| snapshot.keys.granted(object.server(), &connected.caller.behalf(), known.key());
    match objects.first().and_then(granted) {
        None => Cow::Borrowed(known),
        Some(granted) => Cow::Owned(known.and([granted])),
    }
}

/// Refuses what holds a secret of the gate's own, and raises an alarm where a canary sings. Nobody has to ask for either.
fn own(
    gate: &Gate,
    connected: &Connected,
    known: &Values,
    seen: Option<&Seen>,
    body: &[u8],
    noted: &mut Noted,
) -> Result<(), Refusal> {
    if known.is_empty() {
        return Ok(());
    }
    let found;
    let findings = match (seen, std::str::from_utf8(body)) {
        (Some(seen), _) => &seen.findings,
        (None, Ok(text)) => {
            found = gate.sight.load().inspector.find_values(text, known);
            // That the rest was not looked at is nothing that anybody asked about.
            noted.note(&Findings { list: found.list.clone(), complete: true });
            &found
        }
        (None, Err(_)) => return Ok(()),
    };
    let of = |class: &'static str| findings.list.iter().filter(move |finding| finding.class.as_str() == class);
    for canary in of(Class::CANARY) {
        let (caller, endpoint) = (&connected.caller, &connected.door.name);
        let user = caller.user().map(ToString::to_string).unwrap_or_default();
        tracing::error!(
            target: "incident", canary = %canary.rule, agent = %caller.agent.id, user, %endpoint,
            "a canary token is in a message: what it was laid beside is known to somebody"
        );
        gate.metrics.alarmed(canary.rule.as_str());
    }
    match of(Class::VAULT_SECRET).next() {
        None => Ok(()),
        Some(finding) => {
            let detail = format!("the message holds a credential of the gate's own: `{}`", finding.rule);
            let hint = "it holds a credential that the gate keeps for a server";
            Err(Refusal::new(Reason::PolicyForbids, detail).with_hint(hint))
        }
    }
}

/// The server to whose questions a call has the answers, if it has any.
pub(super) fn asker(objects: &[Object], message: &Message) -> Option<Object> {
    let request = &message.request;
    // Where a client keeps a session, an answer is a message of its own, and no server is told one in this way.
    request.input_responses.as_ref().filter(|_| !request.revision.has_sessions())?;
    objects.first().map(|object| Object::Server { server: object.server().clone() })
}

/// What is in a call, if a policy asks.
pub(crate) fn call(
    gate: &Gate,
    running: &Running,
    objects: &[Object],
    message: &Message,
    noted: &mut Noted,
) -> Result<Option<Seen>, Refusal> {
    let mut asked = is_asked(running, Action::Call, objects)?;
    // What it answers to questions is decided on as an answer is.
    if let (Some(object), true) = (objects.first(), message.request.input_responses.is_some()) {
        asked |= running.reads_findings(Action::Ask, &Object::Server { server: object.server().clone() })?;
    }
    let (body, known) = (&message.request.body, known(running, objects));
    let seen = asked.then(|| Seen::of(gate, &At::arguments(objects, &known), body, noted)).transpose()?;
    own(gate, running, &known, seen.as_ref(), body, noted)?;
    Ok(seen)
}

/// The same for a body of the gate's, on a further leg of a call, or for arguments that were sent before.
pub(crate) fn again(
    gate: &Gate,
    connected: &Connected,
    objects: &[Object],
    body: &[u8],
) -> Result<Option<Seen>, Refusal> {
    let (asked, known) = (is_asked(connected, Action::Call, objects)?, known(connected, objects));
    asked.then(|| Seen::of(gate, &At::arguments(objects, &known), body, &mut Noted::default())).transpose()
}

/// The call without what policies want taken out of it, if that is all they want. It has to take the path once more, from
/// `validate` on: what is left may fit the tool's schema no more.
pub(crate) fn redacted(
    gate: &Gate,
    running: &Running,
    objects: &[Object],
    message: &Message,
    headers: &HeaderMap,
    refusal: Refusal,
    (noted, now): (&mut Noted, Timestamp),
) -> Result<Message, Refusal> {
    // A call by another's name says its arguments in a wrapping of the gate's, which nobody has approved a change of.
    if refusal.reason != Reason::ObligationUnmet || message.phrasing == Phrasing::Wrapped {
        return Err(refusal);
    }
    let Some(seen) = call(gate, running, objects, message, noted)? else { return Err(refusal) };
    let raw = message.request.subject.arguments();
    let arguments = raw.and_then(|raw| serde_json::from_slice::<serde_json::Value>(raw).ok());
    let mut remedies = Remedies::default();
    for object in objects {
        remedies.extend(running.remedies(Action::Call, object, arguments.as_ref(), Some(seen.told()), now)?);
    }
    let token = tokeniser(gate, running, Some(Giver::Caller), &remedies, now);
    let Some(mut body) = seen.remedied(&message.request.body, &remedies, token) else { return Err(refusal) };
    noted.did(remedies.words());
    if let Some(server) = asker(objects, message) {
        let known = known(running, objects);
        let said = Seen::of(gate, &At::arguments(objects, &known), &body, &mut Noted::default())?.said();
        let remedies = running.remedies(Action::Ask, &server, None, Some(said.told()), now)?;
        let token = tokeniser(gate, running, None, &remedies, now);
        body = said.remedied(&body, &remedies, token).ok_or(refusal)?;
        noted.did(remedies.words());
    }
    changed(running, headers, &body)
}

/// A call with what was taken out of earlier answers of its server's for this caller, if it says any of it.
pub(crate) fn restored(
    gate: &Gate,
    running: &Running,
    message: &Message,
    headers: &HeaderMap,
    trail: &mut Trail,
) -> Result<Option<Message>, Refusal> {
    let owner = running.caller.session_key();
    if message.phrasing == Phrasing::Wrapped || !gate.tokens.knows(&owner) {
        return Ok(None);
    }
    let Ok(named) = visible::name(gate, running, message, trail.began) else { return Ok(None) };
    let (Some(object), Ok(text)) = (named.object(), std::str::from_utf8(&message.request.body)) else {
        return Ok(None);
    };
    let server = object.server();
    let may = |policy: &PolicyId| running.snapshot.policy.restores(policy, server);
    let Some(body) = gate.tokens.for_server(&owner, server, text, may, trail.began) else { return Ok(None) };
    trail.noted.did(["restore".to_owned()]);
    changed(running, headers, &body.into()).map(Some)
}

/// Refuses what holds a secret of the gate's own, before somebody else is asked about it.
pub(super) fn is_nobodys(
    gate: &Gate,
    connected: &Connected,
    objects: &[Object],
    body: &[u8],
    noted: &mut Noted,
) -> Result<(), Refusal> {
    own(gate, connected, &known(connected, objects), None, body, noted)
}

/// A call whose body the gate has changed. Its headers say what stood there before, and are made anew.
pub(super) fn changed(running: &Running, headers: &HeaderMap, body: &Bytes) -> Result<Message, Refusal> {
    match read::run(headers, body) {
        Ok(Said::Message(mut message)) => {
            message.agree(running.present.revision).map_err(|flaw| flaw.refusal)?;
            message.phrasing = Phrasing::Redacted;
            Ok(message)
        }
        Ok(Said::Answer(_)) => Err(Refusal::new(Reason::Internal, "a call that was changed became an answer")),
        Err(flaw) => Err(flaw.refusal),
    }
}

/// A text that is to pass, and what is asked about it.
pub(crate) struct Passing<'a> {
    pub(crate) connected: &'a Connected,
    pub(crate) action: Action,
    pub(crate) objects: &'a [Object],
    pub(crate) origin: Origin,
    pub(crate) now: Timestamp,
}

/// A text that may pass.
pub(crate) struct Passed {
    /// The policies that permit it.
    pub(crate) policies: Vec<PolicyId>,
    /// What is left of it, where policies want something taken out.
    pub(crate) text: Option<Bytes>,
}

/// Decides whether a text may pass: as it is, or without what policies want taken out.
pub(crate) fn pass(gate: &Gate, passing: &Passing<'_>, text: &Bytes, noted: &mut Noted) -> Result<Passed, Refusal> {
    let Passing { connected, action, origin, now, .. } = *passing;
    let (least, giver) = match origin {
        Origin::Arguments => (Confidentiality::Public, Some(Giver::Caller)),
        Origin::Answer | Origin::Definition | Origin::Question | Origin::Text => {
            let server = passing.objects.first().map(|object| Giver::Server(object.server().clone()));
            (least(connected, passing.objects), server)
        }
    };
    let (mut objects, mut reads) = (Vec::new(), false);
    for object in passing.objects {
        let depends = connected.reads_findings(action, object)?;
        // What a server says of itself needs no leave of its own; what is in it may.
        if depends || action == Action::Ask || !matches!(object, Object::Server { .. }) {
            objects.push(object);
        }
        reads |= depends;
    }
    let decide = |seen: Option<&Seen>| {
        let mut policies = Vec::new();
        for object in &objects {
            let permit = connected.decide_seen(action, object, None, seen.map(Seen::told), now)?;
            policies.extend_from_slice(permit.policies());
        }
        Ok::<_, Refusal>(policies)
    };
    let known = known(connected, passing.objects);
    let at = At { action, origin, objects: passing.objects, least, known: &known };
    let seen = reads.then(|| Seen::of(gate, &at, text, noted)).transpose()?;
    own(gate, connected, &known, seen.as_ref(), text, noted)?;
    let (refusal, seen) = match (decide(seen.as_ref()), seen) {
        (Ok(policies), _) => return Ok(Passed { policies, text: None }),
        (Err(refusal), Some(seen)) if refusal.reason == Reason::ObligationUnmet => (refusal, seen),
        (Err(refusal), _) => return Err(refusal),
    };
    let mut remedies = Remedies::default();
    for object in objects.iter().copied() {
        remedies.extend(connected.remedies(action, object, None, Some(seen.told()), now)?);
    }
    let token = tokeniser(gate, connected, giver, &remedies, now);
    let Some(left) = seen.remedied(text, &remedies, token) else { return Err(refusal) };
    // Taking out may have brought together what was apart.
    let seen = Seen::of(gate, &at, &left, &mut Noted::default())?;
    let Some((seen, left)) = seen.labelled(left, &remedies.label) else { return Err(refusal) };
    noted.did(remedies.words());
    let policies = decide(Some(&seen))?;
    Ok(Passed { policies, text: Some(left) })
}

/// Decides whether an answer, or a notification on the way to one, may be released: as it is, or without what policies want
/// taken out, which is then returned.
pub(crate) fn answer(gate: &Gate, expected: &Expected, bytes: &Bytes, now: Timestamp) -> Result<Option<Bytes>, Flaw> {
    let passing = Passing {
        connected: &expected.connected,
        action: Action::Release,
        objects: &expected.objects,
        origin: Origin::Answer,
        now,
    };
    let mut noted = expected.looked.noted();
    let left = pass(gate, &passing, bytes, &mut noted).map_err(release::withheld)?.text;
    // What the caller said itself is its own, whatever policies say of what servers say.
    let owner = expected.connected.caller.session_key();
    if !gate.tokens.knows(&owner) {
        return Ok(left);
    }
    let text = std::str::from_utf8(left.as_ref().unwrap_or(bytes)).ok();
    match text.and_then(|text| gate.tokens.for_caller(&owner, text, now)) {
        None => Ok(left),
        Some(restored) => {
            noted.did(["restore".to_owned()]);
            Ok(Some(restored.into()))
        }
    }
}

/// Decides whether a client's answer to a server's question may go to it.
pub(crate) fn said(
    gate: &Gate,
    running: &Running,
    server: &ServerName,
    answer: &Bytes,
    noted: &mut Noted,
    now: Timestamp,
) -> Result<Passed, Refusal> {
    let objects = [Object::Server { server: server.clone() }];
    let (action, origin) = (Action::Ask, Origin::Arguments);
    pass(gate, &Passing { connected: running, action, objects: &objects, origin, now }, answer, noted)
}

fn is_asked(connected: &Connected, action: Action, objects: &[Object]) -> Result<bool, Refusal> {
    for object in objects.iter().filter(|object| !matches!(object, Object::Server { .. })) {
        if connected.reads_findings(action, object)? {
            return Ok(true);
        }
    }
    Ok(false)
}
