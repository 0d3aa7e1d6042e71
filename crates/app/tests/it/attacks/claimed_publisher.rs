//! A server under a published name that is somebody else's. The name is its own where its domain shows so: at its host, over TLS that
//! the gate believes, or in its DNS. Whoever has neither is not approved.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use testkit::{Authority, Issued};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UdpSocket};
use tokio_rustls::TlsAcceptor;

use crate::gate::files::endpoint;
use crate::gate::{Gate, Setup};
use crate::puppet::Puppet;

const KEY: &str = "v=MCPv1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
/// Where the domain's host is: an address of loopback's that nobody else takes, because its port is one and the same for all.
const HOST: Ipv4Addr = Ipv4Addr::new(127, 77, 0, 1);

/// Names that lead to loopback, for the gate alone.
const NAMED: &str = "export SSL_CERT_FILE=\"$(dirname $3)/secrets/ca.pem\"; \
    [ -n \"$NAMED\" ] || NAMED=1 exec unshare $([ $(id -u) = 0 ] || echo -r) -m sh -c \
    'mount --bind \"$(dirname $3)/secrets/hosts\" /etc/hosts && exec \"$0\" \"$@\"' \"$0\" \"$@\"";

fn acceptor(authority: &Authority, name: &str) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let Issued { certificate, key, .. } = authority.issue(&[name]);
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    TlsAcceptor::from(Arc::new(builder.with_no_client_auth().with_single_cert(chain, key).unwrap()))
}

/// The server itself, behind TLS.
async fn served(authority: &Authority, puppet: &Puppet) -> SocketAddr {
    let (listener, acceptor) =
        (TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap(), acceptor(authority, "mcp.tickets.example"));
    let (address, behind) = (listener.local_addr().unwrap(), puppet.address());
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(socket).await else { return };
                #[expect(clippy::disallowed_methods, reason = "a test carries what a server is sent")]
                let mut plain = tokio::net::TcpStream::connect(behind).await.unwrap();
                let _ended = tokio::io::copy_bidirectional(&mut stream, &mut plain).await;
            });
        }
    });
    address
}

/// The host of the domain, which shows a document to whoever asks for it, and remembers what it was asked.
#[derive(Default)]
struct Host {
    document: Mutex<Option<String>>,
    asked: Mutex<Vec<String>>,
}

/// Starts it, if its port can be had here.
async fn shows(acceptor: TlsAcceptor) -> Option<Arc<Host>> {
    let Ok(listener) = TcpListener::bind((HOST, 443)).await else {
        let _ = writeln!(std::io::stderr(), "no host was asked: port 443 cannot be had here");
        return None;
    };
    let host = Arc::new(Host::default());
    let shown = Arc::clone(&host);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let (acceptor, shown) = (acceptor.clone(), Arc::clone(&shown));
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(socket).await else { return };
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let Ok(byte) = stream.read_u8().await else { return };
                    head.push(byte);
                }
                let line = String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned();
                shown.asked.lock().unwrap().push(line);
                let document = shown.document.lock().unwrap().clone();
                let (status, text) = document.map_or(("404 Not Found", String::new()), |text| ("200 OK", text));
                let length = text.len();
                let answer =
                    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}");
                let _sent = stream.write_all(answer.as_bytes()).await;
                let _ended = stream.shutdown().await;
            });
        }
    });
    Some(host)
}

/// A name server of a test's, on loopback: it knows texts at one name, and of any other that there is none.
struct TestNameServer {
    address: SocketAddr,
    known: Arc<Mutex<Known>>,
}

/// What a name server says.
#[derive(Default)]
struct Known {
    /// The name of which it knows texts, and these.
    name: String,
    texts: Vec<String>,
    /// Records that it answers anything with, before those.
    strays: Vec<Record>,
}

