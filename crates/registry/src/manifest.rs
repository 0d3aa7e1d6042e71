//! What people write to submit a server, name an endpoint or draw a zone: TOML files, and the same shapes as JSON in
//! the API. [`parse()`] reads any of them, with mistakes told at file, line and column; settings are read by it too.

mod mistake;

use std::fmt;
use std::str::FromStr;

use ipnet::IpNet;
use model::{Digest, EndpointName, SecretReference, ServerName, ZoneName, is_reserved_header, limits};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use mistake::{Mistake, parse};

/// The zone a server is in unless its manifest says otherwise: every public address. It cannot be declared.
pub const ZONE_INTERNET: &str = "internet";

/// `servers/NAME.toml`: one MCP server, submitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerManifest {
    /// Its name within the gate.
    #[schemars(with = "String")]
    pub name: ServerName,
    /// Where its MCP endpoint is.
    pub url: ServerUrl,
    /// The network segment its address must lie in.
    #[serde(default = "internet")]
    #[schemars(with = "String")]
    pub zone: ZoneName,
    /// Who answers for it: a team or a person.
    pub owner: Line,
    /// What it is for, in a sentence.
    pub purpose: Line,
    /// A name for people, if the name is not enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Line>,
    /// Which environment it belongs to: `production`, `test`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Line>,
    /// The credential the gate presents to it; none if it asks for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<Credential>,
}

impl ServerManifest {
    /// The digest of what makes it this server and no other: where it is, in which zone, and which credential it is
    /// given. An approval is for one identity, so that nobody can point an approved name at another address, or have
    /// another secret sent there, without a new approval.
    pub fn identity(&self) -> Digest {
        let identity = json!({ "url": self.url, "zone": self.zone, "credential": self.credential });
        // Strings only, so it always has a canonical form; were that ever wrong, the empty digest matches no pin.
        Digest::of_json(&identity).unwrap_or(Digest::from_bytes([0; 32]))
    }
}

/// The header in which a server is given its credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// The header's name.
    #[serde(default)]
    pub header: CredentialHeader,
    /// The word before the secret; `Bearer` if the header is `authorization`, otherwise none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<Token>,
    /// Where the secret is kept: `env:NAME` or `file:PATH`.
    #[schemars(with = "String")]
    pub secret: SecretReference,
}

impl Credential {
    /// The word that stands before the secret in the header, if one does.
    pub fn scheme(&self) -> Option<&str> {
        match &self.scheme {
            Some(scheme) => Some(scheme.as_str()),
            None => (self.header.as_str() == "authorization").then_some("Bearer"),
        }
    }
}

/// `endpoints/NAME.toml`: what agents connect to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndpointManifest {
    /// Its name: the first segment of its URL.
    #[schemars(with = "String")]
    pub name: EndpointName,
    /// The server behind it.
    #[schemars(with = "String")]
    pub server: ServerName,
    /// What it is for, in a sentence.
    pub purpose: Line,
    /// Which environment it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Line>,
}

/// `zones/NAME.toml`: a network segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ZoneManifest {
    /// Its name; anything but `internet`, which is built in.
    #[serde(deserialize_with = "declared_zone")]
    #[schemars(with = "String")]
    pub name: ZoneName,
    /// The networks in it, in CIDR notation.
    #[schemars(with = "Vec<String>")]
    pub addresses: Vec<IpNet>,
    /// What lies in it, in a sentence.
    pub purpose: Line,
}

#[expect(clippy::expect_used, reason = "a constant, and a test reads a manifest without a zone")]
fn internet() -> ZoneName {
    ZONE_INTERNET.parse().expect("`internet` is a zone's name")
}

fn declared_zone<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<ZoneName, D::Error> {
    let name = ZoneName::deserialize(deserializer)?;
    if name.as_str() == ZONE_INTERNET {
        return Err(serde::de::Error::custom("the zone `internet` is built in: give this one another name"));
    }
    Ok(name)
}

/// Declares a text type that is checked when it is read and a plain string when it is written.
macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $check:ident, $rule:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(with = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = TextError;

            fn from_str(text: &str) -> Result<Self, TextError> {
                $check(text).map(Self).ok_or(TextError($rule))
            }
        }

        impl TryFrom<String> for $name {
            type Error = TextError;

            fn try_from(text: String) -> Result<Self, TextError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> String {
                text.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

/// Why a text in a manifest is refused. It does not repeat the text, which may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TextError(&'static str);

text!(
    /// A server's address, normalised.
    ServerUrl,
    server_url,
    "a server's url is `http://` or `https://`, a host and a path, without a user, a password or a fragment"
);
text!(
    /// A line of prose: an owner, a purpose, a title.
    Line,
    line,
    "use one line of 1 to 1024 bytes, without control characters"
);
text!(
    /// The name of a header that may carry a credential, in lower case.
    CredentialHeader,
    credential_header,
    "use a header's name that is free for credentials, such as `authorization` or `x-api-key`"
);
text!(
    /// One HTTP token: an authentication scheme.
    Token,
    token,
    "use letters, digits and `-`, such as `Bearer`"
);

impl Default for CredentialHeader {
    fn default() -> Self {
        Self("authorization".to_owned())
    }
}

fn server_url(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok()?;
    let plain = matches!(url.scheme(), "http" | "https") && url.has_host();
    let bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    let bounded = text.len() <= limits::URI_BYTES_MAX && url.as_str().len() <= limits::URI_BYTES_MAX;
    // The URL standard drops line breaks, turns `\` into `/` and `0x7f.1` into `127.0.0.1`. Another reader might not,
    // so a text that needs mending is refused, and the parser of the data path must find the same host in it.
    let unambiguous = !text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\' || c == '@');
    let same_host = |text: &str| {
        let host = text.parse::<http::Uri>().ok().and_then(|uri| uri.host().map(str::to_ascii_lowercase));
        host.is_some() && host.as_deref() == url.host_str()
    };
    let agreed = same_host(text) && same_host(url.as_str());
    (plain && bare && bounded && unambiguous && agreed).then(|| url.into())
}

fn line(text: &str) -> Option<String> {
    let fits = (1..=limits::MANIFEST_LINE_BYTES_MAX).contains(&text.len());
    (fits && !text.chars().any(char::is_control) && !text.trim().is_empty()).then(|| text.to_owned())
}

fn token(text: &str) -> Option<String> {
    let fits = (1..=limits::LABEL_BYTES_MAX).contains(&text.len());
    (fits && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')).then(|| text.to_owned())
}

fn credential_header(text: &str) -> Option<String> {
    let name = token(text)?.to_ascii_lowercase();
    (!is_reserved_header(&name)).then_some(name)
}

#[cfg(test)]
mod tests;
