//! What settings say of a provider, and how the gate proves to it who it is.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::{Secret, Timestamp};
use url::{Url, form_urlencoded};

use super::RelyingError;
use super::metadata::Metadata;
use crate::client_keys::ClientKeys;
use crate::keys::Algorithm;
use crate::secrets::opened_text as opened;

/// One identity provider, and what the gate is there.
pub struct Provider {
    /// The issuer, as its tokens name it.
    pub issuer: String,
    /// What the gate is called there.
    pub client_id: String,
    /// How the gate proves that.
    pub authentication: ClientAuthentication,
    /// Where the provider sends people back to.
    pub redirect: Url,
    /// What the gate asks for beside `openid`.
    pub scopes: Vec<String>,
    /// How the provider may sign.
    pub algorithms: Vec<Algorithm>,
    /// Seconds by which its clock may differ.
    pub skew: u64,
    /// Where its claims say what.
    pub claims: ClaimNames,
    /// Whether the userinfo endpoint is asked for claims that the ID token does not have.
    pub asks_userinfo: bool,
}

/// The claims that say who somebody is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimNames {
    /// What a person is called here. `email` counts only where the provider says that it is verified.
    pub user: String,
    /// Their groups.
    pub groups: String,
}

impl Default for ClaimNames {
    fn default() -> Self {
        Self { user: "sub".to_owned(), groups: "groups".to_owned() }
    }
}

/// How the gate proves to a token endpoint who it is (OpenID Connect Core 1.0 §9).
pub enum ClientAuthentication {
    /// It does not: a public client, whom PKCE alone protects.
    None,
    /// `client_secret_basic`.
    Basic(Secret<String>),
    /// `client_secret_post`.
    Post(Secret<String>),
    /// `private_key_jwt`: nothing that both sides know.
    PrivateKey(Arc<ClientKeys>, AssertionAudience),
}

/// Whom an assertion of the gate is for. Providers differ in what they take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssertionAudience {
    /// The token endpoint's URL (OpenID Connect Core 1.0 §9).
    TokenEndpoint,
    /// The issuer.
    Issuer,
}

/// An `Authorization` header, and members of the form.
pub(super) type Proof = (Option<Secret<String>>, Vec<(&'static str, Secret<String>)>);

impl Provider {
    pub(super) fn scope(&self) -> String {
        let mut scopes = vec!["openid"];
        scopes.extend(self.scopes.iter().map(String::as_str).filter(|scope| *scope != "openid"));
        scopes.join(" ")
    }

    pub(super) fn authenticate(&self, metadata: &Metadata, now: Timestamp) -> Result<Proof, RelyingError> {
        let id = || ("client_id", Secret::new(self.client_id.clone()));
        Ok(match &self.authentication {
            ClientAuthentication::None => (None, vec![id()]),
            ClientAuthentication::Basic(secret) => {
                // RFC 6749 §2.3.1: both are encoded as in a form first.
                let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
                let pair = Secret::new(format!("{}:{}", encoded(&self.client_id), encoded(opened(secret))));
                (Some(Secret::new(format!("Basic {}", STANDARD.encode(opened(&pair))))), Vec::new())
            }
            ClientAuthentication::Post(secret) => {
                (None, vec![id(), ("client_secret", Secret::new(opened(secret).to_owned()))])
            }
            ClientAuthentication::PrivateKey(key, audience) => {
                let audience = match audience {
                    AssertionAudience::TokenEndpoint => metadata.token.as_str(),
                    AssertionAudience::Issuer => &self.issuer,
                };
                let assertion = key.prove(&self.client_id, audience, now)?;
                let typ = Secret::new("urn:ietf:params:oauth:client-assertion-type:jwt-bearer".to_owned());
                (None, vec![id(), ("client_assertion_type", typ), ("client_assertion", assertion)])
            }
        })
    }
}
