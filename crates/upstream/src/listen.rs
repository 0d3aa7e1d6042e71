//! Hearing from a server that its lists changed, so that pins are checked at once and not when their time is up.

use http::HeaderMap;
use wire::answer::{Incoming, Outcome};
use wire::outgoing;

use crate::ask::{Question, printable};
use crate::{Answer, AskError, Deadlines, Route, Stream};

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
    stream: Stream,
}

/// Subscribes to changes of a server's lists. `credential` writes the server's credential into the headers. What is
/// heard is a hint and no more: a server that keeps silent about a change is found out when its pins are checked.
///
/// # Errors
/// When the server does not take the subscription. Many servers do not; their pins are checked by the clock alone.
pub async fn listen(route: &Route, credential: impl Fn(&mut HeaderMap) + Send + Sync) -> Result<Changes, AskError> {
    let question = Question::new(METHOD, 1);
    let wanted = outgoing::Changes { tools: true, prompts: true, resources: true };
    let request = outgoing::listen(wanted, &question.id);
    match question.send(route, &credential, request, Deadlines::SUBSCRIPTION).await? {
        Answer::Stream(stream) => Ok(Changes { question, stream }),
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
            let message = match self.stream.next().await? {
                Ok(message) => message,
                Err(source) => return Some(Err(self.question.unsent(source))),
            };
            match wire::answer::read(&message) {
                Ok(Incoming::Notification(notification)) => match notification.method.as_str() {
                    "notifications/tools/list_changed" => return Some(Ok(Change::Tools)),
                    "notifications/prompts/list_changed" => return Some(Ok(Change::Prompts)),
                    "notifications/resources/list_changed" => return Some(Ok(Change::Resources)),
                    // The acknowledgement, and what was not asked for.
                    _ => {}
                },
                Ok(Incoming::Response { outcome: Outcome::Result { .. }, .. }) => return None,
                Ok(Incoming::Response { outcome: Outcome::Error { code, message, .. }, .. }) => {
                    return Some(Err(AskError::Answered { method: METHOD, code, message: printable(&message) }));
                }
                Ok(Incoming::Request { .. }) => return Some(Err(self.question.malformed("it asks a question back"))),
                Err(flaw) => return Some(Err(self.question.malformed(flaw.refusal.detail))),
            }
        }
    }
}

#[cfg(test)]
mod tests;
