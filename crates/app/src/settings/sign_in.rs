//! `[sign_in]`: the identity provider with which people sign in at the gate, so that their agents may act for them; and
//! which applications may ask them to.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;

use egress::Reach;
use identity::client_keys::ClientKeys;
use identity::facade::Terms;
use identity::keys::Algorithm;
use identity::relying::{AssertionAudience, ClaimNames, ClientAuthentication, Provider};
use ipnet::IpNet;
use model::{Secret, SecretReference, limits};
use registry::manifest::Mistake;
use serde::Deserialize;
use url::{Host, Url};

use super::Loaded;
use super::place::Step::{self, Index, Key};

/// The identity provider, and what the gate is there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    /// Its issuer, exactly as its tokens spell it.
    pub issuer: String,
    /// What the gate is called there.
    pub client_id: String,
    /// Where the secret is kept that the gate has there.
    pub client_secret: Option<SecretReference>,
    /// How the secret is shown; `client_secret_basic` if nothing is said.
    #[serde(default)]
    pub authentication: Authentication,
    /// What is asked for beside `openid`. `offline_access` lets the gate ask again whether people are still who they were.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// How the provider may sign.
    #[serde(default = "usual")]
    pub algorithms: Vec<Algorithm>,
    /// Its claims that say who somebody is.
    #[serde(default)]
    pub claims: Claims,
    /// Whether its userinfo endpoint is asked for claims that its tokens do not have.
    #[serde(default)]
    pub ask_userinfo: bool,
    /// Classes of sign-in that it is asked for.
    #[serde(default)]
    pub acr_values: Vec<String>,
    /// The networks that it may be in; any public address if none is named.
    pub networks: Option<Vec<IpNet>>,
    /// Seconds by which its clock may differ.
    #[serde(default = "skew")]
    pub skew_seconds: u64,
    /// Seconds for which its keys are believed when they cannot be fetched again.
    #[serde(default = "keys_age")]
    pub keys_age_seconds: u64,
    /// Hosts whose applications describe themselves.
    #[serde(default)]
    pub documents: Vec<Documents>,
    /// The client of the gate's own issuer as which applications act that register by themselves; none, and they cannot.
    pub registration: Option<String>,
}

/// How a client secret is shown (OpenID Connect Core 1.0 §9).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Authentication {
    /// In the `Authorization` header.
    #[default]
    ClientSecretBasic,
    /// In the form.
    ClientSecretPost,
    /// There is none: the gate signs, with keys of its own.
    PrivateKeyJwt,
}

/// Which claims say who somebody is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Claims {
    /// What a person is called here, in policies and receipts.
    pub user: String,
    /// What is put before that.
    pub user_prefix: String,
    /// Their groups.
    pub groups: String,
}

impl Default for Claims {
    fn default() -> Self {
        let ClaimNames { user, groups } = ClaimNames::default();
        Self { user, user_prefix: String::new(), groups }
    }
}

impl Claims {
    /// The names alone.
    pub(super) fn names(&self) -> ClaimNames {
        ClaimNames { user: self.user.clone(), groups: self.groups.clone() }
    }
}

/// How the gate proves to a provider who it is.
pub(super) fn proof(
    secret: Option<Secret<String>>,
    authentication: Authentication,
    own: &Arc<ClientKeys>,
) -> ClientAuthentication {
    match (secret, authentication) {
        (_, Authentication::PrivateKeyJwt) => {
            ClientAuthentication::PrivateKey(Arc::clone(own), AssertionAudience::TokenEndpoint)
        }
        (None, Authentication::ClientSecretBasic | Authentication::ClientSecretPost) => ClientAuthentication::None,
        (Some(secret), Authentication::ClientSecretBasic) => ClientAuthentication::Basic(secret),
        (Some(secret), Authentication::ClientSecretPost) => ClientAuthentication::Post(secret),
    }
}

/// A host whose client metadata documents are believed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Documents {
    /// The host, by its exact name.
    pub host: String,
    /// The registered client of the gate's own issuer as which such an application acts, unless it is registered itself.
    pub client: String,
}

