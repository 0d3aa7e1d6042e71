//! TLS on the gate's own listeners: its certificate, and the certificates of clients. What the gate itself shows to servers is
//! in [`ToServer`].
//!
//! [`TlsFiles`] says where everything is kept, [`Prepared`] is all of it read and fitting together, and a [`Tls`] takes one
//! after another while it serves: connections that are open go on by what they began with. A listener may ask clients for
//! certificates. Whoever shows none is served all the same, and is known by its token alone; whoever shows one that is not
//! good is not served. A certificate is looked at again for as long as its connection is open ([`Tls::distrusts`]), so that
//! an authority that is taken away, and an end that comes, count for connections too.

mod files;
mod shown;

use std::sync::Arc;
use std::time::Duration;

use model::{Digest, limits};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, VerifierBuilderError, WebPkiClientVerifier};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::certificate::Certificate;
pub use files::{Part, TlsError, TlsFiles, authorities};
pub use shown::{ShownFiles, ToServer};

/// How long a client may take to agree on TLS.
const PATIENCE: Duration = Duration::from_millis(limits::HANDSHAKE_MILLISECONDS_MAX);
/// How often a certificate is looked at again.
const LOOK: Duration = Duration::from_millis(limits::CERTIFICATE_TRUST_MILLISECONDS);

/// What a listener goes by, read whole.
pub struct Prepared {
    config: Arc<ServerConfig>,
    /// Who says whether a client's certificate is good, if clients are asked for one.
    verifier: Option<Arc<dyn ClientCertVerifier>>,
    files: TlsFiles,
    /// Of everything that was read.
    digest: Digest,
}

/// A listener's TLS, which may change while it serves.
pub struct Tls {
    state: watch::Sender<Arc<Prepared>>,
}

/// A connection that TLS was agreed on for.
pub struct Secured {
    /// What is said on it.
    pub stream: TlsStream<TcpStream>,
    /// What the client showed, if it showed anything.
    pub shown: Option<Shown>,
}

/// A client's certificate, with what it came with.
#[derive(Clone)]
pub struct Shown {
    /// The certificate.
    pub certificate: Arc<Certificate>,
    chain: Arc<[CertificateDer<'static>]>,
}

/// Why a connection came to nothing. It is a stranger's, so it is told to operators alone.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    /// TLS was not agreed on.
    #[error("no TLS was agreed on")]
    Refused(#[source] std::io::Error),
    /// It took longer than [`limits::HANDSHAKE_MILLISECONDS_MAX`].
    #[error("TLS was not agreed on in time")]
    TooSlow,
    /// A certificate was verified that cannot be read.
    #[error("the client's certificate cannot be read")]
    Unreadable,
}

impl Prepared {
    /// Reads everything.
    ///
    /// # Errors
    /// When a file cannot be read, or the key is not the certificate's.
    pub fn read(files: TlsFiles) -> Result<Self, TlsError> {
        let files::Read { certificate, authorities, revocations, digest } = files.read()?;
        let provider = Arc::clone(certificate.provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::Unusable { part: Part::Certificate, source: error })?;
        let verifier = authorities.map(|roots| {
            // Whoever shows none is asked for a token as before; what is shown must be good.
            let mut verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            if !revocations.is_empty() {
                // A list that is over may lack who was taken back since, and an authority without one says nothing of anybody.
                verifier = verifier.with_crls(revocations).only_check_end_entity_revocation();
                verifier = verifier.enforce_revocation_expiration();
            }
            verifier.allow_unauthenticated().build().map_err(|error| match (&error, &files.client_revocations) {
                (VerifierBuilderError::InvalidCrl(_), Some(path)) => TlsError::NoRevocations { path: path.clone() },
                _ => TlsError::Authorities(error),
            })
        });
        let verifier = verifier.transpose()?;
        let builder = match &verifier {
            None => builder.with_no_client_auth(),
            Some(verifier) => builder.with_client_cert_verifier(Arc::clone(verifier)),
        };
        let mut config = builder.with_cert_resolver(certificate.resolver());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        if verifier.is_some() {
            // A session that is taken up again is not verified again, so there is none.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        Ok(Self { config: Arc::new(config), verifier, files, digest })
    }

    /// Whether clients are asked for certificates.
    pub fn asks(&self) -> bool {
        self.verifier.is_some()
    }
}

impl Tls {
    /// Begins with this.
    pub fn new(prepared: Prepared) -> Self {
        Self { state: watch::Sender::new(Arc::new(prepared)) }
    }

    /// Whether clients are asked for certificates.
    pub fn asks(&self) -> bool {
        self.state.borrow().asks()
    }

    /// Goes by this from now on. Returns whether it is another than before.
    pub fn take(&self, prepared: Prepared) -> bool {
        let is_new = self.state.borrow().digest != prepared.digest;
        self.state.send_replace(Arc::new(prepared));
        is_new
    }

    /// Reads the files again and goes by what is in them now. Returns whether that is another than before. Where they do not
    /// fit, nothing changes. It blocks for as long as reading a few files does.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn look(&self) -> Result<bool, TlsError> {
        let (files, before) = {
            let state = self.state.borrow();
            (state.files.clone(), state.digest)
        };
        if files.read()?.digest == before {
            return Ok(false);
        }
        Ok(self.take(Prepared::read(files)?))
    }

    /// Agrees on TLS with a client, in [`limits::HANDSHAKE_MILLISECONDS_MAX`] or not at all.
    ///
    /// # Errors
    /// When the client speaks no TLS, or shows a certificate that is not good.
    pub async fn accept(&self, socket: TcpStream) -> Result<Secured, HandshakeError> {
        let config = Arc::clone(&self.state.borrow().config);
        let accepted = tokio::time::timeout(PATIENCE, TlsAcceptor::from(config).accept(socket)).await;
        let stream = accepted.map_err(|_| HandshakeError::TooSlow)?.map_err(HandshakeError::Refused)?;
        let (_, connection) = stream.get_ref();
        let shown = match connection.peer_certificates() {
            None | Some([]) => None,
            Some(chain @ [own, ..]) => {
                let certificate = Certificate::read(own).ok_or(HandshakeError::Unreadable)?;
                let chain = chain.iter().map(|one| one.clone().into_owned()).collect();
                Some(Shown { certificate: Arc::new(certificate), chain })
            }
        };
        Ok(Secured { stream, shown })
    }

    /// Resolves when the certificate of an open connection is good no more: its end came, or its authority was taken away.
    pub async fn distrusts(&self, shown: &Shown) {
        let mut changes = self.state.subscribe();
        loop {
            let state = Arc::clone(&changes.borrow_and_update());
            if !state.trusts(shown) {
                return;
            }
            // The sender is in `self`; a timeout is a reason to look as well.
            let _ = tokio::time::timeout(LOOK, changes.changed()).await;
        }
    }
}

impl Prepared {
    fn trusts(&self, shown: &Shown) -> bool {
        let Some(verifier) = &self.verifier else { return false };
        let Some((own, between)) = shown.chain.split_first() else { return false };
        verifier.verify_client_cert(own, between, UnixTime::now()).is_ok()
    }
}

#[cfg(test)]
mod tests;
