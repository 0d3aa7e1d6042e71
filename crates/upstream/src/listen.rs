//! Hearing from a server that its lists changed, so that pins are checked at once and not when their time is up.

use std::fmt;

use http::HeaderMap;
use serde_json::{Map, Value};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use wire::answer::{Incoming, Outcome};
use wire::outgoing;

use crate::ask::{Credential, Line, Question, printable};
use crate::discover::is_of_sessions;
use crate::route::Way;
use crate::{Answer, AskError, Deadlines, Route, Session, Stream};

const METHOD: &str = "subscriptions/listen";

/// A server's list that changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// Tools.
    Tools,
    /// Prompts.
    Prompts,
    /// Resources, and with them their templates.
    Resources,
}

/// The subscription to a server's changes. Dropping it ends the subscription.
#[derive(Debug)]
pub struct Changes {
    question: Question,
    heard: Heard,
}

/// Where changes are heard.
#[derive(Debug)]
enum Heard {
    /// On a subscription of 2026-07-28.
    Subscription(Stream),
    /// On the stream of a session that is there for nothing else.
    Session(Box<Aside>),
    /// From the processes of a local server, whenever one runs.
    Local(broadcast::Receiver<Change>),
}

/// A session for its stream alone. The server is told when it is not needed any more.
struct Aside {
    session: Option<Session>,
    stream: Stream,
    headers: HeaderMap,
}

impl Change {
    /// The change that a notification of this method tells.
    pub(crate) fn of(method: &str) -> Option<Self> {
        match method {
            "notifications/tools/list_changed" => Some(Self::Tools),
            "notifications/prompts/list_changed" => Some(Self::Prompts),
            "notifications/resources/list_changed" => Some(Self::Resources),
            // The acknowledgement, and what was not asked for.
            _ => None,
        }
    }
}

/// Subscribes to changes of a server's lists. `credential` writes the server's credential into the headers. What is
/// heard is a hint and no more: a server that keeps silent about a change is found out when its pins are checked.
///
/// A local server is not started for this: it is heard whenever it runs.
///
/// # Errors
/// When the server does not take the subscription. Many servers do not; their pins are checked by the clock alone.
pub async fn listen(route: &Route, credential: impl Fn(&mut HeaderMap) + Send + Sync) -> Result<Changes, AskError> {
    let question = Question::new(METHOD, 1);
    if let Way::Local(local) = route.way() {
        return Ok(Changes { question, heard: Heard::Local(local.changes()) });
    }
    let refused = if route.answers_on_one_stream() {
        None
    } else {
        match subscribe(&question, Line::Stateless(route, &credential)).await {
            Ok(stream) => return Ok(Changes { question, heard: Heard::Subscription(stream) }),
            Err(error) if is_of_sessions(&error) => Some(error),
            Err(error) => return Err(error),
        }
    };
    let heard = Heard::Session(Box::new(aside(&question, route, refused, &credential).await?));
    Ok(Changes { question, heard })
}

/// Opens a session for its stream alone. `refused` is what the server said to a subscription.
async fn aside(
    question: &Question,
    route: &Route,
    refused: Option<AskError>,
    credential: Credential<'_>,
) -> Result<Aside, AskError> {
    // A change is a reason to look, whatever speaks of it.
    let route = route.clone().speaking_at_least(None);
    let (session, _) = match (Session::greet(&route, &Value::Object(Map::new()), credential).await, refused) {
        // It merely has no subscriptions.
        (Err(AskError::Answered { .. } | AskError::Version { .. }), Some(refused)) => return Err(refused),
        (greeted, _) => greeted?,
    };
    let mut headers = outgoing::stream_headers(session.revision(), None, None);
    credential(&mut headers);
    match session.listen(headers.clone()).await {
        Ok(Some(stream)) => Ok(Aside { session: Some(session), stream, headers }),
        nothing => {
            session.close(headers).await;
            nothing.map_err(|source| question.unsent(source))?;
            Err(question.malformed("its sessions have no stream"))
        }
    }
}

/// Subscribes to all changes of lists, in 2026-07-28.
pub(crate) async fn subscribe(question: &Question, line: Line<'_>) -> Result<Stream, AskError> {
    let wanted = outgoing::Changes { tools: true, prompts: true, resources: true };
    match question.send(line, outgoing::listen(wanted, &question.id), Deadlines::SUBSCRIPTION).await? {
        Answer::Stream(stream) => Ok(stream),
        Answer::Whole { body, .. } => {
            question.read(&body)?;
            Err(question.malformed("it is no stream"))
        }
        Answer::Accepted => Err(question.malformed("it was taken as a notification")),
    }
}

impl Changes {
    /// The next change. `None` when the server ended the subscription.
    ///
    /// A server may say so as often as it likes: whoever listens decides how often to look.
    pub async fn next(&mut self) -> Option<Result<Change, AskError>> {
        loop {
            let stream = match &mut self.heard {
                Heard::Subscription(stream) => stream,
                Heard::Session(aside) => &mut aside.stream,
                Heard::Local(changes) => {
                    return match changes.recv().await {
                        Ok(change) => Some(Ok(change)),
                        // So many changes that some were missed: any of them is a reason to look at everything.
                        Err(RecvError::Lagged(_)) => Some(Ok(Change::Tools)),
                        Err(RecvError::Closed) => None,
                    };
                }
            };
            let message = match stream.next().await? {
                Ok(message) => message,
                Err(source) => return Some(Err(self.question.unsent(source))),
            };
            match wire::answer::read(&message) {
                Ok(Incoming::Notification(notification)) => {
                    if let Some(change) = Change::of(&notification.method) {
                        return Some(Ok(change));
                    }
                }
                Ok(Incoming::Response { outcome: Outcome::Result { .. }, .. }) => return None,
                Ok(Incoming::Response { outcome: Outcome::Error { code, message, .. }, .. }) => {
                    return Some(Err(AskError::Answered { method: METHOD, code, message: printable(&message) }));
                }
                Ok(Incoming::Request { id, question }) => {
                    if let Err(what) = self.heard.answer(&id, &question.method).await {
                        return Some(Err(self.question.malformed(what)));
                    }
                }
                Err(flaw) => return Some(Err(self.question.malformed(flaw.refusal.detail))),
            }
        }
    }
}

impl Heard {
    async fn answer(&self, id: &wire::Id, method: &str) -> Result<(), &'static str> {
        match self {
            Self::Session(aside) => {
                let Aside { session: Some(session), headers, .. } = &**aside else { return Ok(()) };
                let credential = |given: &mut HeaderMap| {
                    let posted = given.clone();
                    given.clone_from(headers);
                    given.extend(posted);
                };
                Line::Session(session, &credential).answer(id, method).await
            }
            Self::Subscription(_) | Self::Local(_) => Err("it asks a question back"),
        }
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        let headers = std::mem::take(&mut self.headers);
        if let (Some(session), Ok(runtime)) = (self.session.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move { session.close(headers).await });
        }
    }
}

impl fmt::Debug for Aside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The headers hold a credential.
        f.debug_struct("Aside").field("session", &self.session).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
