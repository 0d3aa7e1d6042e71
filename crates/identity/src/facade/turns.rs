//! One at a time: for each family of tokens, whoever renews it.

use model::Digest;
use tokio::sync::Mutex;

/// So many families at once never wait for each other, but for those that chance puts in one place.
const PLACES: usize = 256;

/// Where renewals of a family wait for each other.
pub(crate) struct Turns(Vec<Mutex<()>>);

impl Default for Turns {
    fn default() -> Self {
        Self((0..PLACES).map(|_| Mutex::default()).collect())
    }
}

impl Turns {
    /// The place of a family.
    pub(crate) fn of(&self, chain: &Digest) -> &Mutex<()> {
        static NOWHERE: Mutex<()> = Mutex::const_new(());
        let place = chain.as_bytes().first().map_or(0, |byte| usize::from(*byte) % PLACES);
        self.0.get(place).unwrap_or(&NOWHERE)
    }
}
