//! A master key that a key service holds: the transit engine of `HashiCorp` Vault or `OpenBao`. Data keys go there to be wrapped
//! and come back opened; the master key never leaves it.
//!
//! What was opened once is remembered, and while the service is away the data key that it wrapped last seals what has to be
//! sealed: a token that was renewed must not be lost because a service is restarted. A gate that starts meanwhile knows
//! nothing yet, and does not start.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use model::{Digest, Secret, SecretReference, limits, with_causes};
use serde_json::{Value, json};
use url::Url;

use super::{KEY_BYTES, KeyRing, MasterKey, MasterKeyError, Wrapped, random_key};
use crate::fetch::{Fetch, Fetched};
use crate::json;
use crate::secrets::{bearer, opened_bytes, opened_text, read_secret};

/// Where the master key is.
pub struct TransitPlace {
    /// The service: `https://vault.example:8200`.
    pub url: Url,
    /// Where its transit engine is mounted.
    pub mount: String,
    /// The key there.
    pub key: String,
    /// Where the token is kept by which the service knows the gate. It is read again when the service does not take it.
    pub token: SecretReference,
    /// Where a relative reference to it starts from.
    pub base: PathBuf,
}

/// The master key, as the gate uses it.
pub struct Transit {
    place: TransitPlace,
    /// What its records are known by.
    name: String,
    fetch: Arc<dyn Fetch>,
    /// Keys that the gate held itself before.
    earlier: Option<KeyRing>,
    token: Mutex<Option<Arc<Secret<String>>>>,
    opened: Mutex<HashMap<Digest, Secret<Vec<u8>>>>,
    /// The data key that was wrapped last.
    last: Mutex<Option<(Secret<Vec<u8>>, Wrapped)>>,
}

/// What the service is asked to do.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Encrypt,
    Decrypt,
    Rewrap,
}

impl Deed {
    fn word(self) -> &'static str {
        match self {
            Self::Encrypt => "encrypt",
            Self::Decrypt => "decrypt",
            Self::Rewrap => "rewrap",
        }
    }
}

impl Transit {
    /// The key at `place`, which is reached over `fetch`, and those before it.
    pub fn new(place: TransitPlace, fetch: Arc<dyn Fetch>, earlier: Option<KeyRing>) -> Self {
        let name = format!("transit {}/{}", place.mount, place.key);
        let (token, opened, last) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { place, name, fetch, earlier, token, opened, last }
    }

    /// One answer of the service: the member of its `data` that is wanted.
    async fn ask(&self, deed: Deed, body: &Value, wanted: &str) -> Result<Secret<String>, MasterKeyError> {
        let mut url = self.place.url.clone();
        let path = ["v1", &self.place.mount, deed.word(), &self.place.key];
        let none = || MasterKeyError::Service("its URL cannot have a path".to_owned());
        url.path_segments_mut().map_err(|()| none())?.pop_if_empty().extend(path);
        let known = locked(&self.token).clone();
        let was_known = known.is_some();
        let token = known.map_or_else(|| self.read_token(), Ok)?;
        let mut fetched = self.post(&url, body, &token).await?;
        if was_known && fetched.status == StatusCode::FORBIDDEN {
            // Whoever renews the token for the gate has written another one.
            fetched = self.post(&url, body, &*self.read_token()?).await?;
        }
        if fetched.status != StatusCode::OK {
            return Err(MasterKeyError::Service(format!("it answers {}", fetched.status.as_u16())));
        }
        let unreadable = || MasterKeyError::Service("its answer is none that can be read".to_owned());
        let answer = json::object(&fetched.body, limits::FETCHED_BYTES_MAX).map_err(|_| unreadable())?;
        let text = answer.get("data").and_then(|data| data.get(wanted)).and_then(Value::as_str);
        text.map(|text| Secret::new(text.to_owned())).ok_or_else(unreadable)
    }

    async fn post(&self, url: &Url, body: &Value, token: &Secret<String>) -> Result<Fetched, MasterKeyError> {
        let posted = self.fetch.post_json(url, body, Some(&bearer(token))).await;
        posted.map_err(|error| MasterKeyError::Service(with_causes(&error)))
    }

    fn read_token(&self) -> Result<Arc<Secret<String>>, MasterKeyError> {
        let read = read_secret(&self.place.token, &self.place.base);
        let read = Arc::new(read.map_err(|error| MasterKeyError::Service(with_causes(&error)))?);
        *locked(&self.token) = Some(Arc::clone(&read));
        Ok(read)
    }

