//! What servers say in a session beside their answers: questions, and what they tell unasked.

use std::sync::Arc;

use ::inspect::Origin;
use bytes::Bytes;
use model::{Caller, Object, Reason, ReceiptId, Refusal, ServerName};
use policy::Action;
use serde_json::json;
use wire::answer::{self, Incoming, Notification, Question};
use wire::{Flaw, Id, reply};

use super::replay::Message;
use super::{Asker, Given, Legacy, Open, talk};
use crate::controls::accept::{Accepted, Verb};
use crate::controls::ask::{self, Put};
use crate::controls::authenticate::{self, Known};
use crate::controls::connect::{self, Connected};
use crate::controls::halted;
use crate::controls::inspect::{self, Passing};
use crate::controls::release;
use crate::gate::Gate;
use crate::looked::Noted;
use crate::peer::Peer;
use crate::register::{self, Direction, Path};
use crate::trail::Trail;
use crate::{listing, naming, uri};

/// A server's question, as it came.
pub(crate) struct Asked<'a> {
    pub(crate) server: &'a ServerName,
    pub(crate) id: Id,
    pub(crate) question: Question,
    /// The whole message.
    pub(crate) bytes: &'a Bytes,
    /// What it is about: the objects of the call it came up in, or the server.
    pub(crate) objects: Vec<Object>,
    /// The receipt of that call.
    pub(crate) call: Option<ReceiptId>,
    /// Who hears the answer.
    pub(crate) asker: Asker,
}

/// Of which calls' progress a stream may tell.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Progress<'a> {
    /// Of the one that it answers, under the token that it came with.
    OfCall(Option<&'a Id>),
    /// Of every one that is open at its server: it answers none.
    Beside,
}

/// Hears what a server says unasked, for as long as the session lasts.
pub(super) async fn listen(
    gate: Arc<Gate>,
    caller: Arc<Caller>,
    session: Arc<Legacy>,
    server: ServerName,
    open: Arc<upstream::Session>,
) {
    let Ok(headers) = talk::headers(&gate.snapshots.load(), &server, &caller.behalf()).await else { return };
    let mut stream = match open.listen(headers).await {
        Ok(Some(stream)) => stream,
        Ok(None) => return,
        Err(error) => {
            tracing::debug!(%server, %error, "a server says nothing unasked");
            return;
        }
    };
    let mut noted = Noted::of_stream();
    loop {
        let message = tokio::select! {
            () = session.over() => return,
            message = stream.next() => message,
        };
        let Some(Ok(bytes)) = message else { return };
        // Who the caller is now, and what it may do now.
        let about = Object::Server { server: server.clone() };
        let Ok(connected) = present(&gate, &caller, &session, &about) else { continue };
        if let Ok(Some((message, about))) = unasked(&gate, &session, &connected, about, &bytes, &mut noted) {
            session.aside.offer(Message::aside(message, about));
        }
    }
}

/// Puts what a server said on a subscription to the client, on the stream of its session that answers nothing, if its caller
/// may hear of it now.
pub(crate) fn tell_aside(
    gate: &Arc<Gate>,
    caller: &Arc<Caller>,
    session: &Arc<Legacy>,
    server: &ServerName,
    bytes: &Bytes,
) {
    let about = Object::Server { server: server.clone() };
    let Ok(connected) = present(gate, caller, session, &about) else { return };
    let Ok(Incoming::Notification(_)) = answer::read(bytes) else { return };
    if let Ok(Some((message, about))) = unasked(gate, session, &connected, about, bytes, &mut Noted::default()) {
        session.aside.offer(Message::aside(message, about));
    }
}

/// Tells clients with sessions that a server which keeps none has other resources now. It says so on a subscription of the
/// gate's own, one for all of them; whoever reads is asked for then whether it may hear of the server.
pub fn resources_changed(gate: &Gate, server: &ServerName) {
    let snapshot = gate.snapshots.load();
    let message = reply::list_changed("notifications/resources/list_changed", None);
    for session in gate.legacies.all() {
        let Some(door) = snapshot.endpoints.get(session.endpoint()) else { continue };
        let crosses = door.reach(server, session.revision).is_ok_and(|(_, spoken)| !spoken.has_sessions());
        if crosses && listing::announces_resources(door) {
            let about = vec![Object::Server { server: server.clone() }];
            session.aside.offer(Message::aside(message.clone(), about));
        }
    }
}

