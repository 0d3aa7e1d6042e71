//! What is known of a message so far: enough, at any step, to write its receipt.

use std::sync::Arc;

use audit::{Asked, End, Event, Journal, Outcome, Record, Refused, Salt, Taken, Who};
use model::{Caller, Clock, EndpointName, Object, Reason, ReceiptId, Refusal, Revision, ServerName, Timestamp};
use wire::Id;

use crate::controls::connect::Connected;
use crate::controls::halted::Running;
use crate::controls::read::Message;
use crate::gate::Gate;
use crate::large;
use crate::looked::{Looked, Noted};
use crate::peer::Peer;
use crate::register::Control;

/// The facts a receipt is written from, gathered as controls prove them.
pub(crate) struct Trail {
    /// The receipt's id. What the caller is told, whatever happens.
    pub receipt: ReceiptId,
    /// When the message arrived.
    pub began: Timestamp,
    /// Where from.
    pub peer: Peer,
    pub caller: Option<Arc<Caller>>,
    pub endpoint: Option<EndpointName>,
    pub id: Option<Id>,
    pub method: Option<&'static str>,
    pub object: Option<Object>,
    pub revision: Revision,
    /// The protocol revision that the message speaks: its refusal is told in the same.
    pub spoken: Option<wire::Revision>,
    /// Whether the message is itself an answer: its refusal answers nothing, so that no client takes the id of a server's
    /// question for one of its own.
    pub is_answer: bool,
    /// Its place among the large messages of its agent and user, until it is decided on.
    pub large: Option<large::Turn>,
    /// What inspection saw in it.
    pub noted: Noted,
    /// The intent that was made durable and has no outcome yet.
    pub open: Option<OpenIntent>,
}

impl Trail {
    pub(crate) fn begin(receipt: ReceiptId, began: Timestamp, peer: Peer) -> Self {
        Self {
            receipt,
            began,
            peer,
            caller: None,
            endpoint: None,
            id: None,
            method: None,
            object: None,
            revision: Revision::default(),
            spoken: None,
            is_answer: false,
            large: None,
            noted: Noted::default(),
            open: None,
        }
    }

    /// Notes what the message says it is.
    pub(crate) fn note(&mut self, message: &Message) {
        self.id.clone_from(&message.request.id);
        self.method = Some(message.row.method);
        self.spoken = Some(message.request.revision);
    }

    /// Records how the call ended, with what is released.
    pub(crate) fn close(&mut self, end: End, released: &[u8]) {
        if let Some(open) = self.open.take() {
            open.close(end, Some(released), None);
        }
    }

    /// The receipt of a notification that the gate took.
    pub(crate) fn taken(&self, running: &Running, method: &str) -> Record {
        let taken = Taken {
            who: Who::from(&*running.caller),
            endpoint: running.door.name.clone(),
            method: method.to_owned(),
            revision: self.revision,
        };
        Record { id: self.receipt, at: self.began, event: Event::Taken(taken) }
    }

    /// The receipt of a server's question that is put to the client.
    pub(crate) fn asked(&self, connected: &Connected, server: &ServerName, call: Option<ReceiptId>) -> Record {
        let asked = Asked {
            who: Who::from(&*connected.caller),
            endpoint: connected.door.name.clone(),
            server: server.clone(),
            method: self.method.unwrap_or_default().to_owned(),
            call,
            findings: self.noted.told(),
            revision: self.revision,
        };
        Record { id: self.receipt, at: self.began, event: Event::Asked(asked) }
    }

    /// The receipt of a refusal before any intent.
    pub(crate) fn refused(&self, control: Control, refusal: &Refusal) -> Record {
        let refused = Refused {
            who: self.caller.as_deref().map(Who::from),
            endpoint: self.endpoint.clone(),
            method: self.method.map(str::to_owned),
            request: self.id.as_ref().map(Id::to_string),
            object: self.object.clone(),
            control: control.as_str().to_owned(),
            reason: refusal.reason,
            detail: refusal.detail.clone(),
            findings: self.noted.told(),
            policies: refusal.policies.clone(),
            revision: self.revision,
        };
        Record { id: self.receipt, at: self.began, event: Event::Refused(refused) }
    }
}

/// An intent whose outcome is not known yet. Whatever happens to the call, it is closed once: by the step that learns the
/// outcome, or, when hyper drops the call because the caller went away, as cancelled.
pub(crate) struct OpenIntent {
    journal: Arc<Journal>,
    clock: Arc<dyn Clock>,
    intent: ReceiptId,
    began: Timestamp,
    /// Of the answer's commitment.
    salt: Salt,
    looked: Looked,
    closed: bool,
}

