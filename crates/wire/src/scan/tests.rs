use super::*;

fn slow(bytes: &[u8], from: usize, stops: impl Fn(u8) -> bool) -> usize {
    bytes.iter().skip(from).position(|&byte| stops(byte)).map_or(bytes.len(), |place| from + place)
}

#[test]
fn a_stop_is_found_wherever_it_stands_and_whatever_surrounds_it() {
    for length in (0..40).chain([63, 64, 65, 127, 128, 129, 200]) {
        for place in 0..length {
            for filler in [b'a', 0x20, 0x21, 0x23, 0x5b, 0x5d, 0x7f, 0x80, 0xa2, 0xff] {
                for stop in [b'"', b'\\', 0, 0x1f, b'\n', b'\r'] {
                    let mut bytes = vec![filler; length];
                    bytes[place] = stop;
                    for from in [0, place / 2, place, place + 1] {
                        let is_stop = |byte| matches!(byte, b'"' | b'\\' | 0..=0x1f);
                        assert_eq!(string_stop(&bytes, from), slow(&bytes, from, is_stop));
                        assert_eq!(line_feed(&bytes, from), slow(&bytes, from, |byte| byte == b'\n'));
                        assert_eq!(line_stop(&bytes, from), slow(&bytes, from, |byte| byte == b'\n' || byte == b'\r'));
                    }
                }
            }
        }
    }
}

#[test]
fn without_a_stop_the_end_is_found() {
    assert_eq!(string_stop(b"", 0), 0);
    assert_eq!(string_stop("städtisch und länger".as_bytes(), 3), "städtisch und länger".len());
}
