//! Servers that lie.
//!
//! Each one introduces itself honestly, with a right `server/discover` or `initialize` and a right `tools/list`, so that
//! people can approve it. Then, when its tool is called, it breaks its word in the one way its [`Mode`] names. The bytes
//! are written by hand, on plain sockets: no library stands between the lie and the wire.
//!
//! Start with [`Hostile::start`]; [`Mode`] is the catalogue, and [`Manner`] how it is spoken to. [`local`] is the same idea
//! as a process that its client starts.

pub mod local;
mod manner;
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
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

pub use manner::Manner;
pub use mode::Mode;

use manner::Reaction;
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
    manner: Manner,
    mode: Mutex<Mode>,
    /// The streams of sessions, each at the place of its number.
    streams: Mutex<Vec<mpsc::UnboundedSender<Vec<Step>>>>,
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

    /// A stream of a session that has just begun: its number, and what is said on it.
    fn listen(&self) -> (u64, mpsc::UnboundedReceiver<Vec<Step>>) {
        let (stream, said) = mpsc::unbounded_channel();
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        streams.push(stream);
        (streams.len().saturating_sub(1) as u64, said)
    }

    fn say(&self, session: Option<u64>, steps: Vec<Step>) {
        let streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let place = session.and_then(|session| usize::try_from(session).ok());
        // Whoever listened may have gone.
        let _ = place.and_then(|place| streams.get(place)).map(|stream| stream.send(steps));
    }
}

impl Hostile {
    /// Starts one on a free loopback port, which is spoken to in the newest manner.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start(mode: Mode) -> io::Result<Self> {
        Self::start_in(Manner::Stateless, mode).await
    }

    /// The same in another manner.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start_in(manner: Manner, mode: Mode) -> io::Result<Self> {
        Self::start_on(Ipv4Addr::LOCALHOST, manner, mode).await
    }

    /// The same on a loopback address of its own, where no other program takes its port once it is gone.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start_on(host: Ipv4Addr, manner: Manner, mode: Mode) -> io::Result<Self> {
        let listener = TcpListener::bind((host, 0)).await?;
        let address = listener.local_addr()?;
        let ledger = Arc::new(Ledger {
            manner,
            mode: Mutex::new(mode),
            streams: Mutex::default(),
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
        format!("http://{}{}", self.address, self.ledger.manner.path())
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
    while let Ok(Some(request)) = request::receive(&mut reader, &mut buffer).await {
        let listening = matches!((&request.heard, open.0.manner), (Heard::Listen, Manner::Events));
        let stream = listening.then(|| open.0.listen());
        let session = stream.as_ref().map_or(request.session, |(session, _)| Some(*session));
        let Reaction { here, on_stream } = answer(&request.heard, session, &open.0);
        open.0.say(session, on_stream);
        match perform(here, &mut reader, &mut writer).await {
            Ok(After::Stay) => {}
            Ok(After::Leave) | Err(_) => return,
        }
        if let Some((_, said)) = stream {
            return speak(said, &mut reader, &mut writer).await;
        }
    }
}

/// Says on a connection what belongs on the stream of a session, until either side has had enough.
async fn speak(mut said: mpsc::UnboundedReceiver<Vec<Step>>, reader: &mut OwnedReadHalf, writer: &mut OwnedWriteHalf) {
    loop {
        let steps = tokio::select! {
            steps = said.recv() => steps,
            left = left_within(reader, HANG) => if left { return } else { continue },
        };
        let Some(steps) = steps else { return };
        match perform(steps, reader, writer).await {
            Ok(After::Stay) => {}
            Ok(After::Leave) | Err(_) => return,
        }
    }
}

fn answer(heard: &Heard, session: Option<u64>, ledger: &Ledger) -> Reaction {
    ledger.requests.fetch_add(1, Ordering::Relaxed);
    match heard {
        Heard::CallTool { .. } => _ = ledger.calls.fetch_add(1, Ordering::Relaxed),
        Heard::Redirected => _ = ledger.redirected.fetch_add(1, Ordering::Relaxed),
        Heard::Discover { .. }
        | Heard::Greet { .. }
        | Heard::ListTools { .. }
        | Heard::Other { .. }
        | Heard::Told
        | Heard::Listen
        | Heard::Leave => {}
    }
    ledger.manner.react(heard, session, ledger.mode())
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
