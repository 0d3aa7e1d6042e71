//! A server that keeps sessions, for a client of 2026-07-28.
//!
//! The call goes out in a session of the gate's own. What the server says about it comes to the client as a server of
//! 2026-07-28 would say it. A question of the server's ends the client's request with `input_required`, while the call goes
//! on waiting at the server; the client's next request brings the answer, and the call is read on from there.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use model::{Digest, Object, Reason, ReceiptId, Refusal, ServerName, SessionKey};
use policy::Action;
use serde_json::json;
use upstream::Turn;
use wire::answer::{self, Incoming, Notification, Outcome, Question, ResultType};
use wire::{Capabilities, Flaw, Id, Revision, bridge, reply};

use super::open::{self, Heard, Open};
use super::parked::Waiting;
use super::pool::Aside;
use super::{Outbound, Source, Unread, Worded};
use crate::controls::ask::{self, Put};
use crate::controls::connect::Connected;
use crate::controls::halted::{self, Running};
use crate::gate::Gate;
use crate::holder;
use crate::legacy;
use crate::naming;
use crate::peer::Peer;
use crate::register::{self, Control, Direction};
use crate::trail::Trail;

/// The key under which a client finds the one question that is put to it at a time.
const KEY: &str = "question";

/// The code for a question that the client did not say it can be asked.
const CAPABILITY_MISSING: i64 = -32021;

/// One request of a client for an open call.
pub(crate) struct Older {
    gate: Arc<Gate>,
    connected: Connected,
    server: ServerName,
    objects: Vec<Object>,
    method: &'static str,
    digest: Digest,
    capabilities: Capabilities,
    log_level: Option<String>,
    /// The client's id of its request, and its token of progress.
    id: Id,
    progress: Option<Id>,
    receipt: ReceiptId,
    /// `None` once the client has its answer, or a question.
    open: Option<Open>,
    /// What the client hears first, if the server spoke of the answer before it began it.
    ahead: Option<Bytes>,
}

/// Sends a call, or goes on with one that waited for its client's answer.
pub(crate) async fn send(outbound: Outbound<'_>, worded: Worded, turn: Turn) -> Result<Unread, Flaw> {
    let Outbound { gate, running, message, objects, receipt, .. } = outbound;
    let (request, method) = (&message.request, message.row.method);
    let id = request.id.clone().ok_or_else(|| Refusal::new(Reason::Internal, "a call without an id"))?;
    let digest = bridge::digest(method, &request.body);
    let unclear = || Refusal::new(Reason::Ambiguous, "a number in the request is none that every reader holds");
    let mut older = Older {
        gate: Arc::clone(gate),
        connected: running.present.connected.clone(),
        server: naming::server(objects)?.clone(),
        objects: objects.to_vec(),
        method,
        digest: digest.ok_or_else(unclear)?,
        capabilities: request.meta.client_capabilities.clone(),
        log_level: request.meta.log_level.clone(),
        id,
        progress: request.meta.progress_token.clone(),
        receipt,
        open: None,
        ahead: None,
    };
    if let Some(state) = &request.request_state {
        return older.go_on(running, state, request.input_responses.as_ref(), worded.headers, turn).await;
    }
    older.open = Some(open::begin(outbound, worded, turn).await?);
    older.first().await
}

impl Older {
    /// Waits until there is something to answer with.
    async fn first(mut self) -> Result<Unread, Flaw> {
        loop {
            let Some(open) = &mut self.open else {
                return Err(Refusal::new(Reason::Internal, "a call that is not open").into());
            };
            if open.speaks() {
                return Ok(Unread::Stream(Source::Older(Box::new(self))));
            }
            match open.next().await {
                None => return Err(Refusal::new(Reason::OutcomeUnknown, "the call ended without an answer").into()),
                Some(heard) => match heard? {
                    Heard::Begun => {}
                    Heard::Aside(Aside::Progress(bytes)) => {
                        self.ahead = self.message(&bytes)?;
                        if self.ahead.is_some() {
                            return Ok(Unread::Stream(Source::Older(Box::new(self))));
                        }
                    }
                    Heard::Aside(Aside::Question { id, question }) => {
                        if let Some(asks) = self.asked(&id, &question)? {
                            return Ok(Unread::Whole(StatusCode::OK, asks));
                        }
                    }
                    Heard::Whole(status, bytes) => return self.whole(status, bytes),
                    Heard::Message(bytes) => return self.whole(StatusCode::OK, bytes),
                },
            }
        }
    }

