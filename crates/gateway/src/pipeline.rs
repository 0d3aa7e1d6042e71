//! One message, one path. Order is safety, so the order stands here and nowhere else.
//!
//! ```text
//! call:     accept → authenticate → read → connect? → session → halted? → visible? → object halted? → validate
//!           → intercept (and once more from visible on) → inspect → decide (→ redact, and once more from validate on)
//!           → turn → [intent durable] → halted, credential → forward → ask?, inspect, release → [outcome] → first byte
//! listing:  accept → authenticate → read → connect? → session → halted? → pinned definitions → visible?
//! answer:   accept → authenticate → read → connect? → session → halted? → asked by whom? → visible? → object halted?
//!           → may the server ask? → [intent durable] → halted, credential → forward → [outcome]
//! reading:  accept → authenticate → read → connect? → session → halted? → visible? → what was released
//! ```
//!
//! A message comes to the path in one of several shapes of the transport, which `arrival` tells apart: alone, in a batch, or
//! beside the one stream of an older client. The path is the same for all of them.
//!
//! An answer is a client's to a server's question, in revisions where servers ask by themselves; reading is the rest of a
//! stream that broke off, or what servers say unasked.
//!
//! Each control takes what earlier ones proved and returns its own proof, so none can be skipped or moved. Those that
//! are still to come have their place in the order: approvals and step-up after `decide`, budgets before the intent, labels
//! before `release`.

use std::sync::Arc;

use bytes::Bytes;
use flow::StreamPlace;
use http::StatusCode;
use http::request::Parts;
use model::{Caller, Reason, Refusal, Timestamp};
use serde_json::json;
use wire::header::{PROTOCOL_VERSION, SESSION_ID};
use wire::{Flaw, Subject, reply};

use crate::body::{JSON, Response, answered, streaming};
use crate::bridge::Unread;
use crate::connecting;
use crate::controls::accept::{Accepted, Verb};
use crate::controls::authenticate::Known;
use crate::controls::connect::Spoken;
use crate::controls::decide::Permitted;
use crate::controls::forward::Sent;
use crate::controls::halted::Running;
use crate::controls::intent::{Committed, Leaving};
use crate::controls::read::{Message, Said};
use crate::controls::release::Expected;
use crate::controls::session::Claim;
use crate::controls::{
    accept, authenticate, connect, credential, decide, forward, halted, inspect, intent, intercept, read, refuse,
    release, session, turn, validate, visible,
};
use crate::gate::Gate;
use crate::large::weight;
use crate::legacy::{self, Call, Keeping};
use crate::listing;
use crate::naming;
use crate::register::Path;
use crate::relay::Relay;
use crate::search;
use crate::tasks::Concern;
use crate::trail::{OpenIntent, Trail};

/// A request to this gate, of a caller that proved who it is. Nothing but its head was read.
pub(crate) struct Admitted {
    pub(crate) known: Known,
    pub(crate) accepted: Accepted,
}

/// Who calls, and what for: the head alone tells, so that the body of a stranger is never read.
pub(crate) async fn admit(gate: &Gate, head: &Parts, trail: &mut Trail) -> Result<Admitted, Flaw> {
    let accepted = accept::run(&gate.front.load().doors, head)?;
    trail.endpoint = Some(accepted.endpoint.clone());
    let known = authenticate::run(gate, head, &trail.peer, &accepted.endpoint, trail.began).await?;
    trail.caller = Some(Arc::clone(&known.caller));
    Ok(Admitted { known, accepted })
}

/// The same for one of several messages that came with one head: its token, and its proof of possession, count once for all of
/// them.
pub(crate) fn admit_with(gate: &Gate, head: &Parts, caller: &Arc<Caller>, trail: &mut Trail) -> Result<Admitted, Flaw> {
    let accepted = accept::run(&gate.front.load().doors, head)?;
    trail.endpoint = Some(accepted.endpoint.clone());
    authenticate::again(gate, caller)?;
    trail.caller = Some(Arc::clone(caller));
    Ok(Admitted { known: Known::again(caller), accepted })
}

/// Takes one message, or a request without one, all the way. Whatever happens leaves a receipt.
pub(crate) async fn run(
    gate: &Arc<Gate>,
    head: &Parts,
    admitted: Admitted,
    body: &Bytes,
    mut trail: Trail,
) -> Response {
    match walk(gate, head, admitted, body, &mut trail).await {
        Ok(response) => response,
        Err(flaw) => refuse::run(gate, trail, flaw),
    }
}

