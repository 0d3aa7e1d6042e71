//! A certificate of the gate's that one server is shown, and the authorities that are believed there.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use egress::Shows;
use model::{Digest, SecretReference};
use rustls::client::ResolvesClientCert;
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, SignatureScheme};

use super::files::{TlsError, TlsFiles, authorities};

/// Where all of it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownFiles {
    /// The certificate with those between it and its authority, the own one first, in PEM.
    pub certificate: PathBuf,
    /// Where its key is kept, in PEM.
    pub key: SecretReference,
    /// The authorities of the server's certificate, in PEM; those of the system, if there are none.
    pub authorities: Option<PathBuf>,
    /// Where a relative reference to the key starts from.
    pub base: PathBuf,
}

/// A certificate for one server. It is read again when its files change; connections that are open go on.
pub struct ToServer {
    files: TlsFiles,
    id: Digest,
    roots: Option<Arc<RootCertStore>>,
    current: RwLock<(Arc<CertifiedKey>, Digest)>,
}

impl ToServer {
    /// Reads everything.
    ///
    /// # Errors
    /// When a file cannot be read, or the key is not the certificate's.
    pub fn read(files: ShownFiles) -> Result<Arc<Self>, TlsError> {
        let ShownFiles { certificate, key, authorities: theirs, base } = files;
        let roots = theirs.as_deref().map(authorities).transpose()?;
        let names = format!("{certificate:?}\n{key}\n{theirs:?}\n{base:?}");
        let believed =
            roots.iter().flat_map(|roots| &roots.roots).map(|root| Digest::of(root.subject_public_key_info.as_ref()));
        let believed: Vec<String> = believed.map(|digest| digest.to_string()).collect();
        let id = Digest::of(format!("{names}\n{}", believed.join("\n")).as_bytes());
        let files = TlsFiles { certificate, key, client_authorities: None, client_revocations: None, base };
        let current = RwLock::new(files.certified()?);
        Ok(Arc::new(Self { files, id, roots, current }))
    }

    /// Reads the certificate again. Returns whether it is another than before; where it does not fit, nothing changes.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn look(&self) -> Result<bool, TlsError> {
        let next = self.files.certified()?;
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let is_new = current.1 != next.1;
        if is_new {
            *current = next;
        }
        Ok(is_new)
    }

    /// The same for the way to the server.
    pub fn shows(self: &Arc<Self>) -> Shows {
        Shows { id: self.id, certificate: Arc::clone(self) as _, roots: self.roots.clone() }
    }
}

impl fmt::Debug for ToServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ToServer").field("certificate", &self.files.certificate).finish_non_exhaustive()
    }
}

impl ResolvesClientCert for ToServer {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner).0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}
