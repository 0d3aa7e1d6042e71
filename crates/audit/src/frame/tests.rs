use std::io::Write;

use super::*;

fn framed(entry: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    seal(&mut out, |out| {
        out.extend_from_slice(entry);
        Ok::<(), ()>(())
    })
    .unwrap();
    out
}

#[test]
fn what_was_sealed_is_read() {
    let bytes = framed(b"{\"v\":1}");
    assert_eq!(read(&bytes), Frame::Entry { frame: &bytes, entry: b"{\"v\":1}" });
}

#[test]
fn no_part_of_a_frame_is_a_record() {
    let bytes = framed(b"{\"v\":1}");
    for end in 0..bytes.len() {
        assert_eq!(read(&bytes[..end]), Frame::Short, "{end}");
    }
}

#[test]
fn no_changed_bit_goes_unnoticed() {
    let bytes = framed(b"{\"v\":1}");
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(!matches!(read(&changed), Frame::Entry { .. }), "{bit}");
    }
}

#[test]
fn zeros_are_no_records() {
    assert_eq!(read(&[0; 64]), Frame::BadLength);
}

#[test]
fn what_was_written_ends_with_the_last_byte_that_is_not_zero() {
    let mut file = tempfile::tempfile().unwrap();
    let record = framed(b"{\"v\":1}");
    let length = record.len() as u64;
    file.write_all(&[record.as_slice(), &vec![0; 2 * CHUNK_BYTES]].concat()).unwrap();
    let frames = Frames::new(file.try_clone().unwrap(), 0);
    assert_eq!(frames.written_end(0).unwrap(), length);
    assert_eq!(frames.written_end(length).unwrap(), length);
    assert_eq!(frames.written_end(length + 9).unwrap(), length + 9);
    file.write_all(b"}").unwrap();
    assert_eq!(frames.written_end(length).unwrap(), length + 2 * CHUNK_BYTES as u64 + 1);
}

#[test]
fn a_failed_write_leaves_nothing() {
    let mut out = b"before".to_vec();
    let sealed = seal(&mut out, |out| {
        out.extend_from_slice(b"half");
        Err("no")
    });
    assert_eq!((sealed, out.as_slice()), (Err("no"), b"before".as_slice()));
}

#[test]
fn a_file_longer_than_the_buffer_is_read_whole() {
    let mut file = tempfile::tempfile().unwrap();
    let entries: Vec<Vec<u8>> = (0_usize..100).map(|n| vec![b'x'; 1 + n * 600]).collect();
    for entry in &entries {
        file.write_all(&framed(entry)).unwrap();
    }
    io::Seek::rewind(&mut file).unwrap();
    let mut frames = Frames::new(file, 0);
    let mut offset = 0;
    for expected in &entries {
        let found = frames.advance().unwrap().unwrap();
        assert_eq!(found.offset, offset);
        let Frame::Entry { frame, entry } = found.frame else { panic!("no entry at {offset}") };
        assert!(entry == expected);
        offset += u64::try_from(frame.len()).unwrap();
    }
    assert!(frames.advance().unwrap().is_none());
}
