//! A call that is open at a server with sessions, whether a client waits for it or not.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use model::{Reason, Refusal, limits};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use upstream::{Answer, Deadlines, Fault, SendError, Session, Stream, Turn};
use wire::Id;

use super::pool::{Aside, Place};
use super::{Outbound, Worded, told};
use crate::controls::forward;
use crate::gate::Gate;
use crate::legacy::Withdrawal;

type Sending = Pin<Box<dyn Future<Output = Result<Answer, SendError>> + Send>>;
type Telling = Pin<Box<dyn Future<Output = Result<(), SendError>> + Send>>;

/// A call that is open at its server, whether a client waits for it or not.
pub(super) struct Open {
    gate: Arc<Gate>,
    /// Its place in the gate's session; none at a local server, which has no sessions and asks nobody.
    place: Option<Place>,
    number: i64,
    stage: Stage,
    /// When the wait for the beginning of the answer becomes too long.
    begins_by: Instant,
    asides: mpsc::Receiver<Aside>,
    /// The answer to a question that is on its way to the server.
    telling: Option<Telling>,
    /// Its turn at the server; none while it waits for its client.
    turn: Option<Turn>,
    withdrawal: Option<Withdrawal>,
}

/// How far the server's answer has come.
enum Stage {
    /// It has not begun.
    Begins(Sending),
    /// It comes message by message.
    Speaks(Stream),
    /// It is complete.
    Over,
}

/// What is heard of an open call.
pub(super) enum Heard {
    /// The answer, in one document.
    Whole(StatusCode, Bytes),
    /// The answer begins, message by message.
    Begun,
    /// One message.
    Message(Bytes),
    /// A question beside the answer, or its progress.
    Aside(Aside),
}

/// Sends a call.
pub(super) async fn begin(outbound: Outbound<'_>, worded: Worded, turn: Turn) -> Result<Open, Refusal> {
    let Outbound { gate, running, message, route, .. } = outbound;
    let turn = Some(turn);
    let Worded { headers, body, number, .. } = worded;
    let begins_by = Instant::now() + Deadlines::CALL.head;
    if route.is_local() {
        let route = route.clone();
        let sending: Sending = Box::pin(async move { upstream::send(&route, headers, body, Deadlines::CALL).await });
        let stage = Stage::Begins(sending);
        let (_, asides) = mpsc::channel(1);
        let gate = Arc::clone(gate);
        return Ok(Open { gate, place: None, number, stage, begins_by, asides, telling: None, turn, withdrawal: None });
    }
    let capabilities = told(&message.request.meta.client_capabilities)?;
    let kept = gate.bridge.pool.session(gate, running, route, &capabilities).await?;
    let logs = running
        .door
        .endpoint
        .member(&route.server)
        .is_some_and(|member| member.server.capabilities.get("logging").is_some());
    if let Some(level) = message.request.meta.log_level.as_deref().filter(|_| logs) {
        kept.heed_level(gate, level).await;
    }
    let (place, asides) = kept.call(number)?;
    let withdrawal = Withdrawal::new(gate, &route.server, running.caller.behalf(), &place.session, &Id::number(number));
    // What is said in a session is of the revision that was agreed on for it.
    let session = Arc::clone(&place.session);
    // A server may ask before its answer begins, and then people take their time.
    let head = Deadlines::CALL.head + Duration::from_millis(limits::PARKED_MILLISECONDS_MAX);
    let deadlines = Deadlines { head, ..Deadlines::CALL };
    let sending: Sending = Box::pin(async move { session.send(headers, body, deadlines).await });
    let stage = Stage::Begins(sending);
    let (place, withdrawal) = (Some(place), Some(withdrawal));
    let gate = Arc::clone(gate);
    Ok(Open { gate, place, number, stage, begins_by, asides, telling: None, turn, withdrawal })
}

impl Open {
    /// The gate's number of the call, which is its id at the server.
    pub(super) fn number(&self) -> i64 {
        self.number
    }

    /// The session it was made in; none at a local server.
    pub(super) fn session(&self) -> Option<&Arc<Session>> {
        self.place.as_ref().map(|place| &place.session)
    }

