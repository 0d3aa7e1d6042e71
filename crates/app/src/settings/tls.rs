//! `[agents.tls]` and `[admin.tls]`: where TLS ends at the gate itself.

use std::path::PathBuf;

use identity::resource_server::Certificates;
use identity::tls::{Part, Prepared, TlsError, TlsFiles};
use model::SecretReference;
use registry::manifest::Mistake;
use serde::Deserialize;

use super::Loaded;
use super::place::Step::Key;

/// TLS on the agents' listener.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AgentsTls {
    /// The gate's certificate and those between it and its authority, in PEM; relative to the settings file.
    pub certificate: PathBuf,
    /// Where its key is kept, in PEM.
    pub key: SecretReference,
    /// The authorities of clients' certificates, in PEM. Clients are asked for one where this is, and may have none.
    pub client_ca: Option<PathBuf>,
    /// Which of those certificates were taken back (CRLs, in PEM). It is read again when it changes.
    pub client_crl: Option<PathBuf>,
}

/// TLS on the admin listener.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdminTls {
    /// The gate's certificate and those between it and its authority, in PEM; relative to the settings file.
    pub certificate: PathBuf,
    /// Where its key is kept, in PEM.
    pub key: SecretReference,
    /// The authority of the certificate, in PEM, for commands that find the gate by these settings. Without it, those that the
    /// operating system trusts.
    pub authority: Option<PathBuf>,
}

impl Loaded {
    /// Whether clients of the agents' listener are asked for certificates.
    pub(super) fn certificates(&self) -> Certificates {
        let asks = self.settings.agents.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
        if asks { Certificates::Asked } else { Certificates::Unasked }
    }

    /// The TLS of the agents' listener, read; `None` where there is none.
    ///
    /// # Errors
    /// When a file cannot be read, or they do not fit each other.
    pub(crate) fn agents_tls(&self) -> Result<Option<Prepared>, Mistake> {
        let Some(AgentsTls { certificate, key, client_ca, client_crl }) = &self.settings.agents.tls else {
            return Ok(None);
        };
        if client_crl.is_some() && client_ca.is_none() {
            let message = "clients are asked for no certificates that could have been taken back";
            let mistake = self.wrong(&[Key("agents"), Key("tls"), Key("client_crl")], message);
            return Err(mistake.with_hint("name their authorities as `client_ca`"));
        }
        let client_authorities = client_ca.as_ref().map(|path| self.base().join(path));
        let client_revocations = client_crl.as_ref().map(|path| self.base().join(path));
        let files = TlsFiles { client_authorities, client_revocations, ..self.files(certificate, key) };
        self.prepared("agents", files).map(Some)
    }

    /// The same of the admin listener.
    ///
    /// # Errors
    /// When a file cannot be read, or they do not fit each other.
    pub(crate) fn admin_tls(&self) -> Result<Option<Prepared>, Mistake> {
        let Some(AdminTls { certificate, key, authority: _ }) = &self.settings.admin.tls else { return Ok(None) };
        self.prepared("admin", self.files(certificate, key)).map(Some)
    }

    fn files(&self, certificate: &PathBuf, key: &SecretReference) -> TlsFiles {
        let base = self.base().to_owned();
        let (certificate, key) = (base.join(certificate), key.clone());
        TlsFiles { certificate, key, client_authorities: None, client_revocations: None, base }
    }

    fn prepared(&self, listener: &str, files: TlsFiles) -> Result<Prepared, Mistake> {
        Prepared::read(files).map_err(|error| {
            let key = match error.part() {
                Part::Certificate => "certificate",
                Part::Key => "key",
                Part::ClientAuthorities => "client_ca",
                Part::ClientRevocations => "client_crl",
            };
            let mistake = self.wrong(&[Key(listener), Key("tls"), Key(key)], model::with_causes(&error));
            match error {
                TlsError::KeyOfAnother => mistake.with_hint("name the key that the certificate was made with"),
                TlsError::NoCertificate { .. } | TlsError::NoKey(_) => {
                    mistake.with_hint("it begins with a line like `-----BEGIN CERTIFICATE-----`")
                }
                TlsError::NoRevocations { .. } => {
                    mistake.with_hint("it begins with a line like `-----BEGIN X509 CRL-----`")
                }
                TlsError::File { .. }
                | TlsError::TooLarge { .. }
                | TlsError::Secret(_)
                | TlsError::Unusable { .. }
                | TlsError::Authorities(_) => mistake,
            }
        })
    }
}