/// The session's caller at its endpoint, if it is still somebody, may still connect, and neither it nor the server is
/// halted.
fn present(gate: &Gate, caller: &Arc<Caller>, session: &Legacy, server: &Object) -> Result<Connected, Refusal> {
    authenticate::still(gate, caller)?;
    let accepted = Accepted { endpoint: session.endpoint().clone(), verb: Verb::Get };
    let known = Known::again(caller);
    let connected = connect::run(gate.snapshots.load(), known, &accepted, gate.clock.now())?;
    halted::again(&gate.halts, &connected, std::slice::from_ref(server))?;
    Ok(connected)
}

/// What of a server's unasked message goes to the client, and what it is about.
fn unasked(
    gate: &Arc<Gate>,
    session: &Arc<Legacy>,
    connected: &Connected,
    about: Object,
    bytes: &Bytes,
    noted: &mut Noted,
) -> Result<Option<(Bytes, Vec<Object>)>, Flaw> {
    let server = about.server().clone();
    let mut objects = vec![about];
    match answer::read(bytes)? {
        Incoming::Notification(notification) => {
            let Some(bytes) = released(gate, connected, &objects, &notification, bytes, noted) else { return Ok(None) };
            let told = notified(gate, session, connected, &server, Progress::Beside, &notification, &bytes);
            if let Some(uri) = notification.uri.as_deref().and_then(|uri| uri::canonical(uri).ok()) {
                objects.push(Object::Resource { server, uri: uri.to_owned() });
            }
            Ok(told.map(|message| (message, objects)))
        }
        Incoming::Request { id, question } => {
            let asker = Asker::Session;
            let put = Asked { server: &server, id, question, bytes, objects: objects.clone(), call: None, asker };
            Ok(asked(gate, session, connected, put).map(|message| (message, objects)))
        }
        // An answer to nothing.
        Incoming::Response { .. } => Ok(None),
    }
}

/// What of a notification that comes unasked may be released, where a policy asks what is in it. What may not has a receipt.
fn released(
    gate: &Gate,
    connected: &Connected,
    objects: &[Object],
    notification: &Notification,
    bytes: &Bytes,
    noted: &mut Noted,
) -> Option<Bytes> {
    let (now, action, origin) = (gate.clock.now(), Action::Release, Origin::Answer);
    let passing = Passing { connected, action, objects, origin, now };
    match inspect::pass(gate, &passing, bytes, noted) {
        Ok(passed) => Some(passed.text.unwrap_or_else(|| bytes.clone())),
        Err(refusal) => {
            let refusal = release::withheld(refusal);
            let mut trail = Trail::begin(gate.journal.receipt_id(), now, Peer::nobody());
            trail.caller = Some(Arc::clone(&connected.caller));
            trail.endpoint = Some(connected.door.name.clone());
            trail.object = objects.first().cloned();
            let row = register::find(&notification.method, Direction::ToAgent, wire::Revision::V2025_11_25);
            trail.method = row.map(|row| row.method);
            trail.revision = connected.snapshot.revision;
            trail.noted = std::mem::replace(noted, Noted::of_stream());
            gate.metrics.refused(refusal.reason);
            gate.journal.queue(&trail.refused(register::Control::Release, &refusal));
            None
        }
    }
}

