//! Reading a whole answer: bounded, and without copying where it came in one piece.

use bytes::{Bytes, BytesMut};
use egress::Body;
use http_body::Body as _;
use http_body_util::BodyExt;
use model::limits;

use crate::Fault;

/// Bytes set aside when more than one piece is coming. A server's declared length is not believed beyond this: memory
/// grows with what has come, not with what was promised.
const RESERVED_BYTES_MAX: usize = 64 * 1024;

/// Reads a body to its end, up to [`limits::MESSAGE_BYTES_MAX`].
pub(crate) async fn read(mut body: Body) -> Result<Bytes, Fault> {
    let declared = body.size_hint().exact();
    if declared.is_some_and(|bytes| usize::try_from(bytes).map_or(true, |bytes| bytes > limits::MESSAGE_BYTES_MAX)) {
        return Err(Fault::TooLarge);
    }
    let mut progress = Progress { declared, received: 0 };
    let Some(first) = progress.next(&mut body).await? else {
        return Ok(Bytes::new());
    };
    if body.is_end_stream() {
        return Ok(first);
    }
    let Some(second) = progress.next(&mut body).await? else {
        return Ok(first);
    };
    let expected = declared.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(RESERVED_BYTES_MAX);
    let mut whole = BytesMut::with_capacity(expected.min(RESERVED_BYTES_MAX).max(first.len() + second.len()));
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&second);
    while let Some(piece) = progress.next(&mut body).await? {
        if whole.len().saturating_add(piece.len()) > limits::MESSAGE_BYTES_MAX {
            return Err(Fault::TooLarge);
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

/// How far a body has come.
#[derive(Debug)]
pub(crate) struct Progress {
    pub(crate) declared: Option<u64>,
    pub(crate) received: u64,
}

impl Progress {
    /// The next piece of data; `None` at the proper end of the body.
    pub(crate) async fn next(&mut self, body: &mut Body) -> Result<Option<Bytes>, Fault> {
        while let Some(frame) = body.frame().await {
            // Trailers say nothing that MCP knows.
            let Ok(data) = frame.map_err(|error| self.fault(error))?.into_data() else {
                continue;
            };
            self.received = self.received.saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX));
            return Ok(Some(data));
        }
        Ok(None)
    }

    fn fault(&self, source: hyper::Error) -> Fault {
        let received = self.received;
        match self.declared {
            Some(declared) if ended(&source) => Fault::LengthBroken { declared, received },
            None if ended(&source) => Fault::EndedEarly { received },
            Some(_) | None => Fault::Broken { received, source },
        }
    }
}

/// Whether the error is the end of the connection where more was due.
fn ended(error: &hyper::Error) -> bool {
    let is_end = |source: &(dyn std::error::Error + 'static)| {
        source.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == std::io::ErrorKind::UnexpectedEof)
    };
    error.is_incomplete_message() || std::error::Error::source(error).is_some_and(is_end)
}
