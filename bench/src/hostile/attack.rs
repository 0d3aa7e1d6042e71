//! An attacker: many connections that do one hostile thing again and again, until the process is ended.

use std::time::Duration;

use anyhow::Context;
use clap::{Args, ValueEnum};
use http::uri::Authority;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::payload;

/// Whom to attack, and how.
#[derive(Args, Debug)]
pub struct Settings {
    /// What to do.
    #[arg(long)]
    kind: Kind,
    /// The address to connect to, `127.0.0.1:PORT`.
    #[arg(long)]
    to: Authority,
    /// The endpoint's path.
    #[arg(long, default_value = "/mcp")]
    path: String,
    /// The bearer token of an agent that turned.
    #[arg(long, default_value = "none")]
    token: String,
    /// Connections at a time.
    #[arg(long, default_value_t = 64)]
    connections: u16,
    /// Attacks of each connection in one second, at most.
    #[arg(long, default_value_t = 20.0)]
    attacks_per_second: f64,
}

/// A kind of attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Connections that say nothing.
    Silent,
    /// Heads that arrive letter by letter.
    SlowHeads,
    /// Bodies that arrive letter by letter.
    SlowBodies,
    /// Connections that are reset within the head.
    Resets,
    /// Heads of a hundred kilobytes.
    LargeHeads,
    /// The preface of HTTP/2 and a flood of its frames.
    OtherProtocol,
    /// Calls with a token that is none.
    Strangers,
    /// Calls that are no JSON.
    NoJson,
    /// Calls of 200,000 brackets.
    DeepJson,
    /// Calls of a mebibyte, refused for their arguments.
    LargeCalls,
    /// Bodies that promise more than any may have.
    Oversized,
    /// Many requests at once whose answers nobody reads.
    Deaf,
    /// Right calls, as many as come through.
    RightCalls,
    /// Right calls, left before the answer.
    Departures,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 14] = [
        Self::Silent,
        Self::SlowHeads,
        Self::SlowBodies,
        Self::Resets,
        Self::LargeHeads,
        Self::OtherProtocol,
        Self::Strangers,
        Self::NoJson,
        Self::DeepJson,
        Self::LargeCalls,
        Self::Oversized,
        Self::Deaf,
        Self::RightCalls,
        Self::Departures,
    ];

    /// Its name on the command line and in the report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::SlowHeads => "slow-heads",
            Self::SlowBodies => "slow-bodies",
            Self::Resets => "resets",
            Self::LargeHeads => "large-heads",
            Self::OtherProtocol => "other-protocol",
            Self::Strangers => "strangers",
            Self::NoJson => "no-json",
            Self::DeepJson => "deep-json",
            Self::LargeCalls => "large-calls",
            Self::Oversized => "oversized",
            Self::Deaf => "deaf",
            Self::RightCalls => "right-calls",
            Self::Departures => "departures",
        }
    }

    /// What becomes of a connection after its bytes were sent.
    fn then(self) -> Then {
        match self {
            Self::Silent => Then::Stays,
            Self::SlowHeads | Self::SlowBodies => Then::Drips,
            Self::Resets | Self::Departures => Then::Resets,
            Self::Deaf => Then::Leaves,
            Self::LargeHeads
            | Self::OtherProtocol
            | Self::Strangers
            | Self::NoJson
            | Self::DeepJson
            | Self::LargeCalls
            | Self::Oversized
            | Self::RightCalls => Then::Reads,
        }
    }
}

/// What an attacker does once its bytes are sent.
#[derive(Clone, Copy)]
enum Then {
    /// Waits until the gate has had enough.
    Stays,
    /// Sends a letter more at each beat, until the gate has had enough.
    Drips,
    /// Breaks the connection.
    Resets,
    /// Closes it without reading.
    Leaves,
    /// Reads what comes, for a moment.
    Reads,
}

/// How long an attacker waits for an answer.
const PATIENCE: Duration = Duration::from_millis(500);