/// A record: whose it is, its kind, and what it says.
type Record = (&'static str, u8, Vec<u8>);
const ALIAS: u8 = 5;
const TEXT: u8 = 16;

impl TestNameServer {
    async fn start() -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let (address, known) = (socket.local_addr().unwrap(), Arc::<Mutex<Known>>::default());
        let texts = Arc::clone(&known);
        tokio::spawn(async move {
            let mut buffer = [0; 1500];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                let answer = answered(&buffer[..length], &texts.lock().unwrap());
                let _sent = socket.send_to(&answer, from).await;
            }
        });
        Self { address, known }
    }

    fn knows(&self, name: &str, texts: &[&str]) {
        let texts = texts.iter().map(|text| (*text).to_owned()).collect();
        *self.known.lock().unwrap() = Known { name: name.to_owned(), texts, ..Known::default() };
    }

    /// From now on it answers whatever it is asked with these.
    fn strays(&self, strays: &[Record]) {
        *self.known.lock().unwrap() = Known { strays: strays.to_vec(), ..Known::default() };
    }
}

/// A name, as messages have it.
fn name(name: &str) -> Vec<u8> {
    let parts = name.split('.').flat_map(|part| [&[u8::try_from(part.len()).unwrap()], part.as_bytes()].concat());
    parts.chain([0]).collect()
}

