//! `[credential]` of a server: a key that somebody keeps, or tokens that an authorization server gives out.

use model::{SecretReference, ZoneName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Misfit;
use super::text::{CredentialHeader, Line, ScopeName, ServerUrl, Token};

/// What the gate presents to a server. Its secrets are named, never held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Written", into = "Written")]
#[schemars(with = "Written")]
pub enum Credential {
    /// A secret in a header, the same for everybody.
    Key(Key),
    /// Tokens of the server's authorization server (OAuth 2.1).
    Grant(Grant),
}

/// A secret in a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The header's name.
    pub header: CredentialHeader,
    scheme: Option<Token>,
    /// Where the secret is kept.
    pub secret: SecretReference,
}

/// How tokens are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Who agrees to it.
    pub kind: GrantKind,
    /// Whose tokens they are.
    pub holder: GrantHolder,
    /// The only authorization server that is asked; the first that the server names, if there is none.
    pub issuer: Option<Line>,
    /// The client that people registered there.
    pub client: Option<Line>,
    /// Where that client's secret is kept; none for a public client.
    pub secret: Option<SecretReference>,
    /// The only scopes that are asked for; those that the server asks for, if there are none.
    pub scopes: Vec<ScopeName>,
    /// The network segment in which the authorization server must lie; that of the server, if there is none.
    pub zone: Option<ZoneName>,
}

/// Who agrees that tokens are given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GrantKind {
    /// A person, in their browser.
    AuthorizationCode,
    /// Nobody but the authorization server: the gate asks for itself.
    ClientCredentials,
}

/// Whose tokens they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GrantHolder {
    /// Each person has their own, and connects the server once.
    User,
    /// Each agent has its own.
    Agent,
    /// All calls have the same; somebody who may review servers connects it.
    Shared,
}

impl Key {
    /// The word that stands before the secret in the header, if one does.
    pub fn scheme(&self) -> Option<&str> {
        match &self.scheme {
            Some(scheme) => Some(scheme.as_str()),
            None => (self.header.as_str() == "authorization").then_some("Bearer"),
        }
    }
}

/// The fields as they are written. Which of them go together, [`Credential`] says.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Credential")]
#[schemars(rename = "Credential")]
struct Written {
    /// The header in which a secret is sent; `authorization` if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    header: Option<CredentialHeader>,
    /// The word before the secret; `Bearer` if the header is `authorization`, otherwise none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scheme: Option<Token>,
    /// Where the secret is kept: `env:NAME` or `file:PATH`. With a grant it is the secret of the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    secret: Option<SecretReference>,
    /// Asks the server's authorization server for tokens, in place of a secret that is sent to the server itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    grant: Option<GrantKind>,
    /// Whose tokens they are; each person's own if a person agrees to them, otherwise shared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    holder: Option<GrantHolder>,
    /// The only authorization server that is asked. A client is registered at one, so that with `client` this must be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issuer: Option<Line>,
    /// The client that people registered there; without one the gate presents its metadata document, or registers itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client: Option<Line>,
    /// The only scopes that are asked for, whatever the server wants.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    scopes: Vec<ScopeName>,
    /// The network segment in which the authorization server must lie; that of the server if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    zone: Option<ZoneName>,
}

impl TryFrom<Written> for Credential {
    type Error = Misfit;

    fn try_from(written: Written) -> Result<Self, Misfit> {
        let Written { header, scheme, secret, grant, holder, issuer, client, scopes, zone } = written;
        let Some(kind) = grant else {
            let of_grants = [
                ("holder", holder.is_some()),
                ("issuer", issuer.is_some()),
                ("client", client.is_some()),
                ("scopes", !scopes.is_empty()),
                ("zone", zone.is_some()),
            ];
            if let Some((key, _)) = of_grants.into_iter().find(|(_, is_there)| *is_there) {
                let why = "this is about tokens of an authorization server: say which with `grant`";
                return Err(Misfit::new(format!("credential.{key}"), why));
            }
            let secret = secret.ok_or_else(|| {
                Misfit::new(
                    "credential",
                    "name the secret that is sent as `secret`, or how tokens are asked for as `grant`",
                )
            })?;
            return Ok(Self::Key(Key { header: header.unwrap_or_default(), scheme, secret }));
        };
        if header.is_some() || scheme.is_some() {
            let key = if header.is_some() { "credential.header" } else { "credential.scheme" };
            return Err(Misfit::new(key, "a token is sent as `authorization: Bearer`, and in no other way"));
        }
        if secret.is_some() && client.is_none() {
            return Err(Misfit::new("credential.secret", "with a grant this is a client's: name it as `client`"));
        }
        if client.is_some() && issuer.is_none() {
            let why =
                "a client is one at one authorization server: name it as `issuer`, or others could be told the secret";
            return Err(Misfit::new("credential.client", why));
        }
        if issuer.as_ref().is_some_and(|issuer| issuer.as_str().parse::<ServerUrl>().is_err()) {
            return Err(Misfit::new("credential.issuer", "an issuer is an https URL"));
        }
        let holder = match (kind, holder) {
            (GrantKind::AuthorizationCode, holder) => holder.unwrap_or(GrantHolder::User),
            (GrantKind::ClientCredentials, None | Some(GrantHolder::Shared)) => GrantHolder::Shared,
            (GrantKind::ClientCredentials, Some(GrantHolder::User | GrantHolder::Agent)) => {
                return Err(Misfit::new("credential.holder", "what the gate asks for itself is shared by all calls"));
            }
        };
        if kind == GrantKind::ClientCredentials && client.is_none() {
            let why = "the gate can only ask for itself as a client that people registered: name it as `client`";
            return Err(Misfit::new("credential.grant", why));
        }
        Ok(Self::Grant(Grant { kind, holder, issuer, client, secret, scopes, zone }))
    }
}

impl From<Credential> for Written {
    fn from(credential: Credential) -> Self {
        let nothing = Self {
            header: None,
            scheme: None,
            secret: None,
            grant: None,
            holder: None,
            issuer: None,
            client: None,
            scopes: Vec::new(),
            zone: None,
        };
        match credential {
            Credential::Key(Key { header, scheme, secret }) => {
                Self { header: Some(header), scheme, secret: Some(secret), ..nothing }
            }
            Credential::Grant(Grant { kind, holder, issuer, client, secret, scopes, zone }) => {
                Self { grant: Some(kind), holder: Some(holder), issuer, client, secret, scopes, zone, ..nothing }
            }
        }
    }
}

#[cfg(test)]
mod tests;
