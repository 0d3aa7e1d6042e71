//! Records on their way to one flush.

use model::ReceiptId;

use crate::frame;
use crate::record::{Kind, Record, RecordError};

/// Records in frames, in one run of bytes, and what the journal keeps in mind of each.
#[derive(Default)]
pub(crate) struct Batch {
    bytes: Vec<u8>,
    lines: Vec<Line>,
}

/// What is kept in mind of one framed record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    pub(crate) id: ReceiptId,
    pub(crate) kind: Kind,
    /// For an outcome, the intent it closes.
    pub(crate) closes: Option<ReceiptId>,
    /// Bytes of its frame.
    pub(crate) bytes: usize,
    /// Whether a caller waits for it, and will act only when it is durable.
    pub(crate) awaited: bool,
}

impl Line {
    /// What is kept in mind of `record`, framed in `bytes` bytes.
    pub(crate) fn of(record: &Record, bytes: usize, awaited: bool) -> Self {
        Self { id: record.id, kind: record.event.kind(), closes: record.closes(), bytes, awaited }
    }
}

impl Batch {
    /// Frames a record and adds it. On an error the batch is as it was.
    pub(crate) fn add(&mut self, record: &Record, awaited: bool) -> Result<(), RecordError> {
        let start = self.bytes.len();
        frame::seal(&mut self.bytes, |out| record.encode(out))?;
        self.lines.push(Line::of(record, self.bytes.len() - start, awaited));
        Ok(())
    }

    /// Adds a record that is framed already.
    pub(crate) fn add_framed(&mut self, line: Line, frame: &[u8]) {
        self.bytes.extend_from_slice(frame);
        self.lines.push(line);
    }

    /// Each record's line and frame, in order.
    pub(crate) fn frames(&self) -> impl Iterator<Item = (&Line, &[u8])> {
        let mut rest = self.bytes.as_slice();
        self.lines.iter().map(move |line| {
            let (frame, after) = rest.split_at_checked(line.bytes).unwrap_or((rest, &[]));
            rest = after;
            (line, frame)
        })
    }

    /// All frames.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Records that someone waits for.
    pub(crate) fn awaited(&self) -> usize {
        self.lines.iter().filter(|line| line.awaited).count()
    }

    /// Records in it.
    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Empties it, keeping its buffers.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.lines.clear();
    }
}