    /// An answer in one document.
    fn whole(mut self, status: StatusCode, bytes: Bytes) -> Result<Unread, Flaw> {
        match answer::read(&bytes) {
            Ok(Incoming::Response { id, outcome }) => {
                let status = match outcome {
                    // Sessions have no status for it, and 2026-07-28 wants one.
                    Outcome::Error { code: CAPABILITY_MISSING, .. } => StatusCode::BAD_REQUEST,
                    Outcome::Error { .. } | Outcome::Result { .. } => status,
                };
                Ok(Unread::Whole(status, self.answered(id.as_ref(), &outcome, &bytes)?))
            }
            // It is for `release` to say what is wrong with it.
            Ok(Incoming::Notification(_) | Incoming::Request { .. }) | Err(_) => Ok(Unread::Whole(status, bytes)),
        }
    }

    /// What the client hears next; `None` after its answer.
    pub(crate) async fn next(&mut self) -> Option<Result<Bytes, Flaw>> {
        if let Some(message) = self.ahead.take() {
            return Some(Ok(message));
        }
        loop {
            let heard = self.open.as_mut()?.next().await?;
            let message = match heard {
                Ok(Heard::Begun) => continue,
                Ok(Heard::Aside(Aside::Question { id, question })) => self.asked(&id, &question),
                Ok(Heard::Aside(Aside::Progress(bytes)) | Heard::Whole(_, bytes) | Heard::Message(bytes)) => {
                    self.message(&bytes)
                }
                Err(refusal) => Err(refusal.into()),
            };
            if let Some(message) = message.transpose() {
                return Some(message);
            }
        }
    }

    /// A server's message, as the client hears it; `None` if it does not.
    fn message(&mut self, bytes: &Bytes) -> Result<Option<Bytes>, Flaw> {
        match answer::read(bytes)? {
            Incoming::Notification(notification) => self.notified(&notification, bytes),
            Incoming::Request { id, question } => self.asked(&id, &question),
            Incoming::Response { id, outcome } => self.answered(id.as_ref(), &outcome, bytes).map(Some),
        }
    }

    fn notified(&self, notification: &Notification, bytes: &Bytes) -> Result<Option<Bytes>, Flaw> {
        let number = self.open.as_ref().map(Open::number);
        match notification.method.as_str() {
            "notifications/progress" => {
                let about_this = notification.progress_token.as_ref().and_then(Id::as_number) == number;
                let token = self.progress.as_ref().filter(|_| about_this && number.is_some());
                token.map(|token| bridge::progress(bytes, token)).transpose()
            }
            "notifications/message" => {
                let wanted = bridge::is_wanted(notification.params.as_ref(), self.log_level.as_deref());
                Ok(wanted.then(|| bytes.clone()))
            }
            // What sessions are told of their questions means nothing without a session.
            "notifications/cancelled" | "notifications/elicitation/complete" => Ok(None),
            // The register says what of the rest goes on.
            _ => Ok(Some(bytes.clone())),
        }
    }

    /// The answer to the call.
    fn answered(&mut self, id: Option<&Id>, outcome: &Outcome, bytes: &Bytes) -> Result<Bytes, Flaw> {
        let open = self.open.take();
        let number = open.as_ref().map(Open::number);
        if let Some(open) = open {
            open.answered();
        }
        let nameless = id.is_none() && matches!(outcome, Outcome::Error { .. });
        if !nameless && id.and_then(Id::as_number) != number {
            return Err(Refusal::new(Reason::AnswerRefused, "the server answered another request").into());
        }
        match outcome {
            Outcome::Error { elicitations, .. } if !elicitations.is_empty() => {
                // The pages are to be opened, and the call made again: nothing waits for it.
                let keyed: Vec<(String, &Question)> = elicitations
                    .iter()
                    .enumerate()
                    .map(|(place, page)| (format!("page-{}", place + 1), page))
                    .collect();
                bridge::input_required(&self.id, &keyed, None)
            }
            Outcome::Result { result_type: ResultType::InputRequired { .. } | ResultType::Other(_), .. } => {
                Err(Refusal::new(Reason::AnswerRefused, "the result's type is of another revision").into())
            }
            Outcome::Result { result_type: ResultType::Complete, .. } | Outcome::Error { .. } => {
                bridge::answer_to_modern(bytes, &self.id, self.method)
            }
        }
    }

    /// Decides on a question. One that may be put is the client's answer for now, and the call waits; else the server
    /// hears so and the call goes on.
    fn asked(&mut self, id: &Id, question: &Question) -> Result<Option<Bytes>, Flaw> {
        if question.method == "ping" {
            self.say(reply::result(id, &json!({})));
            return Ok(None);
        }
        let now = self.gate.clock.now();
        let mut trail = Trail::begin(self.gate.journal.receipt_id(), now, Peer::nobody());
        trail.caller = Some(Arc::clone(&self.connected.caller));
        trail.endpoint = Some(self.connected.door.name.clone());
        trail.object = self.objects.first().cloned();
        let row = register::find(&question.method, Direction::ToAgent, Revision::V2026_07_28);
        trail.method = row.map(|row| row.method);
        match self.decide(question, &mut trail) {
            Ok(()) => {
                self.gate.journal.queue(&trail.asked(&self.connected, &self.server, Some(self.receipt)));
                let Some(row) = row else { return Ok(None) };
                self.park(id, row.method, question).map(Some)
            }
            Err(flaw) => {
                self.gate.metrics.refused(flaw.refusal.reason);
                self.gate.journal.queue(&trail.refused(Control::Ask, &flaw.refusal));
                self.say(legacy::refused(id, flaw.refusal.reason));
                Ok(None)
            }
        }
    }

