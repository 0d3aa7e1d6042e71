use super::*;

fn after(writes: &[&[u8]]) -> Tail {
    let stderr = Stderr::default();
    for bytes in writes {
        stderr.kept().extend(bytes);
    }
    stderr.tail()
}

#[test]
fn lines_are_kept_whole_across_writes() {
    let tail = after(&[b"first\nsec", b"ond\r\nthird"]);
    assert_eq!(tail, Tail { lines: vec!["first".into(), "second".into(), "third".into()], dropped_bytes: 0 });
}

#[test]
fn what_a_terminal_would_obey_is_written_out() {
    let tail = after(&["\u{1b}[2J\u{7}tab\tmoney\u{202e}\u{9b}".as_bytes(), b"\xff\n"]);
    assert_eq!(tail.lines, ["\\u{1b}[2J\\u{7}tab\tmoney\\u{202e}\\u{9b}\u{fffd}"]);
}

#[test]
fn the_end_is_kept_and_the_rest_counted() {
    let line = b"0123456789abcde\n";
    let stderr = Stderr::default();
    for _ in 0..10_000 {
        stderr.kept().extend(line);
    }
    stderr.kept().extend(b"last");
    let tail = stderr.tail();
    let shown: usize = tail.lines.iter().map(|line| line.len() + 1).sum::<usize>() - 1;
    assert_eq!(tail.lines.last().unwrap(), "last");
    assert_eq!(tail.lines[0], "0123456789abcde");
    assert!(shown <= LOCAL_STDERR_BYTES_MAX && shown > LOCAL_STDERR_BYTES_MAX - 2 * line.len());
    assert_eq!(shown as u64 + tail.dropped_bytes, 160_004);
}

#[test]
fn one_write_larger_than_what_is_kept_is_cut_in_front() {
    let tail = after(&[b"before", &vec![b'x'; LOCAL_STDERR_BYTES_MAX + 5]]);
    assert_eq!(tail.lines, ["x".repeat(LOCAL_STDERR_BYTES_MAX)]);
    assert_eq!(tail.dropped_bytes, 11);
    assert!(tail.to_string().starts_with("(11 bytes before this were not kept)\nxxx"));
}
