//! Who calls, and for whom: short-lived assertions that the gate signs for servers which can check them.
//!
//! A server that takes requests only with one of these refuses what did not come through the gate, and can bind its own checks
//! to the user and the agent. It is no credential: it opens nothing by itself, and is good at one server for
//! [`limits::ASSERTION_SECONDS`].
//!
//! The claims are of RFC 8693 §4.1: `sub` is the person, with the agent as `act`; or the agent that works for nobody; or the
//! gate, where it looks at the server by itself. The keys are published at [`Assertions::KEYS`], to be found by `kid`.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode};
use model::{Clock, Entropy, Secret, SecretReference, SessionKey, limits};
use serde_json::{Map, Value, json};

use crate::jwt::{SigningError, SigningKey, seconds};
use crate::keys::KeySet;
use crate::private::write_private;
use crate::secrets::{SecretError, opened_bytes, opened_text, read_secret};
use crate::site::{self, Site, Visit};

/// The kind of token, so that none is taken for another.
const TYP: &str = "portcullis-assertion+jwt";

/// What the gate calls itself where it acts for nobody.
const GATE: &str = "portcullis";

/// Signs assertions.
pub struct Assertions {
    issuer: String,
    key: SigningKey,
    published: Value,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

/// Why there is no key to sign with.
#[derive(Debug, thiserror::Error)]
pub enum AssertionError {
    /// The file with the key can be neither read nor made.
    #[error("the key of assertions cannot be kept in its file")]
    File(#[from] std::io::Error),
    /// It cannot be read, or others may read it.
    #[error("the key of assertions cannot be read")]
    Read(#[from] SecretError),
    /// It holds no key.
    #[error("the file of the key of assertions holds none: remove it, and a new one is made")]
    Kept,
    /// Nothing can be made or signed.
    #[error("nothing can be signed for servers")]
    Signing(#[from] SigningError),
}

impl Assertions {
    /// The header that servers read.
    pub const HEADER: &str = "portcullis-assertion";
    /// Where the keys are published.
    pub const KEYS: &str = "/.well-known/portcullis-assertion-keys";

    /// Signs as `issuer`, with the key in `file`, which is made if it is not there.
    ///
    /// # Errors
    /// [`AssertionError`].
    pub fn open(
        issuer: String,
        file: &Path,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, AssertionError> {
        if !file.try_exists()? {
            let key = SigningKey::generate()?.pkcs8()?;
            let text = Secret::new(STANDARD.encode(opened_bytes(&key)));
            write_private(file, opened_text(&text).as_bytes())?;
        }
        let text = read_secret(&SecretReference::File(file.to_owned()), Path::new(""))?;
        let kept = STANDARD.decode(opened_text(&text)).map_err(|_| AssertionError::Kept)?;
        let key = SigningKey::from_pkcs8(&Secret::new(kept)).map_err(|_| AssertionError::Kept)?;
        let published = KeySet::of([Arc::clone(key.public())]).published();
        Ok(Self { issuer, key, published, clock, entropy })
    }

    /// The assertion for one request of a caller's, or of the gate's own, to the server at this URL.
    ///
    /// # Errors
    /// When nothing can be signed.
    pub fn sign(&self, audience: &str, caller: Option<&SessionKey>) -> Result<HeaderValue, SigningError> {
        let now = seconds(self.clock.now());
        let mut claims = Map::new();
        for (name, value) in [
            ("iss", json!(self.issuer)),
            ("aud", json!(audience)),
            ("iat", json!(now)),
            ("exp", json!(now.saturating_add(limits::ASSERTION_SECONDS))),
            ("jti", json!(format!("{:032x}", self.entropy.bits()))),
        ] {
            claims.insert(name.to_owned(), value);
        }
        let (subject, agent) = match caller {
            None => (GATE, None),
            Some(SessionKey { agent, user: None, .. }) => (agent.as_str(), None),
            Some(SessionKey { agent, user: Some(user), .. }) => (user.as_str(), Some(agent)),
        };
        let kind = match (caller, agent) {
            (None, _) => "gate",
            (Some(_), None) => "agent",
            (Some(_), Some(_)) => "user",
        };
        claims.insert("sub".to_owned(), subject.into());
        // Names of people, of agents and the gate's own are given by different parties, and may be spelt alike.
        claims.insert("sub_kind".to_owned(), kind.into());
        if let Some(agent) = agent {
            claims.insert("act".to_owned(), json!({ "sub": agent.as_str() }));
        }
        let signed = self.key.sign(TYP, &claims)?;
        let mut value = HeaderValue::try_from(signed).map_err(|_| SigningError::Sign)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

#[async_trait]
impl Site for Assertions {
    fn serves(&self, path: &str) -> bool {
        path == Self::KEYS
    }

    async fn answer(&self, visit: Visit) -> Response<Bytes> {
        if visit.method == Method::GET {
            return site::published(&self.published);
        }
        site::json(StatusCode::METHOD_NOT_ALLOWED, &json!({ "error": "this is read" }))
    }
}

#[cfg(test)]
mod tests;
