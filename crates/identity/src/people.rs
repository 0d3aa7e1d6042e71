//! People on the admin side: they sign in at the enterprise's identity provider, and are known by a session of the gate's own.
//!
//! [`Entrance`] is where they come in, as a [`Site`](crate::site::Site) of the admin listener; [`Entrance::known`] says who a
//! request is from. What a session is worth:
//!
//! - Its secret is 256 random bits, of which only the digest is kept. A browser's is a cookie that no script reads and no other
//!   site sends along (`HttpOnly`, `SameSite=Strict`); what a browser writes needs the session's [`Csrf`] token besides. The
//!   command line's is a bearer token. Neither is taken for the other.
//! - It ends at a time that is fixed when it begins; a browser's ends when it is not used, too; and all of a person end when
//!   they or the provider say so.
//! - Roles are not part of it. They follow from the person's groups each time, by the settings as they are now; and the provider
//!   is asked again every few minutes who they are. Without its word for an hour, no session goes on.

mod command_line;
mod first;
mod pages;
mod sessions;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use http::HeaderMap;
use model::{Account, Actor, Change, Clock, Digest, Entropy, Expected, GroupName, Role, Secret, Timestamp};

pub use crate::facade::pkce::challenge;
use crate::facade::sources::Sources;
use crate::facade::turns::Turns;
use crate::port::{self, Person, SessionKind};
use crate::relying::Relying;
use crate::seal::Seal;
use crate::vault::Vault;
use command_line::Waiting;
pub use first::{FirstCode, FirstCodeError};

/// What settings say of people's sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// What browsers call the admin listener, without a path and without a `/` at its end.
    pub url: String,
    /// Which groups have which role.
    pub roles: BTreeMap<Role, Vec<GroupName>>,
    /// Classes of sign-in that the provider is asked for; where there are some, nobody comes in by another.
    pub acr_values: Vec<String>,
    /// Seconds that a browser's session lives.
    pub session_seconds: u64,
    /// Seconds after which it ends when it is not used.
    pub idle_seconds: u64,
    /// Seconds that a session of the command line lives.
    pub command_line_seconds: u64,
    /// Seconds after which the provider is asked again.
    pub check_seconds: u64,
}

/// Everything that the entrance needs.
pub struct Needs {
    /// What settings say.
    pub terms: Terms,
    /// Its memory.
    pub port: Arc<dyn port::People>,
    /// The identity provider.
    pub relying: Relying,
    /// What seals the provider's refresh tokens.
    pub vault: Vault,
    /// The code for the first administrator, while it is good.
    pub first: Option<FirstCode>,
    /// What seals forms and cookies.
    pub seal: Arc<Seal>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

/// Where people come in.
pub struct Entrance {
    terms: RwLock<Arc<Terms>>,
    port: Arc<dyn port::People>,
    relying: Relying,
    vault: Vault,
    first: Mutex<Option<FirstCode>>,
    seal: Arc<Seal>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    waiting: Mutex<Waiting>,
    sources: Sources,
    turns: Turns,
    /// Until when the provider is not asked again after a failure, in milliseconds since the epoch.
    away_until: AtomicU64,
}

/// A person in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Who, as changes record them.
    pub who: Actor,
    /// What they may do now; never empty.
    pub roles: Vec<Role>,
    /// The session.
    pub session: Session,
}

/// A session as its own person sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// How it is shown to the gate.
    pub kind: SessionKind,
    /// When it ends at the latest.
    pub ends: Timestamp,
    /// What a browser's writes must carry.
    pub csrf: Csrf,
    /// What it is kept under.
    id: Digest,
}

/// Somebody who is in, as others see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// Who.
    pub account: Account,
    /// What they may do now. Who has no role any more is out with the next request.
    pub roles: Vec<Role>,
    /// How their session is shown to the gate.
    pub kind: SessionKind,
    /// When it began.
    pub begun: Timestamp,
    /// When it was used last, to a minute or so.
    pub seen: Timestamp,
    /// When it ends at the latest.
    pub ends: Timestamp,
}

/// What a page of the gate's own knows and a page of another site does not: it is made of the session's secret, and worth
/// nothing without that.
#[derive(Clone, PartialEq, Eq)]
pub struct Csrf(String);

impl Csrf {
    /// The header in which browsers send it.
    pub const HEADER: &str = "x-portcullis-csrf";

    fn of(secret: &[u8]) -> Self {
        let mut text = String::from("portcullis csrf\n");
        text.push_str(&String::from_utf8_lossy(secret));
        Self(challenge(&text))
    }

    /// As the page sends it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is it, in time that tells nothing.
    pub fn is(&self, given: &[u8]) -> bool {
        verify_slices_are_equal(self.0.as_bytes(), given).is_ok()
    }

    /// Whether a request carries it, once.
    pub fn is_in(&self, headers: &HeaderMap) -> bool {
        let mut given = headers.get_all(Self::HEADER).iter();
        given.next().is_some_and(|given| self.is(given.as_bytes())) && given.next().is_none()
    }
}

impl std::fmt::Debug for Csrf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Csrf")
    }
}

impl Terms {
    /// What somebody may do, by their groups.
    fn roles_of(&self, session: &port::Session) -> Vec<Role> {
        let is_in = |groups: &Vec<GroupName>| groups.iter().any(|group| session.person.groups.contains(group));
        let by_group = self.roles.iter().filter(|(_, groups)| is_in(groups)).map(|(role, _)| *role);
        let mut roles: Vec<Role> = by_group.chain(session.first.then_some(Role::Admin)).collect();
        roles.sort_unstable();
        roles.dedup();
        roles
    }
}

impl Entrance {
    /// An entrance that is open.
    pub fn new(needs: Needs) -> Self {
        let Needs { terms, port, relying, vault, first, seal, clock, entropy } = needs;
        Self {
            terms: RwLock::new(Arc::new(terms)),
            port,
            relying,
            vault,
            first: Mutex::new(first),
            seal,
            clock,
            entropy,
            waiting: Mutex::default(),
            sources: Sources::default(),
            turns: Turns::default(),
            away_until: AtomicU64::new(0),
        }
    }

    /// Goes by other terms from now on, for sessions that there are, too.
    pub fn take(&self, terms: Terms) {
        *self.terms.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(terms);
    }

    /// The identity provider.
    pub fn relying(&self) -> &Relying {
        &self.relying
    }

    fn terms(&self) -> Arc<Terms> {
        Arc::clone(&self.terms.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// 256 random bits as text.
    fn fresh(&self) -> Secret<String> {
        Secret::new(format!("{:032x}{:032x}", self.entropy.bits(), self.entropy.bits()))
    }

    fn change(&self, actor: Actor, reason: &str) -> Change {
        let reason = (!reason.is_empty()).then(|| reason.to_owned());
        Change { actor, expected: Expected::Any, at: self.now(), reason }
    }
}

/// A person's account, as receipts name it.
fn account(person: &Person) -> Account {
    let Person { issuer, subject, user, .. } = person;
    Account { issuer: issuer.clone(), subject: subject.clone(), name: user.to_string() }
}

/// Who a person is, for changes.
fn actor(person: &Person) -> Actor {
    Actor::SignedIn(account(person))
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
