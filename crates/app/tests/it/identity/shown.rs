//! Servers that ask for a certificate of the gate's: each is shown its own, and nobody else's.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use testkit::{Authority, Issued};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

use super::own::ticket;
use crate::gate::files::{ANA, endpoint, policies_at, write_private};
use crate::gate::{Gate, Setup};
use crate::puppet::Puppet;
use crate::verdict::{SERVER_UNREACHABLE, passes};

/// A server behind TLS, which asks for certificates and remembers every one that it was shown. It stops when dropped.
struct Strict {
    puppet: Puppet,
    address: SocketAddr,
    shown: Arc<Mutex<Vec<Option<Vec<u8>>>>>,
    cut: watch::Sender<u64>,
    task: AbortHandle,
}

/// Whom it serves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asks {
    /// Nobody without a certificate.
    Must,
    /// Everybody, and looks at what is shown.
    May,
}

impl Strict {
    async fn start(own: &Authority, clients: &Authority, asks: Asks) -> Self {
        let puppet = Puppet::start().await;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config(own, clients, asks)));
        let (shown, cut): (Arc<Mutex<Vec<_>>>, _) = (Arc::default(), watch::Sender::new(0));
        let (seen, cuts, behind) = (Arc::clone(&shown), cut.clone(), puppet.address());
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (acceptor, seen, mut cut) = (acceptor.clone(), Arc::clone(&seen), cuts.subscribe());
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(socket).await else { return };
                    let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
                    seen.lock().unwrap().push(certificate.map(|one| one.to_vec()));
                    #[expect(clippy::disallowed_methods, reason = "a test carries what a server is sent")]
                    let mut plain = tokio::net::TcpStream::connect(behind).await.unwrap();
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut stream, &mut plain) => {}
                        _ = cut.changed() => {}
                    }
                });
            }
        });
        Self { puppet, address, shown, cut, task: task.abort_handle() }
    }

    /// Its manifest, with what the gate shows there.
    fn manifest(&self, name: &str, tls: &str) -> (String, String) {
        let text = format!(
            "name = \"{name}\"\nurl = \"https://{}/mcp\"\nzone = \"here\"\nowner = \"the desk\"\npurpose = \"A help \
             desk\"\n{tls}\n",
            self.address
        );
        (format!("servers/{name}.toml"), text)
    }

    /// The certificates that it was shown, each once.
    fn shown(&self) -> Vec<Option<Vec<u8>>> {
        let mut shown = self.shown.lock().unwrap().clone();
        shown.sort();
        shown.dedup();
        shown
    }

    /// Ends every connection.
    fn cuts(&self) {
        self.cut.send_modify(|count| *count += 1);
    }
}

impl Drop for Strict {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn config(own: &Authority, clients: &Authority, asks: Asks) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(clients.pem().as_bytes()).unwrap()).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let verifier = if asks == Asks::May { verifier.allow_unauthenticated() } else { verifier };
    let Issued { certificate, key, .. } = own.issue(&["127.0.0.1"]);
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    builder
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap())
        .unwrap()
}

/// `tls` of a server whose files are named so.
fn tls(name: &str) -> String {
    format!(
        "tls = {{ certificate = \"secrets/{name}.pem\", key = \"file:secrets/{name}.key\", ca = \"secrets/ca.pem\" }}\n"
    )
}

/// An endpoint before a server, for the same people as the desk.
fn place(name: &str) -> [(String, String); 2] {
    [(format!("endpoints/{name}.toml"), endpoint(name, name)), (format!("policies/{name}.cedar"), policies_at(name))]
}

struct Scene {
    gate: Gate,
    first: Strict,
    second: Strict,
    loose: Strict,
    clients: Authority,
    of_first: Issued,
    of_second: Issued,
}

impl Scene {
    /// Two servers that must be shown a certificate, and one that looks at what it is shown and is to be shown none.
    async fn start() -> Self {
        let (own, clients) = (Authority::new(), Authority::new());
        let (first, second) =
            (Strict::start(&own, &clients, Asks::Must).await, Strict::start(&own, &clients, Asks::Must).await);
        let loose = Strict::start(&own, &clients, Asks::May).await;
        let (of_first, of_second) =
            (clients.issue(&["gate-at-first.example"]), clients.issue(&["gate-at-second.example"]));
        let mut state = vec![
            first.manifest("first", &tls("first")),
            second.manifest("second", &tls("second")),
            loose.manifest("loose", ""),
        ];
        state.extend(["first", "second", "loose"].into_iter().flat_map(place));
        let secrets = vec![
            ("ca.pem", own.pem()),
            ("first.pem", of_first.certificate.clone()),
            ("first.key", of_first.key.clone()),
            ("second.pem", of_second.certificate.clone()),
            ("second.key", of_second.key.clone()),
        ];
        // The server that is shown nothing has an authority that nobody on this machine knows but the gate.
        let shell = Some("export SSL_CERT_FILE=\"$(dirname $3)/secrets/ca.pem\"");
        let gate = Gate::with(Setup { state, secrets, shell, ..Setup::default() }).await;
        for name in ["first", "second", "loose"] {
            gate.must(&["server", "approve", name, "--yes"]).await;
        }
        Self { gate, first, second, loose, clients, of_first, of_second }
    }

