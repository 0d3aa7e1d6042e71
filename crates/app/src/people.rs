//! People's sign-in on the admin side, wired: the entrance over the store and their identity provider.

use std::net::SocketAddr;
use std::sync::Arc;

use egress::Reach;
use identity::client_keys::ClientKeys;
use identity::fetch::Outbound;
use identity::people::{Entrance, FirstCode, Needs, Terms};
use identity::relying::{Provider, Relying};
use identity::vault::Vault;
use identity::{Seal, port};
use model::{Clock, Entropy, limits};

use crate::settings::{Bootstrap, Loaded};

/// What settings ask for, read and checked.
pub(crate) struct Wanted {
    terms: Terms,
    provider: Provider,
    reach: Reach,
    keys_age: u64,
}

/// What it is built from.
pub(crate) struct Around {
    /// Its memory.
    pub port: Arc<dyn port::People>,
    /// What seals the provider's refresh tokens.
    pub vault: Vault,
    /// The way out.
    pub egress: egress::Client,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

/// Reads what settings ask for; `None` where nobody signs in.
///
/// # Errors
/// When a secret cannot be read.
pub(crate) fn wanted(loaded: &Loaded, bound: SocketAddr, own: &Arc<ClientKeys>) -> anyhow::Result<Option<Wanted>> {
    let Some((terms, provider, reach)) = loaded.entrance(bound, own)? else { return Ok(None) };
    let keys_age = loaded.settings.people.as_ref().map_or(limits::KEYS_AGE_SECONDS, |people| people.keys_age_seconds);
    Ok(Some(Wanted { terms, provider, reach, keys_age }))
}

impl Wanted {
    /// Opens the entrance. Where a code is the first administrator's way in, a new one lies in its file.
    ///
    /// # Errors
    /// When the code cannot be written.
    pub(crate) fn open(self, loaded: &Loaded, around: Around) -> anyhow::Result<Arc<Entrance>> {
        let Self { terms, provider, reach, keys_age } = self;
        let Around { port, vault, egress, clock, entropy } = around;
        let fetch = Arc::new(Outbound::new(&egress, "people's identity provider", &reach));
        let relying = Relying::new(provider, fetch, Arc::clone(&clock), keys_age);
        let first = first(loaded, &terms, &*entropy, &*clock)?;
        // Who was on the way when the gate stopped begins again.
        let seal = Arc::new(Seal::new(Arc::clone(&entropy))?);
        Ok(Arc::new(Entrance::new(Needs { terms, port, relying, vault, first, seal, clock, entropy })))
    }
}

/// Goes by other terms from now on.
pub(crate) fn take(entrance: Option<&Entrance>, loaded: &Loaded, bound: SocketAddr) {
    if let (Some(entrance), Some(terms)) = (entrance, loaded.entrance_terms(bound)) {
        entrance.take(terms);
    }
}

fn first(
    loaded: &Loaded,
    terms: &Terms,
    entropy: &dyn Entropy,
    clock: &dyn Clock,
) -> anyhow::Result<Option<FirstCode>> {
    let file = loaded.first_code_file();
    let people = loaded.settings.people.as_ref();
    let has_others = people.is_some_and(super::settings::people::People::names_administrators);
    if loaded.settings.admin.bootstrap != Bootstrap::Code || has_others {
        FirstCode::forget(&file)?;
        return Ok(None);
    }
    let code = FirstCode::write(&file, entropy, clock.now())?;
    anstream::println!(
        "no group has administrators yet: for an hour, whoever signs in with the code in {} is one, once:\n  \
         portcullis login --admin {} --first {}",
        file.display(),
        terms.url,
        file.display()
    );
    Ok(Some(code))
}
