//! The agents: connections that are kept open and call one tool over and over.
//!
//! Without a rate, each connection calls as soon as it has its answer (closed loop): the most the process under test can
//! do, which is where CPU per call is measured. With a rate, calls are due at fixed times whether or not earlier ones
//! have been answered (open loop), and latency counts from when a call was due, so that a slow answer cannot hide the
//! calls that waited behind it.
//!
//! One thread does all of it: the generator must leave the machine to the process under test.

mod pace;

use std::io::Write;
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bytes::Bytes;
use clap::Args;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST};
use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio::task::{LocalSet, spawn_local};

use crate::{payload, process};
use pace::{Pace, Window};

/// What to call, how large, how often.
#[derive(Args, Debug)]
pub struct Settings {
    /// The address to connect to, `127.0.0.1:PORT`.
    #[arg(long)]
    pub to: Authority,
    /// The path to post to.
    #[arg(long, default_value = "/mcp")]
    pub path: PathAndQuery,
    /// The bearer token to present.
    #[arg(long, default_value = "none")]
    pub token: String,
    /// Connections, each kept open and with one call at a time.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub connections: u16,
    /// Bytes in each call and in each answer.
    #[arg(long, default_value_t = 1024, value_parser = message_bytes)]
    pub bytes: usize,
    /// Calls per second in all. Without it, each connection calls as soon as it has its answer.
    #[arg(long)]
    pub rate: Option<f64>,
    /// Seconds that are measured.
    #[arg(long, default_value_t = 3.0)]
    pub seconds: f64,
    /// Seconds before that, which are not.
    #[arg(long, default_value_t = 0.5)]
    pub warmup_seconds: f64,
    /// The process whose CPU time and memory to measure meanwhile.
    #[arg(long)]
    pub watch: Option<u32>,
}

fn message_bytes(text: &str) -> anyhow::Result<usize> {
    let bytes = text.parse().context("read a number of bytes")?;
    let (least, most) = (payload::MESSAGE_BYTES_MIN, payload::MESSAGE_BYTES_MAX);
    ensure!((least..=most).contains(&bytes), "a message has {least} to {most} bytes");
    Ok(bytes)
}

/// What was measured in one window.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Measured {
    /// Seconds the window was open.
    pub seconds: f64,
    /// Calls answered in it.
    pub calls: usize,
    /// Median latency, in microseconds.
    pub p50_microseconds: f64,
    /// 99th percentile of latency, in microseconds.
    pub p99_microseconds: f64,
    /// The watched process.
    pub watched: Option<Watched>,
}

impl Measured {
    /// Calls answered per second.
    pub fn calls_per_second(&self) -> f64 {
        self.calls as f64 / self.seconds
    }
}

/// What the watched process used.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Watched {
    /// Microseconds of user and system time for each answered call.
    pub cpu_microseconds_per_call: f64,
    /// Share of one core it used while the window was open.
    pub cores: f64,
    /// Bytes of memory resident at the window's end, under load.
    pub resident_bytes: u64,
}

/// Calls, and prints what was measured as one line of JSON. Any refused, failed or short answer is an error: numbers of a
/// run in which something went wrong are worth nothing.
pub fn run(settings: &Settings) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("start the runtime")?;
    let measured = LocalSet::new().block_on(&runtime, measure(settings))?;
    writeln!(std::io::stdout(), "{}", serde_json::to_string(&measured)?).context("say what was measured")
}

/// Does the same in a process of its own, which `program` starts, and returns what that measured.
pub fn elsewhere(mut program: Command, settings: &[(&str, String)]) -> anyhow::Result<Measured> {
    program.arg("load");
    for (name, value) in settings {
        program.arg(name).arg(value);
    }
    let output = program.stdin(Stdio::null()).stderr(Stdio::inherit()).output().context("start the load")?;
    ensure!(output.status.success(), "the load failed");
    serde_json::from_slice(&output.stdout).context("read what the load measured")
}

