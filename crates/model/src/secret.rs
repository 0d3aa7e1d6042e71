//! Values that cannot be printed, and the references by which settings name them.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// A secret: it has no `Debug`, no `Display` and no `Serialize`, compares in constant time and is wiped when dropped.
///
/// INVARIANT: only `identity` calls [`Secret::open`], to write credentials into requests, and `sandbox`, in one place, to
/// hand a program what is meant for it; `clippy.toml` disallows it elsewhere.
pub struct Secret<T: Zeroize>(Zeroizing<T>);

impl<T: Zeroize> Secret<T> {
    /// Closes a value up.
    pub fn new(value: T) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The value itself.
    pub fn open(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize + AsRef<[u8]>> Secret<T> {
    /// How many bytes the secret has, to refuse one that could be guessed.
    pub fn bytes(&self) -> usize {
        AsRef::<[u8]>::as_ref(&*self.0).len()
    }

    /// Whether `given` is the secret, in time that depends only on the lengths.
    pub fn matches(&self, given: &[u8]) -> bool {
        self.0.as_ref().ct_eq(given).into()
    }
}

/// Where a secret is kept: settings and manifests name secrets, they never hold them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum SecretReference {
    /// An environment variable of the gate's process.
    Environment(String),
    /// A file whose whole content, without the last line break, is the secret.
    File(PathBuf),
}

/// Why a text names no secret. It does not repeat the text: people paste secrets where references belong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a secret is named as `env:NAME` or `file:PATH`, never written out")]
pub struct SecretReferenceError(());

impl FromStr for SecretReference {
    type Err = SecretReferenceError;

    fn from_str(text: &str) -> Result<Self, SecretReferenceError> {
        match text.split_once(':') {
            Some(("env", name)) if is_variable(name) => Ok(Self::Environment(name.to_owned())),
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            _ => Err(SecretReferenceError(())),
        }
    }
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

impl fmt::Display for SecretReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

impl TryFrom<String> for SecretReference {
    type Error = SecretReferenceError;

    fn try_from(text: String) -> Result<Self, SecretReferenceError> {
        text.parse()
    }
}

impl From<SecretReference> for String {
    fn from(reference: SecretReference) -> String {
        reference.to_string()
    }
}

#[cfg(test)]
mod tests;
