//! Tokens for whoever holds a key (RFC 9449 §5) or came with a certificate (RFC 8705 §3): what the question was asked with
//! binds what is given.

use model::Challenge;

use super::Facade;
use super::answer::Wrong;
use super::client::Client;
use crate::port::Grant;
use crate::resource_server::proof::{DPOP, Shown};
use crate::site::Visit;

/// What a client showed to hold.
#[derive(Clone, Default)]
pub(super) struct Possession {
    /// The thumbprint of the key that it proved to hold.
    key: Option<String>,
    /// The thumbprint of the certificate that it came with.
    certificate: Option<String>,
    /// Whether somebody vouches for the software that holds the key.
    attested: bool,
}

impl Possession {
    /// The same, where an attester vouches for the key of this thumbprint: it has to be the one that was shown.
    pub(super) fn attested(self, key: Option<&str>) -> Result<Self, Wrong> {
        if key.is_some() && key != self.key.as_deref() {
            return Err(Wrong::client("invalid_dpop_proof", "a DPoP proof by the attested key is needed"));
        }
        Ok(Self { attested: key.is_some(), ..self })
    }

    /// The grant, bound to what is held. One that was promised to a key comes with that key alone.
    pub(super) fn binds(self, grant: Grant) -> Result<Grant, Wrong> {
        if grant.key.is_some() && grant.key != self.key {
            return Err(Wrong::client("invalid_dpop_proof", "it was asked for with another key"));
        }
        Ok(Grant { key: self.key, certificate: self.certificate, attested: self.attested, ..grant })
    }

    /// The same for what was given before: the client still holds what that was bound to. The certificate of a client that is
    /// registered with one may be a newer one of the same name, because such end soon.
    pub(super) fn still_binds(self, client: &Client, grant: &mut Grant) -> Result<(), Wrong> {
        if grant.key.is_some() && grant.key != self.key {
            return Err(Wrong::client("invalid_dpop_proof", "the refresh token is bound to another key"));
        }
        let is_known_by_name = client.certificate.is_some();
        if !is_known_by_name && grant.certificate.is_some() && grant.certificate != self.certificate {
            return Err(Wrong::client("invalid_grant", "the refresh token is bound to another certificate"));
        }
        grant.certificate = self.certificate;
        grant.attested = self.attested;
        Ok(())
    }
}

impl Facade {
    /// What the client showed to hold.
    pub(super) async fn possessed(&self, visit: &Visit) -> Result<Possession, Wrong> {
        let certificate = visit.certificate.as_ref().map(|certificate| certificate.thumbprint().to_owned());
        if !visit.headers.contains_key(DPOP) {
            return Ok(Possession { key: None, certificate, attested: false });
        }
        let url = format!("{}{}", self.issuer(), visit.path);
        let shown =
            Shown { method: visit.method.as_str(), url: &url, headers: &visit.headers, token: None, now: self.now() };
        match self.proofs.check(&shown) {
            Ok(thumbprint) => Ok(Possession { key: Some(thumbprint), certificate, attested: false }),
            Err(refusal) => Err(match refusal.challenge.as_deref() {
                Some(Challenge::Proof { error, nonce }) => Wrong::Proof { error, nonce: nonce.clone() },
                Some(_) | None => Wrong::too_many(),
            }),
        }
    }
}
