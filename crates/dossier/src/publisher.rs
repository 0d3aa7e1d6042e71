//! What a host says of who publishes servers in its name: the document with which publishers show the official registry that a
//! domain is theirs, at [`PATH`]. It is a line for each key, as the DNS record with the same purpose has it:
//!
//! ```text
//! v=MCPv1; k=ed25519; p=<key>
//! ```
//!
//! Whoever can put it there has the host. Which servers they publish it does not say.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::limits;

/// Where the document is.
pub const PATH: &str = "/.well-known/mcp-registry-auth";
/// The one version of it.
const VERSION: &str = "MCPv1";
/// The algorithms, and how long a key of each is in bytes.
const ALGORITHMS: &[(&str, &[usize])] = &[("ed25519", &[32]), ("ecdsap384", &[49, 97])];

/// A publisher's key, as a host shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublisherKey {
    /// Its algorithm.
    pub algorithm: String,
    /// The key, in base64.
    pub key: String,
}

/// The keys in a document; none if it is something else, such as the page that a host shows for every path.
pub fn publisher_keys(document: &str) -> Vec<PublisherKey> {
    let lines = document.lines().take(limits::PUBLISHER_KEYS_MAX).filter_map(|line| key(line.trim()));
    let mut keys: Vec<PublisherKey> = Vec::new();
    for key in lines {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

fn key(line: &str) -> Option<PublisherKey> {
    let (mut version, mut algorithm, mut key) = (None, None, None);
    for part in line.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=')?;
        let place = match name.trim() {
            "v" => &mut version,
            "k" => &mut algorithm,
            "p" => &mut key,
            _ => continue,
        };
        // Two readers could take one or the other.
        if place.replace(value.trim()).is_some() {
            return None;
        }
    }
    let (algorithm, key) = (algorithm?, key?);
    let (_, lengths) = ALGORITHMS.iter().find(|(name, _)| *name == algorithm)?;
    let bytes = STANDARD.decode(key).ok()?;
    let is_good = version == Some(VERSION) && lengths.contains(&bytes.len());
    is_good.then(|| PublisherKey { algorithm: algorithm.to_owned(), key: key.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

    #[test]
    fn a_document_of_keys_is_read_and_nothing_else_is_one() {
        let good = format!("v=MCPv1; k=ed25519; p={KEY}");
        assert_eq!(publisher_keys(&good), [PublisherKey { algorithm: "ed25519".to_owned(), key: KEY.to_owned() }]);
        assert_eq!(publisher_keys(&format!("# ours\n{good}\n{good}\n")).len(), 1);
        for bad in [
            String::new(),
            "<!doctype html><title>Example</title>".to_owned(),
            good.replace("MCPv1", "MCPv2"),
            good.replace("ed25519", "rsa"),
            good.replace("11qY", "11"),
            good.replace("p=", "q="),
            format!("{good}; p={KEY}"),
            format!("v=MCPv1; k=ed25519; p={}", "A".repeat(400)),
        ] {
            assert_eq!(publisher_keys(&bad), [], "{bad}");
        }
        assert!(publisher_keys(&"\n".repeat(10_000)).is_empty());
    }
}
