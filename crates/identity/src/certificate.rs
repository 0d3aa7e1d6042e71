//! The certificate that a client showed when it connected, once it was verified ([`crate::tls`] alone makes one).
//!
//! Nothing that a message says is ever taken for one: a header with a certificate in it is a header.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::{CertificateName, Digest};
use rustls::pki_types::CertificateDer;
use webpki::EndEntityCert;

/// A verified certificate of a client's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    thumbprint: String,
    /// The workload that it names, if it names one and nothing else of its kind (SPIFFE X509-SVID §2).
    spiffe: Option<String>,
    /// The hosts that it names, in small letters.
    hosts: Vec<String>,
}

impl Certificate {
    /// Reads what a certificate says; `None` for what is none.
    pub(crate) fn read(der: &CertificateDer<'_>) -> Option<Self> {
        let read = EndEntityCert::try_from(der).ok()?;
        let mut uris = read.valid_uri_names();
        let (first, second) = (uris.next(), uris.next());
        let spiffe = first.filter(|uri| second.is_none() && uri.starts_with("spiffe://")).map(str::to_owned);
        let hosts = read.valid_dns_names().map(str::to_ascii_lowercase).collect();
        let thumbprint = URL_SAFE_NO_PAD.encode(Digest::of(der).as_bytes());
        Some(Self { thumbprint, spiffe, hosts })
    }

    /// What tokens are bound to it by: the SHA-256 of its DER form (RFC 8705 §3.1, `x5t#S256`).
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// Whether it calls its holder so. A name with a `*` in it calls nobody anything.
    pub fn names(&self, name: &CertificateName) -> bool {
        match name {
            CertificateName::Spiffe(id) => self.spiffe.as_deref() == Some(id.as_str()),
            CertificateName::Dns(name) => self.hosts.iter().any(|host| host == name.as_str()),
        }
    }
}

#[cfg(test)]
mod tests;
