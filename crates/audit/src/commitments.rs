//! Says what bytes were without keeping them.
//!
//! A receipt holds no arguments and no answers, but a [`Commitment`] to each: a hash over a salt and the bytes. Who
//! has the bytes and the salt can prove that they are the ones; who has the receipt alone can neither read them nor
//! try guesses. Salts come from one key, two for each receipt, so opening one opens no other. They are derived in one step
//! (NIST SP 800-56C Rev. 2, §4.1, option 1): `SHA-256(1 ‖ key ‖ receipt id) = arguments' salt ‖ answer's salt`, where the 1 has
//! four bytes, the key 32 and the id 16: one block. Then `hash = SHA-256(salt ‖ bytes)`.

use std::path::Path;

use model::{Digest, ReceiptId};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::files::{self, FileError};

/// The promise that certain bytes were seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Commitment {
    /// How many bytes.
    pub bytes: u64,
    /// The hash over the salt and the bytes.
    pub hash: Digest,
}

/// Bytes of a salt: nobody tries 2^128 of them.
const SALT_BYTES: usize = 16;

/// What opens one commitment, and only that one. To be handed out by people who may show what it covers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Salt([u8; SALT_BYTES]);

/// The salts of one receipt.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Salts {
    /// For the arguments as sent to the server.
    pub arguments: Salt,
    /// For the answer as it was released. An answer's receipt is its intent.
    pub answer: Salt,
}

/// Why bytes are not what a commitment promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the commitment is to other bytes, or the salt belongs to another receipt")]
pub struct Mismatch(());

/// Bytes that salts are derived from: a counter, the key, a receipt's id.
type Input = Zeroizing<[u8; 52]>;

/// The journal's key for salts.
pub struct Commitments {
    /// What salts are derived from, without a receipt's id.
    input: Input,
}

impl Commitments {
    /// Reads the key in the journal's directory.
    pub(crate) fn open(directory: &Path) -> Result<Self, FileError> {
        let key = files::read_key(&directory.join(files::COMMITMENTS_KEY))?;
        let mut input = Input::new([0; 52]);
        input.iter_mut().zip([0, 0, 0, 1].iter().chain(key.iter())).for_each(|(to, from)| *to = *from);
        Ok(Self { input })
    }

    /// The salts of a receipt.
    pub fn salts(&self, receipt: ReceiptId) -> Salts {
        let mut input = self.input.clone();
        input.iter_mut().rev().zip(receipt.to_bytes().iter().rev()).for_each(|(to, from)| *to = *from);
        let derived = Digest::of(input.as_slice());
        let (mut arguments, mut answer) = ([0; SALT_BYTES], [0; SALT_BYTES]);
        arguments.iter_mut().chain(&mut answer).zip(derived.as_bytes()).for_each(|(to, from)| *to = *from);
        Salts { arguments: Salt(arguments), answer: Salt(answer) }
    }
}

impl Salt {
    /// Commits to `bytes`.
    pub fn commit(self, bytes: &[u8]) -> Commitment {
        let hash = Digest::of_parts([&self.0, bytes]);
        Commitment { bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX), hash }
    }

    /// The salt as it is handed out: 32 hexadecimal digits.
    pub fn to_hex(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Commitment {
    /// Checks that the commitment is to exactly these bytes.
    ///
    /// # Errors
    /// When it is not, or the salt is another one.
    pub fn opens(&self, salt: Salt, bytes: &[u8]) -> Result<(), Mismatch> {
        if salt.commit(bytes) == *self { Ok(()) } else { Err(Mismatch(())) }
    }
}

#[cfg(test)]
mod tests;
