//! State that travels through the client and must come back as it left.

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac::{self, HMAC_SHA256, Key};
use aws_lc_rs::rand::SystemRandom;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A key that lives as long as the process: state from before a restart is refused.
pub(crate) struct Seal(Key);

/// The state is not what this process sent.
#[derive(Debug)]
pub(crate) struct Broken;

impl Seal {
    pub(crate) fn new() -> Result<Self, Unspecified> {
        Key::generate(HMAC_SHA256, &SystemRandom::new()).map(Self)
    }

    pub(crate) fn close<T: Serialize>(&self, state: &T) -> Result<String, serde_json::Error> {
        let state = serde_json::to_vec(state)?;
        let tag = hmac::sign(&self.0, &state);
        Ok(format!("{}.{}", URL_SAFE_NO_PAD.encode(&state), URL_SAFE_NO_PAD.encode(tag)))
    }

    pub(crate) fn open<T: DeserializeOwned>(&self, sealed: &str) -> Result<T, Broken> {
        let (state, tag) = sealed.split_once('.').ok_or(Broken)?;
        let state = URL_SAFE_NO_PAD.decode(state).map_err(|_undecodable| Broken)?;
        let tag = URL_SAFE_NO_PAD.decode(tag).map_err(|_undecodable| Broken)?;
        hmac::verify(&self.0, &state, &tag).map_err(|_forged| Broken)?;
        serde_json::from_slice(&state).map_err(|_foreign| Broken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_and_nothing_else_does() {
        let seal = Seal::new().unwrap();
        let sealed = seal.close(&("tool", 1)).unwrap();
        assert_eq!(seal.open::<(String, u8)>(&sealed).unwrap(), ("tool".to_owned(), 1));
        assert!(seal.open::<(String, u8)>(&format!("{sealed}-TAMPERED")).is_err());
        assert!(seal.open::<(String, u8)>("no dot").is_err());
        assert!(Seal::new().unwrap().open::<(String, u8)>(&sealed).is_err());
    }
}
