//! The keys that sign access tokens: made here, kept sealed, replaced on a schedule, and believed until the last token that
//! they signed is over.

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use http::{HeaderMap, StatusCode};
use model::{Clock, StoreError, Timestamp, limits};
use serde_json::{Map, Value};

use crate::fetch::{Asked, Fetch, FetchError, Fetched};
use crate::jwt::{SigningError, SigningKey};
use crate::keys::KeySet;
use crate::port::{self, KeptKey};
use crate::vault::{Vault, VaultError};

/// What the vault is told that a signing key is for.
const PURPOSE: &str = "façade signing key";

/// The façade's signing keys.
pub struct SigningKeys {
    port: Arc<dyn port::Facade>,
    vault: Vault,
    clock: Arc<dyn Clock>,
    known: RwLock<Known>,
    /// Held by whoever looks for newer keys or makes one.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Clone, Default)]
struct Known {
    /// The newest first.
    keys: Vec<(Arc<SigningKey>, Timestamp)>,
    set: Arc<KeySet>,
}

/// Why there is no key to sign with.
#[derive(Debug, thiserror::Error)]
pub enum SigningKeysError {
    /// The keys that are kept cannot be read, or a new one cannot be kept.
    #[error("the signing keys cannot be read or kept")]
    Store(#[from] StoreError),
    /// They cannot be opened or sealed.
    #[error("the signing keys cannot be opened or sealed")]
    Vault(#[from] VaultError),
    /// What was opened is no key, or none can be made.
    #[error("there is no signing key")]
    Key(#[from] SigningError),
    /// What is kept is no sealed key.
    #[error("what is kept is no sealed signing key")]
    Kept,
}

/// The way to the façade's own keys for whoever checks its tokens here: nothing leaves the process.
pub struct OwnKeys(pub Arc<SigningKeys>);

#[async_trait]
impl Fetch for OwnKeys {
    async fn send(&self, asked: Asked<'_>) -> Result<Fetched, FetchError> {
        // Other replicas make keys too; where they cannot be read, those known are told.
        let set = self.0.refresh().await.unwrap_or_else(|error| {
            let why = model::with_causes(&error);
            tracing::warn!(why, host = asked.url.host_str(), "the signing keys could not be read again");
            self.0.set()
        });
        let body = set.published().to_string().into();
        Ok(Fetched { status: StatusCode::OK, headers: HeaderMap::new(), body })
    }
}

impl SigningKeys {
    /// Opens the keys that are kept, and makes one where there is none that may sign.
    ///
    /// # Errors
    /// When that fails.
    pub(super) async fn open(
        port: Arc<dyn port::Facade>,
        vault: Vault,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SigningKeysError> {
        let keys = Self { port, vault, clock, known: RwLock::default(), turn: tokio::sync::Mutex::default() };
        let kept = keys.port.signing_keys().await?;
        keys.take(kept).await?;
        keys.current().await?;
        Ok(keys)
    }

    /// The key that signs now. One whose time is over is replaced first; where that fails, it goes on signing, because
    /// nobody is safer for nobody signing in.
    pub(super) async fn current(&self) -> Result<Arc<SigningKey>, SigningKeysError> {
        if let Some(key) = self.young() {
            return Ok(key);
        }
        let _turn = self.turn.lock().await;
        if let Some(key) = self.young() {
            return Ok(key);
        }
        let renewed = self.renew().await;
        match (self.young().or_else(|| self.newest()), renewed) {
            (Some(key), Ok(())) => Ok(key),
            (Some(key), Err(error)) => {
                tracing::error!(why = model::with_causes(&error), "the signing key could not be replaced");
                Ok(key)
            }
            (None, Err(error)) => Err(error),
            (None, Ok(())) => Err(SigningKeysError::Kept),
        }
    }

    /// The keys by which tokens are checked: every one whose tokens may still be about.
    pub fn set(&self) -> Arc<KeySet> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner).set)
    }

    /// Reads keys that other replicas made, when a token names one that is not known here.
    ///
    /// # Errors
    /// When they cannot be read or opened.
    pub async fn refresh(&self) -> Result<Arc<KeySet>, SigningKeysError> {
        let _turn = self.turn.lock().await;
        let kept = self.port.signing_keys().await?;
        self.take(kept).await?;
        Ok(self.set())
    }

    /// The same as it is published (RFC 7517 §5).
    pub(super) fn published(&self) -> Value {
        self.set().published()
    }

    /// Signs an access token.
    pub(super) async fn sign(&self, typ: &str, claims: &Map<String, Value>) -> Result<String, SigningKeysError> {
        Ok(self.current().await?.sign(typ, claims)?)
    }

    fn young(&self) -> Option<Arc<SigningKey>> {
        let (known, now) = (self.known.read().unwrap_or_else(PoisonError::into_inner), self.clock.now());
        let (key, made) = known.keys.first()?;
        (now.milliseconds_since(*made) < limits::SIGNING_KEY_MILLISECONDS_MAX).then(|| Arc::clone(key))
    }

    fn newest(&self) -> Option<Arc<SigningKey>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).keys.first().map(|(key, _)| Arc::clone(key))
    }

    async fn renew(&self) -> Result<(), SigningKeysError> {
        let now = self.clock.now();
        let key = SigningKey::generate()?;
        let sealed = self.vault.seal(PURPOSE, &key.pkcs8()?).await?;
        let sealed = Value::String(sealed.to_string());
        let kept = KeptKey { id: key.kid().to_owned(), sealed, made: now };
        let unless_since = now.0.saturating_sub(limits::SIGNING_KEY_MILLISECONDS_MAX).saturating_add(1);
        // Long after the last token of a key is over.
        let forget = now.0.saturating_sub(limits::SIGNING_KEY_MILLISECONDS_MAX.saturating_mul(2));
        let kept = self.port.keep_signing_key(kept, Timestamp(unless_since), Timestamp(forget)).await?;
        self.take(kept).await
    }

    async fn take(&self, kept: Vec<KeptKey>) -> Result<(), SigningKeysError> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut keys = Vec::with_capacity(kept.len());
        for KeptKey { id, sealed, made } in kept {
            let opened = known.keys.iter().find(|(key, _)| key.kid() == id).map(|(key, _)| Arc::clone(key));
            let key = match opened {
                Some(key) => key,
                None => {
                    let sealed = sealed.as_str().and_then(|text| text.parse().ok()).ok_or(SigningKeysError::Kept)?;
                    Arc::new(SigningKey::from_pkcs8(&self.vault.open(PURPOSE, &sealed).await?)?)
                }
            };
            keys.push((key, made));
        }
        let set = Arc::new(KeySet::of(keys.iter().map(|(key, _)| Arc::clone(key.public()))));
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Known { keys, set };
        Ok(())
    }
}
