//! Whose a message is that came on the one stream of a session.
//!
//! An answer names its call, and so does progress. What else a server says names none: with one call open it is taken to be
//! about that one; with several, or none, it is for whoever listens to the session as a whole.

use bytes::Bytes;
use model::limits;
use wire::answer::{self, Incoming, Notification};
use wire::{Id, reply};

use super::Events;
use crate::ask::answer_for;
use crate::switchboard::{self, Told, envelope};
use crate::{Fault, batch};

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// Somebody has it.
    Heard,
    /// It is for nobody, or nobody took it.
    Stray,
    /// It is no message.
    Noise,
}

impl Arrival {
    fn of(heard: bool) -> Self {
        if heard { Self::Heard } else { Self::Stray }
    }
}

impl Events {
    /// Takes one event of the server. A batch is what its worst message is.
    pub(super) fn arrived(&self, event: &Bytes) -> Arrival {
        if self.revision.get().is_some_and(|revision| revision.batches())
            && let Some(messages) = batch::split(event)
        {
            let arrivals: Vec<Arrival> = messages.iter().map(|message| self.heard(message)).collect();
            let worst = [Arrival::Noise, Arrival::Stray].into_iter().find(|worst| arrivals.contains(worst));
            return worst.unwrap_or(Arrival::Heard);
        }
        self.heard(event)
    }

    fn heard(&self, message: &Bytes) -> Arrival {
        let heard = match answer::read(message) {
            Ok(Incoming::Response { id, .. }) => self.answered(id.and_then(|id| id.as_number()), message),
            Ok(Incoming::Notification(notification)) => self.notified(&notification, message),
            Ok(Incoming::Request { id, question }) => self.asked(&id, &question.method, message),
            // An answer that breaks the protocol is for its caller to refuse, with the reason.
            Err(_) => match envelope::number_of(message) {
                Some(number) => self.answered(Some(number), message),
                None => {
                    self.garbled();
                    return Arrival::Noise;
                }
            },
        };
        Arrival::of(heard)
    }

    /// Ends the only call that is open: what cannot be read is taken to be its answer, and nobody waits for another. With
    /// several open nobody can tell whose it would have been, and each has its time.
    fn garbled(&self) {
        let mut board = self.board();
        let garbled = board.sole().and_then(|number| Some((number, board.take_sent(number)?)));
        drop(board);
        if let Some((number, call)) = garbled {
            call.teller.fail(Fault::Event { detail: "it is no message".to_owned() }.into());
            self.say_nobody_waits(number);
        }
    }

    /// Says no if nobody waits any more, or ever asked.
    fn answered(&self, number: Option<i64>, message: &Bytes) -> bool {
        let call = number.and_then(|number| self.board().take_sent(number));
        call.is_some_and(|call| switchboard::answer(call, message))
    }

    /// Says no if it is about no call that is open, and nobody listens either.
    fn notified(&self, notification: &Notification, message: &Bytes) -> bool {
        if notification.progress_token.is_some() || notification.subscription.is_some() {
            let told = envelope::about(notification).map(|number| self.board().tell(number, notification, message));
            return matches!(told, Some(Told::Taken));
        }
        let of_the_call = notification.method == "notifications/message" && self.to_the_only_call(message);
        of_the_call || self.beside(message)
    }

    /// Says no if nobody is there to be asked; the server hears so too.
    fn asked(&self, id: &Id, method: &str, message: &Bytes) -> bool {
        if method == "ping" {
            self.say(reply::result(id, &serde_json::json!({})));
            return true;
        }
        let put = self.to_the_only_call(message) || self.beside(message);
        if !put {
            self.say(answer_for(id, method));
        }
        put
    }

    /// Hands a message to the only call that is open. Says no if there is none, or several.
    fn to_the_only_call(&self, message: &Bytes) -> bool {
        let mut board = self.board();
        let told = board.sole().map(|number| board.pass(number, message.clone()));
        matches!(told, Some(Told::Taken))
    }

    /// Hands a message to whoever listens to the session, or will. Says no if that is nobody.
    fn beside(&self, message: &Bytes) -> bool {
        let aside = self.aside();
        let Some(teller) = &aside.teller else { return false };
        let is_full = aside.inbox.is_some() && teller.waiting() >= limits::EVENTS_UNHEARD_MAX;
        !is_full && !teller.is_gone() && teller.message(message.clone()).is_ok()
    }
}
