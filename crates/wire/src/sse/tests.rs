use super::*;

const LIMIT: usize = 64;

/// All events of a stream that arrives in pieces of this size, and how it ended.
fn events(stream: &[u8], piece: usize) -> (Vec<(Option<String>, String)>, Ending) {
    let mut decoder = Decoder::new(LIMIT);
    let mut events = Vec::new();
    for piece in stream.chunks(piece) {
        decoder.push(piece).unwrap();
        while let Some(event) = decoder.next() {
            events.push((event.kind, String::from_utf8(event.data.to_vec()).unwrap()));
        }
    }
    (events, decoder.finish())
}

#[test]
fn events_are_the_same_however_the_stream_is_cut() {
    for (stream, expected, ending) in [
        ("data: {}\n\n", vec![(None, "{}")], Ending::Clean),
        ("data:{}\r\n\r\ndata: 2\r\rdata: 3\n\n", vec![(None, "{}"), (None, "2"), (None, "3")], Ending::Clean),
        ("\u{feff}data: a\n\n", vec![(None, "a")], Ending::Clean),
        ("data: a\ndata: b\r\ndata:\rdata:  c\n\n", vec![(None, "a\nb\n\n c")], Ending::Clean),
        (
            ": hi\n\n:\n\nevent: message\nid: 7\nretry: 5\nnope\ndata: x\n\n",
            vec![(Some("message"), "x")],
            Ending::Clean,
        ),
        ("event: lost\n\ndata: y\n\n", vec![(None, "y")], Ending::Clean),
        ("event\ndata\n\n", vec![(None, "")], Ending::Clean),
        ("data: a\n\ndata: b\n", vec![(None, "a")], Ending::MidEvent),
        ("data: a\n\ndata: b", vec![(None, "a")], Ending::MidEvent),
        ("dataset: a\nDATA: b\n data: c\n\n", vec![], Ending::Clean),
        ("", vec![], Ending::Clean),
        ("\n\n\r\r\n\n", vec![], Ending::Clean),
        ("data: \u{feff}ä\n\n", vec![(None, "\u{feff}ä")], Ending::Clean),
    ] {
        for piece in [1, 2, 3, 5, 1000] {
            let (found, ended) = events(stream.as_bytes(), piece);
            let found: Vec<_> = found.iter().map(|(kind, data)| (kind.as_deref(), data.as_str())).collect();
            assert_eq!((found, ended), (expected.clone(), ending), "{stream:?} in pieces of {piece}");
        }
    }
}

#[test]
fn an_event_is_ready_as_soon_as_its_blank_line_is_there() {
    let mut decoder = Decoder::new(LIMIT);
    decoder.push(b"data: a\r\n\r").unwrap();
    assert_eq!(decoder.next().unwrap().data, "a");
    decoder.push(b"\ndata: b\n").unwrap();
    assert_eq!(decoder.next(), None);
    decoder.push(b"\n").unwrap();
    assert_eq!(decoder.next().unwrap().data, "b");
    assert_eq!(decoder.finish(), Ending::Clean);
}

#[test]
fn what_is_larger_than_the_limit_is_refused_before_it_is_whole() {
    let push = |stream: &[u8]| Decoder::new(LIMIT).push(stream);
    assert!(push(format!("data:{}\n\n", "x".repeat(LIMIT)).as_bytes()).is_ok());
    assert!(push(format!("data:{}\n\n", "x".repeat(LIMIT + 1)).as_bytes()).is_err());
    assert!(push(format!("data: {}", "x".repeat(LIMIT)).as_bytes()).is_ok());
    assert!(push(format!("data: {}", "x".repeat(LIMIT + 1)).as_bytes()).is_err());
    assert!(push(format!(":{}", "x".repeat(LIMIT + 6)).as_bytes()).is_err());
    assert!(push(format!(":{}\n", "x".repeat(LIMIT + 6)).as_bytes()).is_err());
    assert!(push("data:xxxxxxx\n".repeat(9).as_bytes()).is_err());
    assert!(push("data:\n".repeat(LIMIT + 2).as_bytes()).is_err());
    // Comments and events that are done do not count against the next one.
    assert!(push(": comment\n".repeat(100).as_bytes()).is_ok());
    assert!(push("data:xxxxxxx\n\n".repeat(100).as_bytes()).is_ok());
}

