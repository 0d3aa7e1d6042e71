//! What a lane carried: counted, never sampled.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::{fmt, io};

use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;

/// What a lane carried since it was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FlowCounts {
    /// Connections made.
    pub connected: u64,
    /// Of them, those open now.
    pub open: u64,
    /// Connections the reach did not allow.
    pub refused: u64,
    /// Connections that were allowed and could not be made.
    pub failed: u64,
    /// Bytes written to sockets, TLS included.
    pub bytes_sent: u64,
    /// Bytes read from sockets, TLS included.
    pub bytes_received: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Flow {
    pub(crate) connected: AtomicU64,
    pub(crate) closed: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) failed: AtomicU64,
    bytes_sent: AtomicU64,
    bytes_received: AtomicU64,
}

impl Flow {
    pub(crate) fn counts(&self) -> FlowCounts {
        let closed = self.closed.load(Relaxed);
        let connected = self.connected.load(Relaxed);
        FlowCounts {
            connected,
            open: connected.saturating_sub(closed),
            refused: self.refused.load(Relaxed),
            failed: self.failed.load(Relaxed),
            bytes_sent: self.bytes_sent.load(Relaxed),
            bytes_received: self.bytes_received.load(Relaxed),
        }
    }
}

/// A connection that counts what passes, and gives its place in the lane back when it closes.
pub(crate) struct Counted {
    stream: TcpStream,
    flow: Arc<Flow>,
    _place: OwnedSemaphorePermit,
}

impl Counted {
    pub(crate) fn new(stream: TcpStream, flow: Arc<Flow>, place: OwnedSemaphorePermit) -> Self {
        flow.connected.fetch_add(1, Relaxed);
        Self { stream, flow, _place: place }
    }

    fn sent(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = &written {
            self.flow.bytes_sent.fetch_add(u64::try_from(*bytes).unwrap_or(u64::MAX), Relaxed);
        }
        written
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.flow.closed.fetch_add(1, Relaxed);
    }
}

impl fmt::Debug for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.stream.fmt(f)
    }
}

impl Connection for Counted {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Counted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let bytes = buffer.filled().len().saturating_sub(before);
        self.flow.bytes_received.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Relaxed);
        read
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.sent(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.sent(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
