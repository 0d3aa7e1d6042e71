//! `[credential]` of a server: a key that somebody keeps, or tokens that an authorization server gives out.

use model::{SecretReference, ZoneName, limits};
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
    /// After how many days another one should take its place; never, if nobody said.
    pub rotate_after_days: Option<u32>,
}

/// How tokens are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Who agrees to it.
    pub kind: GrantKind,
    /// Whose tokens they are.
    pub holder: GrantHolder,
    /// What is shown of the person, where tokens are exchanged.
    pub subject: GrantSubject,
    /// The only authorization server that is asked; the first that the server names, if there is none.
    pub issuer: Option<Line>,
    /// The client that people registered there.
    pub client: Option<Line>,
    /// By what the gate proves that it is that client.
    pub proof: ClientProof,
    /// The only scopes that are asked for; those that the server asks for, if there are none.
    pub scopes: Vec<ScopeName>,
    /// The network segment in which the authorization server must lie; that of the server, if there is none.
    pub zone: Option<ZoneName>,
}

/// By what the gate proves to an authorization server that it is the client that people registered there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientProof {
    /// By nothing: a public client.
    None,
    /// By a secret, which is kept there.
    Secret(SecretReference),
    /// By a signature with a key of its own, which it publishes (RFC 7523).
    OwnKey,
}

/// How the gate proves that it is a client, where that is not by a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Authentication {
    /// It signs, with a key of its own.
    PrivateKeyJwt,
}

/// Who agrees that tokens are given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GrantKind {
    /// A person, in their browser.
    AuthorizationCode,
    /// Nobody but the authorization server: the gate asks for itself.
    ClientCredentials,
    /// Nobody but the authorization server: the gate says who the person is and which agent acts for them (RFC 8693).
    TokenExchange,
    /// The person's identity provider, which asserts them for this authorization server (ID-JAG).
    IdentityAssertion,
}

/// What an authorization server that exchanges tokens is shown of the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GrantSubject {
    /// What the gate signs of them.
    Gate,
    /// What their identity provider said when they signed in at the gate; to that provider alone.
    SignIn,
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

