//! Values that cannot be printed.

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// A secret: it has no `Debug`, no `Display` and no `Serialize`, compares in constant time and is wiped when dropped.
///
/// INVARIANT: only `identity` calls [`Secret::open`]; `clippy.toml` disallows it elsewhere.
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
    /// Whether `given` is the secret, in time that depends only on the lengths.
    pub fn matches(&self, given: &[u8]) -> bool {
        self.0.as_ref().ct_eq(given).into()
    }
}
