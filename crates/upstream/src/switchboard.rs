//! Many calls on one line: whose each answer is.
//!
//! A process has many callers, and a server of HTTP+SSE answers every call on the one stream of its session. So each call
//! is given a number of the gate's own, by which it is told apart whatever its caller named it; start with
//! [`Switchboard::enlist`]. [`envelope`] writes the numbers into messages and out of them, [`replies`] are what is said
//! about one call, on its way to the caller.

pub(crate) mod envelope;
pub(crate) mod replies;

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;
use wire::answer::Notification;

use crate::{Purpose, SendError};

use envelope::Names;
pub(crate) use replies::{Replies, Reply, SharedLine, Teller};

/// The calls that wait on one line, until it ends.
#[derive(Default)]
pub(crate) struct Switchboard {
    calls: HashMap<i64, Call>,
    ending: Option<Ending>,
}

/// A call that waits for its answer.
pub(crate) struct Call {
    pub(crate) names: Names,
    pub(crate) purpose: Purpose,
    /// Has any of it been written? Until then it provably was not sent.
    pub(crate) written: bool,
    pub(crate) teller: Teller,
}

/// When and why a line ended.
#[derive(Debug, Clone)]
pub(crate) struct Ending {
    pub(crate) at: Instant,
    pub(crate) why: Arc<str>,
}

/// What became of a message about a call.
pub(crate) enum Told {
    /// Its caller has it.
    Taken,
    /// It is about no call that was sent and waits.
    Stray,
    /// Its caller takes messages too slowly, and can do without this one.
    Dropped,
    /// Its caller takes messages too slowly, and cannot do without this one: the call is over.
    Over,
}

impl Switchboard {
    /// How many calls wait.
    pub(crate) fn len(&self) -> usize {
        self.calls.len()
    }

    /// When and why the line ended, if it did.
    pub(crate) fn ending(&self) -> Option<&Ending> {
        self.ending.as_ref()
    }

    /// Has a call wait under this number.
    pub(crate) fn enlist(&mut self, number: i64, call: Call) {
        self.calls.insert(number, call);
    }

    /// Notes that a call is being sent. Says no if nobody waits for it any more.
    pub(crate) fn sent(&mut self, number: i64) -> bool {
        let call = self.calls.get_mut(&number);
        call.map(|call| call.written = true).is_some()
    }

    /// The call of that number, if it was sent and waits. It waits no longer.
    pub(crate) fn take_sent(&mut self, number: i64) -> Option<Call> {
        self.calls.get(&number).filter(|call| call.written)?;
        self.calls.remove(&number)
    }

    /// Forgets a call; says whether it was sent and not answered, so that the server has to be told.
    pub(crate) fn withdraw(&mut self, number: i64) -> bool {
        self.calls.remove(&number).is_some_and(|call| call.written)
    }

    /// The call that its caller names so.
    pub(crate) fn named(&self, id: &str) -> Option<i64> {
        self.calls.iter().find(|(_, call)| call.names.id == id).map(|(number, _)| *number)
    }

    /// The only call that waits, if there is exactly one.
    pub(crate) fn sole(&self) -> Option<i64> {
        let mut numbers = self.calls.keys();
        numbers.next().copied().filter(|_| numbers.next().is_none())
    }

    /// Tells a caller what the server says about its call, with the caller's names in it.
    pub(crate) fn tell(&mut self, number: i64, notification: &Notification, line: &Bytes) -> Told {
        // Numbers can be guessed, so what is said about a call that was not sent yet is about none.
        let call = self.calls.get(&number).filter(|call| call.written);
        match call.and_then(|call| envelope::notified(line, notification, &call.names)) {
            Some(message) => self.pass(number, message),
            None => Told::Stray,
        }
    }

    /// Hands a caller a message as it is.
    pub(crate) fn pass(&mut self, number: i64, message: Bytes) -> Told {
        let Some(call) = self.calls.get(&number) else { return Told::Stray };
        match (call.teller.message(message), call.purpose) {
            (Ok(()), _) => Told::Taken,
            // The next notification of progress says all that this one does.
            (Err(replies::Full), Purpose::Answer) => Told::Dropped,
            (Err(replies::Full), Purpose::Subscription) => {
                if let Some(call) = self.calls.remove(&number) {
                    call.teller.fail(crate::Fault::Backlog.into());
                }
                Told::Over
            }
        }
    }

    /// Notes that the line ended, and tells everybody who waits what is known of their call, by whether it was sent. Only
    /// the first reason counts; says whether this was it.
    pub(crate) fn end(&mut self, why: &Arc<str>, outcome: impl Fn(bool) -> SendError) -> bool {
        if self.ending.is_some() {
            return false;
        }
        self.ending = Some(Ending { at: Instant::now(), why: Arc::clone(why) });
        for (_, call) in self.calls.drain() {
            call.teller.fail(outcome(call.written));
        }
        true
    }
}

/// Gives the answer to whoever waits for it, with the caller's id in it. Says no if it cannot be made one.
pub(crate) fn answer(call: Call, line: &Bytes) -> bool {
    let message = envelope::answered(line, &call.names);
    message.map(|message| call.teller.answer(message)).is_some()
}
