//! What the gate presents to a server: a credential of its own, never the caller's.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use model::{Fingerprint, FingerprintKey, Secret, is_reserved_header};

use crate::assertions::Assertions;
use crate::secrets::opened;

/// What the gate presents to one server, ready to be written into requests: a header with a secret value, an assertion of who
/// calls, or both. Values are marked sensitive, so that `http` itself never prints them.
#[derive(Clone, Default)]
pub struct Credential {
    secret: Option<Presented>,
    assertion: Option<HeaderValue>,
}

/// A header with a secret in it.
#[derive(Clone)]
struct Presented {
    name: HeaderName,
    value: HeaderValue,
    /// Where the secret begins in the value, behind the scheme.
    from: usize,
}

/// Why a credential cannot be written as a header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// The name is no header's, or one that the gate sets itself.
    #[error("`{0}` cannot carry a credential: it is no header name, or a header the gate sets itself")]
    Header(String),
    /// The secret does not fit in a header.
    #[error("the secret cannot be written in a header")]
    Value,
}

impl Credential {
    /// A credential sent in `header` as `scheme secret`, or as the bare secret without a scheme.
    ///
    /// # Errors
    /// When the header cannot carry it.
    pub fn new(header: &str, scheme: Option<&str>, secret: &Secret<String>) -> Result<Self, CredentialError> {
        let refused = || CredentialError::Header(header.chars().filter(|c| !c.is_control()).take(80).collect());
        let name = HeaderName::from_bytes(header.as_bytes()).map_err(|_| refused())?;
        if is_reserved_header(name.as_str()) {
            return Err(refused());
        }
        let text = match scheme {
            Some(scheme) => Secret::new(format!("{scheme} {}", opened(secret))),
            None => Secret::new(opened(secret).to_owned()),
        };
        let mut value = HeaderValue::from_str(opened(&text).as_str()).map_err(|_| CredentialError::Value)?;
        value.set_sensitive(true);
        let from = scheme.map_or(0, |scheme| scheme.len() + 1);
        Ok(Self { secret: Some(Presented { name, value, from }), assertion: None })
    }

    /// The same with an assertion of who calls, for one request.
    #[must_use]
    pub fn asserting(self, assertion: HeaderValue) -> Self {
        Self { assertion: Some(assertion), ..self }
    }

    /// By what the secret is known where it should not be; none for one that is too short to be told from other text.
    pub fn fingerprint(&self, key: &FingerprintKey) -> Option<Fingerprint> {
        let Presented { value, from, .. } = self.secret.as_ref()?;
        Fingerprint::of(key, value.as_bytes().get(*from..)?)
    }

    /// Writes the credential into a request's headers, in place of whatever stood there.
    pub fn write(&self, headers: &mut HeaderMap) {
        headers.remove(AUTHORIZATION);
        if let Some(Presented { name, value, .. }) = &self.secret {
            headers.insert(name.clone(), value.clone());
        }
        if let Some(assertion) = &self.assertion {
            headers.insert(Assertions::HEADER, assertion.clone());
        }
    }
}

#[cfg(test)]
mod tests;
