//! Tokens for whoever holds a key (RFC 9449 §5): a proof that comes with the question binds what is given to its key.

use model::Challenge;

use super::Facade;
use super::answer::Wrong;
use crate::resource_server::proof::{DPOP, Shown};
use crate::site::Visit;

impl Facade {
    /// The thumbprint of the key that the client proved to hold; none where it shows no proof.
    pub(super) async fn possessed(&self, visit: &Visit) -> Result<Option<String>, Wrong> {
        if !visit.headers.contains_key(DPOP) {
            return Ok(None);
        }
        let url = format!("{}{}", self.issuer(), visit.path);
        let shown =
            Shown { method: visit.method.as_str(), url: &url, headers: &visit.headers, token: None, now: self.now() };
        match self.proofs.check(&shown) {
            Ok(thumbprint) => Ok(Some(thumbprint)),
            Err(refusal) => Err(match refusal.challenge.as_deref() {
                Some(Challenge::Proof { error, nonce }) => Wrong::Proof { error, nonce: nonce.clone() },
                Some(_) | None => Wrong::too_many(),
            }),
        }
    }
}
