//! Where a server of HTTP+SSE wants to be posted to (MCP 2024-11-05, basic/transports).
//!
//! The server says so in the first event of its stream, in words of its own. The gate would carry a credential and a
//! client's data there, so it is taken for what it may be and no more: another path of the very server that was asked.

use http::Uri;
use http::uri::{Authority, Scheme};
use model::limits;

/// Resolves what the server said against where it is (RFC 3986, section 5).
///
/// # Errors
/// Why it cannot be posted to there. It never quotes what was said.
pub(super) fn resolve(base: &Uri, said: &str) -> Result<Uri, &'static str> {
    let readable =
        |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'#' | b'"' | b'<' | b'>' | b'^' | b'`');
    if said.is_empty() || said.len() > limits::URI_BYTES_MAX || !said.bytes().all(readable) {
        return Err("the address to post to is none");
    }
    let (Some(scheme), Some(authority)) = (base.scheme(), base.authority()) else {
        return Err("the server's own address is none");
    };
    let target = match (absolute(said), said.strip_prefix("//")) {
        (Some(theirs), _) => own(theirs, scheme, authority)?,
        (None, Some(_)) => own(&format!("{scheme}:{said}"), scheme, authority)?,
        (None, None) => relative(base, said)?,
    };
    let (path, query) = target.split_once('?').map_or((target.as_str(), None), |(path, query)| (path, Some(query)));
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let resolved = Uri::builder()
        .scheme(scheme.clone())
        .authority(authority.clone())
        .path_and_query(format!("{}{query}", without_dots(path)));
    resolved.build().map_err(|_| "the address to post to is none")
}

/// The text, if it names a scheme.
fn absolute(said: &str) -> Option<&str> {
    let (before, _) = said.split_once(':')?;
    (!before.contains(['/', '?'])).then_some(said)
}

/// Path and query of an address that is the server's own.
fn own(theirs: &str, scheme: &Scheme, authority: &Authority) -> Result<String, &'static str> {
    let theirs: Uri = theirs.parse().map_err(|_| "the address to post to is none")?;
    let same = theirs.scheme() == Some(scheme)
        && theirs.authority().is_some_and(|theirs| {
            !theirs.as_str().contains('@')
                && theirs.host().eq_ignore_ascii_case(authority.host())
                && port(theirs, scheme) == port(authority, scheme)
        });
    let target = theirs.path_and_query().map_or("/", |target| target.as_str());
    if same { Ok(target.to_owned()) } else { Err("it wants to be posted to at another server") }
}

fn port(authority: &Authority, scheme: &Scheme) -> Option<u16> {
    let usual = if *scheme == Scheme::HTTPS { 443 } else { 80 };
    match authority.port() {
        None => Some(usual),
        // One that is no number is that of nobody.
        Some(port) => port.as_str().parse().ok(),
    }
}

/// Path and query of what is said relative to the base.
fn relative(base: &Uri, said: &str) -> Result<String, &'static str> {
    match said.chars().next() {
        Some('/') => Ok(said.to_owned()),
        Some('?') => Ok(format!("{}{said}", base.path())),
        Some(_) => {
            let (folder, _) = base.path().rsplit_once('/').unwrap_or_default();
            Ok(format!("{folder}/{said}"))
        }
        None => Err("the address to post to is none"),
    }
}

/// The path without `.` and `..` segments.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if is_last {
                    kept.push("");
                }
            }
            segment => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests;
