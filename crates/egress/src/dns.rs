//! What the domain name system says of a name besides its addresses: texts, with which domains show who has them.
//!
//! The operating system's resolver answers for addresses and for nothing else, so name servers are asked here: those that the
//! system names, or those that settings do. They are whom the system believes for every address as well. Nothing is kept.

mod message;

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::time::Duration;

use message::Unread;
use model::limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};

/// Where the system says whom it asks.
const SYSTEM: &str = "/etc/resolv.conf";
const PORT: u16 = 53;

/// The texts at a name, later.
pub type Texts<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<String>>> + Send + 'a>>;

/// Who knows the texts at names.
pub trait ResolveTexts: Send + Sync + 'static {
    /// All texts at a name; none if there is no such name. Nothing of it is trusted for more than that somebody has the name.
    fn texts<'a>(&'a self, name: &'a str) -> Texts<'a>;
}

/// Name servers, asked one after the other until one answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameServers {
    servers: Vec<SocketAddr>,
}

impl NameServers {
    /// These.
    pub fn new(servers: Vec<SocketAddr>) -> Self {
        Self { servers }
    }

    /// Those that the system asks, as it names them now.
    async fn now(&self) -> io::Result<Vec<SocketAddr>> {
        if !self.servers.is_empty() {
            return Ok(self.servers.clone());
        }
        let text = tokio::fs::read_to_string(SYSTEM).await?;
        Ok(of_system(&text))
    }

    async fn ask(&self, name: &str) -> io::Result<Vec<String>> {
        let mut last = io::Error::other("no name server is known");
        for server in self.now().await?.into_iter().take(limits::NAME_SERVERS_MAX) {
            let patience = Duration::from_millis(limits::NAME_SERVER_MILLISECONDS_MAX);
            match tokio::time::timeout(patience, asked(server, name)).await {
                Ok(Ok(texts)) => return Ok(texts),
                Ok(Err(error)) => last = error,
                Err(_) => last = io::Error::other(format!("the name server {} did not answer in time", server.ip())),
            }
        }
        Err(last)
    }
}

impl ResolveTexts for NameServers {
    fn texts<'a>(&'a self, name: &'a str) -> Texts<'a> {
        Box::pin(self.ask(name))
    }
}

/// The servers in the system's file; without one, that of this machine.
fn of_system(text: &str) -> Vec<SocketAddr> {
    let address = |line: &str| {
        let address = line.trim().strip_prefix("nameserver")?.trim();
        Some(SocketAddr::new(address.parse::<IpAddr>().ok()?, PORT))
    };
    let found: Vec<_> = text.lines().filter_map(address).collect();
    if found.is_empty() { vec![SocketAddr::new(Ipv4Addr::LOCALHOST.into(), PORT)] } else { found }
}

/// Asks one server: in a datagram, and over a connection where the answer does not fit into one.
async fn asked(server: SocketAddr, name: &str) -> io::Result<Vec<String>> {
    let mut id = [0; 2];
    let random = rustls::crypto::aws_lc_rs::default_provider().secure_random;
    random.fill(&mut id).map_err(|_| io::Error::other("there is no randomness"))?;
    let question = message::question(u16::from_be_bytes(id), name);
    let question = question.ok_or_else(|| io::Error::other(format!("`{name}` is no name")))?;
    let refused = |code: u8| io::Error::other(format!("the name server {} could not say (code {code})", server.ip()));
    let here: SocketAddr = if server.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
    // A port of its own for each question, and only who was asked is heard.
    let socket = UdpSocket::bind(here).await?;
    socket.connect(server).await?;
    socket.send(&question).await?;
    let mut buffer = vec![0; usize::from(message::DATAGRAM_BYTES)];
    loop {
        let length = socket.recv(&mut buffer).await?;
        match message::texts(&question, buffer.get(..length).unwrap_or_default()) {
            Ok(texts) => return Ok(texts),
            // Whoever forges an answer does not end the wait for the right one.
            Err(Unread::Other) => {}
            Err(Unread::Refused(code)) => return Err(refused(code)),
            Err(Unread::CutOff) => break,
        }
    }
    let answer = over_a_connection(server, &question).await?;
    message::texts(&question, &answer).map_err(|why| match why {
        Unread::Refused(code) => refused(code),
        Unread::Other | Unread::CutOff => {
            io::Error::other(format!("the name server {} answered something else", server.ip()))
        }
    })
}

async fn over_a_connection(server: SocketAddr, question: &[u8]) -> io::Result<Vec<u8>> {
    #[expect(clippy::disallowed_methods, reason = "it is the name server that was named, by its address")]
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(question.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), question].concat()).await?;
    let mut answer = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

#[cfg(test)]
mod tests;
