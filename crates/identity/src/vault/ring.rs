//! Master keys that the gate holds itself: one that wraps, and earlier ones that still unwrap.

use async_trait::async_trait;
use aws_lc_rs::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use model::Secret;
use zeroize::Zeroizing;

use super::{KEY_BYTES, MasterKey, MasterKeyError, Wrapped, cipher};
use crate::secrets::{opened, opened_bytes};

/// What a wrapped key is authenticated with, so that it is taken for nothing else.
const PURPOSE: &[u8] = b"portcullis data key v1";

/// Keys of 32 bytes, written as 64 hexadecimal digits. Under one of them 2^32 data keys may be wrapped before chance makes
/// two nonces alike, and with AES-GCM-SIV (RFC 8452) even that would tell only whether two keys are the same.
pub struct KeyRing {
    current: Key,
    earlier: Vec<Key>,
}

/// Why a text is no master key. It does not repeat the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a master key is 64 hexadecimal digits: `openssl rand -hex 32` makes one")]
pub struct KeyRingError(());

struct Key {
    name: String,
    cipher: LessSafeKey,
}

impl KeyRing {
    /// Wraps with `current`; unwraps with it and with those before it.
    ///
    /// # Errors
    /// When one of them is no key.
    pub fn new(current: &Secret<String>, earlier: &[Secret<String>]) -> Result<Self, KeyRingError> {
        Ok(Self { current: Key::read(current)?, earlier: earlier.iter().map(Key::read).collect::<Result<_, _>>()? })
    }

    fn find(&self, name: &str) -> Result<&Key, MasterKeyError> {
        let mut keys = std::iter::once(&self.current).chain(&self.earlier);
        keys.find(|key| key.name == name).ok_or_else(|| MasterKeyError::Unknown(name.to_owned()))
    }
}

impl Key {
    fn read(text: &Secret<String>) -> Result<Self, KeyRingError> {
        let text = opened(text);
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        if text.len() != 2 * KEY_BYTES {
            return Err(KeyRingError(()));
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let digits =
                pair.iter().map(|digit| char::from(*digit).to_digit(16).and_then(|value| u8::try_from(value).ok()));
            let [Some(high), Some(low)] = digits.collect::<Vec<_>>()[..] else {
                return Err(KeyRingError(()));
            };
            *byte = high << 4 | low;
        }
        // Eight bytes of a digest tell one key from another, and nothing of either.
        let named = digest(&SHA256, &[b"portcullis master key v1".as_slice(), bytes.as_slice()].concat());
        let name = named.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { name, cipher: cipher(bytes.as_slice()).ok_or(KeyRingError(()))? })
    }

    fn wrap(&self, data_key: &[u8]) -> Option<Wrapped> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).ok()?;
        let mut wrapped = data_key.to_vec();
        let used = Nonce::assume_unique_for_key(nonce);
        self.cipher.seal_in_place_append_tag(used, Aad::from(PURPOSE), &mut wrapped).ok()?;
        Some(Wrapped { name: self.name.clone(), bytes: [nonce.as_slice(), &wrapped].concat() })
    }

    fn unwrap(&self, wrapped: &[u8]) -> Option<Secret<Vec<u8>>> {
        let (nonce, wrapped) = wrapped.split_first_chunk::<NONCE_LEN>()?;
        let mut wrapped = Zeroizing::new(wrapped.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let data_key = self.cipher.open_in_place(nonce, Aad::from(PURPOSE), &mut wrapped).ok()?;
        Some(Secret::new(data_key.to_vec()))
    }
}

#[async_trait]
impl MasterKey for KeyRing {
    async fn wrap(&self, data_key: &Secret<Vec<u8>>) -> Result<Wrapped, MasterKeyError> {
        self.current.wrap(opened_bytes(data_key)).ok_or(MasterKeyError::Wraps)
    }

    async fn unwrap(&self, wrapped: &Wrapped) -> Result<Secret<Vec<u8>>, MasterKeyError> {
        self.find(&wrapped.name)?.unwrap(&wrapped.bytes).ok_or(MasterKeyError::Opens)
    }

    fn has_wrapped(&self, wrapped: &Wrapped) -> bool {
        wrapped.name == self.current.name
    }

    async fn rewrap(&self, wrapped: &Wrapped) -> Result<Option<Wrapped>, MasterKeyError> {
        if wrapped.name == self.current.name {
            return Ok(None);
        }
        let data_key = self.unwrap(wrapped).await?;
        self.wrap(&data_key).await.map(Some)
    }
}