impl Credential {
    /// What makes it this credential and no other. For how long a key may be the same is not part of it, so that nobody has to
    /// approve a server again for that.
    pub(super) fn essence(&self) -> Self {
        match self {
            Self::Key(key) => Self::Key(Key { rotate_after_days: None, ..key.clone() }),
            Self::Grant(_) => self.clone(),
        }
    }
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
    /// After how many days a secret that is sent should be another one: the gate says when that is due and when it is late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rotate_after_days: Option<u32>,
    /// Asks the server's authorization server for tokens, in place of a secret that is sent to the server itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    grant: Option<GrantKind>,
    /// Whose tokens they are; each person's own if a person agrees to them, otherwise shared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    holder: Option<GrantHolder>,
    /// With `token-exchange`, what is shown of the person: what the gate signs, or what the identity provider said when they signed
    /// in at the gate, which is shown to that provider alone; `gate` if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<GrantSubject>,
    /// The only authorization server that is asked. A client is registered at one, so that with `client` this must be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issuer: Option<Line>,
    /// The client that people registered there; without one the gate presents its metadata document, or registers itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client: Option<Line>,
    /// How the gate proves that it is that client where it has no secret: `private-key-jwt`, by a key of its own that is published
    /// at `/.well-known/portcullis-client-keys`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    authentication: Option<Authentication>,
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
        let Written { header, scheme, secret, grant, holder, subject, .. } = written;
        let Written { rotate_after_days, issuer, client, authentication, scopes, zone, .. } = written;
        let Some(kind) = grant else {
            let of_grants = [
                ("holder", holder.is_some()),
                ("subject", subject.is_some()),
                ("issuer", issuer.is_some()),
                ("client", client.is_some()),
                ("authentication", authentication.is_some()),
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
            if rotate_after_days.is_some_and(|days| !(1..=limits::KEY_DAYS_MAX).contains(&days)) {
                let why = format!("a key is replaced after 1 to {} days", limits::KEY_DAYS_MAX);
                return Err(Misfit::new("credential.rotate_after_days", why));
            }
            return Ok(Self::Key(Key { header: header.unwrap_or_default(), scheme, secret, rotate_after_days }));
        };
        if rotate_after_days.is_some() {
            let why = "this is about a secret that is sent to the server; tokens are renewed by themselves";
            return Err(Misfit::new("credential.rotate_after_days", why));
        }
        if header.is_some() || scheme.is_some() {
            let key = if header.is_some() { "credential.header" } else { "credential.scheme" };
            return Err(Misfit::new(key, "a token is sent as `authorization: Bearer`, and in no other way"));
        }
        if secret.is_some() && client.is_none() {
            return Err(Misfit::new("credential.secret", "with a grant this is a client's: name it as `client`"));
        }
        if authentication.is_some() && client.is_none() {
            return Err(Misfit::new("credential.authentication", "this is a client's: name it as `client`"));
        }
        let proof = match (secret, authentication) {
            (None, None) => ClientProof::None,
            (Some(secret), None) => ClientProof::Secret(secret),
            (None, Some(Authentication::PrivateKeyJwt)) => ClientProof::OwnKey,
            (Some(_), Some(Authentication::PrivateKeyJwt)) => {
                let why = "whoever signs with a key of their own shows no secret: leave out one of the two";
                return Err(Misfit::new("credential.authentication", why));
            }
        };
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
            (GrantKind::TokenExchange | GrantKind::IdentityAssertion, None | Some(GrantHolder::User)) => {
                GrantHolder::User
            }
            (
                GrantKind::TokenExchange | GrantKind::IdentityAssertion,
                Some(GrantHolder::Agent | GrantHolder::Shared),
            ) => {
                let why = "what the gate asks for on behalf of a person is that person's: leave it out";
                return Err(Misfit::new("credential.holder", why));
            }
        };
        let asks_alone = match kind {
            GrantKind::AuthorizationCode => false,
            GrantKind::ClientCredentials | GrantKind::TokenExchange | GrantKind::IdentityAssertion => true,
        };
        if asks_alone && client.is_none() {
            let why = "the gate can only ask by itself as a client that people registered: name it as `client`";
            return Err(Misfit::new("credential.grant", why));
        }
        if asks_alone && kind != GrantKind::ClientCredentials && proof == ClientProof::None {
            let why = "whoever asks on behalf of people has to prove who it is: name the client's `secret`, or \
                       `authentication = \"private-key-jwt\"`";
            return Err(Misfit::new("credential.client", why));
        }
        if subject.is_some() && kind != GrantKind::TokenExchange {
            let why = "this is about tokens that are exchanged: `grant = \"token-exchange\"`";
            return Err(Misfit::new("credential.subject", why));
        }
        let subject = subject.unwrap_or(GrantSubject::Gate);
        Ok(Self::Grant(Grant { kind, holder, subject, issuer, client, proof, scopes, zone }))
    }
}

impl From<Credential> for Written {
    fn from(credential: Credential) -> Self {
        let nothing = Self {
            header: None,
            scheme: None,
            secret: None,
            rotate_after_days: None,
            grant: None,
            holder: None,
            subject: None,
            issuer: None,
            client: None,
            authentication: None,
            scopes: Vec::new(),
            zone: None,
        };
        match credential {
            Credential::Key(Key { header, scheme, secret, rotate_after_days }) => {
                Self { header: Some(header), scheme, secret: Some(secret), rotate_after_days, ..nothing }
            }
            Credential::Grant(Grant { kind, holder, subject, issuer, client, proof, scopes, zone }) => {
                let (grant, holder) = (Some(kind), Some(holder));
                let (secret, authentication) = match proof {
                    ClientProof::None => (None, None),
                    ClientProof::Secret(secret) => (Some(secret), None),
                    ClientProof::OwnKey => (None, Some(Authentication::PrivateKeyJwt)),
                };
                let subject = (kind == GrantKind::TokenExchange).then_some(subject);
                Self { grant, holder, subject, issuer, client, secret, authentication, scopes, zone, ..nothing }
            }
        }
    }
}

#[cfg(test)]
mod tests;