    /// Whether its answer comes message by message.
    pub(super) fn speaks(&self) -> bool {
        matches!(self.stage, Stage::Speaks(_))
    }

    /// The same call while it waits for its client: people take their time, and others wait for their turns.
    pub(super) fn at_rest(self) -> Self {
        Self { turn: None, ..self }
    }

    /// Goes on with the call: this response answers the server's question.
    pub(super) fn go_on(&mut self, headers: HeaderMap, response: Bytes, turn: Turn) {
        if let Some(session) = self.session().map(Arc::clone) {
            self.telling = Some(Box::pin(async move { session.tell(headers, response).await }));
        }
        (self.begins_by, self.turn) = (Instant::now() + Deadlines::CALL.head, Some(turn));
    }

    /// The server answered the call, so that it need not be taken back.
    pub(super) fn answered(self) {
        if let Some(withdrawal) = self.withdrawal {
            withdrawal.disarm();
        }
    }

    /// Whether nothing can be heard of it any more.
    pub(super) fn is_over(&self) -> bool {
        self.session().is_some_and(|session| session.is_over())
    }

    /// What is heard next; `None` at the end. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Option<Result<Heard, Refusal>> {
        let Self { gate, place, stage, asides, telling, begins_by, turn, withdrawal, .. } = self;
        let refusal = |error: &SendError| match &*place {
            Some(place) => place.refusal(gate, error),
            None => forward::refusal(error),
        };
        loop {
            tokio::select! {
                biased;
                told = tell(telling) => if let Err(error) = told {
                    return Some(Err(refusal(&error)));
                },
                Some(aside) = asides.recv() => return Some(Ok(Heard::Aside(aside))),
                heard = hear(stage, *begins_by, turn.as_ref()) => {
                    return Some(heard?.map_err(|failure| failure.refusal(withdrawal, refusal)));
                }
            }
        }
    }
}

/// Why nothing more is heard.
enum Failure {
    Send(SendError),
    Answer(Refusal),
}

impl Failure {
    /// The same as a refusal. A call that never reached the server needs not be taken back there.
    fn refusal(self, withdrawal: &mut Option<Withdrawal>, of: impl Fn(&SendError) -> Refusal) -> Refusal {
        match self {
            Self::Answer(refusal) => refusal,
            Self::Send(error) => {
                if matches!(error, SendError::NotSent { .. } | SendError::SessionOver)
                    && let Some(withdrawal) = withdrawal.take()
                {
                    withdrawal.disarm();
                }
                of(&error)
            }
        }
    }
}

/// Ends when an answer to a question has reached the server; never, if none is on its way.
async fn tell(telling: &mut Option<Telling>) -> Result<(), SendError> {
    let Some(on_its_way) = telling else { return std::future::pending().await };
    let told = on_its_way.await;
    *telling = None;
    told
}

/// What the server says of its answer.
async fn hear(stage: &mut Stage, begins_by: Instant, turn: Option<&Turn>) -> Option<Result<Heard, Failure>> {
    match stage {
        Stage::Over => None,
        Stage::Speaks(stream) => Some(stream.next().await?.map(Heard::Message).map_err(Failure::Send)),
        Stage::Begins(sending) => {
            let late = |_| Err(Fault::HeadTimedOut { after: Deadlines::CALL.head }.into());
            let answer = timeout_at(begins_by, sending.as_mut()).await.unwrap_or_else(late);
            *stage = Stage::Over;
            if let Some(turn) = turn {
                turn.told(&answer);
            }
            Some(match answer {
                Err(error) => Err(Failure::Send(error)),
                Ok(Answer::Whole { status, body }) => Ok(Heard::Whole(status, body)),
                Ok(Answer::Stream(stream)) => {
                    *stage = Stage::Speaks(stream);
                    Ok(Heard::Begun)
                }
                Ok(Answer::Accepted) => {
                    let detail = "the server took a request as a notification";
                    Err(Failure::Answer(Refusal::new(Reason::AnswerRefused, detail)))
                }
            })
        }
    }
}
