//! A server of 2026-07-28, for a client that keeps a session.
//!
//! Where the server answers that it needs input, the client hears its questions as the requests that a server with sessions
//! would send, on the stream of its own request, and answers each by a message of its own, which takes the path of answers.
//! When all are there, the request is made again with them. A client is asked so a bounded number of times.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use identity::Credential;
use model::{Object, Reason, Refusal, ServerName, limits};
use policy::Action;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use upstream::{Answer, Deadlines, Route, SendError, Stream, Turn};
use wire::answer::{self, Incoming, Outcome, Question, ResultType};
use wire::bridge::{self, Input, Introduction};
use wire::{Flaw, Id, outgoing};

use super::{Outbound, Source, Unread, Worded};
use crate::controls::connect::Connected;
use crate::controls::halted;
use crate::controls::inspect::{self, Seen};
use crate::controls::{authenticate, credential, forward, visible};
use crate::gate::Gate;
use crate::legacy::{Asker, Given};
use crate::naming;

type Sending = Pin<Box<dyn Future<Output = Result<Answer, SendError>> + Send>>;

/// A request of a client with a session, at a server that keeps none.
pub(crate) struct Newer {
    gate: Arc<Gate>,
    connected: Connected,
    route: Route,
    server: ServerName,
    objects: Vec<Object>,
    arguments: Option<Value>,
    method: &'static str,
    /// The request as the server was told it, without credentials, to be made again with answers.
    headers: HeaderMap,
    body: Bytes,
    name: Option<String>,
    introduction: Introduction,
    /// The client's id of it, and the gate's number of its newest leg.
    id: Id,
    number: i64,
    stage: Stage,
    rounds: u32,
    /// Its turn at the server.
    turn: Turn,
    /// Questions on their way to the client.
    questions: VecDeque<Bytes>,
    given: mpsc::UnboundedReceiver<(Id, Given)>,
    giver: mpsc::UnboundedSender<(Id, Given)>,
}

/// How far the request has come.
enum Stage {
    /// No answer has begun.
    Begins(Sending),
    /// The answer comes message by message.
    Speaks(Stream),
    /// The client is asked.
    Asks(Asks),
    /// The client has its answer.
    Over,
}

/// Questions that are put to the client.
struct Asks {
    /// Those without an answer, by the number under which they are put: their keys and methods.
    open: HashMap<i64, (String, String)>,
    answers: Vec<(String, Bytes)>,
    /// The server's own words, as they came.
    state: Option<String>,
    until: Instant,
}

/// What comes next.
enum Next {
    /// The answer, in one document.
    Whole(StatusCode, Bytes),
    /// A message for the client.
    Message(Bytes),
    /// The answer begins, message by message, or with questions.
    Begun,
}

/// Sends a request.
pub(crate) async fn send(outbound: Outbound<'_>, worded: Worded, turn: Turn) -> Result<Unread, Flaw> {
    let Outbound { gate, running, message, route, objects, .. } = outbound;
    let request = &message.request;
    let id = request.id.clone().ok_or_else(|| Refusal::new(Reason::Internal, "a call without an id"))?;
    let Worded { headers, body, number, .. } = worded;
    let (giver, given) = mpsc::unbounded_channel();
    let arguments = request.subject.arguments().and_then(|raw| serde_json::from_slice(raw).ok());
    let name = headers.get(wire::header::NAME).and_then(|name| name.to_str().ok()).map(str::to_owned);
    let mut newer = Newer {
        gate: Arc::clone(gate),
        connected: running.present.connected.clone(),
        route: route.clone(),
        server: naming::server(objects)?.clone(),
        objects: objects.to_vec(),
        arguments,
        method: message.row.method,
        headers: headers.clone(),
        body: body.clone(),
        name,
        introduction: super::introduction(running),
        id,
        number,
        stage: Stage::Begins(sending(route, headers, body)),
        rounds: 0,
        turn,
        questions: VecDeque::new(),
        given,
        giver,
    };
    match newer.step().await? {
        Some(Next::Whole(status, bytes)) => Ok(Unread::Whole(status, bytes)),
        Some(Next::Begun) => Ok(Unread::Stream(Source::Newer(Box::new(newer)))),
        Some(Next::Message(_)) | None => Err(Refusal::new(Reason::Internal, "an answer without a beginning").into()),
    }
}

