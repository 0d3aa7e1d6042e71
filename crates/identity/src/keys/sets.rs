//! An issuer's key sets, one after the other: fetched before their time is up, kept when that fails.
//!
//! - A set is believed until it is older than the maximum that settings give; it is fetched again long before that, beside
//!   the requests and not in their way.
//! - One fetch at a time: whoever needs its result waits for it, and nobody starts a second one.
//! - A token with a key that nobody knows causes a fetch, because issuers change their keys, but at most one in
//!   [`limits::KEYS_UNKNOWN_MILLISECONDS`], because anybody can invent a key's name.
//! - A fetch that fails, or gives a set that cannot be believed, changes nothing but when the next one is tried.

use std::sync::{Arc, PoisonError, RwLock};

use http::header::CACHE_CONTROL;
use http::{HeaderMap, StatusCode};
use model::{Clock, Digest, Timestamp, limits, with_causes};
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

use super::{KeySet, KeySetFlaw};
use crate::fetch::{Fetch, FetchError, Fetched};
use crate::json;

/// Where an issuer publishes its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// At this URL.
    At(Url),
    /// Where its metadata says: of OpenID Connect Discovery 1.0 §4, or else of RFC 8414 §3. The issuer, as tokens name it.
    Discovered(String),
}

/// Why an issuer's keys cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The issuer is no URL that metadata could be found for.
    #[error("the issuer is no `https` URL without query and fragment")]
    Issuer,
    /// A question to the issuer came to nothing.
    #[error("the issuer cannot be asked for its keys")]
    Fetch(#[from] FetchError),
    /// The issuer answered something else than what was asked for.
    #[error("the issuer answered {0}")]
    Status(StatusCode),
    /// The metadata cannot be believed.
    #[error("the issuer's metadata cannot be believed: {0}")]
    Metadata(&'static str),
    /// The key set cannot be believed.
    #[error("the issuer's key set cannot be believed")]
    Set(#[from] KeySetFlaw),
    /// It failed a moment ago and is not tried yet, or what is known is too old.
    #[error("the issuer's keys could not be fetched lately")]
    Unknown,
}

/// The sets of one issuer.
pub struct KeySets {
    fetch: Arc<dyn Fetch>,
    source: KeySource,
    clock: Arc<dyn Clock>,
    age_milliseconds_max: u64,
    known: RwLock<Known>,
    /// Held by whoever fetches.
    fetching: Mutex<()>,
}

/// What is known at a moment.
#[derive(Clone, Default)]
struct Known {
    set: Option<Arc<KeySet>>,
    /// When the set was fetched.
    fetched: Timestamp,
    /// When it is to be fetched again.
    due: Timestamp,
    /// When somebody fetched last, whatever came of it.
    tried: Option<Timestamp>,
    /// When somebody fetched last because of a key that nobody knew.
    wondered: Option<Timestamp>,
    /// What the set was read from, so that the same one again changes nothing.
    text: Option<Digest>,
    /// Why the last fetch failed, if it did.
    trouble: Option<Arc<str>>,
}

/// A set that was fetched.
struct Read {
    set: KeySet,
    text: Digest,
    /// For how long it is said to be good.
    seconds: u64,
}

/// What operators are told of an issuer's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysHealth {
    /// How many keys are known.
    pub keys: usize,
    /// When they were fetched.
    pub fetched: Option<Timestamp>,
    /// Until when they are believed if they cannot be fetched again.
    pub believed_until: Option<Timestamp>,
    /// Why the last fetch failed, if it did.
    pub trouble: Option<Arc<str>>,
}

impl KeySets {
    /// Nothing known yet. Sets are believed for `age_seconds_max` after they were fetched.
    pub fn new(fetch: Arc<dyn Fetch>, source: KeySource, clock: Arc<dyn Clock>, age_seconds_max: u64) -> Self {
        let age_seconds_max = age_seconds_max.min(limits::KEYS_AGE_SECONDS_MAX);
        let known = RwLock::default();
        let age_milliseconds_max = age_seconds_max.saturating_mul(1_000);
        Self { fetch, source, clock, age_milliseconds_max, known, fetching: Mutex::default() }
    }

    /// The set to check a token by. Waits only where nothing is known that may be believed.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn current(self: &Arc<Self>) -> Result<Arc<KeySet>, KeysError> {
        let (known, now) = (self.known(), self.clock.now());
        let Some(set) = self.believed(&known, now) else { return self.first().await };
        if known.is_due(now) {
            let keys = Arc::clone(self);
            tokio::spawn(async move {
                // Whoever fetches already, or did while this was on its way, does it for everybody.
                let Ok(turn) = keys.fetching.try_lock() else { return };
                if keys.known().is_due(keys.clock.now()) {
                    let _ = keys.fetch(&turn).await;
                }
            });
        }
        Ok(set)
    }

    /// A set that is newer than `seen`, in which a token's key was not found; `None` where there is none, or where one was
    /// looked for a moment ago.
    pub async fn newer(&self, seen: &Arc<KeySet>) -> Option<Arc<KeySet>> {
        let turn = self.fetching.lock().await;
        let (known, now) = (self.known(), self.clock.now());
        let current = self.believed(&known, now)?;
        if !Arc::ptr_eq(&current, seen) {
            return Some(current);
        }
        let lately = |at: Timestamp| now.milliseconds_since(at) < limits::KEYS_UNKNOWN_MILLISECONDS;
        if known.wondered.is_some_and(lately) {
            return None;
        }
        self.known.write().unwrap_or_else(PoisonError::into_inner).wondered = Some(now);
        self.fetch(&turn).await.ok().filter(|set| !Arc::ptr_eq(set, seen))
    }

    /// Whether these keys are the ones to check by, and young enough: what was verified by them counts on.
    pub fn are_in_force(&self, keys: &Arc<KeySet>, now: Timestamp) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let young = now.milliseconds_since(known.fetched) <= self.age_milliseconds_max;
        young && known.set.as_ref().is_some_and(|set| Arc::ptr_eq(set, keys))
    }

    /// What operators are told.
    pub fn health(&self) -> KeysHealth {
        let Known { set, fetched, trouble, .. } = self.known();
        let keys = set.as_ref().map_or(0, |set| set.len());
        let fetched = set.map(|_| fetched);
        let until = |at: Timestamp| Timestamp(at.0.saturating_add(self.age_milliseconds_max));
        KeysHealth { keys, fetched, believed_until: fetched.map(until), trouble }
    }

    fn known(&self) -> Known {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn believed(&self, known: &Known, now: Timestamp) -> Option<Arc<KeySet>> {
        let young = now.milliseconds_since(known.fetched) <= self.age_milliseconds_max;
        known.set.clone().filter(|_| young)
    }

    /// Waits for a fetch, its own or somebody else's, where nothing is known that may be believed.
    async fn first(&self) -> Result<Arc<KeySet>, KeysError> {
        let turn = self.fetching.lock().await;
        let (known, now) = (self.known(), self.clock.now());
        if let Some(set) = self.believed(&known, now) {
            return Ok(set);
        }
        if !known.may_try(now, limits::KEYS_RETRY_MILLISECONDS) {
            return Err(KeysError::Unknown);
        }
        self.fetch(&turn).await
    }

    async fn fetch(&self, _turn: &tokio::sync::MutexGuard<'_, ()>) -> Result<Arc<KeySet>, KeysError> {
        let asked = self.ask().await;
        let now = self.clock.now();
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.tried = Some(now);
        match asked {
            Ok(Read { set, text, seconds }) => {
                // The same text is the same set: what was verified by it counts on.
                let same = known.set.clone().filter(|_| known.text == Some(text));
                let set = same.unwrap_or_else(|| Arc::new(set));
                known.text = Some(text);
                // Half the age at most, so that a failure has time to pass before anybody is refused.
                let wait = seconds.saturating_mul(1_000).min(self.age_milliseconds_max / 2);
                known.set = Some(Arc::clone(&set));
                known.fetched = now;
                known.due = Timestamp(now.0.saturating_add(wait));
                known.trouble = None;
                Ok(set)
            }
            Err(error) => {
                let why = with_causes(&error);
                tracing::warn!(why, "an issuer's keys could not be fetched: those known are kept for now");
                known.trouble = Some(why.into());
                Err(error)
            }
        }
    }

    async fn ask(&self) -> Result<Read, KeysError> {
        let url = match &self.source {
            KeySource::At(url) => url.clone(),
            KeySource::Discovered(issuer) => self.discovered(issuer).await?,
        };
        let Fetched { status, headers, body } =
            self.fetch.get(&url, "application/jwk-set+json, application/json").await?;
        if status != StatusCode::OK {
            return Err(KeysError::Status(status));
        }
        let set = KeySet::read(&body)?;
        if set.is_empty() {
            return Err(KeysError::Metadata("no key of the set can check signatures"));
        }
        Ok(Read { set, text: Digest::of(&body), seconds: good_for(&headers) })
    }

    async fn discovered(&self, issuer: &str) -> Result<Url, KeysError> {
        let mut last = KeysError::Issuer;
        for url in metadata_urls(issuer).ok_or(KeysError::Issuer)? {
            let Fetched { status, body, .. } = self.fetch.get(&url, "application/json").await?;
            if status == StatusCode::OK {
                return key_set_url(issuer, &body);
            }
            last = KeysError::Status(status);
        }
        Err(last)
    }
}

