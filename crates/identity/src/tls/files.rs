//! Where a listener's certificate, its key and the authorities of clients are kept, and what is in there.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::{Digest, Secret, SecretReference, limits};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use rustls::server::{ResolvesServerCert, VerifierBuilderError};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{InconsistentKeys, RootCertStore};

use crate::secrets::{SecretError, opened_text, read_secret_text};

/// The files of one listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The gate's certificate with those between it and its authority, the own one first, in PEM.
    pub certificate: PathBuf,
    /// Where the certificate's key is kept, in PEM.
    pub key: SecretReference,
    /// The authorities of clients' certificates, in PEM; clients are asked for none without it.
    pub client_authorities: Option<PathBuf>,
    /// Which of their certificates they have taken back, in PEM; nobody is asked without it.
    pub client_revocations: Option<PathBuf>,
    /// Where a relative reference to the key starts from.
    pub base: PathBuf,
}

/// What an error is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The gate's own certificate.
    Certificate,
    /// Its key.
    Key,
    /// Authorities: of clients, or of the gate for whoever connects to it.
    ClientAuthorities,
    /// Which certificates of clients were taken back.
    ClientRevocations,
}

/// Why a listener can have no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file could not be read.
    #[error("the file `{}` cannot be read", path.display())]
    File {
        /// What was to be in it.
        part: Part,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file is larger than [`limits::CERTIFICATES_BYTES_MAX`].
    #[error("the file `{}` is larger than certificates are", path.display())]
    TooLarge {
        /// What was to be in it.
        part: Part,
        /// The file.
        path: PathBuf,
    },
    /// There is no certificate in a file, or one that is broken.
    #[error("the file `{}` holds no certificates in PEM", path.display())]
    NoCertificate {
        /// Whose were to be in it.
        part: Part,
        /// The file.
        path: PathBuf,
    },
    /// There is no list of certificates that were taken back in a file, or one that cannot be used.
    #[error("the file `{}` holds no usable lists of certificates that were taken back (CRL) in PEM", path.display())]
    NoRevocations {
        /// The file.
        path: PathBuf,
    },
    /// The key could not be read.
    #[error("the key cannot be read")]
    Secret(#[source] SecretError),
    /// What was read is no key.
    #[error("`{0}` holds no private key in PEM")]
    NoKey(SecretReference),
    /// The key belongs to another certificate.
    #[error("the key is not the certificate's")]
    KeyOfAnother,
    /// TLS cannot use it.
    #[error("it cannot be used")]
    Unusable {
        /// Which.
        part: Part,
        /// Why.
        #[source]
        source: rustls::Error,
    },
    /// Clients' certificates cannot be verified by the authorities.
    #[error("the authorities cannot be used")]
    Authorities(#[source] VerifierBuilderError),
}

impl TlsError {
    /// What it is about.
    pub fn part(&self) -> Part {
        match self {
            Self::File { part, .. }
            | Self::TooLarge { part, .. }
            | Self::NoCertificate { part, .. }
            | Self::Unusable { part, .. } => *part,
            Self::Secret(_) | Self::NoKey(_) | Self::KeyOfAnother => Part::Key,
            Self::Authorities(_) => Part::ClientAuthorities,
            Self::NoRevocations { .. } => Part::ClientRevocations,
        }
    }
}

/// What is in the files.
pub(super) struct Read {
    pub(super) certificate: Own,
    pub(super) authorities: Option<RootCertStore>,
    pub(super) revocations: Vec<CertificateRevocationListDer<'static>>,
    pub(super) digest: Digest,
}

/// The gate's certificate with its key.
pub(super) struct Own {
    certified: CertifiedKey,
    provider: Arc<CryptoProvider>,
}

impl Own {
    pub(super) fn provider(&self) -> &Arc<CryptoProvider> {
        &self.provider
    }

    pub(super) fn resolver(self) -> Arc<dyn ResolvesServerCert> {
        Arc::new(SingleCertAndKey::from(self.certified))
    }
}

impl TlsFiles {
    pub(super) fn read(&self) -> Result<Read, TlsError> {
        let chain = bytes(&self.certificate, Part::Certificate)?;
        let key = read_secret_text(&self.key, &self.base, limits::CERTIFICATES_BYTES_MAX).map_err(TlsError::Secret)?;
        let authorities = self.client_authorities.as_deref();
        let authorities = authorities.map(|path| Ok((path, bytes(path, Part::ClientAuthorities)?))).transpose()?;
        let revocations = self.client_revocations.as_deref();
        let revocations = revocations.map(|path| Ok((path, bytes(path, Part::ClientRevocations)?))).transpose()?;
        let beside = [&authorities, &revocations].map(|read| read.as_ref().map(|(_, bytes)| bytes.as_slice()));
        let digest = digest(&chain, &key, beside);
        let certificate = self.own(certificates(&self.certificate, &chain, Part::Certificate)?, &key)?;
        let authorities = authorities.map(|(path, bytes)| roots(path, &bytes)).transpose()?;
        let revocations = revocations.map(|(path, bytes)| lists(path, &bytes)).transpose()?.unwrap_or_default();
        Ok(Read { certificate, authorities, revocations, digest })
    }

    /// The certificate with its key, and the digest of both.
    pub(super) fn certified(&self) -> Result<(Arc<CertifiedKey>, Digest), TlsError> {
        let Read { certificate, digest, .. } = self.read()?;
        Ok((Arc::new(certificate.certified), digest))
    }

    fn own(&self, chain: Vec<CertificateDer<'static>>, key: &Secret<String>) -> Result<Own, TlsError> {
        let key = PrivateKeyDer::from_pem_slice(opened_text(key).as_bytes());
        let key = key.map_err(|_| TlsError::NoKey(self.key.clone()))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let certified = CertifiedKey::from_der(chain, key, &provider).map_err(|source| {
            if source == rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) {
                return TlsError::KeyOfAnother;
            }
            TlsError::Unusable { part: Part::Certificate, source }
        })?;
        Ok(Own { certified, provider })
    }
}

/// The authorities in a file, for whoever connects to a gate whose certificate is of one of them.
///
/// # Errors
/// When the file cannot be read, or holds none.
pub fn authorities(path: &Path) -> Result<Arc<RootCertStore>, TlsError> {
    roots(path, &bytes(path, Part::ClientAuthorities)?).map(Arc::new)
}

fn roots(path: &Path, pem: &[u8]) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for authority in certificates(path, pem, Part::ClientAuthorities)? {
        roots.add(authority).map_err(|source| TlsError::Unusable { part: Part::ClientAuthorities, source })?;
    }
    Ok(roots)
}