/// The part that every request has in common.
async fn walk(
    gate: &Arc<Gate>,
    head: &Parts,
    admitted: Admitted,
    body: &Bytes,
    trail: &mut Trail,
) -> Result<Response, Flaw> {
    let Admitted { known, accepted } = admitted;
    match accepted.verb {
        Verb::Post => {}
        Verb::Get | Verb::Delete => return read_or_end(gate, head, known, &accepted, trail),
        Verb::Open | Verb::Say(_) => {
            return Err(Refusal::new(Reason::Internal, "a shape nobody made a message of").into());
        }
    }
    let unspoken = |flaw| connect::unspoken(gate.snapshots.load(), &known.caller, &accepted, flaw, trail.began);
    match gate.large.beside(weight(body.len(), false), || read::run(&head.headers, body)).await.map_err(unspoken)? {
        Said::Message(mut message) => {
            trail.note(&message);
            let request = &message.request;
            let known = known.introduced(gate, request.meta.client_info.as_ref());
            trail.caller = Some(Arc::clone(&known.caller));
            let claim = Claim::of(request.revision, Some(&request.method), request.session.as_deref());
            let wished =
                if let Subject::Initialize { version } = &request.subject { Some(version.as_str()) } else { None };
            let spoken = Spoken { revision: request.revision, is_named: is_named(head), wished };
            let running = enter(gate, known, &accepted, spoken, claim, trail)?;
            message.agree(running.present.revision)?;
            let (running, message) = connecting::said(gate, running, message).await?;
            trail.revision = running.snapshot.revision;
            let message = search::said(&running, message)?;
            dispatch(gate, head, running, &message, trail).await
        }
        Said::Answer(answer) => {
            let claim = Claim::of(answer.revision, None, answer.session.as_deref());
            let spoken = Spoken { revision: answer.revision, is_named: is_named(head), wished: None };
            trail.is_answer = true;
            let running = enter(gate, known, &accepted, spoken, claim, trail)?;
            Box::pin(legacy::answer(gate, &running, &answer, trail)).await
        }
    }
}

/// A request without a body: it reads on in a session, or ends it.
fn read_or_end(
    gate: &Arc<Gate>,
    head: &Parts,
    known: Known,
    accepted: &Accepted,
    trail: &mut Trail,
) -> Result<Response, Flaw> {
    let unspoken = |flaw| connect::unspoken(gate.snapshots.load(), &known.caller, accepted, flaw, trail.began);
    let session = wire::read_head(&head.headers).map_err(unspoken)?;
    let ends = accepted.verb == Verb::Delete;
    trail.method = Some(if ends { "DELETE" } else { "GET" });
    let claim = Claim::Belongs(Some(&session.session));
    let spoken = Spoken { revision: session.revision, is_named: is_named(head), wished: None };
    let running = enter(gate, known, accepted, spoken, claim, trail)?;
    if ends {
        return Ok(legacy::delete(gate, &running, trail));
    }
    legacy::read_on(gate, running, session.last_event_id.as_deref(), trail)
}

/// Who it is, is let in: at the endpoint, in the session, and stopped by nobody.
pub(crate) fn enter(
    gate: &Gate,
    known: Known,
    accepted: &Accepted,
    spoken: Spoken<'_>,
    claim: Claim<'_>,
    trail: &mut Trail,
) -> Result<Running, Flaw> {
    let snapshot = gate.snapshots.load();
    trail.revision = snapshot.revision;
    trail.spoken = Some(spoken.revision);
    let connected = connect::run(snapshot, known, accepted, trail.began)?;
    let agreed = connect::speaks(&connected, &spoken)?;
    let present = session::run(&gate.sessions, &gate.legacies, connected, claim, &spoken, agreed, trail.began)?;
    trail.spoken = Some(present.revision);
    Ok(halted::run(&gate.halts, present)?)
}

/// Whether the message's revision is in its header.
fn is_named(head: &Parts) -> bool {
    head.headers.contains_key(PROTOCOL_VERSION)
}