/// A text, as messages have it.
fn text(text: &str) -> Vec<u8> {
    [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat()
}

/// The answer to a question for texts.
fn answered(question: &[u8], known: &Known) -> Vec<u8> {
    let asked = [name(&known.name), vec![0, TEXT, 0, 1]].concat();
    let texts = if question[12..].starts_with(&asked) { known.texts.as_slice() } else { &[] };
    let end = 12 + question[12..].iter().position(|byte| *byte == 0).unwrap() + 5;
    let number = u8::try_from(known.strays.len() + texts.len()).unwrap();
    let mut answer = question[..2].to_vec();
    answer.extend([0x84, if number > 0 { 0 } else { 3 }, 0, 1, 0, number, 0, 0, 0, 0]);
    answer.extend(&question[12..end]);
    let mut record = |owner: &[u8], kind, data: &[u8]| {
        let length = u8::try_from(data.len()).unwrap();
        answer.extend([owner, &[0, kind, 0, 1, 0, 0, 0, 60, 0, length], data].concat());
    };
    known.strays.iter().for_each(|(owner, kind, data)| record(&name(owner), *kind, data));
    // The name is that of the question.
    texts.iter().for_each(|one| record(&[0xc0, 12], TEXT, &text(one)));
    answer
}

struct Scene {
    gate: Gate,
    host: Option<Arc<Host>>,
    names: TestNameServer,
    _puppet: Puppet,
}

impl Scene {
    async fn start(published_as: &str, with_host: bool) -> Self {
        let (authority, puppet, names) = (Authority::new(), Puppet::start().await, TestNameServer::start().await);
        let address = served(&authority, &puppet).await;
        let host = if with_host { shows(acceptor(&authority, "tickets.example")).await } else { None };
        let manifest = format!(
            "name = \"tickets\"\nurl = \"https://mcp.tickets.example:{}/mcp\"\nzone = \"here\"\nowner = \"ops\"\n\
             purpose = \"Tickets\"\npublished_as = \"{published_as}\"\n",
            address.port()
        );
        let zone = "name = \"publishers\"\naddresses = [\"127.77.0.0/16\"]\npurpose = \"Hosts of publishers\"\n";
        let hosts = format!("127.0.0.1 localhost mcp.tickets.example\n{HOST} tickets.example\n");
        let gate = Gate::unapproved(Setup {
            state: vec![
                ("servers/tickets.toml".to_owned(), manifest),
                ("endpoints/tickets.toml".to_owned(), endpoint("tickets", "tickets")),
                ("zones/publishers.toml".to_owned(), zone.to_owned()),
            ],
            secrets: vec![("ca.pem", authority.pem()), ("hosts", hosts)],
            settings: format!(
                "\n[vetting]\npublishers_zone = \"publishers\"\nname_servers = [\"{}\"]\n",
                names.address
            ),
            shell: Some(NAMED),
            ..Setup::default()
        })
        .await;
        Self { gate, host, names, _puppet: puppet }
    }

    /// Tries to approve; why not.
    async fn refused(&self) -> String {
        let said = self.gate.cli(&["server", "approve", "tickets", "--yes"]).await;
        assert!(!said.ok, "it was approved: {}", said.out);
        said.err.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Has it vetted, and says what came of the publisher.
    async fn publisher(&self) -> serde_json::Value {
        let said = self.gate.cli(&["server", "vet", "tickets", "--json"]).await;
        let report: serde_json::Value = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{said:?}"));
        let checks = report["checks"].as_array().unwrap_or_else(|| panic!("{report}")).clone();
        checks.into_iter().find(|one| one["check"] == "publisher").unwrap()
    }
}

#[tokio::test]
async fn a_name_is_whose_domain_shows_so_at_its_host_and_nobody_elses() {
    let scene = Scene::start("example.tickets/desk", true).await;
    let Some(host) = &scene.host else { return };
    let why = scene.refused().await;
    assert!(why.contains("shows no publisher (404)") && why.contains("its DNS has no record of a publisher"), "{why}");
    for page in ["<!doctype html>", "v=MCPv1; k=ed25519; p=short"] {
        *host.document.lock().unwrap() = Some(page.to_owned());
        assert!(scene.refused().await.contains("shows no publisher (200)"), "{page}");
    }
    *host.document.lock().unwrap() = Some(format!("{KEY}\n"));
    let found = scene.publisher().await;
    assert_eq!(found["verdict"], "passed", "{found}");
    scene.gate.must(&["server", "approve", "tickets", "--yes"]).await;
    let asked = host.asked.lock().unwrap().clone();
    assert!(asked.iter().all(|line| line == "GET /.well-known/mcp-registry-auth HTTP/1.1"), "{asked:?}");
}

#[tokio::test]
async fn a_name_is_whose_domain_shows_so_in_its_dns_and_nobody_elses() {
    let scene = Scene::start("example.tickets/desk", false).await;
    // What another name has is not this one's, and what is no key is none.
    for (name, text) in [("mcp.tickets.example", KEY), ("example", KEY), ("tickets.example", "v=spf1 -all")] {
        scene.names.knows(name, &[text]);
        let why = scene.refused().await;
        assert!(why.contains("its DNS has no record of a publisher"), "{name}: {why}");
    }
    scene.names.knows("tickets.example", &["v=spf1 -all", KEY]);
    let found = scene.publisher().await;
    assert_eq!(found["verdict"], "passed", "{found}");
    assert!(found["says"].as_str().unwrap().contains("in its DNS"), "{found}");
    scene.gate.must(&["server", "approve", "tickets", "--yes"]).await;
}

#[tokio::test]
async fn a_record_of_another_name_in_the_answer_proves_nothing() {
    let scene = Scene::start("example.tickets/desk", false).await;
    let (own, other) = ("tickets.example", "evil.example");
    for (strays, what) in [
        (&[(other, TEXT, text(KEY))][..], "another's text"),
        (&[("mcp.tickets.example", TEXT, text(KEY)), ("example", TEXT, text(KEY))], "a neighbour's text"),
        (&[("www.example", ALIAS, name(other)), (other, TEXT, text(KEY))], "what another stands for"),
        (&[(own, ALIAS, name("www.example")), (other, TEXT, text(KEY))], "an alias of something else"),
    ] {
        scene.names.strays(strays);
        let why = scene.refused().await;
        assert!(why.contains("its DNS has no record of a publisher"), "{what}: {why}");
    }
    // Whoever has the name may say that it stands for another.
    scene.names.strays(&[(own, ALIAS, name(other)), (other, TEXT, text(KEY))]);
    scene.gate.must(&["server", "approve", "tickets", "--yes"]).await;
}

#[tokio::test]
async fn a_domain_that_is_not_the_server_s_is_not_asked_and_proves_nothing() {
    let scene = Scene::start("example.other/desk", false).await;
    scene.names.knows("other.example", &[KEY]);
    let why = scene.refused().await;
    assert!(why.contains("its host mcp.tickets.example is not in other.example"), "{why}");
}
