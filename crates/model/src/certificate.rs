//! What a certificate calls whoever holds it: a workload of a trust domain, or a host.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::limits;

/// The one name by which an agent's certificate is known, written as `{ spiffe = "…" }` or `{ dns = "…" }`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CertificateName {
    /// A workload's identity.
    Spiffe(SpiffeId),
    /// A host's name.
    Dns(DnsName),
}

impl fmt::Display for CertificateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spiffe(id) => f.write_str(id.as_str()),
            Self::Dns(name) => f.write_str(name.as_str()),
        }
    }
}

/// Why a text is no name of a certificate's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateNameError {
    /// It is no SPIFFE ID.
    #[error(
        "a SPIFFE ID is `spiffe://DOMAIN/PATH`: a domain of a-z, 0-9, `.`, `-` and `_`, and a path without empty or dotted parts"
    )]
    Spiffe,
    /// It is no name of one host.
    #[error("a host's name is labels of a-z, 0-9 and `-` with dots between; neither an address nor a `*`")]
    Dns,
}

/// A workload's identity (SPIFFE-ID §2): it is compared as text, so there is one way to write it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SpiffeId(String);

/// The name of one host, in small letters. It stands for no other host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DnsName(String);

impl SpiffeId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl DnsName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SpiffeId {
    type Err = CertificateNameError;

    fn from_str(text: &str) -> Result<Self, CertificateNameError> {
        let is_id =
            text.strip_prefix("spiffe://").and_then(|rest| rest.split_once('/')).is_some_and(|(domain, path)| {
                let in_domain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_');
                let in_path = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
                let is_part = |part: &str| !matches!(part, "" | "." | "..") && part.bytes().all(in_path);
                !domain.is_empty() && domain.bytes().all(in_domain) && path.split('/').all(is_part)
            });
        let fits = is_id && text.len() <= limits::SPIFFE_ID_BYTES_MAX;
        fits.then(|| Self(text.to_owned())).ok_or(CertificateNameError::Spiffe)
    }
}

impl FromStr for DnsName {
    type Err = CertificateNameError;

    fn from_str(text: &str) -> Result<Self, CertificateNameError> {
        let name = text.to_ascii_lowercase();
        let is_label = |label: &str| {
            let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            let edges = [label.bytes().next(), label.bytes().next_back()];
            let is_short = label.len() <= limits::LABEL_BYTES_MAX;
            is_short && label.bytes().all(inside) && edges.iter().all(|edge| edge.is_some_and(|byte| byte != b'-'))
        };
        // The last label of an address is a number, and that of no host is.
        let is_address = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
        let fits = name.len() <= limits::HOST_BYTES_MAX && name.split('.').all(is_label) && !is_address;
        fits.then_some(Self(name)).ok_or(CertificateNameError::Dns)
    }
}

impl TryFrom<String> for SpiffeId {
    type Error = CertificateNameError;

    fn try_from(text: String) -> Result<Self, CertificateNameError> {
        text.parse()
    }
}

impl TryFrom<String> for DnsName {
    type Error = CertificateNameError;

    fn try_from(text: String) -> Result<Self, CertificateNameError> {
        text.parse()
    }
}

impl From<SpiffeId> for String {
    fn from(id: SpiffeId) -> String {
        id.0
    }
}

impl From<DnsName> for String {
    fn from(name: DnsName) -> String {
        name.0
    }
}

#[cfg(test)]
mod tests;
