//! Handles that only their owner can use: what the gate wants to be given back, sealed for whoever it was given to.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::Entropy;
use zeroize::Zeroizing;

use crate::private::write_private;

/// Bytes of a key of AES-256.
const KEY_BYTES: usize = 32;

/// Seals and opens handles, under a key that lives as long as the process, so that a handle of an earlier run is nobody's; or
/// under one that is kept.
pub struct Seal {
    key: LessSafeKey,
    entropy: Arc<dyn Entropy>,
}

/// Why there is no seal.
#[derive(Debug, thiserror::Error)]
#[error("a key could not be made")]
pub struct SealError;

/// Why a key that is kept cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} the key `{}`", path.display())]
pub struct KeptKeyError {
    doing: &'static str,
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl Seal {
    /// A seal with a key of its own.
    ///
    /// # Errors
    /// When the cipher does not take the key.
    pub fn new(entropy: Arc<dyn Entropy>) -> Result<Self, SealError> {
        let key = fresh(&*entropy);
        Self::under(&*key, entropy)
    }

    /// A seal with the key in a file, which is made if it is not there: handles outlive the process.
    ///
    /// # Errors
    /// When the file can be neither read nor made, or holds no key.
    pub fn kept(path: &Path, entropy: Arc<dyn Entropy>) -> Result<Self, KeptKeyError> {
        let failed = |doing| move |source| KeptKeyError { doing, path: path.to_path_buf(), source };
        let key = match std::fs::read(path) {
            Ok(key) => Zeroizing::new(key),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = fresh(&*entropy);
                write_private(path, &*key).map_err(failed("make"))?;
                Zeroizing::new(key.to_vec())
            }
            Err(error) => return Err(failed("read")(error)),
        };
        Self::under(&key, entropy)
            .map_err(|_| failed("use")(io::Error::new(io::ErrorKind::InvalidData, "it is not of 32 bytes")))
    }

    fn under(key: &[u8], entropy: Arc<dyn Entropy>) -> Result<Self, SealError> {
        let unbound = UnboundKey::new(&AES_256_GCM, key).map_err(|_| SealError)?;
        Ok(Self { key: LessSafeKey::new(unbound), entropy })
    }

    /// Seals `content` for `owner`, as text of visible ASCII that fits in a header or a URL. The nonce is random: within
    /// the 2^32 handles that one key may seal (NIST SP 800-38D §8.3), no two are alike.
    pub fn seal(&self, content: u128, owner: &[u8]) -> Option<String> {
        self.seal_text(&content.to_be_bytes(), owner)
    }

    /// The same for bytes of any length.
    pub fn seal_text(&self, content: &[u8], owner: &[u8]) -> Option<String> {
        let mut nonce = [0; NONCE_LEN];
        let fresh = self.entropy.bits().to_ne_bytes();
        nonce.copy_from_slice(fresh.get(..NONCE_LEN)?);
        let mut sealed = content.to_vec();
        let nonce_used = Nonce::assume_unique_for_key(nonce);
        self.key.seal_in_place_append_tag(nonce_used, Aad::from(owner), &mut sealed).ok()?;
        let mut handle = nonce.to_vec();
        handle.append(&mut sealed);
        Some(URL_SAFE_NO_PAD.encode(handle))
    }

    /// What was sealed in `handle` for this very `owner`; `None` for anything else, whatever is wrong with it.
    pub fn open(&self, handle: &str, owner: &[u8]) -> Option<u128> {
        Some(u128::from_be_bytes(self.open_text(handle, owner)?.try_into().ok()?))
    }

    /// The same for bytes of any length.
    pub fn open_text(&self, handle: &str, owner: &[u8]) -> Option<Vec<u8>> {
        let handle = URL_SAFE_NO_PAD.decode(handle).ok()?;
        let (nonce, sealed) = handle.split_first_chunk::<NONCE_LEN>()?;
        let mut sealed = sealed.to_vec();
        let opened =
            self.key.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(owner), &mut sealed).ok()?;
        Some(opened.to_vec())
    }
}

fn fresh(entropy: &dyn Entropy) -> Zeroizing<[u8; KEY_BYTES]> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    for half in key.chunks_exact_mut(size_of::<u128>()) {
        half.copy_from_slice(&entropy.bits().to_ne_bytes());
    }
    key
}

#[cfg(test)]
mod tests;