fn bytes(path: &Path, part: Part) -> Result<Vec<u8>, TlsError> {
    let failed = |source| TlsError::File { part, path: path.to_owned(), source };
    let bytes_max = u64::try_from(limits::CERTIFICATES_BYTES_MAX).unwrap_or(u64::MAX);
    let mut read = Vec::new();
    File::open(path).and_then(|file| file.take(bytes_max.saturating_add(1)).read_to_end(&mut read)).map_err(failed)?;
    if read.len() > limits::CERTIFICATES_BYTES_MAX {
        return Err(TlsError::TooLarge { part, path: path.to_owned() });
    }
    Ok(read)
}

fn certificates(path: &Path, pem: &[u8], part: Part) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let none = || TlsError::NoCertificate { part, path: path.to_owned() };
    read.ok().filter(|read| !read.is_empty()).ok_or_else(none)
}

/// The lists of certificates that were taken back.
fn lists(path: &Path, pem: &[u8]) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsError> {
    let read: Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(pem).collect();
    let none = || TlsError::NoRevocations { path: path.to_owned() };
    read.ok().filter(|read| !read.is_empty()).ok_or_else(none)
}

/// Of all of it, each by its own digest, so that nothing can move from one file to the next unseen.
fn digest(chain: &[u8], key: &Secret<String>, beside: [Option<&[u8]>; 2]) -> Digest {
    let of = |bytes: &[u8]| Digest::of(bytes);
    let mut parts = Vec::new();
    parts.extend_from_slice(of(chain).as_bytes());
    parts.extend_from_slice(of(opened_text(key).as_bytes()).as_bytes());
    for part in beside {
        parts.push(u8::from(part.is_some()));
        parts.extend_from_slice(part.map(of).as_ref().map_or(&[], |digest| digest.as_bytes()));
    }
    Digest::of(&parts)
}
