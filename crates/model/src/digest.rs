//! Digests over canonical JSON, so that two spellings of one value have one digest.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest;
use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};

/// What a digest's text begins with.
const PREFIX: &str = "sha256:";
/// Bytes of a digest's text.
const TEXT_BYTES: usize = PREFIX.len() + 64;

/// A SHA-256 digest, written as `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Digest([u8; 32]);

/// Why a text is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a digest is `sha256:` and 64 hexadecimal digits")]
pub struct DigestError(());

impl Digest {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self::taken(digest::digest(&digest::SHA256, bytes).as_ref())
    }

    /// The digest of several parts, one after the other.
    pub fn of_parts<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        parts.into_iter().for_each(|part| context.update(part));
        Self::taken(context.finish().as_ref())
    }

    /// The 32 bytes of a hash.
    fn taken(hash: &[u8]) -> Self {
        let mut out = [0; 32];
        out.iter_mut().zip(hash).for_each(|(to, from)| *to = *from);
        Self(out)
    }

    /// The digest of a JSON value in its canonical form (RFC 8785).
    ///
    /// # Errors
    /// When the value has no canonical form: a number that no 64-bit float holds.
    pub fn of_json(value: &serde_json::Value) -> Result<Self, serde_json::Error> {
        Ok(Self::of(&canonical_json(value)?))
    }

    /// A digest from its raw bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The raw bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first eight hexadecimal digits: enough to tell two apart on a screen, never enough to trust.
    pub fn short(&self) -> String {
        self.0.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A JSON value's canonical bytes: RFC 8785, members sorted, no white space, shortest numbers.
///
/// # Errors
/// When a number in it is not finite.
pub fn canonical_json(value: &serde_json::Value) -> Result<Vec<u8>, serde_json::Error> {
    serde_json_canonicalizer::to_vec(value)
}

impl Digest {
    /// Its text. Every receipt holds some of these: loops without a branch, and nothing is allocated.
    fn text(&self) -> [u8; TEXT_BYTES] {
        let digit = |nibble: u8| nibble + if nibble < 10 { b'0' } else { b'a' - 10 };
        let mut text = [0; TEXT_BYTES];
        let (prefix, digits) = text.split_at_mut(PREFIX.len());
        prefix.copy_from_slice(PREFIX.as_bytes());
        for ([high, low], byte) in digits.as_chunks_mut().0.iter_mut().zip(self.0) {
            (*high, *low) = (digit(byte >> 4), digit(byte & 15));
        }
        text
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(str::from_utf8(&self.text()).map_err(|_| fmt::Error)?)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(str::from_utf8(&self.text()).map_err(S::Error::custom)?)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let hex = text.strip_prefix(PREFIX).filter(|hex| hex.len() == 64 && hex.is_ascii());
        let hex = hex.ok_or(DigestError(()))?.as_bytes();
        let mut out = [0; 32];
        for (to, pair) in out.iter_mut().zip(hex.chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| DigestError(()))?;
            if pair.starts_with('+') {
                return Err(DigestError(()));
            }
            *to = u8::from_str_radix(pair, 16).map_err(|_| DigestError(()))?;
        }
        Ok(Self(out))
    }
}

impl TryFrom<String> for Digest {
    type Error = DigestError;

    fn try_from(text: String) -> Result<Self, DigestError> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.to_string()
    }
}

#[cfg(test)]
mod tests;
