//! Whether a server is tried at all. One that failed several times in a row is left alone for a while: calls are refused at
//! once instead of waiting for what will not come, and the server is not kept from recovering. Then one call goes through,
//! and how it fares decides for the others.
//!
//! That no connection could be made is about the server. That an answer was late may be about what was asked: as long as
//! only one caller's answers are late, only that caller is refused, so that nobody can close a server to others by asking
//! it for something slow.

use std::time::Duration;

use model::{SessionKey, limits};
use tokio::time::Instant;

/// What is known of a server's failures.
pub(super) struct Breaker {
    /// Failures since the last success.
    run: u32,
    /// Whose those are.
    whose: Whose,
    open: Option<Open>,
    /// How often it was opened since the last success.
    openings: u32,
}

/// Whose calls failed.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Whose {
    Nobodys,
    /// Of this caller alone, and only by taking too long.
    Callers(SessionKey),
    /// Of several, or nobody's in particular.
    Everybodys,
}

/// The server is left alone.
struct Open {
    until: Instant,
    /// Whether a call is on its way to find out how it is now.
    probing: bool,
}

/// How a call is let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admitted {
    /// As any other.
    Freely,
    /// To find out how the server is: nobody else is let through meanwhile.
    AsProbe,
}

/// The server is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Closed {
    pub(super) failures: u32,
    /// Until it is tried again; nothing while it is being tried.
    pub(super) again_in: Duration,
}

impl Breaker {
    pub(super) fn new() -> Self {
        Self { run: 0, whose: Whose::Nobodys, open: None, openings: 0 }
    }

    /// Whether a call of this caller may go through now.
    pub(super) fn admit(&mut self, caller: &SessionKey, now: Instant) -> Result<Admitted, Closed> {
        if !self.concerns(caller) {
            return Ok(Admitted::Freely);
        }
        let failures = self.run;
        match &mut self.open {
            None => Ok(Admitted::Freely),
            Some(open) => {
                let again_in = open.until.saturating_duration_since(now);
                if open.probing || !again_in.is_zero() {
                    return Err(Closed { failures, again_in });
                }
                open.probing = true;
                Ok(Admitted::AsProbe)
            }
        }
    }

    /// The server answered something.
    pub(super) fn succeeded(&mut self) {
        *self = Self::new();
    }

    /// It failed: everybody, or with an answer that came too late this caller. Whether it is left alone because of that,
    /// from now on and by everybody.
    pub(super) fn failed(&mut self, late_for: Option<&SessionKey>, now: Instant) -> bool {
        self.run = self.run.saturating_add(1);
        let next = match (&self.whose, late_for) {
            (Whose::Nobodys, Some(caller)) => Whose::Callers(caller.clone()),
            (Whose::Callers(one), Some(caller)) if one == caller => Whose::Callers(caller.clone()),
            (Whose::Nobodys | Whose::Callers(_) | Whose::Everybodys, _) => Whose::Everybodys,
        };
        self.whose = next;
        self.open(now) && self.whose == Whose::Everybodys
    }

    /// A call that was to find out how the server is ended without that.
    pub(super) fn found_nothing_out(&mut self) {
        if let Some(open) = &mut self.open {
            open.probing = false;
        }
    }

    /// How often it failed, and for how long it is still left alone, if it is.
    pub(super) fn state(&self, now: Instant) -> Option<Closed> {
        let open = self.open.as_ref()?;
        Some(Closed { failures: self.run, again_in: open.until.saturating_duration_since(now) })
    }

    fn concerns(&self, caller: &SessionKey) -> bool {
        match &self.whose {
            Whose::Nobodys => false,
            Whose::Callers(one) => one == caller,
            Whose::Everybodys => true,
        }
    }

    /// Leaves the server alone, if it failed often enough; whether that is new.
    fn open(&mut self, now: Instant) -> bool {
        let is_probed = self.open.as_ref().is_none_or(|open| open.probing);
        // What was under way when it was opened and fails now says nothing new.
        if self.run < limits::SERVER_FAILURES_MAX || !is_probed {
            return false;
        }
        let doubled = limits::SERVER_REST_MILLISECONDS.saturating_mul(1 << self.openings.min(32));
        let rest = Duration::from_millis(doubled.min(limits::SERVER_REST_MILLISECONDS_MAX));
        self.openings = self.openings.saturating_add(1);
        self.open = Some(Open { until: now + rest, probing: false });
        true
    }
}

#[cfg(test)]
mod tests;