    fn wrapped(&self, ciphertext: &Secret<String>) -> Wrapped {
        Wrapped { name: self.name.clone(), bytes: opened_text(ciphertext).as_bytes().to_vec() }
    }

    async fn open(&self, wrapped: &Wrapped) -> Result<Secret<Vec<u8>>, MasterKeyError> {
        let ciphertext = std::str::from_utf8(&wrapped.bytes).map_err(|_| MasterKeyError::Opens)?;
        let plaintext = self.ask(Deed::Decrypt, &json!({ "ciphertext": ciphertext }), "plaintext").await?;
        let data_key = Secret::new(STANDARD.decode(opened_text(&plaintext)).map_err(|_| MasterKeyError::Opens)?);
        if opened_bytes(&data_key).len() == KEY_BYTES { Ok(data_key) } else { Err(MasterKeyError::Opens) }
    }

    /// Remembers what a wrapped key holds, and forgets everything first where that is too much.
    fn remember(&self, wrapped: &Wrapped, data_key: &Secret<Vec<u8>>) {
        let mut known = locked(&self.opened);
        if known.len() >= limits::DATA_KEYS_HELD_MAX {
            known.clear();
        }
        known.insert(Digest::of(&wrapped.bytes), copied(data_key));
    }
}

#[async_trait]
impl MasterKey for Transit {
    async fn fresh(&self) -> Result<(Secret<Vec<u8>>, Wrapped), MasterKeyError> {
        let data_key = random_key().ok_or(MasterKeyError::Wraps)?;
        match self.wrap(&data_key).await {
            Ok(wrapped) => {
                *locked(&self.last) = Some((copied(&data_key), wrapped.clone()));
                Ok((data_key, wrapped))
            }
            Err(error) => {
                let last = locked(&self.last).as_ref().map(|(data_key, wrapped)| (copied(data_key), wrapped.clone()));
                let why = with_causes(&error);
                let last = last.ok_or(error)?;
                tracing::warn!(why, "the key service is away: what is sealed meanwhile shares a data key");
                Ok(last)
            }
        }
    }

    async fn wrap(&self, data_key: &Secret<Vec<u8>>) -> Result<Wrapped, MasterKeyError> {
        let body = json!({ "plaintext": STANDARD.encode(opened_bytes(data_key)) });
        let wrapped = self.wrapped(&self.ask(Deed::Encrypt, &body, "ciphertext").await?);
        self.remember(&wrapped, data_key);
        Ok(wrapped)
    }

    async fn unwrap(&self, wrapped: &Wrapped) -> Result<Secret<Vec<u8>>, MasterKeyError> {
        if wrapped.name != self.name {
            return match &self.earlier {
                Some(earlier) => earlier.unwrap(wrapped).await,
                None => Err(MasterKeyError::Unknown(wrapped.name.clone())),
            };
        }
        if let Some(known) = locked(&self.opened).get(&Digest::of(&wrapped.bytes)) {
            return Ok(copied(known));
        }
        let data_key = self.open(wrapped).await?;
        self.remember(wrapped, &data_key);
        Ok(data_key)
    }

    async fn check(&self) -> Result<(), MasterKeyError> {
        let (data_key, wrapped) = self.fresh().await?;
        // Asked, and not remembered.
        let opened = self.open(&wrapped).await?;
        if opened.matches(opened_bytes(&data_key)) { Ok(()) } else { Err(MasterKeyError::Opens) }
    }

    fn has_wrapped(&self, wrapped: &Wrapped) -> bool {
        wrapped.name == self.name
    }

    async fn rewrap(&self, wrapped: &Wrapped) -> Result<Option<Wrapped>, MasterKeyError> {
        if wrapped.name != self.name {
            let data_key = self.unwrap(wrapped).await?;
            return self.wrap(&data_key).await.map(Some);
        }
        let ciphertext = std::str::from_utf8(&wrapped.bytes).map_err(|_| MasterKeyError::Opens)?;
        let next = self.wrapped(&self.ask(Deed::Rewrap, &json!({ "ciphertext": ciphertext }), "ciphertext").await?);
        let version = |bytes: &[u8]| bytes.split(|byte| *byte == b':').nth(1).map(<[u8]>::to_vec);
        if version(&next.bytes) == version(&wrapped.bytes) {
            return Ok(None);
        }
        let known = locked(&self.opened).get(&Digest::of(&wrapped.bytes)).map(copied);
        if let Some(data_key) = known {
            self.remember(&next, &data_key);
        }
        Ok(Some(next))
    }
}

fn copied(data_key: &Secret<Vec<u8>>) -> Secret<Vec<u8>> {
    Secret::new(opened_bytes(data_key).to_vec())
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
