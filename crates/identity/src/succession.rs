//! The gate's own keys, one after the other. The next is published for a day before it signs, so that whoever keeps what is
//! published for a while knows it by then; and the last for a day after it signed, so that what it signed is believed.
//!
//! They are in one file, for the gate's owner alone: a line for each, the newest first, with when it was made.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::UNIX_EPOCH;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::{Clock, Secret, SecretReference, Timestamp, limits};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::jwt::{SigningError, SigningKey};
use crate::keys::KeySet;
use crate::private::write_private;
use crate::secrets::{SecretError, opened_bytes, opened_text, read_secret_text};

/// Keys that follow one another.
pub struct Succession {
    file: PathBuf,
    clock: Arc<dyn Clock>,
    /// The newest first; never empty.
    known: RwLock<Vec<Made>>,
}

#[derive(Clone)]
struct Made {
    key: Arc<SigningKey>,
    at: Timestamp,
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum SuccessionError {
    /// Their file can be neither read nor made.
    #[error("the gate's own keys cannot be kept in their file")]
    File(#[from] std::io::Error),
    /// It cannot be read, or others may read it.
    #[error("the gate's own keys cannot be read")]
    Read(#[from] SecretError),
    /// It holds no keys.
    #[error("the file `{}` holds no keys: remove it, and new ones are made", .0.display())]
    Kept(PathBuf),
    /// None can be made.
    #[error("the gate can make no key")]
    Signing(#[from] SigningError),
}

impl Succession {
    /// The keys in `file`, which is made if it is not there.
    ///
    /// # Errors
    /// [`SuccessionError`].
    pub fn open(file: &Path, clock: Arc<dyn Clock>) -> Result<Self, SuccessionError> {
        let known = match file.try_exists()? {
            true => read(file)?,
            false => {
                let first = vec![Made { key: Arc::new(SigningKey::generate()?), at: clock.now() }];
                write(file, &first)?;
                first
            }
        };
        let keys = Self { file: file.to_owned(), clock, known: RwLock::new(known) };
        keys.turn()?;
        Ok(keys)
    }

    /// The key that signs now: the newest that was published for long enough, or the oldest.
    ///
    /// # Errors
    /// Never, but that a caller need not know that there is always one.
    pub fn signing(&self) -> Result<Arc<SigningKey>, SigningError> {
        let (known, now) = (self.known.read().unwrap_or_else(PoisonError::into_inner), self.clock.now());
        let signs = known.iter().find(|made| begins(made) <= now).or_else(|| known.last());
        signs.map(|made| Arc::clone(&made.key)).ok_or(SigningError::Make)
    }

    /// All of them, as they are published.
    pub fn published(&self) -> Value {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        KeySet::of(known.iter().map(|made| Arc::clone(made.key.public()))).published()
    }

    /// Makes the next key if that is due, and forgets those that nobody needs any more. Returns whether anything changed. It
    /// blocks for as long as writing a small file does.
    ///
    /// # Errors
    /// When no key can be made or kept. The keys are as they were then.
    pub fn turn(&self) -> Result<bool, SuccessionError> {
        let now = self.clock.now();
        let before = self.known.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut next = before.clone();
        let is_old = |made: &Made| now.milliseconds_since(made.at) >= limits::SIGNING_KEY_MILLISECONDS_MAX;
        if next.first().is_none_or(is_old) {
            next.insert(0, Made { key: Arc::new(SigningKey::generate()?), at: now });
        }
        // A key is needed until the one after it has signed for so long that nothing of this one can still be about.
        let over =
            |after: &Made| Timestamp(begins(after).0.saturating_add(limits::SIGNING_KEY_AFTER_MILLISECONDS)) <= now;
        let needed = next.iter().position(over).map_or(next.len(), |place| place.saturating_add(1));
        next.truncate(needed);
        let same = |one: &Made, other: &Made| Arc::ptr_eq(&one.key, &other.key);
        if next.len() == before.len() && next.iter().zip(&before).all(|(one, other)| same(one, other)) {
            return Ok(false);
        }
        write(&self.file, &next)?;
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(true)
    }
}

/// When a key begins to sign, where there is one before it.
fn begins(made: &Made) -> Timestamp {
    Timestamp(made.at.0.saturating_add(limits::SIGNING_KEY_AHEAD_MILLISECONDS))
}

fn read(file: &Path) -> Result<Vec<Made>, SuccessionError> {
    let text =
        read_secret_text(&SecretReference::File(file.to_owned()), Path::new(""), limits::SIGNING_KEYS_BYTES_MAX)?;
    let none = || SuccessionError::Kept(file.to_owned());
    let mut known = Vec::new();
    for line in opened_text(&text).lines().filter(|line| !line.is_empty()) {
        // A file of before has one key alone, and was written when that was made.
        let (at, kept) = match line.split_once(' ') {
            Some((at, kept)) => (Timestamp(at.parse().map_err(|_| none())?), kept),
            None => (written(file)?, line),
        };
        let kept = Secret::new(STANDARD.decode(kept).map_err(|_| none())?);
        known.push(Made { key: Arc::new(SigningKey::from_pkcs8(&kept).map_err(|_| none())?), at });
    }
    if known.is_empty() || known.len() > limits::KEYS_PER_SET_MAX || !known.is_sorted_by(|one, next| one.at >= next.at)
    {
        return Err(none());
    }
    Ok(known)
}

fn written(file: &Path) -> Result<Timestamp, SuccessionError> {
    let since = std::fs::metadata(file)?.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX)))
}

fn write(file: &Path, keys: &[Made]) -> Result<(), SuccessionError> {
    let mut text = Zeroizing::new(String::new());
    for Made { key, at } in keys {
        let kept = Zeroizing::new(STANDARD.encode(opened_bytes(&key.pkcs8()?)));
        text.push_str(&at.0.to_string());
        text.push(' ');
        text.push_str(&kept);
        text.push('\n');
    }
    Ok(write_private(file, text.as_bytes())?)
}

#[cfg(test)]
mod tests;
