use super::*;

const LIMIT: usize = 16;

fn lines(stream: &[u8], piece: usize) -> Option<(Vec<String>, Ending)> {
    let mut decoder = Decoder::new(LIMIT);
    let mut lines = Vec::new();
    for piece in stream.chunks(piece) {
        decoder.push(piece).ok()?;
        lines.extend(std::iter::from_fn(|| decoder.next()).map(|line| String::from_utf8(line.to_vec()).unwrap()));
    }
    Some((lines, decoder.finish()))
}

#[test]
fn lines_are_the_same_however_the_stream_is_cut() {
    for (stream, expected, ending) in [
        ("{}\n", vec!["{}"], Ending::Clean),
        ("{}\r\n[1]\n", vec!["{}", "[1]"], Ending::Clean),
        ("\n\r\n \t\n{}\n\n", vec!["{}"], Ending::Clean),
        ("{}\n{\"a\"", vec!["{}"], Ending::MidEvent),
        ("{\r}\n", vec!["{\r}"], Ending::Clean),
        (" {} \n", vec![" {} "], Ending::Clean),
        ("\u{2028}\u{85}\n", vec!["\u{2028}\u{85}"], Ending::Clean),
        ("", vec![], Ending::Clean),
    ] {
        for piece in [1, 2, 3, 5, 1000] {
            let (found, ended) = lines(stream.as_bytes(), piece).unwrap();
            assert_eq!((found, ended), (expected.iter().map(ToString::to_string).collect(), ending), "{stream:?}");
        }
    }
}

#[test]
fn a_line_beyond_the_limit_is_refused_before_it_is_whole() {
    for piece in [1, 7, 1000] {
        assert!(lines(format!("{}\n", "x".repeat(LIMIT)).as_bytes(), piece).is_some());
        assert!(lines(format!("{}\r\n", "x".repeat(LIMIT)).as_bytes(), piece).is_some());
        assert!(lines(format!("{}\n", "x".repeat(LIMIT + 1)).as_bytes(), piece).is_none());
        assert!(lines("x".repeat(LIMIT + 2).as_bytes(), piece).is_none());
        assert!(lines("{}\n".repeat(100).as_bytes(), piece).is_some());
    }
}

#[test]
fn a_message_is_one_line() {
    assert_eq!(encode(b"{}"), "{}\n");
    assert_eq!(encode(b""), "\n");
    assert_eq!(encode(b"{\n\"a\":\r\n[1,\r2]}\n"), "{ \"a\":  [1, 2]} \n");
    assert_eq!(encode("{\"a\":\"\u{2028}\\n\"}".as_bytes()), "{\"a\":\"\u{2028}\\n\"}\n");
}
