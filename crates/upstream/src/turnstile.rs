//! Where calls to one server take turns.
//!
//! A server has so many calls at once as its manifest says, over all endpoints and revisions; the others wait in a line that
//! is bounded in length and time, in which callers take turns ([`line`]). One that cannot be reached, or does not answer in
//! time, is left alone for a while ([`breaker`]). Whoever is refused here knows for certain that nothing was sent; whoever is
//! let in holds a [`Turn`] for as long as the server works, and no call is ever made twice.
//!
//! Only calls take turns. What belongs to a call that is under way, such as the answer to a server's question or word that
//! nobody waits any more, must not stand in line behind it.

mod breaker;
mod line;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use model::{EndpointName, ServerName, SessionKey, limits};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use crate::{Answer, Fault, SendError, Unsent};
use breaker::{Admitted, Breaker, Closed};
use line::{Full, Line};

/// The turnstile before one server.
pub struct Turnstile {
    server: ServerName,
    state: Mutex<State>,
}

struct State {
    line: Line<oneshot::Sender<Turn>>,
    breaker: Breaker,
}

/// A caller's turn at a server: a place there, given back when dropped.
#[derive(Debug)]
pub struct Turn {
    turnstile: Arc<Turnstile>,
    caller: SessionKey,
    /// Whether nobody else is let in until this call tells how the server is.
    is_probe: bool,
    waited: bool,
}

/// Why a call had no turn. Nothing of it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TurnError {
    /// The server is left alone, because it failed.
    #[error("the server was not tried: it failed {failures} times in a row, and {}", next(*.again_in))]
    LeftAlone {
        /// How often.
        failures: u32,
        /// Until it is tried again; nothing while somebody else's call tries it.
        again_in: Duration,
    },
    /// The line is as long as it may be.
    #[error("too many calls wait for the server: {waiting}, with {under_way} under way")]
    Full {
        /// Calls that wait.
        waiting: usize,
        /// Calls under way.
        under_way: usize,
    },
    /// The call's turn did not come in time.
    #[error(
        "the call's turn at the server did not come within {} ms, with {under_way} under way",
        limits::TURN_MILLISECONDS_MAX
    )]
    Late {
        /// Calls under way.
        under_way: usize,
    },
}

/// What goes on at a turnstile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    /// Calls that the server may have at once.
    pub places: usize,
    /// Calls under way.
    pub under_way: usize,
    /// Calls that wait for their turn.
    pub waiting: usize,
    /// How often the server failed in a row and for how long it is still left alone, if it is.
    pub left_alone: Option<(u32, Duration)>,
}

/// The turnstiles of all servers. There is one for each, as long as anybody has a way there; a local server has one at each
/// endpoint, because it has a process at each.
#[derive(Debug, Default)]
pub struct Turnstiles(Mutex<HashMap<Key, Weak<Turnstile>>>);

/// A server, and the endpoint if its process is for that alone.
type Key = (ServerName, Option<EndpointName>);

impl Turnstiles {
    /// The one before this server, with so many places from now on. `endpoint` is that whose process it is before.
    pub fn of(&self, server: &ServerName, endpoint: Option<&EndpointName>, places: usize) -> Arc<Turnstile> {
        let key = (server.clone(), endpoint.cloned());
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turnstile) = all.get(&key).and_then(Weak::upgrade) {
            drop(all);
            turnstile.set_places(places);
            return turnstile;
        }
        // Servers come and go; those that went are forgotten with their ways.
        all.retain(|_, turnstile| turnstile.strong_count() > 0);
        let turnstile = Turnstile::new(server.clone(), places);
        all.insert(key, Arc::downgrade(&turnstile));
        turnstile
    }

    /// What goes on before one server, if anybody has a way there.
    pub fn traffic(&self, server: &ServerName) -> Option<Traffic> {
        self.each(|one| one == server).remove(server)
    }

    /// What goes on before each, by name.
    pub fn all(&self) -> BTreeMap<ServerName, Traffic> {
        self.each(|_| true)
    }

    fn each(&self, wanted: impl Fn(&ServerName) -> bool) -> BTreeMap<ServerName, Traffic> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = all.iter().filter(|((server, _), _)| wanted(server));
        let there: Vec<_> = wanted.filter_map(|(_, turnstile)| turnstile.upgrade()).collect();
        drop(all);
        let mut each = BTreeMap::new();
        for turnstile in there {
            let traffic = turnstile.traffic();
            each.entry(turnstile.server.clone()).and_modify(|all: &mut Traffic| all.add(traffic)).or_insert(traffic);
        }
        each
    }
}

impl Traffic {
    /// The same of several processes of a server; of those that are left alone, the one that is for longest.
    fn add(&mut self, other: Self) {
        self.places += other.places;
        self.under_way += other.under_way;
        self.waiting += other.waiting;
        self.left_alone = self.left_alone.max(other.left_alone);
    }
}

impl Turnstile {
    /// One before a server that may have so many calls at once; one at least.
    pub fn new(server: ServerName, places: usize) -> Arc<Self> {
        let state = State { line: Line::new(places), breaker: Breaker::new() };
        Arc::new(Self { server, state: Mutex::new(state) })
    }