/// What providers sign with by themselves.
pub(super) fn usual() -> Vec<Algorithm> {
    vec![Algorithm::Rs256, Algorithm::Ps256, Algorithm::Es256, Algorithm::EdDsa]
}

pub(super) fn skew() -> u64 {
    limits::SKEW_SECONDS
}

pub(super) fn keys_age() -> u64 {
    limits::KEYS_AGE_SECONDS
}

/// Whether a text is what browsers call a host, exactly: `https://gate.example`, or `http` on loopback.
pub(super) fn is_public_url(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| url.origin().ascii_serialization() == text && is_safe(&url))
}

/// Whether a text can be an issuer: a URL that browsers and secrets may be sent to, without a query and a fragment.
pub(super) fn is_issuer(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| is_safe(&url) && url.query().or(url.fragment()).is_none())
}

fn is_safe(url: &Url) -> bool {
    let is_here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && is_here)
}

/// The way to a setting of the table.
fn at(key: &str) -> [Step<'_>; 2] {
    [Key("sign_in"), Key(key)]
}

impl Loaded {
    /// What agents and browsers call the agents' listener; `None` where nobody said and it is not on loopback.
    pub(crate) fn public_url(&self, bound: SocketAddr) -> Option<String> {
        let said = self.settings.agents.public_url.clone();
        let scheme = if self.settings.agents.tls.is_some() { "https" } else { "http" };
        said.or_else(|| bound.ip().is_loopback().then(|| format!("{scheme}://{bound}")))
    }

    /// Where agents reach the gate: what it is called, and the address it listens on.
    pub(crate) fn agents_urls(&self, bound: SocketAddr) -> Vec<String> {
        let own = (!bound.ip().is_unspecified()).then(|| format!("http://{bound}"));
        let mut urls: Vec<_> = self.public_url(bound).into_iter().chain(own).collect();
        urls.dedup();
        urls
    }

    /// The façade's terms, its provider and where that may be; `None` where nobody signs in.
    ///
    /// # Errors
    /// When the provider's secret cannot be read.
    pub(crate) fn sign_in(
        &self,
        bound: SocketAddr,
        own: &Arc<ClientKeys>,
    ) -> Result<Option<(Terms, Provider, Reach)>, Mistake> {
        let (Some(sign_in), Some(issuer)) = (&self.settings.sign_in, self.public_url(bound)) else { return Ok(None) };
        let secret = sign_in.client_secret.as_ref().map(|secret| self.secret(secret, &at("client_secret")));
        let authentication = proof(secret.transpose()?, sign_in.authentication, own);
        let redirect = format!("{issuer}/oauth/callback");
        let redirect = Url::parse(&redirect)
            .map_err(|_| self.wrong(&[Key("agents"), Key("public_url")], "this leads to no URL"))?;
        let reach = sign_in.networks.clone().map_or_else(Reach::internet, Reach::new);
        let provider = Provider {
            issuer: sign_in.issuer.clone(),
            client_id: sign_in.client_id.clone(),
            authentication,
            redirect,
            scopes: sign_in.scopes.clone(),
            algorithms: sign_in.algorithms.clone(),
            skew: sign_in.skew_seconds,
            claims: sign_in.claims.names(),
            asks_userinfo: sign_in.ask_userinfo,
        };
        let documents = sign_in.documents.iter().map(|one| (one.host.clone(), one.client.clone())).collect();
        let (registration, acr_values) = (sign_in.registration.clone(), sign_in.acr_values.clone());
        let (user_prefix, certificates) = (sign_in.claims.user_prefix.clone(), self.certificates());
        let terms = Terms { issuer, documents, registration, acr_values, user_prefix, certificates };
        Ok(Some((terms, provider, reach)))
    }

