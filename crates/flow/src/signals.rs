//! Does this message come as the first one of its sign-in came: from that network, of that software, with that key?
//!
//! A stolen token is used from elsewhere. So do people who travel, and this cannot tell them from thieves: it is evidence, for
//! receipts and for policies that refuse. What counts as one sign-in is what a person can begin anew: the façade's family of
//! tokens, or else the moment at which the person signed in. Where a token tells neither, it is all that the agent and the
//! user send, until they were silent for [`limits::SIGN_IN_IDLE_MILLISECONDS_MAX`]. Each message is compared with the first
//! one, so that whoever was first there is bothered by nobody who comes later.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use model::{Caller, Changed, Hashing, SessionKey, Timestamp, limits};
use moka::sync::Cache;

/// How every sign-in began; the least used are forgotten first.
pub struct Signals {
    begun: Cache<SignIn, Arc<Beginning>, Hashing>,
    /// Names of software are kept as their hashes, under a key of this process.
    hasher: RandomState,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct SignIn {
    session: SessionKey,
    family: Option<Arc<str>>,
    signed_in: Option<Timestamp>,
}

/// The first message of a sign-in.
#[derive(Debug)]
struct Beginning {
    network: IpAddr,
    /// What its `User-Agent` said.
    software: Option<u64>,
    key: Option<Arc<str>>,
    /// What the first message said of its software that said anything itself.
    introduced: OnceLock<u64>,
}

impl Default for Signals {
    fn default() -> Self {
        let idle = Duration::from_millis(limits::SIGN_IN_IDLE_MILLISECONDS_MAX);
        let begun = Cache::builder().max_capacity(limits::SIGN_INS_REMEMBERED_MAX).time_to_idle(idle);
        Self { begun: begun.build_with_hasher(Hashing::default()), hasher: RandomState::new() }
    }
}

impl Signals {
    /// Compares how a message came with how the first one of its sign-in did. `software` is its `User-Agent`.
    pub fn compare(&self, caller: &Caller, address: IpAddr, software: Option<&[u8]>) -> Changed {
        let (network, software) = (network(address), software.map(|text| self.hasher.hash_one(text)));
        let key = &caller.authentication.key.0;
        let first = || Arc::new(Beginning { network, software, key: key.clone(), introduced: OnceLock::new() });
        let sign_in = SignIn::of(caller);
        let begun = match self.begun.get(&sign_in) {
            Some(begun) => begun,
            None => self.begun.get_with(sign_in, first),
        };
        Changed { network: begun.network != network, client: begun.software != software, key: begun.key != *key }
    }

    /// Compares what a message says of its software itself (`clientInfo`).
    pub fn introduce(&self, caller: &Caller, said: &[u8]) -> Changed {
        let said = self.hasher.hash_one(said);
        let begun = self.begun.get(&SignIn::of(caller));
        let client = begun.is_some_and(|begun| *begun.introduced.get_or_init(|| said) != said);
        Changed { client, ..Changed::default() }
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
