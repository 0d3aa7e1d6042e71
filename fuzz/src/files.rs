//! The journal's files, as an attacker with a disk would leave them.

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;

use audit::{Record, Trusted, verify};

use crate::line_and_rest;

#[rustfmt::skip]
#[path = "../../crates/audit/src/frame.rs"]
#[expect(dead_code, reason = "the file of another crate, of which a part is tried")]
mod frame_file;

/// A record that was read is written, and read again, as itself.
pub(crate) fn record(bytes: &[u8]) {
    let Ok(record) = Record::decode(bytes) else { return };
    let mut written = Vec::new();
    if record.encode(&mut written).is_err() {
        assert!(written.is_empty(), "what cannot be written leaves nothing behind");
        return;
    }
    let again = Record::decode(&written).expect("what was written can be read");
    let mut twice = Vec::new();
    again.encode(&mut twice).expect("what was read can be written");
    assert_eq!(String::from_utf8_lossy(&written), String::from_utf8_lossy(&twice));
}

/// A frame is read as what was written, and nothing else passes for one. What is no frame ends the reading.
pub(crate) fn frame(bytes: &[u8]) {
    let mut rest = bytes;
    while let frame_file::Frame::Entry { frame, entry } = frame_file::read(rest) {
        assert_eq!(frame.len(), frame_file::HEADER_BYTES + entry.len());
        let mut sealed = Vec::new();
        let written: Result<(), ()> = frame_file::seal(&mut sealed, |out| {
            out.extend_from_slice(entry);
            Ok(())
        });
        assert!(written.is_ok() && sealed == frame);
        rest = &rest[frame.len()..];
    }
    if !bytes.is_empty() && bytes.len() <= model::limits::RECORD_BYTES_MAX {
        let mut sealed = Vec::new();
        let _: Result<(), ()> = frame_file::seal(&mut sealed, |out| {
            out.extend_from_slice(bytes);
            Ok(())
        });
        assert!(matches!(frame_file::read(&sealed), frame_file::Frame::Entry { entry, .. } if entry == bytes));
    }
}

/// A journal's folder, which is the thread's own and goes with it.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

thread_local! {
    static FOLDER: RefCell<Option<Folder>> = const { RefCell::new(None) };
}

/// Whatever lies in the folder of a journal, it is verified or told what is wrong with it. The input is the public key,
/// a line break, how many bytes the checkpoint has, a line break, the checkpoint and then the records. A frame's checksum
/// need not be guessed: records that begin with `{` are lines, each put into a frame of its own.
pub(crate) fn journal(bytes: &[u8]) {
    let (key, rest) = line_and_rest(bytes);
    let (length, rest) = line_and_rest(rest);
    let length = std::str::from_utf8(length).ok().and_then(|digits| digits.parse().ok()).unwrap_or(0_usize);
    let (checkpoint, records) = rest.split_at(length.min(rest.len()));
    FOLDER.with_borrow_mut(|folder| {
        let folder = folder.get_or_insert_with(|| {
            let base =
                if fs::exists("/dev/shm").unwrap_or(false) { PathBuf::from("/dev/shm") } else { std::env::temp_dir() };
            let path = base.join(format!("portcullis-fuzz-{}-{:?}", std::process::id(), std::thread::current().id()));
            fs::create_dir_all(&path).expect("a folder");
            Folder(path)
        });
        let write = |name: &str, bytes: &[u8]| fs::write(folder.0.join(name), bytes).expect("a file");
        write("signing.pub", key);
        write("checkpoint", checkpoint);
        write("checkpoints", b"");
        write("00000000000000000000.records", &framed(records));
        if let Ok(report) = verify(&folder.0, &Trusted::default(), &mut |_| {}) {
            assert!(report.problems.len() as u64 <= report.problems_total);
            assert!(report.signed <= report.records || !report.is_intact());
            assert!(report.bytes <= framed(records).len() as u64);
        }
    });
}

fn framed(records: &[u8]) -> Vec<u8> {
    if !records.starts_with(b"{") {
        return records.to_vec();
    }
    let mut frames = Vec::new();
    for entry in records.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        let _: Result<(), ()> = frame_file::seal(&mut frames, |out| {
            out.extend_from_slice(entry);
            Ok(())
        });
    }
    frames
}