    /// Looks for settings of signing in that do not fit each other.
    pub(super) fn check_sign_in(&self) -> Result<(), Mistake> {
        let Some(sign_in) = &self.settings.sign_in else { return Ok(()) };
        if self.settings.vault.is_none() {
            let message = "what the gate keeps of sign-ins is sealed by a vault, and there is none";
            let hint = "add the table `[vault]` with `key = \"file:PATH\"`; `openssl rand -hex 32` makes one";
            return Err(self.wrong(&[Key("sign_in")], message).with_hint(hint));
        }
        if self.public_url(self.settings.agents.listen).is_none() {
            let message = "browsers must be told where the gate is, and it is not on loopback";
            return Err(self
                .wrong(&[Key("agents"), Key("listen")], message)
                .with_hint("say `public_url = \"https://gate.example\"` beside it"));
        }
        self.check_provider("sign_in", &sign_in.issuer)?;
        self.check_proof("sign_in", sign_in.client_secret.as_ref(), sign_in.authentication)?;
        self.check_words(sign_in)?;
        self.check_bounds(sign_in)
    }

    /// A provider is known by what can be an issuer.
    pub(super) fn check_provider(&self, table: &str, issuer: &str) -> Result<(), Mistake> {
        if is_issuer(issuer) {
            return Ok(());
        }
        let hint = "write the URL as the provider's metadata do, with `https`";
        Err(self.wrong(&[Key(table), Key("issuer")], format!("`{issuer}` is no issuer")).with_hint(hint))
    }

    /// A secret is there where one is shown, and only there.
    pub(super) fn check_proof(
        &self,
        table: &'static str,
        secret: Option<&SecretReference>,
        authentication: Authentication,
    ) -> Result<(), Mistake> {
        match (secret, authentication) {
            (None, Authentication::ClientSecretPost) => {
                let message = "there is no `client_secret` to be shown";
                let hint = "add `client_secret = \"file:PATH\"`";
                Err(self.wrong(&[Key(table), Key("authentication")], message).with_hint(hint))
            }
            (Some(_), Authentication::PrivateKeyJwt) => {
                let message = "the gate signs with keys of its own, and shows no secret";
                Err(self.wrong(&[Key(table), Key("client_secret")], message).with_hint("leave it out"))
            }
            (Some(_), Authentication::ClientSecretBasic | Authentication::ClientSecretPost)
            | (None, Authentication::ClientSecretBasic | Authentication::PrivateKeyJwt) => Ok(()),
        }
    }

    fn check_words(&self, sign_in: &SignIn) -> Result<(), Mistake> {
        for (key, words) in [("scopes", &sign_in.scopes), ("acr_values", &sign_in.acr_values)] {
            self.check_each_word("sign_in", key, words)?;
        }
        let mut hosts = HashSet::new();
        for (index, document) in sign_in.documents.iter().enumerate() {
            let is_plain = document.host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
            let is_name = is_plain
                && Url::parse(&format!("https://{}/", document.host))
                    .is_ok_and(|url| url.domain() == Some(document.host.as_str()));
            let message = match (is_name, hosts.insert(&document.host)) {
                (true, true) => continue,
                (false, _) => format!("`{}` is no host's exact name", document.host),
                (true, false) => format!("the host `{}` is named twice", document.host),
            };
            let place = [Key("sign_in"), Key("documents"), Index(index), Key("host")];
            return Err(self.wrong(&place, message).with_hint("write a name such as `clients.example`"));
        }
        Ok(())
    }

    fn check_bounds(&self, sign_in: &SignIn) -> Result<(), Mistake> {
        self.check_clocks("sign_in", sign_in.skew_seconds, sign_in.keys_age_seconds)?;
        if sign_in.algorithms.is_empty() {
            return Err(self.wrong(&at("algorithms"), "the provider must sign somehow"));
        }
        Ok(())
    }

    /// How far a provider's clock may be off, and how long its keys are believed.
    pub(super) fn check_clocks(&self, table: &str, skew: u64, keys_age: u64) -> Result<(), Mistake> {
        for (key, said, least, most) in [
            ("skew_seconds", skew, 0, limits::SKEW_SECONDS_MAX),
            ("keys_age_seconds", keys_age, 1, limits::KEYS_AGE_SECONDS_MAX),
        ] {
            if !(least..=most).contains(&said) {
                return Err(self.wrong(&[Key(table), Key(key)], format!("this must be from {least} to {most}")));
            }
        }
        Ok(())
    }
}
