//! A call for a person who has not connected its server yet: they are asked to, at a page of the gate's, and the call goes on
//! once they have.
//!
//! How they are asked is the client's: a page within an answer that asks (MCP 2026-07-28, basic/patterns/mrtr), one that an
//! error wants opened (2025-11-25, `-32042`), or words for the model, where the client can open no pages. The address tells
//! nothing and opens nothing by itself: who is at the page, the page finds out.
//!
//! A client of 2026-07-28 makes the call again, with a state of the gate's: it is taken out before anything is decided, so that
//! every control and the server meet the call as it was made first. It proves nothing but that this caller was asked.

use std::time::Duration;

use audit::End;
use bytes::Bytes;
use http::StatusCode;
use model::{Object, Reason, Refusal, ServerName, UserId, limits};
use serde_json::{Value, json};
use wire::edit::Change;
use wire::reply::{self, REFUSAL};
use wire::{Flaw, edit};

use crate::body::{JSON, Response, answered};
use crate::controls::halted::Running;
use crate::controls::read::Message;
use crate::controls::turn;
use crate::gate::Gate;
use crate::holder;
use crate::legacy::Message as Aside;
use crate::naming;
use crate::trail::Trail;

/// The name under which the answer is wanted.
const KEY: &str = "portcullis-connect";

/// Methods that an answer may ask of before they go on (MCP 2026-07-28, basic/patterns/mrtr).
const ASKED_OF: [&str; 3] = ["tools/call", "prompts/get", "resources/read"];

/// How long a call that comes back waits for its person.
const PATIENCE: Duration = Duration::from_millis(limits::CONNECTION_WAIT_MILLISECONDS_MAX);

/// What becomes of a call that lacks its person's credential: they are asked, or it is refused with words that say what to do.
/// Nothing was sent, and the receipt says so.
pub(crate) fn ask(
    gate: &Gate,
    running: &Running,
    message: &Message,
    objects: &[Object],
    refusal: Refusal,
    trail: &mut Trail,
) -> Result<Response, Flaw> {
    let (server, behalf, request) = (naming::server(objects)?, running.caller.behalf(), &message.request);
    let Some(page) = running.snapshot.keys.ask_person(server, &behalf) else {
        return Err(refusal.with_hint("ask those who run the gate to let people connect it").into());
    };
    let refusal = refusal.with_hint(format!("the person opens {page} in a browser, and the call is made again"));
    let words = format!("Connect {server}, so that calls for you can use your account there. Then go on.");
    let opens_pages = running.present.capabilities(request).elicitation.is_some_and(|elicitation| elicitation.url);
    let Some(id) = request.id.as_ref().filter(|_| opens_pages) else { return Err(refusal.into()) };
    let bytes = match &running.present.legacy {
        Some(session) => {
            let elicitation = format!("{KEY}-{}", trail.receipt);
            session.elicited(server, &elicitation);
            let pages = json!([{ "mode": "url", "elicitationId": elicitation, "url": page, "message": words }]);
            let explanation = json!({ "reason": refusal.reason.row().word, "receipt": trail.receipt.to_string() });
            reply::pages_required(id, &refusal.public(), &json!({ "elicitations": pages, REFUSAL: explanation }))
        }
        // A call that goes on with what a server asked has no place for a state of the gate's.
        None if request.request_state.is_none() && ASKED_OF.contains(&message.row.method) => {
            let state = seal(gate, running, server)?;
            let question = json!({ "mode": "url", "url": page, "message": words });
            let asked = json!({ KEY: { "method": "elicitation/create", "params": question } });
            let result = json!({ "resultType": "input_required", "inputRequests": asked, "requestState": state });
            reply::result(id, &result)
        }
        None => return Err(refusal.into()),
    };
    Ok(asked(gate, &refusal, bytes, trail))
}

fn asked(gate: &Gate, refusal: &Refusal, bytes: Bytes, trail: &mut Trail) -> Response {
    gate.metrics.refused(refusal.reason);
    if let Some(open) = trail.open.take() {
        open.close(End::NotSent(refusal.reason), Some(&bytes), Some(refusal.detail.clone()));
    }
    answered(StatusCode::OK, Some(JSON), bytes, trail.receipt)
}

/// The call itself, of a client that comes back after its person was asked; every other message as it is. It waits a while for
/// the person, and who the caller is and what it may do is found out anew then.
pub(crate) async fn said(gate: &Gate, running: Running, message: Message) -> Result<(Running, Message), Flaw> {
    let request = &message.request;
    let state = request.request_state.as_deref().filter(|_| !request.revision.has_sessions());
    let Some(server) = state.and_then(|state| open(gate, &running, state)) else { return Ok((running, message)) };
    let given = request.input_responses.as_ref().and_then(|given| wire::bridge::response(given, KEY));
    let given: Option<Value> = given.and_then(|given| serde_json::from_slice(&given).ok());
    if given.and_then(|given| Some(given.get("action")?.as_str()? == "accept")) != Some(true) {
        let refusal = Refusal::new(Reason::NotConnected, format!("the person did not want to connect `{server}`"));
        return Err(refusal.with_hint("its person did not want to").into());
    }
    let running = wait(gate, running, &server).await?;
    let Message { mut request, row, phrasing } = message;
    let gone: [(edit::Path<'_>, Change<'_>); 2] =
        [(&["params", "requestState"], Change::Remove), (&["params", "inputResponses"], Change::Remove)];
    request.body = edit::splice(&request.body, &gone)?;
    (request.request_state, request.input_responses) = (None, None);
    Ok((running, Message { request, row, phrasing }))
}

/// Waits, in a place of the session's, for the person of a call to connect a server.
async fn wait(gate: &Gate, running: Running, server: &ServerName) -> Result<Running, Flaw> {
    let behalf = running.caller.behalf();
    let _place = running.present.session.begin_call()?;
    tokio::select! {
        () = running.snapshot.keys.connected(server, &behalf, PATIENCE) => {}
        () = gate.stops() => {}
    }
    Ok(turn::waited(gate, running)?)
}

/// Tells the sessions of a person that a page of the gate's was left, where it was shown (2025-11-25, client/elicitation).
pub fn person_connected(gate: &Gate, server: &ServerName, user: &UserId) {
    for session in gate.legacies.of_user(user) {
        for elicitation in session.elicitations_ended(server, KEY) {
            let about = vec![Object::Server { server: server.clone() }];
            session.aside.offer(Aside::aside(reply::page_left(&elicitation), about));
        }
    }
}

fn seal(gate: &Gate, running: &Running, server: &ServerName) -> Result<String, Refusal> {
    let sealed = gate.bridge.seal().seal_text(server.as_str().as_bytes(), &owner(running));
    sealed.ok_or_else(|| Refusal::new(Reason::Internal, "a state could not be sealed"))
}

fn open(gate: &Gate, running: &Running, state: &str) -> Option<ServerName> {
    let opened = gate.bridge.seal().open_text(state, &owner(running))?;
    String::from_utf8(opened).ok()?.parse().ok()
}

fn owner(running: &Running) -> Vec<u8> {
    holder::bound(&running.caller.session_key(), &["connecting", running.door.name.as_str()])
}
