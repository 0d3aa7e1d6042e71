//! Passwords in URLs: `scheme://user:password@host`.

use std::ops::Range;

use crate::check::Check;

/// Bytes between the scheme and the `@`.
const USER_INFO_BYTES_MAX: usize = 256;

/// The user's name and password of every URL that has them.
pub(super) fn passwords(text: &str) -> impl Iterator<Item = Range<usize>> {
    memchr::memchr_iter(b'@', text.as_bytes()).filter_map(|at| password(text, at))
}

fn password(text: &str, at: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let before = bytes.get(at.saturating_sub(USER_INFO_BYTES_MAX)..at)?;
    let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'`' | b'\\');
    let length = before.iter().rev().take_while(|byte| !ends(byte)).count();
    let url = text.get(at - length..at)?;
    let (scheme, info) = url.rsplit_once("://")?;
    let host = text.get(at + 1..)?;
    let host = host.get(..host.find(|c: char| !c.is_alphanumeric() && !"._-$({[".contains(c)).unwrap_or(host.len()))?;
    let (user, password) = info.split_once(':')?;
    // A slash ends the authority, so that what follows is a path with an `@` in it.
    let in_authority = !user.contains(['/', '?', '#']) && !password.contains('/');
    let known =
        scheme.ends_with(|c: char| c.is_ascii_alphanumeric()) && host.starts_with(|c: char| c.is_alphanumeric());
    // A short word opens a host on the network all the same, and hardly matters on one's own machine.
    let own_machine = host.starts_with("localhost") || host.starts_with("127.");
    let opens = Check::UserPassword.passes(info) || password == "pass" && user != password && !own_machine;
    (in_authority && known && opens).then_some(at - password.len()..at)
}