async fn measure(settings: &Settings) -> anyhow::Result<Measured> {
    let headers = Rc::new(headers(settings)?);
    let window = Rc::new(Window::default());
    let (pacer, paces) = Pace::start(settings.rate, usize::from(settings.connections));
    let mut agents = Vec::with_capacity(paces.len());
    for (id, pace) in paces.into_iter().enumerate() {
        let mut agent = Agent {
            connection: connect(&settings.to).await?,
            path: settings.path.clone(),
            headers: Rc::clone(&headers),
            body: payload::call(id, settings.bytes, settings.bytes),
            bytes: settings.bytes,
        };
        let window = Rc::clone(&window);
        agents.push(spawn_local(async move { agent.work(pace, &window).await }));
    }
    tokio::time::sleep(Duration::from_secs_f64(settings.warmup_seconds)).await;
    let before = settings.watch.map(process::usage).transpose()?;
    let opened = Instant::now();
    window.open();
    tokio::time::sleep(Duration::from_secs_f64(settings.seconds)).await;
    let after = settings.watch.map(process::usage).transpose()?;
    let seconds = opened.elapsed().as_secs_f64();
    window.close();
    drop(pacer);
    let mut latencies = Vec::new();
    for agent in agents {
        latencies.append(&mut agent.await.context("an agent stopped")??);
    }
    latencies.sort_unstable();
    let calls = latencies.len();
    ensure!(calls > 0, "no call was answered while the window was open");
    Ok(Measured {
        seconds: thousandths(seconds),
        calls,
        p50_microseconds: percentile(&latencies, 50),
        p99_microseconds: percentile(&latencies, 99),
        watched: before.zip(after).map(|(before, after)| {
            let cpu = after.cpu.saturating_sub(before.cpu).as_secs_f64();
            Watched {
                cpu_microseconds_per_call: thousandths(cpu * 1e6 / calls as f64),
                cores: thousandths(cpu / seconds),
                resident_bytes: after.resident_bytes,
            }
        }),
    })
}

/// As exact as anything here is; what stands behind it in a report would be noise.
pub fn thousandths(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

/// The value, in microseconds, that `percent` of the sorted latencies do not exceed.
pub fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(rank).map_or(f64::NAN, |latency| thousandths(latency.as_secs_f64() * 1e6))
}

#[expect(clippy::disallowed_methods, reason = "the benchmark is no part of the product, and calls loopback only")]
async fn connect(to: &Authority) -> anyhow::Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(to.as_str()).await.with_context(|| format!("connect to `{to}`"))?;
    stream.set_nodelay(true).context("set TCP_NODELAY")?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.context("begin HTTP")?;
    spawn_local(connection);
    Ok(sender)
}

fn headers(settings: &Settings) -> anyhow::Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert(HOST, HeaderValue::from_str(settings.to.as_str())?);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {}", settings.token))?);
    headers.insert("mcp-protocol-version", HeaderValue::from_static(payload::PROTOCOL_VERSION));
    headers.insert("mcp-method", HeaderValue::from_static("tools/call"));
    headers.insert("mcp-name", HeaderValue::from_static(payload::TOOL));
    Ok(headers)
}

/// One connection and the one call it repeats.
struct Agent {
    connection: SendRequest<Full<Bytes>>,
    path: PathAndQuery,
    headers: Rc<HeaderMap>,
    body: Bytes,
    bytes: usize,
}

impl Agent {
    /// Calls until the window closes or the pace ends. Returns the latency of each call answered in the window.
    async fn work(&mut self, mut pace: Pace, window: &Window) -> anyhow::Result<Vec<Duration>> {
        let mut latencies = Vec::new();
        while let Some(due) = pace.next(window).await {
            self.call().await?;
            if window.is_open() {
                latencies.push(due.elapsed());
            }
        }
        Ok(latencies)
    }

    async fn call(&mut self) -> anyhow::Result<()> {
        self.connection.ready().await.context("the connection was closed")?;
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = Uri::from(self.path.clone());
        *request.headers_mut() = HeaderMap::clone(&self.headers);
        let response = self.connection.send_request(request).await.context("a call failed")?;
        let status = response.status();
        let answer = response.into_body().collect().await.context("an answer broke off")?.to_bytes();
        ensure!(
            status == StatusCode::OK && payload::is_good_answer(&answer, self.bytes),
            "a call was not answered well: {status} {}",
            String::from_utf8_lossy(answer.get(..512).unwrap_or(&answer))
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests;