impl OpenIntent {
    /// Watches over an intent that was put in the journal, from that moment on: whoever waits for it to be durable may be
    /// dropped while waiting.
    pub(crate) fn new(gate: &Gate, trail: &Trail, salt: Salt) -> Self {
        let (journal, clock) = (Arc::clone(&gate.journal), Arc::clone(&gate.clock));
        let (intent, began) = (trail.receipt, trail.began);
        Self { journal, clock, intent, began, salt, looked: Looked::default(), closed: false }
    }

    /// Where what is seen in the answer is noted.
    pub(crate) fn looked(&self) -> Looked {
        self.looked.clone()
    }

    /// Records how the call ended; `answer` is what will be released.
    pub(crate) fn close(mut self, end: End, answer: Option<&[u8]>, detail: Option<String>) {
        self.record(end, answer, detail);
    }

    /// Forgets an intent that never came into the journal.
    pub(crate) fn discard(mut self) {
        self.closed = true;
    }

    fn record(&mut self, end: End, answer: Option<&[u8]>, detail: Option<String>) {
        self.closed = true;
        let at = self.clock.now();
        let outcome = Outcome {
            intent: self.intent,
            end,
            milliseconds: at.milliseconds_since(self.began),
            answer: answer.map(|bytes| self.salt.commit(bytes)),
            findings: self.looked.noted().told(),
            detail,
        };
        self.journal.queue(&Record { id: self.journal.receipt_id(), at, event: Event::Outcome(outcome) });
    }
}

impl Drop for OpenIntent {
    fn drop(&mut self) {
        if !self.closed {
            self.record(End::Cancelled, None, Some("the caller went away".to_owned()));
        }
    }
}

/// How an open intent ends when the path refuses to go on.
pub(crate) fn end_of(refusal: &Refusal) -> End {
    match control_of(refusal.reason) {
        Control::Forward if refusal.reason == Reason::OutcomeUnknown => End::Unknown(refusal.detail.clone()),
        Control::Forward if refusal.reason == Reason::AnswerRefused => End::ResultWithheld(refusal.reason),
        Control::Forward if refusal.reason == Reason::TakenBack => End::Cancelled,
        Control::Ask | Control::Release => End::ResultWithheld(refusal.reason),
        Control::Accept
        | Control::Authenticate
        | Control::Read
        | Control::Connect
        | Control::Session
        | Control::Halted
        | Control::Visible
        | Control::Validate
        | Control::Decide
        | Control::Turn
        | Control::Intent
        | Control::Credential
        | Control::Forward => End::NotSent(refusal.reason),
    }
}

/// The control that refuses for a reason.
pub(crate) fn control_of(reason: Reason) -> Control {
    match reason {
        Reason::HostUnknown
        | Reason::OriginRefused
        | Reason::PathUnknown
        | Reason::MethodNotAllowed
        | Reason::MediaTypeRefused
        | Reason::VisitRefused => Control::Accept,
        Reason::Unauthenticated => Control::Authenticate,
        Reason::TooLarge
        | Reason::TooSlow
        | Reason::NotJson
        | Reason::Ambiguous
        | Reason::NotJsonRpc
        | Reason::VersionUnsupported
        | Reason::ParamsInvalid
        | Reason::HeaderMismatch
        | Reason::MethodUnknown => Control::Read,
        Reason::EndpointNotFound | Reason::ScopeMissing | Reason::StepUpRequired => Control::Connect,
        Reason::SessionMissing | Reason::SessionUnknown | Reason::Overloaded => Control::Session,
        Reason::Halted | Reason::ToolHalted => Control::Halted,
        Reason::ObjectNotFound | Reason::Withheld => Control::Visible,
        Reason::ArgumentsInvalid => Control::Validate,
        Reason::PolicyForbids | Reason::PolicyError | Reason::ObligationUnmet | Reason::InspectionFailed => {
            Control::Decide
        }
        Reason::ServerBusy | Reason::ServerLeftAlone => Control::Turn,
        Reason::JournalUnavailable | Reason::Internal => Control::Intent,
        Reason::CredentialUnavailable | Reason::NotConnected => Control::Credential,
        Reason::ServerUnreachable | Reason::OutcomeUnknown | Reason::AnswerRefused | Reason::TakenBack => {
            Control::Forward
        }
        Reason::CapabilityMissing => Control::Ask,
        Reason::ReleaseRefused => Control::Release,
    }
}