fn sending(route: &Route, headers: HeaderMap, body: Bytes) -> Sending {
    let route = route.clone();
    Box::pin(async move { upstream::send(&route, headers, body, Deadlines::CALL).await })
}

impl Newer {
    /// Who hears the client's answers.
    pub(crate) fn asker(&self) -> Asker {
        Asker::Bridge(self.giver.clone())
    }

    /// What the client hears next; `None` after its answer. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Option<Result<Bytes, Flaw>> {
        loop {
            if let Some(question) = self.questions.pop_front() {
                return Some(Ok(question));
            }
            match self.step().await {
                Ok(None) => return None,
                Ok(Some(Next::Begun)) => {}
                Ok(Some(Next::Message(bytes) | Next::Whole(_, bytes))) => return Some(Ok(bytes)),
                Err(flaw) => return Some(Err(flaw)),
            }
        }
    }

    async fn step(&mut self) -> Result<Option<Next>, Flaw> {
        match &mut self.stage {
            Stage::Over => Ok(None),
            Stage::Begins(sending) => {
                let answer = sending.as_mut().await;
                self.stage = Stage::Over;
                self.turn.told(&answer);
                let refusal = |error| {
                    let keys = &self.connected.snapshot.keys;
                    credential::refusal(keys, &self.server, &self.connected.caller.behalf(), None, &error)
                };
                match answer.map_err(refusal)? {
                    Answer::Whole { status, body } => self.whole(status, body).map(Some),
                    Answer::Stream(stream) => {
                        self.stage = Stage::Speaks(stream);
                        Ok(Some(Next::Begun))
                    }
                    Answer::Accepted => {
                        let detail = "the server took a request as a notification";
                        Err(Refusal::new(Reason::AnswerRefused, detail).into())
                    }
                }
            }
            Stage::Speaks(stream) => {
                let Some(message) = stream.next().await else {
                    self.stage = Stage::Over;
                    return Ok(None);
                };
                let message = message.map_err(|error| forward::refusal(&error))?;
                self.message(message).map(Some)
            }
            Stage::Asks(asks) if asks.open.is_empty() => {
                // Before the answers are taken, so that dropping the future loses none.
                let (snapshot, behalf) = (self.gate.snapshots.load(), self.connected.caller.behalf());
                let credential = snapshot.keys.ready(&self.server, &behalf).await?;
                let (answers, state) = (std::mem::take(&mut asks.answers), asks.state.take());
                self.again(&answers, state.as_deref(), credential)?;
                Ok(Some(Next::Begun))
            }
            Stage::Asks(asks) => {
                let late =
                    || Refusal::new(Reason::OutcomeUnknown, "the client did not answer the server's questions in time");
                let given = timeout_at(asks.until, self.given.recv()).await.map_err(|_| late())?;
                let given = given.ok_or_else(|| Refusal::new(Reason::Internal, "nobody can answer"))?;
                asks.take(given)?;
                Ok(Some(Next::Begun))
            }
        }
    }

    /// An answer in one document: for the client, or one that asks.
    fn whole(&mut self, status: StatusCode, bytes: Bytes) -> Result<Next, Flaw> {
        match answer::read(&bytes) {
            Ok(Incoming::Response { .. }) => match self.message(bytes)? {
                // A status that says more of the connection than of the request would mean the end of its session.
                Next::Message(bytes) if matches!(status, StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND) => {
                    Ok(Next::Whole(StatusCode::OK, bytes))
                }
                Next::Message(bytes) => Ok(Next::Whole(status, bytes)),
                next @ (Next::Begun | Next::Whole(..)) => Ok(next),
            },
            // It is for `release` to say what is wrong with it.
            Ok(Incoming::Notification(_) | Incoming::Request { .. }) | Err(_) => Ok(Next::Whole(status, bytes)),
        }
    }

    fn message(&mut self, bytes: Bytes) -> Result<Next, Flaw> {
        let (id, outcome) = match answer::read(&bytes)? {
            // The register says which of them go on.
            Incoming::Notification(_) => return Ok(Next::Message(bytes)),
            Incoming::Request { .. } => {
                let detail = "the server sent a request of its own on a stream";
                return Err(Refusal::new(Reason::AnswerRefused, detail).into());
            }
            Incoming::Response { id, outcome } => (id, outcome),
        };
        self.stage = Stage::Over;
        let nameless = id.is_none() && matches!(outcome, Outcome::Error { .. });
        if !nameless && id.and_then(|id| id.as_number()) != Some(self.number) {
            return Err(Refusal::new(Reason::AnswerRefused, "the server answered another request").into());
        }
        match outcome {
            Outcome::Result { result_type: ResultType::InputRequired { questions, .. }, raw, .. } => {
                self.ask(&questions, bridge::state(&raw))?;
                Ok(Next::Begun)
            }
            Outcome::Result { result_type: ResultType::Other(_), .. } => {
                Err(Refusal::new(Reason::AnswerRefused, "the result's type is not in the register").into())
            }
            Outcome::Result { result_type: ResultType::Complete, .. } | Outcome::Error { .. } => {
                Ok(Next::Message(bridge::answer_to_legacy(&bytes, &self.id, self.method)?))
            }
        }
    }

    /// Puts questions to the client.
    fn ask(&mut self, questions: &[Question], state: Option<String>) -> Result<(), Flaw> {
        self.rounds += 1;
        if self.rounds > limits::INPUT_ROUNDS_MAX {
            return Err(Refusal::new(Reason::AnswerRefused, "the server asks for input again and again").into());
        }
        let mut open = HashMap::new();
        for question in questions {
            let number = self.gate.bridge.number();
            let page = format!("portcullis-{number}");
            self.questions.push_back(bridge::question_to_legacy(&Id::number(number), question, &page)?);
            open.insert(number, (question.key.clone(), question.method.clone()));
        }
        let until = Instant::now() + Duration::from_millis(limits::PARKED_MILLISECONDS_MAX);
        self.stage = Stage::Asks(Asks { open, answers: Vec::new(), state, until });
        Ok(())
    }

    /// Makes the request again with the client's answers, if the client may still do what it asked for, as it was approved
    /// then and in the light of now.
    fn again(
        &mut self,
        answers: &[(String, Bytes)],
        state: Option<&str>,
        credential: Option<Credential>,
    ) -> Result<(), Flaw> {
        let (gate, before, now) = (&self.gate, &self.connected, self.gate.clock.now());
        authenticate::still(gate, &before.caller)?;
        let connected = before.again(gate.snapshots.load(), now)?;
        halted::again(&gate.halts, &connected, &self.objects)?;
        visible::again(before, &connected, &self.objects, now)?;
        let seen = inspect::again(gate, &connected, &self.objects, &self.body)?;
        let findings = seen.as_ref().map(Seen::told);
        for object in self.objects.iter().filter(|object| !matches!(object, Object::Server { .. })) {
            connected.decide_seen(Action::Call, object, self.arguments.as_ref(), findings, now)?;
        }
        let (route, _) = connected.door.reach(&self.server, wire::Revision::V2026_07_28)?;
        self.route = route.clone();
        self.number = gate.bridge.number();
        let (id, input) = (Id::number(self.number), Input { responses: answers, state });
        let (name, said) = (self.name.as_deref(), &self.introduction);
        let worded = bridge::to_modern(&self.body, &id, self.method, name, said, Some(input))?;
        // The headers say what they said: name and mirrored arguments are the same.
        let (mut headers, outgoing::Outgoing { body, .. }) = (self.headers.clone(), worded);
        if let Some(credential) = credential {
            credential.write(&mut headers);
        }
        self.stage = Stage::Begins(sending(&self.route, headers, body));
        self.connected = connected;
        Ok(())
    }
}

impl Asks {
    /// Takes what the client said to a question, or why it was not asked.
    fn take(&mut self, (id, given): (Id, Given)) -> Result<(), Flaw> {
        let Some((key, method)) = id.as_number().and_then(|number| self.open.remove(&number)) else {
            return Ok(());
        };
        let said = match given {
            Given::Refused(reason) => {
                let detail = "the server asks what was not put to the client, and does not go on without an answer";
                return Err(Refusal::new(reason, detail).into());
            }
            Given::Answer(body) => bridge::result(&body),
        };
        match said {
            Some(said) => self.answers.push((key, said)),
            // That a client could not show a question is for the server as if its user had left it.
            None if method == "elicitation/create" => {
                self.answers.push((key, Bytes::from_static(br#"{"action":"cancel"}"#)));
            }
            None => {
                let hint =
                    "the client answered a question of the server's with an error, and the server cannot be told so";
                return Err(Refusal::new(Reason::ReleaseRefused, hint).with_hint(hint).into());
            }
        }
        Ok(())
    }
}
