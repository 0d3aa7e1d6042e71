//! The keys by which the gate proves to authorization servers and to its identity provider that it is the client that people
//! registered there (RFC 7523, `private_key_jwt`): nothing that both sides know, and nobody has to change it by hand.
//!
//! They are published at [`ClientKeys::KEYS`], which is what the gate is registered with (`jwks_uri`).

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::Response;
use model::{Clock, Secret, Timestamp, limits};
use serde_json::{Map, Value};

use crate::jwt::{SigningError, seconds};
use crate::outgoing::SignsIn;
use crate::site::{self, Site, Visit};
use crate::succession::{Succession, SuccessionError};

/// The gate's keys as a client.
pub struct ClientKeys {
    keys: Succession,
}

impl ClientKeys {
    /// Where they are published.
    pub const KEYS: &str = "/.well-known/portcullis-client-keys";

    /// The keys in `file`, which is made if it is not there.
    ///
    /// # Errors
    /// [`SuccessionError`].
    pub fn open(file: &Path, clock: Arc<dyn Clock>) -> Result<Self, SuccessionError> {
        Ok(Self { keys: Succession::open(file, clock)? })
    }

    /// The keys, for whoever sees that they follow one another.
    pub fn keys(&self) -> &Succession {
        &self.keys
    }

    /// What the gate proves with that it is `client` (RFC 7523 §3): good at `audience`, for a minute, once.
    ///
    /// # Errors
    /// When nothing can be signed.
    pub(crate) fn prove(&self, client: &str, audience: &str, now: Timestamp) -> Result<Secret<String>, SigningError> {
        let mut id = [0; 16];
        SystemRandom::new().fill(&mut id).map_err(|_| SigningError::Sign)?;
        let now = seconds(now);
        let mut claims = Map::new();
        for (name, value) in [
            ("iss", Value::from(client)),
            ("sub", client.into()),
            ("aud", audience.into()),
            ("jti", URL_SAFE_NO_PAD.encode(id).into()),
            ("iat", now.into()),
            ("exp", now.saturating_add(limits::CODE_MILLISECONDS_MAX / 1_000).into()),
        ] {
            claims.insert(name.to_owned(), value);
        }
        self.keys.signing()?.sign("JWT", &claims).map(Secret::new)
    }
}

impl SignsIn for ClientKeys {
    fn assertion(&self, client: &str, audience: &str, now: Timestamp) -> Option<Secret<String>> {
        self.prove(client, audience, now).ok()
    }
}

#[async_trait]
impl Site for ClientKeys {
    fn serves(&self, path: &str) -> bool {
        path == Self::KEYS
    }

    async fn answer(&self, visit: Visit) -> Response<Bytes> {
        site::only_read(&visit, &self.keys.published())
    }
}