#[test]
fn what_is_encoded_decodes_to_the_same_message() {
    assert_eq!(encode(br#"{"a":1}"#), "data: {\"a\":1}\n\n");
    assert_eq!(encode(b"{\n\r\n\r}"), "data: {\ndata: \ndata: \ndata: }\n\n");
    let (found, ending) = events(&encode(b"{\r\n \"a\": 1\r}"), 1);
    assert_eq!(found, [(None, "{\n \"a\": 1\n}".to_owned())]);
    assert_eq!(ending, Ending::Clean);
    assert_eq!(events(&comment(), 1), (vec![], Ending::Clean));
}

/// Ids and times to wait, of a stream that arrives in pieces of this size.
fn marks(stream: &[u8], piece: usize) -> Vec<(Option<String>, Option<u64>, String)> {
    let mut decoder = Decoder::new(LIMIT);
    let mut marks = Vec::new();
    for piece in stream.chunks(piece) {
        decoder.push(piece).unwrap();
        while let Some(event) = decoder.next() {
            marks.push((event.id, event.retry, String::from_utf8(event.data.to_vec()).unwrap()));
        }
    }
    marks
}

#[test]
fn ids_and_times_to_wait_are_read() {
    let id = |id: &str| Some(id.to_owned());
    for (stream, expected) in [
        ("id: 7\ndata: a\n\ndata: b\n\n", vec![(id("7"), None, "a"), (None, None, "b")]),
        ("id:1\nid: 2\nretry: 50\ndata:\n\n", vec![(id("2"), Some(50), "")]),
        ("retry: 5\r\n\r\nid: x-9\r\r", vec![(None, Some(5), ""), (id("x-9"), None, "")]),
        ("data: a\nid\n\n", vec![(id(""), None, "a")]),
        // What no header could carry back, and what is no time, is as if it were not there.
        ("id: a b\nretry: soon\ndata: a\n\n", vec![(None, None, "a")]),
        ("id: 1\nid: \u{e4}\nretry: 3\nretry: -4\nretry:\ndata: a\n\n", vec![(id("1"), Some(3), "a")]),
        ("id: a\0b\nretry: 99999999999999999999\n\n", vec![]),
    ] {
        let expected: Vec<_> = expected.into_iter().map(|(id, retry, data)| (id, retry, data.to_owned())).collect();
        for piece in [1, 3, 1000] {
            assert_eq!(marks(stream.as_bytes(), piece), expected, "{stream:?} in pieces of {piece}");
        }
    }
    let long = format!("id: {}\ndata: a\n\n", "x".repeat(limits::EVENT_ID_BYTES_MAX + 1));
    let mut decoder = Decoder::new(long.len());
    decoder.push(long.as_bytes()).unwrap();
    assert_eq!(decoder.next().unwrap().id, None);
}

#[test]
fn events_can_be_numbered_and_a_stream_primed() {
    assert_eq!(numbered("1-2", b"{}"), "id: 1-2\ndata: {}\n\n");
    assert_eq!(priming("1-0", 500), "id: 1-0\nretry: 500\ndata: \n\n");
    assert_eq!(marks(&priming("1-0", 500), 1), [(Some("1-0".to_owned()), Some(500), String::new())]);
    for id in ["", "a b", "1\ndata: forged", "\u{e4}"] {
        assert_eq!(numbered(id, b"{}"), encode(b"{}"), "{id:?}");
    }
}

#[test]
fn an_event_of_a_kind_is_read_back_with_it() {
    let mut decoder = Decoder::new(100);
    decoder.push(&of_kind("endpoint", b"/messages?session=x")).unwrap();
    decoder.push(&of_kind("mess\r\nage", b"{}\n{}")).unwrap();
    let kinds = [decoder.next().unwrap(), decoder.next().unwrap()].map(|event| (event.kind.unwrap(), event.data));
    assert_eq!(kinds[0], ("endpoint".to_owned(), Bytes::from_static(b"/messages?session=x")));
    assert_eq!(kinds[1], ("message".to_owned(), Bytes::from_static(b"{}\n{}")));
    assert_eq!(decoder.next(), None);
}
