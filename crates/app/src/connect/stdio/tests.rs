use std::io::BufReader;

use super::*;

fn lines(text: &str) -> Vec<Line> {
    // However the bytes are cut.
    let read_all = |capacity| {
        let mut input = BufReader::with_capacity(capacity, text.as_bytes());
        let mut lines = Vec::new();
        while let Some(line) = read(&mut input, 8).unwrap() {
            lines.push(line);
        }
        lines
    };
    let lines = read_all(1);
    assert_eq!(lines, read_all(5));
    assert_eq!(lines, read_all(1_000));
    lines
}

fn whole(text: &'static str) -> Line {
    Line::Whole(text.into())
}

#[test]
fn each_line_is_a_message_and_blank_ones_are_none() {
    assert_eq!(lines("one\n\n \r\ntwo\r\nthree"), [whole("one"), whole("two\r"), whole("three")]);
    assert_eq!(lines(""), []);
    assert_eq!(lines("\n\n"), []);
}

#[test]
fn a_line_that_is_too_long_is_skipped_and_the_next_is_read() {
    assert_eq!(lines("12345678\n123456789\nlast\n"), [whole("12345678"), Line::TooLong, whole("last")]);
    assert_eq!(lines("1234567890"), [Line::TooLong]);
}