/// The path that the register names for the method.
async fn dispatch(
    gate: &Arc<Gate>,
    head: &Parts,
    running: Running,
    message: &Message,
    trail: &mut Trail,
) -> Result<Response, Flaw> {
    if let Some(asked) = search::asked(&running, message) {
        let listing = search::run(gate, &running, message, asked, trail).await?;
        return Ok(listing.told(gate, message));
    }
    match message.row.path {
        Path::Pinned => list(gate, &running, message, trail).await,
        Path::Called | Path::Listed | Path::Streamed => match (&running.present.legacy, &message.request.id) {
            (None, _) | (_, None) => call(gate, head, running, message, None, trail).await,
            (Some(session), Some(id)) => {
                let under_way = session.call(id)?;
                let taken_back = under_way.taken_back();
                tokio::select! {
                    biased;
                    () = taken_back => Err(Refusal::new(Reason::TakenBack, "the client took it back").into()),
                    answered = Box::pin(call(gate, head, running, message, Some(under_way), trail)) => answered,
                }
            }
        },
        Path::Absorbed => {
            gate.journal.queue(&trail.taken(&running, message.row.method));
            Box::pin(legacy::heed(gate, &running, message)).await;
            Ok(match &message.request.id {
                None => answered(StatusCode::ACCEPTED, None, Bytes::new(), trail.receipt),
                Some(id) => answered(StatusCode::OK, Some(JSON), reply::result(id, &json!({})), trail.receipt),
            })
        }
        // These rows go the other way: `read` finds none of them.
        Path::Relayed | Path::Asked | Path::Heeded => {
            Err(Refusal::new(Reason::Internal, "a row without a path").into())
        }
    }
}

/// Answers from pinned definitions; no server is asked.
async fn list(gate: &Arc<Gate>, running: &Running, message: &Message, trail: &Trail) -> Result<Response, Flaw> {
    let listing = listing::run(gate, running, message, trail).await?;
    let begun = if let Subject::Initialize { .. } = &message.request.subject {
        Some(legacy::begin(gate, running, message, trail.began)?)
    } else {
        None
    };
    let mut response = listing.told(gate, message);
    if let Some(session) = begun {
        response.headers_mut().insert(SESSION_ID, session);
    }
    Ok(response)
}

/// Everything that reaches a server.
async fn call(
    gate: &Arc<Gate>,
    head: &Parts,
    running: Running,
    message: &Message,
    under_way: Option<Call>,
    trail: &mut Trail,
) -> Result<Response, Flaw> {
    let (_place, began) = (running.present.session.begin_call()?, trail.began);
    let is_looked_into = gate.looks_into(&running.snapshot);
    let size = weight(message.request.body.len(), is_looked_into);
    let turn = trail.large.take();
    let said = message;
    let decide = || {
        let restored = inspect::restored(gate, &running, message, &head.headers, trail)?;
        let message = restored.as_ref().unwrap_or(message);
        let made = intercept::call(gate, &running, message, &head.headers, trail)?;
        let message = made.as_ref().unwrap_or(message);
        let (redacted, permitted) = permit_or_redact(gate, head, &running, message, trail, began)?;
        let left = redacted.or(made).or(restored);
        let committed = Committed::request(gate, left.as_ref().unwrap_or(said), trail);
        Ok::<_, Refusal>((left, permitted, committed))
    };
    // Its turn ends here: what comes now takes as long as the server does.
    let (left, permitted, committed) = gate.large.until_done(turn, size, decide).await?;
    // From here on the message is what is left of it.
    let message = left.as_ref().unwrap_or(message);
    let turn = turn::run(gate, &running, &permitted).await?;
    let (running, permitted) = if turn.waited() {
        // What was decided before the wait does not count any more.
        let running = turn::waited(gate, running)?;
        trail.revision = running.snapshot.revision;
        let now = gate.clock.now();
        let permitted = gate.large.beside(size, || permit(gate, head, &running, message, trail, now)).await?;
        turn::is_at(&turn, &permitted)?;
        (running, permitted)
    } else {
        (running, permitted)
    };
    let place = match message.row.path {
        // Its answer is a stream for certain, so that without a place for it nothing needs to leave.
        Path::Streamed => Some(running.present.session.open_stream()?),
        Path::Pinned | Path::Listed | Path::Called | Path::Absorbed | Path::Relayed | Path::Asked | Path::Heeded => {
            None
        }
    };

    // From here on the call may leave. Its intent is on disk first, and is closed by whatever comes of it.
    let leaving = Leaving::request(message, committed);
    let intended = intent::run(gate, &running, leaving, permitted, trail).await?;
    let ready = match credential::run(gate, &running, message, &head.headers, &intended).await {
        Ok(ready) => ready,
        Err(refusal) if refusal.reason == Reason::NotConnected => {
            let objects = intended.permitted.valid.live.visible.objects();
            return connecting::ask(gate, &running, message, objects, refusal, trail);
        }
        Err(refusal) => return Err(refusal.into()),
    };
    let sent = forward::run(gate, &running, message, ready, turn, trail.receipt).await?;
    running.snapshot.keys.went(sent.objects.first());
    let size = weight(sent.answer.bytes(), is_looked_into);
    gate.large.beside(size, || release(gate, &running, message, sent, place, under_way, trail)).await
}