/// Decides on a notification. `progress` is the token of the call in whose stream it came; on the stream that answers
/// nothing, servers tell of the progress of any call that is open at them, though they should not.
pub(crate) fn notified(
    gate: &Gate,
    session: &Legacy,
    connected: &Connected,
    server: &ServerName,
    progress: Progress<'_>,
    notification: &Notification,
    bytes: &Bytes,
) -> Option<Bytes> {
    let row = register::find(&notification.method, Direction::ToAgent, session.revision)?;
    match (row.path, row.method) {
        (Path::Heeded, _) => {
            // Full means that a check of this and other servers is under way already.
            let _ = gate.heed.try_send(server.clone());
            None
        }
        (Path::Relayed, "notifications/progress") => {
            let told = notification.progress_token.as_ref();
            let asked = match progress {
                Progress::OfCall(promised) => promised.is_some() && told == promised,
                Progress::Beside => told.is_some_and(|token| session.progresses(server, token)),
            };
            asked.then(|| bytes.clone())
        }
        (Path::Relayed, "notifications/resources/updated") => {
            let uri = uri::canonical(notification.uri.as_deref()?).ok()?.to_owned();
            let object = Object::Resource { server: server.clone(), uri };
            // Another server's resource is not this one's to speak of.
            naming::member(&connected.door.endpoint, &object)?;
            connected.decide(Action::List, &object, gate.clock.now()).ok()?;
            Some(bytes.clone())
        }
        (Path::Relayed, "notifications/cancelled") => {
            let known = session.withdrawn(server, notification.request.as_ref()?)?;
            wire::edit::replace(bytes, &[(&["params", "requestId"], &known.to_string())]).ok()
        }
        (Path::Relayed, "notifications/elicitation/complete") => {
            session.elicitation_ended(server, notification.elicitation_id.as_deref()?).then(|| bytes.clone())
        }
        (Path::Relayed, _) => Some(bytes.clone()),
        (Path::Pinned | Path::Listed | Path::Called | Path::Streamed | Path::Absorbed | Path::Asked, _) => None,
    }
}

/// Decides on a question. What may be asked goes to the client under an id of the gate's; else the server hears so.
pub(crate) fn asked(gate: &Arc<Gate>, session: &Arc<Legacy>, connected: &Connected, asked: Asked<'_>) -> Option<Bytes> {
    let Asked { server, id, question, bytes, objects, call, asker } = asked;
    if question.method == "ping" {
        answer_server(gate, session, server, reply::result(&id, &json!({})));
        return None;
    }
    let now = gate.clock.now();
    let mut trail = Trail::begin(gate.journal.receipt_id(), now, Peer::nobody());
    trail.caller = Some(Arc::clone(&connected.caller));
    trail.endpoint = Some(connected.door.name.clone());
    trail.object = objects.first().cloned();
    trail.revision = connected.snapshot.revision;
    let row = register::find(&question.method, Direction::ToAgent, session.revision);
    trail.method = row.map(|row| row.method);
    let questions = std::slice::from_ref(&question);
    let (capabilities, revision) = (&session.capabilities, session.revision);
    let put = Put { connected, server, capabilities, revision, questions, text: bytes };
    let decided = ask::run(gate, &put, &mut trail.noted, now);
    let method = row.map_or("", |row| row.method);
    let noted = decided.and_then(|left| {
        let asker = asker.clone();
        let open = Open { server: server.clone(), id: id.clone(), method, objects, asker };
        session.ask(open).map(|number| (number, left)).map_err(Flaw::from)
    });
    let put = noted.and_then(|(number, left)| {
        wire::edit::replace(left.as_ref().unwrap_or(bytes), &[(&["id"], &number.to_string())])
    });
    match put {
        Ok(message) => {
            if let Some(elicitation) = &question.elicitation_id {
                session.elicited(server, elicitation);
            }
            gate.journal.queue(&trail.asked(connected, server, call));
            Some(message)
        }
        Err(flaw) => {
            gate.metrics.refused(flaw.refusal.reason);
            gate.journal.queue(&trail.refused(register::Control::Ask, &flaw.refusal));
            refuse(gate, session, &asker, server, &id, flaw.refusal.reason);
            None
        }
    }
}

/// Tells a server that its question has no answer.
pub(super) fn refuse(gate: &Arc<Gate>, session: &Legacy, asker: &Asker, server: &ServerName, id: &Id, reason: Reason) {
    match asker {
        Asker::Session => answer_server(gate, session, server, refused(id, reason)),
        // The call that asked may be over, and then nobody waits.
        Asker::Bridge(bridge) => drop(bridge.send((id.clone(), Given::Refused(reason)))),
    }
}

/// What a server hears whose question was not put: no more than that.
pub(crate) fn refused(id: &Id, reason: Reason) -> Bytes {
    let (model::Code::Error(code) | model::Code::ToolError(code)) = reason.row().code;
    reply::error(Some(id), code, "the question was not put to the client", None)
}

fn answer_server(gate: &Arc<Gate>, session: &Legacy, server: &ServerName, body: Bytes) {
    let open = session.servers().into_iter().find_map(|(name, open)| (name == *server).then_some(open));
    if let Some(open) = open {
        talk::tell(gate, server, session.owner().into(), open, body);
    }
}