    /// Waits for the caller's turn, for [`limits::TURN_MILLISECONDS_MAX`] at most. Dropping the future leaves the line.
    ///
    /// # Errors
    /// Why there is none. Nothing was sent.
    pub async fn enter(self: &Arc<Self>, caller: &SessionKey) -> Result<Turn, TurnError> {
        let (turn, waiting) = {
            let mut state = self.state();
            let is_probe = state.breaker.admit(caller, Instant::now())? == Admitted::AsProbe;
            if state.line.take(caller) {
                let turnstile = Arc::clone(self);
                return Ok(Turn { turnstile, caller: caller.clone(), is_probe, waited: false });
            }
            if is_probe {
                // What is under way will tell.
                state.breaker.found_nothing_out();
            }
            let (sender, turn) = oneshot::channel();
            let ticket = match state.line.wait(caller, sender) {
                Ok(ticket) => ticket,
                Err(Full) => {
                    let (waiting, under_way) = (state.line.waits(), state.line.taken());
                    return Err(TurnError::Full { waiting, under_way });
                }
            };
            (turn, Waiting { turnstile: self, caller, ticket })
        };
        let came = timeout(Duration::from_millis(limits::TURN_MILLISECONDS_MAX), turn).await;
        drop(waiting);
        match came {
            Ok(Ok(turn)) => Ok(turn),
            // Sent away, because the server failed meanwhile.
            Ok(Err(_)) | Err(_) => {
                let mut state = self.state();
                state.breaker.admit(caller, Instant::now())?;
                state.breaker.found_nothing_out();
                Err(TurnError::Late { under_way: state.line.taken() })
            }
        }
    }

    /// So many places from now on. Who has one keeps it.
    pub fn set_places(self: &Arc<Self>, places: usize) {
        let mut state = self.state();
        if state.line.places() != places.max(1) {
            state.line.set_places(places);
            self.call(state);
        }
    }

    /// What goes on.
    pub fn traffic(&self) -> Traffic {
        let state = self.state();
        Traffic {
            places: state.line.places(),
            under_way: state.line.taken(),
            waiting: state.line.waits(),
            left_alone: state.breaker.state(Instant::now()).map(|Closed { failures, again_in }| (failures, again_in)),
        }
    }

    /// The server said something, whatever it was.
    pub(crate) fn answered(&self) {
        self.state().breaker.succeeded();
    }

    /// Nothing could be sent to the server. Whether that is the server's doing, the reason tells.
    pub(crate) fn not_sent(&self, cause: &Unsent) {
        if is_of_the_server(cause) {
            self.failed(None);
        }
    }

    fn failed(&self, late_for: Option<&SessionKey>) {
        let mut state = self.state();
        let sent_away = if state.breaker.failed(late_for, Instant::now()) { state.line.disperse() } else { Vec::new() };
        drop(state);
        drop(sent_away);
    }

    /// Calls everybody whose turn it is.
    fn call(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        let called: Vec<_> = std::iter::from_fn(|| state.line.call()).collect();
        // Whoever left in this moment drops the turn, which comes back here.
        drop(state);
        for (caller, sender) in called {
            let turn = Turn { turnstile: Arc::clone(self), caller, is_probe: false, waited: true };
            drop(sender.send(turn));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the line, left when dropped.
struct Waiting<'a> {
    turnstile: &'a Turnstile,
    caller: &'a SessionKey,
    ticket: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.turnstile.state().line.leave(self.caller, self.ticket);
    }
}

impl Turn {
    /// The server whose turn it is.
    pub fn server(&self) -> &ServerName {
        &self.turnstile.server
    }

    /// Whether the call had to wait for it, so that what was known before may not be so any more.
    pub fn waited(&self) -> bool {
        self.waited
    }

    /// Tells how the call went. An answer that did not come in time counts against the server, or against the caller, if
    /// nobody else's is late; whatever did come says that the server is there.
    pub fn told(&self, answer: &Result<Answer, SendError>) {
        match answer {
            Err(SendError::Unknown { fault: Fault::HeadTimedOut { .. } | Fault::BodyTimedOut { .. } }) => {
                self.turnstile.failed(Some(&self.caller));
            }
            // What could not be sent was noted when that was tried, and a connection that broke says neither.
            Err(SendError::NotSent { .. } | SendError::Unknown { .. }) => {}
            Ok(_) | Err(SendError::SessionOver | SendError::Challenged { .. } | SendError::Refused { .. }) => {
                self.turnstile.answered();
            }
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.turnstile.state();
        if self.is_probe {
            // If it did find something out, nobody waits for that any more.
            state.breaker.found_nothing_out();
        }
        state.line.give_back(&self.caller);
        self.turnstile.call(state);
    }
}

impl fmt::Debug for Turnstile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, state: _ } = self;
        f.debug_struct("Turnstile").field("server", server).field("traffic", &self.traffic()).finish()
    }
}

impl From<Closed> for TurnError {
    fn from(Closed { failures, again_in }: Closed) -> Self {
        Self::LeftAlone { failures, again_in }
    }
}

fn next(again_in: Duration) -> String {
    match again_in.as_millis().div_ceil(1_000) {
        0 => "another call is finding out whether it is back".to_owned(),
        seconds => format!("is tried again in {seconds} s"),
    }
}

/// Whether it is the server that could not be reached; a local one, that did not start, has a rest of its own.
fn is_of_the_server(cause: &Unsent) -> bool {
    match cause {
        Unsent::Egress(cause) => match cause {
            egress::NotSent::Resolve { .. }
            | egress::NotSent::AddressCount { .. }
            | egress::NotSent::Connect { .. }
            | egress::NotSent::Tls { .. }
            | egress::NotSent::TimedOut => true,
            egress::NotSent::UrlUnusable
            | egress::NotSent::HostAmbiguous
            | egress::NotSent::OutOfReach(_)
            | egress::NotSent::Roots { .. }
            | egress::NotSent::TooManyConnections
            | egress::NotSent::Closed => false,
        },
        Unsent::NotStarted { .. }
        | Unsent::Resting { .. }
        | Unsent::Ended { .. }
        | Unsent::Busy
        | Unsent::Message { .. }
        | Unsent::Late { .. }
        | Unsent::Downgraded { .. } => false,
    }
}

#[cfg(test)]
mod tests;
