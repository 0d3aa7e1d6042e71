//! Servers that lie.
//!
//! Each one introduces itself honestly, with a right `server/discover` and a right `tools/list`, so that people can
//! approve it. Then, when its tool is called, it breaks its word in the one way its [`Mode`] names. The bytes are
//! written by hand, on plain sockets: no library stands between the lie and the wire.
//!
//! Start with [`Hostile::start`]; [`Mode`] is the catalogue. [`local`] is the same idea as a process that its client
//! starts.

pub mod local;
mod mode;
mod request;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

pub use mode::Mode;

use mode::Step;
use request::Heard;

/// The name of its only tool. It takes one argument, `report_id`, a text.
pub const TOOL: &str = "get_report";

/// How long a server that hangs waits at a time for its peer to leave; it waits again until then.
const HANG: Duration = Duration::from_secs(3_600);

/// A lying server, running. It stops, and its connections break, when this is dropped.
pub struct Hostile {
    address: SocketAddr,
    ledger: Arc<Ledger>,
    task: AbortHandle,
}

/// What has happened so far, and what to do next.
struct Ledger {
    mode: Mutex<Mode>,
    connections: AtomicU64,
    open: AtomicU64,
    requests: AtomicU64,
    calls: AtomicU64,
    redirected: AtomicU64,
}

impl Ledger {
    fn mode(&self) -> Mode {
        *self.mode.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hostile {
    /// Starts one on a free loopback port.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start(mode: Mode) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let ledger = Arc::new(Ledger {
            mode: Mutex::new(mode),
            connections: AtomicU64::new(0),
            open: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            calls: AtomicU64::new(0),
            redirected: AtomicU64::new(0),
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&ledger))).abort_handle();
        Ok(Self { address, ledger, task })
    }

    /// Its MCP endpoint.
    pub fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on it breaks its word in this way.
    pub fn misbehave(&self, mode: Mode) {
        *self.ledger.mode.lock().unwrap_or_else(PoisonError::into_inner) = mode;
    }

    /// How many tool calls have reached it.
    pub fn calls(&self) -> u64 {
        self.ledger.calls.load(Ordering::Relaxed)
    }

    /// How many requests have reached it, listings included.
    pub fn requests(&self) -> u64 {
        self.ledger.requests.load(Ordering::Relaxed)
    }

    /// How many connections have been made to it.
    pub fn connections(&self) -> u64 {
        self.ledger.connections.load(Ordering::Relaxed)
    }

    /// How many connections to it are open now: zero once a peer has let go of everything.
    pub fn open(&self) -> u64 {
        self.ledger.open.load(Ordering::Relaxed)
    }

    /// How many requests followed its redirection.
    pub fn redirected(&self) -> u64 {
        self.ledger.redirected.load(Ordering::Relaxed)
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Accepts until aborted; the connections end with it, because the set of them is dropped.
async fn accept(listener: TcpListener, ledger: Arc<Ledger>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                connections.spawn(attend(stream, Arc::clone(&ledger)));
            }
            // Finished connections leave the set.
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Counts a connection as open for as long as it lives.
struct Open(Arc<Ledger>);

impl Open {
    fn new(ledger: Arc<Ledger>) -> Self {
        ledger.connections.fetch_add(1, Ordering::Relaxed);
        ledger.open.fetch_add(1, Ordering::Relaxed);
        Self(ledger)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One connection: request after request, until either side has had enough.
async fn attend(stream: TcpStream, ledger: Arc<Ledger>) {
    let open = Open::new(ledger);
    // Without it, what is meant to be many small writes arrives as one.
    drop(stream.set_nodelay(true));
    let (mut reader, mut writer) = stream.into_split();
    let mut buffer = BytesMut::new();
    while let Ok(Some(heard)) = request::receive(&mut reader, &mut buffer).await {
        let steps = answer(&heard, &open.0);
        match perform(steps, &mut reader, &mut writer).await {
            Ok(After::Stay) => {}
            Ok(After::Leave) | Err(_) => return,
        }
    }
}

fn answer(heard: &Heard, ledger: &Ledger) -> Vec<Step> {
    ledger.requests.fetch_add(1, Ordering::Relaxed);
    match heard {
        Heard::Discover { id } => mode::discover(id),
        Heard::ListTools { id } => mode::tools(id),
        Heard::CallTool { id } => {
            ledger.calls.fetch_add(1, Ordering::Relaxed);
            mode::script(ledger.mode(), id)
        }
        Heard::Other { id } => mode::unknown_method(id),
        Heard::Redirected => {
            ledger.redirected.fetch_add(1, Ordering::Relaxed);
            mode::nothing_here()
        }
    }
}

/// What becomes of a connection after an answer.
enum After {
    Stay,
    Leave,
}

async fn perform(steps: Vec<Step>, reader: &mut OwnedReadHalf, writer: &mut OwnedWriteHalf) -> io::Result<After> {
    for step in steps {
        match step {
            Step::Send(bytes) => writer.write_all(&bytes).await?,
            Step::Pause(pause) => {
                if left_within(reader, pause).await {
                    return Ok(After::Leave);
                }
            }
            Step::Repeat(bytes) => repeat(&bytes, writer).await?,
            Step::Hang => {
                while !left_within(reader, HANG).await {}
                return Ok(After::Leave);
            }
            Step::Close => return Ok(After::Leave),
        }
    }
    Ok(After::Stay)
}

/// Sends the same bytes until the peer has left.
async fn repeat(bytes: &Bytes, writer: &mut OwnedWriteHalf) -> io::Result<()> {
    loop {
        writer.write_all(bytes).await?;
        tokio::task::yield_now().await;
    }
}

/// Waits; true as soon as the peer closes, breaks, or says anything while it should be listening.
async fn left_within(reader: &mut OwnedReadHalf, pause: Duration) -> bool {
    let mut byte = [0; 1];
    tokio::time::timeout(pause, reader.read(&mut byte)).await.is_ok()
}

#[cfg(test)]
mod tests;
