//! `[catalogue]`: the private registry, and who may read it.

use std::net::SocketAddr;

use model::SecretReference;
use registry::manifest::Mistake;
use registry::shelf::Shelf;
use serde::Deserialize;
use url::{Host, Url};

use super::place::Step::{self, Key};
use super::{Listener, Loaded};
use crate::shelf::Readers;

/// The private registry: what endpoints with `catalogue = true` are called, and who reads that.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Catalogue {
    /// Whether everybody who reaches the agents' listener may read it.
    #[serde(default)]
    pub open: bool,
    /// The token with which it is read, where not everybody may.
    pub token: Option<SecretReference>,
    /// What the names in it begin with: `com.example`. Without it, the host of the agents' listener, backwards.
    pub namespace: Option<String>,
}

fn at(key: &str) -> [Step<'_>; 2] {
    [Key("catalogue"), Key(key)]
}

impl Loaded {
    /// The private registry and its readers, if there is one.
    ///
    /// # Errors
    /// When its token cannot be read.
    pub(crate) fn catalogue(&self, base: String) -> Result<Option<(Shelf, Readers)>, Mistake> {
        let Some(Catalogue { open: _, token, namespace }) = &self.settings.catalogue else { return Ok(None) };
        let readers = match token {
            Some(token) => Readers::Holders(self.secret(token, &at("token"))?),
            None => Readers::Everybody,
        };
        let namespace = namespace.clone().unwrap_or_else(|| backwards(&base));
        Ok(Some((Shelf { namespace, base }, readers)))
    }

    /// Looks for what does not fit.
    pub(super) fn check_catalogue(&self) -> Result<(), Mistake> {
        let Some(Catalogue { open, token, namespace }) = &self.settings.catalogue else { return Ok(()) };
        if *open == token.is_some() {
            let message = "say who reads the registry: `open = true` for everybody, or `token`";
            let hint = "editors send no token when they look for servers; a registry that is open tells names, purposes \
                        and URLs of endpoints with `catalogue = true`";
            return Err(self.wrong(&at(if *open { "open" } else { "token" }), message).with_hint(hint));
        }
        let is_namespace = |name: &String| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
            (1..=100).contains(&name.len()) && name.bytes().all(plain)
        };
        if namespace.as_ref().is_some_and(|name| !is_namespace(name)) {
            let message = "a namespace has letters, digits, `.` and `-`, and at most 100 of them";
            return Err(self.wrong(&at("namespace"), message).with_hint("write your domain backwards: `com.example`"));
        }
        let Listener { listen, public_url, .. } = &self.settings.agents;
        if public_url.is_none() && !is_called(*listen) {
            let message = "the registry tells URLs, and nobody knows what this listener is called";
            return Err(self.wrong(&[Key("catalogue")], message).with_hint("add `public_url` to `[agents]`"));
        }
        Ok(())
    }
}

/// Whether an address is one that clients can be told.
fn is_called(listen: SocketAddr) -> bool {
    listen.ip().is_loopback()
}

/// `com.example.gate` for `https://gate.example.com`; an address is left as it is.
fn backwards(base: &str) -> String {
    let url = base.parse::<Url>().ok();
    match url.as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => name.rsplit('.').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("."),
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(_)) | None => "localhost".to_owned(),
    }
}
