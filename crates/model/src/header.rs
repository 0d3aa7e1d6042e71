//! Headers that carry no credential.

/// Headers that the gate or HTTP itself writes, in lower case; so are all that begin with `mcp-`.
const RESERVED: [&str; 13] = [
    "accept",
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "portcullis-assertion",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

/// Whether a header, in lower case, means something to HTTP or MCP itself: a credential in it would break the message, or
/// change what it says.
pub fn is_reserved_header(name: &str) -> bool {
    name.starts_with("mcp-") || RESERVED.contains(&name)
}