    async fn read(&self, name: &str) -> drill::mcp::Reply {
        self.gate.client_at(name, ANA).call("read_ticket", ticket()).await.unwrap()
    }
}

#[tokio::test]
async fn a_server_is_shown_its_own_certificate_and_never_another_servers() {
    let scene = Scene::start().await;
    for _ in 0..2 {
        for name in ["first", "second", "loose"] {
            passes(&scene.read(name).await);
        }
    }
    assert_eq!(scene.first.shown(), [Some(scene.of_first.der.clone())]);
    assert_eq!(scene.second.shown(), [Some(scene.of_second.der.clone())]);
    assert_eq!(scene.loose.shown(), [None], "who asks and is not to be shown one is shown none");
    assert!(scene.first.puppet.calls() == 2 && scene.second.puppet.calls() == 2);
    let shown = scene.gate.must(&["server", "show", "first"]).await;
    assert!(shown.contains("secrets/first.pem") && !shown.contains("secrets/first.key"), "{shown}");

    // Where a server is shown another one's certificate from now on, people approve it again.
    let manifest = scene.gate.directory().join("state/servers/first.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, text.replace("first.pem", "second.pem").replace("first.key", "second.key")).unwrap();
    scene.gate.apply().await;
    let before = scene.first.puppet.calls();
    scene.read("first").await;
    assert_eq!(scene.first.puppet.calls(), before);
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_without_a_restart_and_one_that_does_not_fit_changes_nothing() {
    let scene = Scene::start().await;
    passes(&scene.read("first").await);
    let secrets = scene.gate.directory().join("secrets");
    write_private(&secrets.join("first.pem"), &scene.of_second.certificate);
    scene.gate.has_said("cannot be used; the old one stays").await;
    let renewed = scene.clients.issue(&["gate-at-first.example"]);
    assert_eq!(scene.first.shown(), [Some(scene.of_first.der.clone())]);
    write_private(&secrets.join("first.key"), &renewed.key);
    write_private(&secrets.join("first.pem"), &renewed.certificate);
    scene.gate.has_said("was read again").await;
    // A call may go over a connection that is just being cut; nothing of it is sent twice.
    let deadline = std::time::Instant::now() + crate::client::PATIENCE;
    while scene.first.shown.lock().unwrap().last() != Some(&Some(renewed.der.clone())) {
        assert!(std::time::Instant::now() < deadline, "the new one is never shown");
        scene.first.cuts();
        scene.read("first").await;
    }
    let mut known = vec![Some(scene.of_first.der.clone()), Some(renewed.der)];
    known.sort();
    assert_eq!(scene.first.shown(), known, "and none but these two ever was");
    assert!(!scene.gate.output().contains("PRIVATE KEY"));
}

#[tokio::test]
async fn a_server_whose_certificate_is_of_another_authority_is_sent_nothing() {
    let scene = Scene::start().await;
    let secrets = scene.gate.directory().join("secrets");
    // The authority that is believed there is another one from now on.
    write_private(&secrets.join("ca.pem"), &Authority::new().pem());
    scene.gate.reload();
    scene.gate.has_said("the settings were reloaded").await;
    scene.first.cuts();
    let deadline = std::time::Instant::now() + crate::client::PATIENCE;
    loop {
        let before = scene.first.puppet.calls();
        let reply = scene.read("first").await;
        if reply.status == SERVER_UNREACHABLE.status && scene.first.puppet.calls() == before {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "it is still believed");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    // And without its key there is nothing to show, so that nothing is sent.
    std::fs::remove_file(secrets.join("second.key")).unwrap();
    scene.gate.reload();
    scene.second.cuts();
    let deadline = std::time::Instant::now() + crate::client::PATIENCE;
    loop {
        let before = scene.second.puppet.calls();
        let reply = scene.read("second").await;
        if reply.status != 200 && scene.second.puppet.calls() == before {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "it is still sent something");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