/// Everything that is decided before a call may leave. Where policies want something taken out of it and nothing else, it is
/// taken out, and what is left takes the same way; it is returned as well.
fn permit_or_redact(
    gate: &Gate,
    head: &Parts,
    running: &Running,
    message: &Message,
    trail: &mut Trail,
    now: Timestamp,
) -> Result<(Option<Message>, Permitted), Refusal> {
    let refusal = match permit(gate, head, running, message, trail, now) {
        Ok(permitted) => return Ok((None, permitted)),
        Err(refusal) if refusal.reason == Reason::ObligationUnmet => refusal,
        Err(refusal) => return Err(refusal),
    };
    let named = visible::name(gate, running, message, now)?;
    let objects = visible::run(running, named, now)?.objects().to_vec();
    let noted = (&mut trail.noted, now);
    let redacted = inspect::redacted(gate, running, &objects, message, &head.headers, refusal, noted)?;
    let permitted = permit(gate, head, running, &redacted, trail, now)?;
    Ok((Some(redacted), permitted))
}

/// One look at a call that may leave.
fn permit(
    gate: &Gate,
    head: &Parts,
    running: &Running,
    message: &Message,
    trail: &mut Trail,
    now: Timestamp,
) -> Result<Permitted, Refusal> {
    let named = visible::name(gate, running, message, now)?;
    trail.object = named.object().cloned();
    let visible = visible::run(running, named, now)?;

    // After `visible`, so that a halted tool and a missing one look alike to whoever may not see it.
    let live = halted::object(&gate.halts, visible)?;
    let valid = validate::run(running, live, message, &head.headers)?;
    let objects = valid.live.visible.objects();
    let seen = inspect::call(gate, running, objects, message, &mut trail.noted)?;
    decide::run(gate, running, valid, seen.as_ref(), message, now)
}

/// Lets the answer go: whole, or message by message. The call was made, so what is refused here is withheld.
fn release(
    gate: &Arc<Gate>,
    running: &Running,
    message: &Message,
    sent: Sent,
    place: Option<StreamPlace>,
    under_way: Option<Call>,
    trail: &mut Trail,
) -> Result<Response, Flaw> {
    let Some(id) = message.request.id.clone() else {
        return Err(Refusal::new(Reason::Internal, "a call without an id").into());
    };
    let now = gate.clock.now();
    let Sent { answer, objects, tasks, withdrawal } = sent;
    // Much may have changed while the server worked; the answer is for who the caller is now.
    authenticate::still(gate, &running.caller).map_err(release::withheld)?;
    let connected = running.again(gate.snapshots.load(), now).map_err(release::withheld)?;
    halted::again(&gate.halts, &connected, &objects).map_err(release::withheld)?;
    if connected.snapshot.revision != running.snapshot.revision {
        visible::again(running, &connected, &objects, now).map_err(release::withheld)?;
    }
    let request = &message.request;
    let capabilities = running.present.capabilities(request).clone();
    let legacy = running.present.legacy.clone();
    let (row, revision, progress) = (message.row, request.revision, request.meta.progress_token.clone());
    let server = naming::server(&objects)?.clone();
    let concern = Concern::of(message, tasks, trail.receipt);
    let looked = trail.open.as_ref().map(OpenIntent::looked).unwrap_or_default();
    let expected =
        Expected { connected, legacy, server, id, row, revision, objects, capabilities, progress, concern, looked };
    match answer {
        Unread::Whole(status, body) => {
            let released = release::run(gate, &expected, status, body, now)?;
            withdrawal.disarm();
            gate.metrics.answered(message.row.method);
            trail.close(released.end, &released.bytes);
            Ok(answered(released.status, Some(JSON), released.bytes, trail.receipt))
        }
        Unread::Stream(stream) => {
            let place = place.map_or_else(|| running.present.session.open_stream(), Ok).map_err(release::withheld)?;
            let keep = |call| Keeping::begin(gate, running, call, &expected.objects, trail.receipt);
            let keeping = under_way.map(keep).transpose().map_err(release::withheld)?;
            let relay = Relay::new(Arc::clone(gate), expected, stream, message, trail, withdrawal);
            let body = match keeping {
                None => relay.body(place),
                Some(keeping) => keeping.keep(relay, place),
            };
            Ok(streaming(body, trail.receipt))
        }
    }
}