    fn decide(&mut self, question: &Question, trail: &mut Trail) -> Result<(), Flaw> {
        let now = self.gate.clock.now();
        let connected = self.connected.again(self.gate.snapshots.load(), now)?;
        trail.revision = connected.snapshot.revision;
        halted::again(&self.gate.halts, &connected, &self.objects)?;
        let (revision, questions) = (Revision::V2026_07_28, std::slice::from_ref(question));
        let (server, capabilities) = (&self.server, &self.capabilities);
        let text = question.params.as_ref().map_or_else(|| Bytes::from_static(b"{}"), Bytes::clone);
        let put = Put { connected: &connected, server, capabilities, revision, questions, text: &text };
        // What is to be taken out of it is taken out of the answer that carries it to the client.
        ask::run(&self.gate, &put, &mut trail.noted, now)?;
        Ok(self.gate.bridge.parked.has_room(&self.owner())?)
    }

    /// Has the call wait, and gives the client the question with the handle to its call.
    fn park(&mut self, question_id: &Id, method: &'static str, question: &Question) -> Result<Bytes, Flaw> {
        let number = self.gate.bridge.entropy.bits();
        let handle = self.gate.bridge.seal.seal(number, &self.bound());
        let handle = handle.ok_or_else(|| Refusal::new(Reason::Internal, "a call's handle could not be sealed"))?;
        let asks = bridge::input_required(&self.id, &[(KEY.to_owned(), question)], Some(&handle))?;
        let open = self.open.take().ok_or_else(|| Refusal::new(Reason::Internal, "a call that is not open"))?;
        let waiting = Waiting {
            open: open.at_rest(),
            question: question_id.clone(),
            method,
            asked: question.clone(),
            owner: self.owner(),
            connected: self.connected.clone(),
            objects: self.objects.clone(),
            since: self.gate.clock.now(),
        };
        self.gate.bridge.parked.put(number, waiting);
        Ok(asks)
    }

    /// Goes on with a call that waited.
    async fn go_on(
        mut self,
        running: &Running,
        state: &str,
        responses: Option<&Bytes>,
        headers: HeaderMap,
        turn: Turn,
    ) -> Result<Unread, Flaw> {
        let none = |detail: &str| {
            let hint = "the `requestState` is of no call that waits for this caller and this very request";
            Refusal::new(Reason::ParamsInvalid, detail.to_owned()).with_hint(hint)
        };
        let number = self.gate.bridge.seal.open(state, &self.bound());
        let number = number.ok_or_else(|| none("the handle was not given to this caller for this request"))?;
        let waiting = self.gate.bridge.parked.take(number);
        let Waiting { mut open, question, method, asked, .. } =
            waiting.ok_or_else(|| none("the call does not wait any more, or was gone on with already"))?;
        let Some(said) = responses.and_then(|responses| bridge::response(responses, KEY)) else {
            // Without an answer there is nothing to go on with: the question is put once more.
            self.open = Some(open);
            return Ok(Unread::Whole(StatusCode::OK, self.park(&question, method, &asked)?));
        };
        let none = || Refusal::new(Reason::Internal, "a local server asks nobody");
        let session = Arc::clone(open.session().ok_or_else(none)?);
        let server = Object::Server { server: self.server.clone() };
        if let Err(refusal) = running.decide(Action::Ask, &server, self.gate.clock.now()) {
            // Dropping the call takes it back at the server.
            let told = legacy::refused(&question, refusal.reason);
            legacy::tell(&self.gate, &self.server, self.connected.caller.behalf(), session, told);
            return Err(refusal.into());
        }
        open.go_on(headers, bridge::response_to_legacy(&question, &said), turn);
        self.open = Some(open);
        self.first().await
    }

    /// Says something to the server that nobody waits for.
    fn say(&self, body: Bytes) {
        if let Some(session) = self.open.as_ref().and_then(Open::session) {
            legacy::tell(&self.gate, &self.server, self.connected.caller.behalf(), Arc::clone(session), body);
        }
    }

    fn owner(&self) -> SessionKey {
        self.connected.caller.session_key()
    }

    /// What a handle is bound to: agent, user, endpoint, server and the request.
    fn bound(&self) -> Vec<u8> {
        let digest = self.digest.to_string();
        let parts = ["parked", self.connected.door.name.as_str(), self.server.as_str(), &digest];
        holder::bound(&self.owner(), &parts)
    }
}
