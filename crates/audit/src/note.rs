//! Signed checkpoints: what the journal was at one moment, so that it cannot become something else.
//!
//! The form is the C2SP one (`tlog-checkpoint`, `signed-note`, Ed25519), which other people's tools read as well:
//! three lines of text, `origin`, `size` and the root in base64, an empty line, and `— origin signature`. A
//! checkpoint that never leaves the machine proves nothing against its owner: give copies to someone else.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::Digest;

use crate::merkle::Hash;

/// The number of Ed25519 among the algorithms of signed notes.
const ED25519_NUMBER: u8 = 1;
/// Bytes in a name of a signer.
const NAME_BYTES_MAX: usize = 256;

/// Lines of a note with one signature in a history, the empty line after it included.
pub(crate) const NOTE_LINES: usize = 6;

/// What a journal was: this many records, with this root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The journal's name.
    pub origin: String,
    /// Records in it.
    pub size: u64,
    /// The root of their tree.
    pub root: Hash,
}

/// Why a text is not a checkpoint that this key signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// It has not the form of a signed note.
    #[error("it is no signed checkpoint")]
    Form,
    /// No signature of this key is on it.
    #[error("this key has not signed it")]
    Unsigned,
    /// The key's signature belongs to another text.
    #[error("the signature does not fit the text")]
    Signature,
    /// The key or its name has another form than `name+hash+key`.
    #[error("a public key is `name+hash+key`, with a name without white space and `+`")]
    Key,
}

/// A public key: who may sign a journal's checkpoints, `name+hash+key` in text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    name: String,
    key: [u8; 32],
}

/// The key pair that signs.
pub(crate) struct Signer {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

impl PublicKey {
    fn new(name: &str, key: &[u8]) -> Result<Self, NoteError> {
        let fits = (1..=NAME_BYTES_MAX).contains(&name.len());
        if !fits || name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+') {
            return Err(NoteError::Key);
        }
        Ok(Self { name: name.to_owned(), key: key.try_into().map_err(|_| NoteError::Key)? })
    }

    /// The journal's name, as its checkpoints bear it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The algorithm and the key.
    fn material(&self) -> Vec<u8> {
        [&[ED25519_NUMBER], self.key.as_slice()].concat()
    }

    /// Four bytes by which a signature line names the key that made it.
    fn hash(&self) -> [u8; 4] {
        let digest = Digest::of(&[self.name.as_bytes(), b"\n", &self.material()].concat());
        let [a, b, c, d, ..] = *digest.as_bytes();
        [a, b, c, d]
    }

    /// Reads a checkpoint that this key signed. Signatures of others are passed over.
    ///
    /// # Errors
    /// When it is no checkpoint, or this key has not signed this text.
    pub fn open(&self, note: &str) -> Result<Checkpoint, NoteError> {
        let (body, signatures) = note.split_once("\n\n").ok_or(NoteError::Form)?;
        let text = format!("{body}\n");
        let mut found = Err(NoteError::Unsigned);
        for line in signatures.lines() {
            let (name, signature) =
                line.strip_prefix("— ").and_then(|rest| rest.split_once(' ')).ok_or(NoteError::Form)?;
            let signature = STANDARD.decode(signature).map_err(|_| NoteError::Form)?;
            let (hash, signature) = signature.split_first_chunk::<4>().ok_or(NoteError::Form)?;
            if name != self.name || *hash != self.hash() {
                continue;
            }
            UnparsedPublicKey::new(&ED25519, &self.key)
                .verify(text.as_bytes(), signature)
                .map_err(|_| NoteError::Signature)?;
            found = Ok(());
        }
        found?;
        Checkpoint::read(body).filter(|checkpoint| checkpoint.origin == self.name).ok_or(NoteError::Form)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hash = u32::from_be_bytes(self.hash());
        write!(f, "{}+{hash:08x}+{}", self.name, STANDARD.encode(self.material()))
    }
}

impl FromStr for PublicKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let (name, rest) = text.trim_end().split_once('+').ok_or(NoteError::Key)?;
        let (_, material) = rest.split_once('+').ok_or(NoteError::Key)?;
        let material = STANDARD.decode(material).map_err(|_| NoteError::Key)?;
        let key = material.strip_prefix(&[ED25519_NUMBER]).ok_or(NoteError::Key)?;
        let key = Self::new(name, key)?;
        if key.to_string() == text.trim_end() { Ok(key) } else { Err(NoteError::Key) }
    }
}

impl Checkpoint {
    /// The text that is signed.
    fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }

    fn read(body: &str) -> Option<Self> {
        let mut lines = body.lines();
        let origin = lines.next()?.to_owned();
        let digits = lines.next()?;
        let size: u64 = digits.parse().ok()?;
        let root = STANDARD.decode(lines.next()?).ok()?;
        let checkpoint = Self { origin, size, root: root.try_into().ok()? };
        // One spelling only: no `+7`, no `007`. Further lines are extensions, which are not ours to read.
        (size.to_string() == digits).then_some(checkpoint)
    }
}

impl Signer {
    /// The key pair of a seed, under a journal's name.
    pub(crate) fn new(origin: &str, seed: &[u8; 32]) -> Result<Self, NoteError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| NoteError::Key)?;
        let public = PublicKey::new(origin, pair.public_key().as_ref())?;
        Ok(Self { pair, public })
    }

    pub(crate) fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The signed checkpoint of a tree.
    pub(crate) fn sign(&self, size: u64, root: Hash) -> String {
        let text = Checkpoint { origin: self.public.name.clone(), size, root }.text();
        let signature = self.pair.sign(text.as_bytes());
        let named = [self.public.hash().as_slice(), signature.as_ref()].concat();
        format!("{text}\n— {} {}\n", self.public.name, STANDARD.encode(named))
    }
}

#[cfg(test)]
mod tests;
