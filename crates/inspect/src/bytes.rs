//! Looks for rare bytes in long texts: many bytes at a time where none of them is one.

/// Bytes that are looked at together.
const BLOCK: usize = 32;

/// Where the first byte from `from` on stands that `is` one; such bytes are rare.
#[inline]
pub(crate) fn next(bytes: &[u8], from: usize, is: impl Fn(u8) -> bool) -> Option<usize> {
    let mut at = from;
    loop {
        let rest = bytes.get(at..)?;
        let block = rest.get(..BLOCK).unwrap_or(rest);
        // Without a branch per byte, so that all of them are compared at once.
        if block.iter().fold(false, |any, byte| any | is(*byte)) {
            return block.iter().position(|byte| is(*byte)).map(|offset| at + offset);
        }
        if block.len() < BLOCK {
            return None;
        }
        at += BLOCK;
    }
}

#[cfg(test)]
mod tests {
    use super::next;

    #[test]
    fn the_first_one_is_found_wherever_it_stands() {
        for length in 0..200 {
            let mut bytes = vec![b'x'; length];
            assert_eq!(next(&bytes, 0, |byte| byte == b'y'), None);
            for at in 0..length {
                bytes[at..].fill(b'y');
                for from in [0, at / 2, at] {
                    assert_eq!(next(&bytes, from, |byte| byte == b'y'), Some(at));
                }
                bytes.fill(b'x');
            }
        }
    }
}
