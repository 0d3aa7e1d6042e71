//! Says what bytes were without keeping them.
//!
//! A receipt holds no arguments and no answers, but a [`Commitment`] to each: a hash over a salt and the bytes. Who
//! has the bytes and the salt can prove that they are the ones; who has the receipt alone can neither read them nor
//! try guesses. Salts come from one key, each for one receipt and field, so opening one opens no other:
//! `salt = HMAC-SHA-256(key, receipt id ‖ field)`, `hash = SHA-256(salt ‖ bytes)`.

use std::path::Path;

use aws_lc_rs::{digest, hmac};
use model::{Digest, ReceiptId};
use serde::{Deserialize, Serialize};

use crate::files::{self, FileError};

/// What a commitment is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// The arguments as sent to the server.
    Arguments,
    /// The answer as it came back.
    Answer,
}

impl Field {
    fn as_str(self) -> &'static str {
        match self {
            Self::Arguments => "arguments",
            Self::Answer => "answer",
        }
    }
}

/// The promise that certain bytes were seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Commitment {
    /// How many bytes.
    pub bytes: u64,
    /// The hash over the salt and the bytes.
    pub hash: Digest,
}

/// What opens one commitment, and only that one. To be handed out by people who may show what it covers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Salt([u8; 32]);

/// Why bytes are not what a commitment promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the commitment is to other bytes, or the salt belongs to another receipt")]
pub struct Mismatch(());

/// The journal's key for salts.
pub struct Commitments {
    key: hmac::Key,
}

/// A commitment to bytes that come piece by piece.
pub struct Committing {
    hash: digest::Context,
    bytes: u64,
}

impl Commitments {
    /// Reads the key in the journal's directory.
    pub(crate) fn open(directory: &Path) -> Result<Self, FileError> {
        let key = files::read_key(&directory.join(files::COMMITMENTS_KEY))?;
        Ok(Self { key: hmac::Key::new(hmac::HMAC_SHA256, key.as_slice()) })
    }

    /// Commits to `bytes` as the `field` of a receipt. An answer's receipt is its intent.
    pub fn commit(&self, receipt: ReceiptId, field: Field, bytes: &[u8]) -> Commitment {
        let mut committing = self.begin(receipt, field);
        committing.update(bytes);
        committing.finish()
    }

    /// Begins a commitment to bytes that come piece by piece.
    pub fn begin(&self, receipt: ReceiptId, field: Field) -> Committing {
        Committing::salted(self.salt(receipt, field))
    }

    /// The salt that opens one commitment.
    pub fn salt(&self, receipt: ReceiptId, field: Field) -> Salt {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(&receipt.to_bytes());
        context.update(field.as_str().as_bytes());
        Salt(thirty_two(context.sign().as_ref()))
    }
}

impl Committing {
    fn salted(salt: Salt) -> Self {
        let mut hash = digest::Context::new(&digest::SHA256);
        hash.update(&salt.0);
        Self { hash, bytes: 0 }
    }

    /// Adds a piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.hash.update(piece);
        self.bytes = self.bytes.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
    }

    /// The commitment to all of it.
    pub fn finish(self) -> Commitment {
        Commitment { bytes: self.bytes, hash: Digest::from_bytes(thirty_two(self.hash.finish().as_ref())) }
    }
}

impl Commitment {
    /// Checks that the commitment is to exactly these bytes.
    ///
    /// # Errors
    /// When it is not, or the salt is another receipt's or field's.
    pub fn opens(&self, salt: Salt, bytes: &[u8]) -> Result<(), Mismatch> {
        let mut again = Committing::salted(salt);
        again.update(bytes);
        if again.finish() == *self { Ok(()) } else { Err(Mismatch(())) }
    }
}

impl Salt {
    /// The salt as it is handed out: 64 hexadecimal digits.
    pub fn to_hex(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The first 32 bytes of a hash of 32 bytes.
fn thirty_two(hash: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.iter_mut().zip(hash).for_each(|(to, from)| *to = *from);
    out
}

#[cfg(test)]
mod tests;
