//! How messages follow one another: events and lines.

use bytes::Bytes;
use serde_json::Value;
use wire::{lines, sse};

use crate::TEST_TIME;
use crate::grower::Grower;

#[test]
fn a_stream_gives_the_same_events_however_it_is_cut() {
    bolero::check!().with_test_time(TEST_TIME).with_type::<(Vec<u8>, Vec<u8>)>().for_each(|(bytes, cuts)| {
        let alphabet: [&[u8]; 15] = [
            b"data:",
            b"data: x",
            b"event: y",
            b"id: 1",
            b"retry: 5",
            b"id:",
            b"\n",
            b"\r",
            b"\r\n",
            b"\n\n",
            b": c",
            b"\xef\xbb\xbf",
            b"da",
            b"x",
            b"\xff",
        ];
        let stream: Vec<u8> = bytes.iter().flat_map(|&byte| alphabet[usize::from(byte) % 15].iter().copied()).collect();
        assert_eq!(
            decode(&stream, std::iter::repeat(stream.len().max(1))),
            decode(&stream, cuts.iter().map(|&cut| usize::from(cut % 8)))
        );
        // Raw bytes: only that nothing falls over, and that one byte at a time changes nothing.
        assert_eq!(decode(bytes, std::iter::repeat(bytes.len().max(1))), decode(bytes, std::iter::repeat(1)));
    });
}

fn decode(stream: &[u8], cuts: impl Iterator<Item = usize>) -> (Vec<sse::Event>, Option<sse::Ending>) {
    let mut decoder = sse::Decoder::new(40);
    let (mut events, mut rest) = (Vec::new(), stream);
    for cut in cuts.chain(std::iter::repeat(stream.len().max(1))) {
        let (piece, after) = rest.split_at(cut.min(rest.len()));
        if decoder.push(piece).is_err() {
            // How many events came out before the limit was met depends on the cut, whether it is met does not.
            return (Vec::new(), None);
        }
        events.extend(std::iter::from_fn(|| decoder.next()));
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    (events, Some(decoder.finish()))
}

#[test]
fn whatever_is_encoded_as_an_event_decodes_to_the_same_lines() {
    bolero::check!().with_test_time(TEST_TIME).for_each(|bytes: &[u8]| {
        let mut decoder = sse::Decoder::new(bytes.len() + 16);
        decoder.push(&sse::encode(bytes)).unwrap();
        let text: Vec<u8> = String::from_utf8_lossy(bytes).replace("\r\n", "\n").replace('\r', "\n").into_bytes();
        let data = decoder.next().unwrap().data;
        assert_eq!(String::from_utf8_lossy(&data).into_owned().into_bytes(), text);
        assert_eq!((decoder.next(), decoder.finish()), (None, sse::Ending::Clean));
    });
}

#[test]
fn lines_are_the_same_however_they_are_cut_and_written() {
    bolero::check!().with_test_time(TEST_TIME).with_type::<(Vec<u8>, Vec<u8>)>().for_each(|(bytes, cuts)| {
        let alphabet: [&[u8]; 6] = [b"\n", b"\r", b"\r\n", b" ", b"{}", b"abcdef"];
        let stream: Vec<u8> = bytes.iter().flat_map(|&byte| alphabet[usize::from(byte) % 6].iter().copied()).collect();
        for stream in [&stream, bytes] {
            let whole = cut_lines(stream, std::iter::repeat(stream.len().max(1)));
            assert_eq!(whole, cut_lines(stream, cuts.iter().map(|&cut| usize::from(cut % 8))));
        }
        let mut decoder = lines::Decoder::new(bytes.len());
        let encoded = lines::encode(bytes);
        decoder.push(&encoded).unwrap();
        let spaced = encoded.strip_suffix(b"\n").unwrap();
        let blank = spaced.iter().all(|byte| matches!(byte, b' ' | b'\t'));
        assert_eq!(decoder.next().as_deref(), (!blank).then_some(spaced));
        assert_eq!((decoder.next(), decoder.finish()), (None, sse::Ending::Clean));
        // A checked text says the same on one line.
        let grown = Grower::grow(bytes);
        if let Ok(value) = serde_json::from_slice::<Value>(&grown) {
            assert_eq!(serde_json::from_slice::<Value>(&lines::encode(&grown)).unwrap(), value);
        }
    });
}

fn cut_lines(stream: &[u8], cuts: impl Iterator<Item = usize>) -> Option<(Vec<Bytes>, sse::Ending)> {
    let mut decoder = lines::Decoder::new(20);
    let (mut lines, mut rest) = (Vec::new(), stream);
    for cut in cuts.chain(std::iter::repeat(stream.len().max(1))) {
        let (piece, after) = rest.split_at(cut.min(rest.len()));
        decoder.push(piece).ok()?;
        lines.extend(std::iter::from_fn(|| decoder.next()));
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    Some((lines, decoder.finish()))
}
