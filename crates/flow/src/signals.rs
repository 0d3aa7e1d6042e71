//! Does this message come as the first one of its sign-in came: from that network, of that software, with that key?
//!
//! A stolen token is used from elsewhere. So do people who travel, and this cannot tell them from thieves: it is evidence, for
//! receipts and for policies that refuse. What counts as one sign-in is what a person can begin anew: the façade's family of
//! tokens, or else the moment at which the person signed in. Where a token tells neither, it is all that the agent and the
//! user send, until they were silent for [`limits::SIGN_IN_IDLE_MILLISECONDS_MAX`]. Each message is compared with the first
//! one, so that whoever was first there is bothered by nobody who comes later.

use std::collections::hash_map::RandomState;
use std::convert::Infallible;
use std::hash::BuildHasher as _;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use model::{Cache, Caller, Changed, SessionKey, Timestamp, cache, limits};
use quick_cache::UnitWeighter;

/// How every sign-in began; the least used are forgotten first.
pub struct Signals {
    begun: Cache<SignIn, Arc<Beginning>>,
    /// Names of software are kept as their hashes, under a key of this process.
    hasher: RandomState,
}

/// Sign-ins for which there is room from the start.
const EXPECTED: usize = 1024;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct SignIn {
    session: SessionKey,
    family: Option<Arc<str>>,
    signed_in: Option<Timestamp>,
}

/// The first message of a sign-in.
#[derive(Debug)]
pub struct Beginning {
    network: IpAddr,
    /// What its `User-Agent` said.
    software: Option<u64>,
    key: Option<Arc<str>>,
    /// What the first message said of its software that said anything itself.
    introduced: OnceLock<u64>,
    /// When the last message came, in milliseconds, to the second.
    heard: AtomicU64,
}

/// Within this many milliseconds a message is not noted again: many cores read what is noted.
const HEARD_MILLISECONDS: u64 = 1_000;

impl Beginning {
    /// Whether the sign-in was silent for too long to be the same one.
    fn is_over(&self, now: Timestamp) -> bool {
        let heard = Timestamp(self.heard.load(Ordering::Relaxed));
        now.milliseconds_since(heard) > limits::SIGN_IN_IDLE_MILLISECONDS_MAX
    }

    fn hear(&self, now: Timestamp) {
        if now.milliseconds_since(Timestamp(self.heard.load(Ordering::Relaxed))) >= HEARD_MILLISECONDS {
            self.heard.store(now.0, Ordering::Relaxed);
        }
    }
}

impl Default for Signals {
    fn default() -> Self {
        let begun = cache(EXPECTED, limits::SIGN_INS_REMEMBERED_MAX, UnitWeighter);
        Self { begun, hasher: RandomState::new() }
    }
}

impl Signals {
    /// Compares how a message came with how the first one of its sign-in did, which is told as well. `software` is its
    /// `User-Agent`.
    pub fn compare(
        &self,
        caller: &Caller,
        address: IpAddr,
        software: Option<&[u8]>,
        now: Timestamp,
    ) -> (Changed, Arc<Beginning>) {
        let (network, software) = (network(address), software.map(|text| self.hasher.hash_one(text)));
        let key = &caller.authentication.key.0;
        let first = || {
            let (key, heard) = (key.clone(), AtomicU64::new(now.0));
            Arc::new(Beginning { network, software, key, introduced: OnceLock::new(), heard })
        };
        let sign_in = SignIn::of(caller);
        let going_on = self.begun.get(&sign_in).filter(|begun| !begun.is_over(now));
        let begun = going_on.unwrap_or_else(|| self.begin(&sign_in, first, now));
        begun.hear(now);
        let (network, client) = (begun.network != network, begun.software != software);
        (Changed { network, client, key: begun.key != *key }, begun)
    }

    /// What is kept of a sign-in that may have been over; of two messages that come at once, one is the first.
    fn begin(&self, sign_in: &SignIn, first: impl FnOnce() -> Arc<Beginning>, now: Timestamp) -> Arc<Beginning> {
        self.begun.remove_if(sign_in, |begun| begun.is_over(now));
        let Ok(begun) = self.begun.get_or_insert_with(sign_in, || Ok::<_, Infallible>(first()));
        begun
    }

    /// How the caller's sign-in began, if that is known.
    pub fn beginning(&self, caller: &Caller) -> Option<Arc<Beginning>> {
        self.begun.get(&SignIn::of(caller))
    }

    /// Compares what a message says of its software itself (`clientInfo`) with what the first one said that said it.
    pub fn introduce(&self, begun: &Beginning, said: &[u8]) -> Changed {
        let said = self.hasher.hash_one(said);
        Changed { client: *begun.introduced.get_or_init(|| said) != said, ..Changed::default() }
    }

    /// Forgets sign-ins that are over.
    pub fn sweep(&self, now: Timestamp) {
        self.begun.retain(|_, begun| !begun.is_over(now));
    }
}

impl SignIn {
    fn of(caller: &Caller) -> Self {
        let told = &caller.authentication;
        let family = told.family.0.clone();
        let signed_in = told.signed_in.filter(|_| family.is_none());
        Self { session: caller.session_key(), family, signed_in }
    }
}

/// The network of an address, as far as changes of it go.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let shift = u32::from(32 - limits::NETWORK_BITS_V4);
            IpAddr::V4((address.to_bits() >> shift << shift).into())
        }
        IpAddr::V6(address) => {
            let shift = u32::from(128 - limits::NETWORK_BITS_V6);
            IpAddr::V6((address.to_bits() >> shift << shift).into())
        }
    }
}

#[cfg(test)]
mod tests;
