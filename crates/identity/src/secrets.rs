//! Reading a secret from where its reference points.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use model::{Secret, SecretReference, limits};
use zeroize::Zeroize;

/// Why a secret could not be read. It names the place, never the content.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The environment variable is not set, or is not text.
    #[error("the environment variable `{0}` is not set")]
    NotSet(String),
    /// The file could not be read.
    #[error("the secret file `{path}` cannot be read")]
    File {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Others than the owner may read the file.
    #[error("the secret file `{path}` can be read by others than its owner: run `chmod 600 {path}`")]
    Exposed {
        /// The file.
        path: String,
    },
    /// There is nothing in it, or too much, or it is not printable text.
    #[error("the secret in `{0}` is empty, too long or not one line of printable text")]
    Unusable(String),
}

/// Reads the secret that `reference` names; a relative file is looked up in `base`.
///
/// # Errors
/// When it cannot be read, when others may read its file, or when it is no single line of visible ASCII.
pub fn read_secret(reference: &SecretReference, base: &Path) -> Result<Secret<String>, SecretError> {
    let text = read_secret_text(reference, base, limits::TOKEN_BYTES_MAX.saturating_add(2))?;
    let line = opened(&text).trim_end_matches(['\r', '\n']);
    let visible = line.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
    if line.is_empty() || line.len() > limits::TOKEN_BYTES_MAX || !visible {
        return Err(SecretError::Unusable(reference.to_string()));
    }
    Ok(Secret::new(line.to_owned()))
}

/// The same for a secret of several lines. Of more than `bytes_max` bytes in a file, one more than that is read.
pub(crate) fn read_secret_text(
    reference: &SecretReference,
    base: &Path,
    bytes_max: usize,
) -> Result<Secret<String>, SecretError> {
    let text = match reference {
        SecretReference::Environment(name) => std::env::var(name).map_err(|_| SecretError::NotSet(name.clone()))?,
        SecretReference::File(path) => read_owned_file(&base.join(path), bytes_max)?,
    };
    Ok(Secret::new(text))
}

fn read_owned_file(path: &Path, bytes_max: usize) -> Result<String, SecretError> {
    let shown = || path.display().to_string();
    let failed = |source| SecretError::File { path: shown(), source };
    let file = File::open(path).map_err(failed)?;
    // Checked on the open file, so that it cannot be swapped between the check and the read.
    if is_exposed(&file).map_err(failed)? {
        return Err(SecretError::Exposed { path: shown() });
    }
    let bytes_max = u64::try_from(bytes_max).unwrap_or(u64::MAX);
    let mut text = String::new();
    file.take(bytes_max.saturating_add(1)).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

#[cfg(unix)]
fn is_exposed(file: &File) -> std::io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    Ok(file.metadata()?.mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_exposed(_: &File) -> std::io::Result<bool> {
    Ok(false)
}

/// What a secret holds: this room is where secrets are opened.
#[expect(clippy::disallowed_methods, reason = "identity is the room that opens secrets")]
pub(crate) fn opened<T: Zeroize>(secret: &Secret<T>) -> &T {
    secret.open()
}

/// The bytes of a secret.
#[expect(clippy::disallowed_methods, reason = "identity is the room that opens secrets")]
pub(crate) fn opened_bytes(secret: &Secret<Vec<u8>>) -> &[u8] {
    secret.open()
}

/// The same as text.
pub(crate) fn opened_text(secret: &Secret<String>) -> &str {
    let text: &String = opened(secret);
    text
}

/// The whole `Authorization` with a token that stands for itself (RFC 6750 §2.1).
pub fn bearer(token: &Secret<String>) -> Secret<String> {
    Secret::new(format!("Bearer {}", opened_text(token)))
}

#[cfg(test)]
mod tests;
