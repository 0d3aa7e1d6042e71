//! One disk flush: what durability itself costs in the file system that the gate's journal is in.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;

/// Bytes appended before each flush: one page, about what a small group of records takes.
const APPEND_BYTES: usize = 4096;
/// Flushes in one sample.
const FLUSHES: usize = 40;

/// Appends a page and flushes it (`fdatasync`), [`FLUSHES`] times, in a file of its own in `directory`.
pub(crate) fn sample(directory: &Path) -> anyhow::Result<Vec<Duration>> {
    let path = directory.join("flush.tmp");
    let mut file = File::create(&path).context("create a file to flush")?;
    let page = [0x5a; APPEND_BYTES];
    let mut times = Vec::with_capacity(FLUSHES);
    for _ in 0..FLUSHES {
        file.write_all(&page).context("append a page")?;
        let started = Instant::now();
        file.sync_data().context("flush a page")?;
        times.push(started.elapsed());
    }
    drop(file);
    fs::remove_file(&path).context("remove the flushed file")?;
    Ok(times)
}
