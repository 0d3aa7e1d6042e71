//! The endpoint that messages are carried to, and the token that says for whom.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use egress::{Lane, Reach, SystemResolver, Trust};
use http::Uri;
use http::uri::Scheme;
use identity::Credential;
use model::SecretReference;

use crate::cli::failure::Failure;

/// The variable that may hold the token.
pub(super) const VARIABLE: &str = "PORTCULLIS_TOKEN";

/// Networks that `https` may lead to: all of them. TLS says who is there, and a gate may well be inside.
const ANYWHERE: &[&str] = &[
    "0.0.0.0/0",
    "::/0",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "fc00::/7",
    "127.0.0.0/8",
    "::1/128",
];
/// Networks that plain `http` may lead to: none but this machine.
const LOOPBACK: &[&str] = &["127.0.0.0/8", "::1/128"];

/// An endpoint that a token may be sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    url: Uri,
}

/// Where the token is kept. It is read for every message, so that a new one needs no restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token(SecretReference);

impl Endpoint {
    /// Reads a URL. What would carry the token over a network in clear text is refused.
    pub(super) fn read(text: &str) -> Result<Self, Failure> {
        let example = "an endpoint's URL looks like https://gate.example.com/desk/mcp";
        let unusable = || Failure::usage("this is no URL of an endpoint").with_next(example);
        let url: Uri = text.parse().map_err(|_| unusable())?;
        let authority = url.authority().ok_or_else(unusable)?;
        if authority.as_str().contains('@') || text.contains('#') || url.query().is_some() {
            return Err(Failure::usage(
                "a URL of an endpoint has no user, query or fragment; the token goes elsewhere",
            )
            .with_next(format!("keep the token in a file and name it with --token-file; {example}")));
        }
        let endpoint = Self { url };
        match endpoint.url.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => Ok(endpoint),
            Some(scheme) if *scheme == Scheme::HTTP && endpoint.is_local() => Ok(endpoint),
            Some(scheme) if *scheme == Scheme::HTTP => Err(Failure::usage(
                "plain http is for this machine: over a network it would show your token to whoever listens",
            )
            .with_next("use the gate's https URL, or a tunnel to this machine")),
            Some(_) | None => Err(unusable()),
        }
    }

    /// The way there.
    pub(super) fn lane(&self) -> Lane {
        let networks = if self.url.scheme() == Some(&Scheme::HTTPS) { ANYWHERE } else { LOOPBACK };
        let networks = networks.iter().filter_map(|network| network.parse().ok()).collect();
        egress::Client::new(Arc::new(SystemResolver), Trust::Platform).lane("the gate", &Reach::new(networks))
    }

    pub(super) fn url(&self) -> &Uri {
        &self.url
    }

    /// The endpoint's name, as the gate's paths have it: `/{name}/mcp`.
    pub(super) fn name(&self) -> Option<&str> {
        let mut segments = self.url.path().trim_matches('/').rsplit('/');
        segments.next().filter(|last| *last == "mcp")?;
        segments.next()
    }

    fn is_local(&self) -> bool {
        let host = self.url.host().unwrap_or_default();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        address.map_or(host.eq_ignore_ascii_case("localhost"), |address| address.is_loopback())
    }
}

impl Token {
    /// The token in this file, or else in the environment.
    pub(super) fn kept(file: Option<PathBuf>) -> Self {
        Self(file.map_or_else(|| SecretReference::Environment(VARIABLE.to_owned()), SecretReference::File))
    }

    /// The header that presents it.
    pub(super) fn credential(&self) -> Result<Credential, Failure> {
        let token = identity::read_secret(&self.0, "".as_ref()).map_err(|error| {
            Failure::of(&error).with_next(format!(
                "keep your token in a file that only you can read and name it with --token-file, or set {VARIABLE}"
            ))
        })?;
        Credential::new("authorization", Some("Bearer"), &token).map_err(|error| Failure::of(&error))
    }

    /// Where it is kept, for people to look.
    pub(super) fn place(&self) -> String {
        match &self.0 {
            SecretReference::File(path) => format!("the file `{}`", path.display()),
            SecretReference::Environment(name) => format!("the variable `{name}`"),
        }
    }
}

#[cfg(test)]
mod tests;
