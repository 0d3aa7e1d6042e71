//! The keys by which issuers sign, as they publish them (RFC 7517).
//!
//! [`KeySet`] is one published set, read strictly; [`KeySets`] are an issuer's sets, one after the other, fetched before
//! their time is up. A key says what it may check: its type and, where the issuer says so, its one algorithm. So no
//! token can choose how it is checked.

mod algorithm;
mod key;
mod sets;

use std::sync::Arc;

use model::limits;
use serde_json::{Map, Value};

use crate::json;

pub use algorithm::Algorithm;
pub use key::{Key, KeyFlaw};
pub(crate) use sets::metadata_urls;
pub use sets::{KeySets, KeySource, KeysError, KeysHealth};

/// One set of public keys.
#[derive(Debug, Default)]
pub struct KeySet {
    keys: Vec<Arc<Key>>,
}

/// Why a set is not believed at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeySetFlaw {
    /// The text is no strict JSON object with a list of `keys`.
    #[error("the key set is no strict JSON object with a list of `keys`")]
    Shape,
    /// There are more keys than anybody needs.
    #[error("the key set has more than {} keys", limits::KEYS_PER_SET_MAX)]
    TooMany,
    /// Two keys have one id, so that two readers could take different ones.
    #[error("two keys of the set have one `kid`")]
    Repeated,
    /// A key that everybody can read is no key any more: a private or a symmetric one.
    #[error("the key set publishes a secret key")]
    Secret,
}

impl KeySet {
    /// Reads a published set. Keys for something else than signatures and of types that this gate does not know are
    /// passed over (RFC 7517 §5); so are those too weak to believe.
    ///
    /// # Errors
    /// When the set as a whole cannot be believed.
    pub fn read(bytes: &[u8]) -> Result<Self, KeySetFlaw> {
        let mut set = json::object(bytes, limits::FETCHED_BYTES_MAX).map_err(|_| KeySetFlaw::Shape)?;
        let Some(Value::Array(listed)) = set.remove("keys") else { return Err(KeySetFlaw::Shape) };
        if listed.len() > limits::KEYS_PER_SET_MAX {
            return Err(KeySetFlaw::TooMany);
        }
        let mut keys: Vec<Arc<Key>> = Vec::with_capacity(listed.len());
        for member in listed {
            let Value::Object(member) = member else { return Err(KeySetFlaw::Shape) };
            match Key::read(&member) {
                Ok(key) if key.kid().is_some() && keys.iter().any(|other| other.kid() == key.kid()) => {
                    return Err(KeySetFlaw::Repeated);
                }
                Ok(key) => keys.push(Arc::new(key)),
                Err(KeyFlaw::Secret) => return Err(KeySetFlaw::Secret),
                Err(KeyFlaw::Unusable) => {}
            }
        }
        Ok(Self { keys })
    }

    /// A set of keys that are known already.
    pub fn of(keys: impl IntoIterator<Item = Arc<Key>>) -> Self {
        Self { keys: keys.into_iter().collect() }
    }

    /// The key that a token names, if it may check that algorithm. A token that names none is checked by the only key
    /// for its algorithm; where there are several, none is guessed.
    pub fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<&Arc<Key>> {
        let mut fitting = self.keys.iter().filter(|key| key.fits(algorithm) && (kid.is_none() || key.kid() == kid));
        let found = fitting.next()?;
        fitting.next().is_none().then_some(found)
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether nothing can be checked by it.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The set as it is published.
    pub fn published(&self) -> Value {
        let keys = self.keys.iter().map(|key| Value::Object(key.public()));
        Value::Object(Map::from_iter([("keys".to_owned(), Value::Array(keys.collect()))]))
    }
}

#[cfg(test)]
mod tests;