/// Attacks until the process is ended.
pub fn run(settings: &Settings) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("start the runtime")?;
    runtime.block_on(async {
        let mut attackers = JoinSet::new();
        let beat = Duration::from_secs_f64(1.0 / settings.attacks_per_second.max(0.01));
        for number in 0..settings.connections {
            let (to, kind, bytes) = (settings.to.to_string(), settings.kind, bytes(settings, number));
            attackers.spawn(async move {
                loop {
                    // An attack that fails is what the gate wants; the next one begins all the same.
                    let _ = once(&to, kind, &bytes, beat).await;
                    tokio::time::sleep(beat).await;
                }
            });
        }
        while attackers.join_next().await.is_some() {}
    });
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the benchmark is no part of the product, and attacks loopback only")]
async fn once(to: &str, kind: Kind, bytes: &[u8], beat: Duration) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    tokio::time::timeout(PATIENCE, stream.write_all(bytes)).await.unwrap_or(Ok(()))?;
    let mut some = [0; 16 * 1024];
    match kind.then() {
        Then::Stays => while stream.read(&mut some).await? > 0 {},
        Then::Drips => loop {
            tokio::time::sleep(beat).await;
            stream.write_all(b"x").await?;
        },
        Then::Resets => stream.set_zero_linger()?,
        Then::Leaves => {}
        Then::Reads => {
            // The answers of one attack fit in a few reads; a connection that stays open is left.
            let _ = tokio::time::timeout(PATIENCE, stream.read(&mut some)).await;
        }
    }
    Ok(())
}

/// What one connection sends at once.
fn bytes(settings: &Settings, number: u16) -> Vec<u8> {
    const ROOM: usize = 1024;
    let call = payload::call(usize::from(number), ROOM, ROOM);
    let right = |token: &str, body: &[u8]| [head(settings, token, body.len()).as_bytes(), body].concat();
    let token = settings.token.as_str();
    let head_of_call = || head(settings, token, call.len()).into_bytes();
    match settings.kind {
        Kind::Silent => Vec::new(),
        Kind::SlowHeads | Kind::Resets => head_of_call().into_iter().take(64).collect(),
        Kind::SlowBodies => head_of_call(),
        Kind::LargeHeads => [&b"POST / HTTP/1.1\r\nX-A: "[..], &vec![b'x'; 100_000], b"\r\n\r\n"].concat(),
        Kind::OtherProtocol => {
            [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &[0, 0, 0, 4, 0, 0, 0, 0, 0].repeat(5_000)].concat()
        }
        Kind::Strangers => right("no-token-of-anybody", &call),
        Kind::NoJson => right(token, &vec![b'x'; ROOM]),
        Kind::DeepJson => right(token, &[b'['; 200_000]),
        Kind::LargeCalls => {
            let large = payload::call(usize::from(number), payload::MESSAGE_BYTES_MAX, ROOM);
            // An amount that no schema takes.
            let text = String::from_utf8_lossy(&large).replacen("\"currency\":\"EUR\"", "\"currency\":\"XXX\"", 1);
            right(token, text.as_bytes())
        }
        Kind::Oversized => head(settings, token, 1 << 40).into_bytes(),
        Kind::Deaf => right(token, &vec![b'x'; ROOM]).repeat(50),
        Kind::RightCalls | Kind::Departures => right(token, &call),
    }
}

fn head(settings: &Settings, token: &str, length: usize) -> String {
    let Settings { to, path, .. } = settings;
    let (version, tool) = (payload::PROTOCOL_VERSION, payload::TOOL);
    format!(
        "POST {path} HTTP/1.1\r\nHost: {to}\r\nContent-Type: application/json\r\n\
         Accept: application/json, text/event-stream\r\nAuthorization: Bearer {token}\r\n\
         MCP-Protocol-Version: {version}\r\nMcp-Method: tools/call\r\nMcp-Name: {tool}\r\nContent-Length: {length}\r\n\r\n"
    )
}