impl Known {
    fn is_due(&self, now: Timestamp) -> bool {
        self.due <= now && self.may_try(now, limits::KEYS_RETRY_MILLISECONDS)
    }

    fn may_try(&self, now: Timestamp, pause_milliseconds: u64) -> bool {
        self.tried.is_none_or(|tried| now.milliseconds_since(tried) >= pause_milliseconds)
    }
}

/// Where an issuer's metadata may be: appended (OpenID Connect Discovery 1.0 §4) or put in between (RFC 8414 §3.1).
pub(crate) fn metadata_urls(issuer: &str) -> Option<Vec<Url>> {
    let url = Url::parse(issuer).ok().filter(|url| url.query().is_none() && url.fragment().is_none())?;
    let path = url.path().trim_end_matches('/');
    let at = |path: String| {
        let mut found = url.clone();
        found.set_path(&path);
        found
    };
    Some(vec![
        at(format!("{path}/.well-known/openid-configuration")),
        at(format!("/.well-known/oauth-authorization-server{path}")),
    ])
}

/// The key set's URL of metadata that speaks for that very issuer.
fn key_set_url(issuer: &str, body: &[u8]) -> Result<Url, KeysError> {
    let strict = json::object(body, limits::FETCHED_BYTES_MAX);
    let metadata = strict.map_err(|_| KeysError::Metadata("it is no strict JSON object"))?;
    // Compared as text, so that nobody's metadata speaks for somebody of a similar name (RFC 8414 §3.3).
    if metadata.get("issuer").and_then(Value::as_str) != Some(issuer) {
        return Err(KeysError::Metadata("it speaks for another issuer"));
    }
    let url = metadata.get("jwks_uri").and_then(Value::as_str).and_then(|url| Url::parse(url).ok());
    url.ok_or(KeysError::Metadata("it has no `jwks_uri`"))
}

/// For how many seconds an answer says that it is good, within what the gate takes.
fn good_for(headers: &HeaderMap) -> u64 {
    let said = headers.get(CACHE_CONTROL).and_then(|value| value.to_str().ok()).and_then(|directives| {
        let age = directives.split(',').find_map(|directive| directive.trim().strip_prefix("max-age="))?;
        age.parse::<u64>().ok()
    });
    said.unwrap_or(limits::KEYS_REFRESH_SECONDS).clamp(limits::KEYS_REFRESH_SECONDS_MIN, limits::KEYS_AGE_SECONDS)
}

#[cfg(test)]
mod tests;
