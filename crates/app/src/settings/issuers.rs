//! `[[issuer]]`: whose access tokens are taken, how they are checked, and what their claims mean.

use std::net::SocketAddr;
use std::sync::Arc;

use egress::Reach;
use identity::fetch::Outbound;
use identity::keys::{Algorithm, KeySource};
use identity::resource_server::{AppOnly, IntrospectionSettings, IssuerSettings, Mapping, ResourceSettings};
use ipnet::IpNet;
use model::{SecretReference, limits};
use registry::manifest::Mistake;
use serde::Deserialize;
use url::Url;

use super::place::Step::{self, Index, Key};
use super::{Listener, Loaded, Settings};

/// One issuer of access tokens.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Issuer {
    /// Its name, exactly as its tokens and its metadata spell it.
    pub url: String,
    /// Where its keys are; without it, where its metadata says.
    pub keys: Option<String>,
    /// How its tokens may be signed.
    #[serde(default = "algorithms")]
    pub algorithms: Vec<Algorithm>,
    /// Seconds by which its clock may differ from the gate's.
    #[serde(default = "skew")]
    pub clock_skew_seconds: u64,
    /// Seconds for which its keys are believed when they cannot be fetched again.
    #[serde(default = "keys_age")]
    pub keys_age_seconds_max: u64,
    /// The networks it may be reached in; without it, all public addresses.
    pub networks: Option<Vec<IpNet>>,
    /// What its claims mean.
    #[serde(default)]
    pub claims: Claims,
    /// How it is asked about opaque tokens.
    pub introspection: Option<Introspection>,
}

/// The claims that say who a token is for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Claims {
    /// Those that may name the client: the first that a token has.
    pub client: Vec<String>,
    /// The one that names the person.
    pub user: String,
    /// What is put before the person's name.
    pub user_prefix: String,
    /// The one with the person's groups; dots lead into objects.
    pub groups: String,
    /// The one with the scopes.
    pub scope: String,
    /// What only tokens without a person say.
    pub app_only: Option<ClaimOf>,
}

/// A claim and what it says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClaimOf {
    /// Which.
    pub claim: String,
    /// What it says; a `*` at the end stands for anything.
    pub value: String,
}

/// How an issuer is asked about opaque tokens (RFC 7662).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Introspection {
    /// Where.
    pub url: String,
    /// As which client.
    pub client_id: String,
    /// Where that client's secret is kept.
    pub client_secret: SecretReference,
}

impl Default for Claims {
    fn default() -> Self {
        let Mapping { client, user, user_prefix, groups, scope, app_only: _, attested: _ } = Mapping::default();
        Self { client, user, user_prefix, groups, scope, app_only: None }
    }
}

fn algorithms() -> Vec<Algorithm> {
    vec![Algorithm::Es256, Algorithm::Rs256, Algorithm::Ps256, Algorithm::EdDsa]
}

fn skew() -> u64 {
    limits::SKEW_SECONDS
}

fn keys_age() -> u64 {
    limits::KEYS_AGE_SECONDS
}

impl Loaded {
    /// Whose tokens are taken; `None` where nobody's are.
    ///
    /// # Errors
    /// When a secret cannot be read, or an address cannot be asked.
    pub(crate) fn resource(
        &self,
        egress: &egress::Client,
        bound: SocketAddr,
    ) -> Result<Option<ResourceSettings>, Mistake> {
        let issuers = &self.settings.issuers;
        let Some(public_url) = self.public_url(bound).filter(|_| !issuers.is_empty()) else { return Ok(None) };
        let mut read = self.no_issuers(public_url);
        for (index, issuer) in issuers.iter().enumerate() {
            let networks = issuer.networks.clone();
            let reach = networks.map_or_else(Reach::internet, Reach::new);
            let way = Outbound::new(egress, "issuer", &reach);
            self.asked(&way, &issuer.url, &at(index, "url"))?;
            let keys = match &issuer.keys {
                None => KeySource::Discovered(issuer.url.clone()),
                Some(url) => KeySource::At(self.asked(&way, url, &at(index, "keys"))?),
            };
            let fetch: Arc<dyn identity::fetch::Fetch> = Arc::new(way.clone());
            if let Some(Introspection { url, client_id, client_secret }) = &issuer.introspection {
                let of = |key| [Key("issuer"), Index(index), Key("introspection"), Key(key)];
                read.introspection = Some(IntrospectionSettings {
                    issuer: issuer.url.clone(),
                    url: self.asked(&way, url, &of("url"))?,
                    client_id: client_id.clone(),
                    client_secret: self.secret(client_secret, &of("client_secret"))?,
                    fetch: Arc::clone(&fetch),
                });
            }
            let Claims { client, user, user_prefix, groups, scope, app_only } = issuer.claims.clone();
            let app_only = app_only.map(|ClaimOf { claim, value }| AppOnly { claim, value });
            read.issuers.push(IssuerSettings {
                url: issuer.url.clone(),
                keys,
                algorithms: issuer.algorithms.clone(),
                skew: issuer.clock_skew_seconds,
                keys_age_max: issuer.keys_age_seconds_max,
                mapping: Mapping { client, user, user_prefix, groups, scope, app_only, attested: None },
                reach,
                fetch,
                revocations: None,
            });
        }
        Ok(Some(read))
    }

    /// What is asked of tokens, before anybody's are taken.
    pub(crate) fn no_issuers(&self, public_url: String) -> ResourceSettings {
        ResourceSettings {
            public_url,
            scopes: self.settings.agents.scopes.clone(),
            certificates: self.certificates(),
            issuers: Vec::new(),
            introspection: None,
        }
    }

    /// A URL that may be asked the way it is written.
    fn asked(&self, way: &Outbound, url: &str, steps: &[Step<'_>]) -> Result<Url, Mistake> {
        let read = Url::parse(url).map_err(|error| self.wrong(steps, format!("this is no URL: {error}")))?;
        way.takes(&read).map_err(|error| {
            let hint =
                "write an `https` URL; a plain one is asked on loopback alone, with `networks = [\"127.0.0.1/32\"]`";
            self.wrong(steps, error.to_string()).with_hint(hint)
        })?;
        Ok(read)
    }

    /// Looks for issuers that do not fit each other or the listener.
    pub(super) fn check_issuers(&self) -> Result<(), Mistake> {
        let Settings { agents, issuers, .. } = &self.settings;
        self.check_scopes(agents)?;
        if self.public_url(agents.listen).is_none() && !issuers.is_empty() {
            let message = "tokens are for one endpoint, and nothing says where agents reach it";
            return Err(self.wrong(&at(0, "url"), message).with_hint("add `public_url = \"https://…\"` to `[agents]`"));
        }
        if issuers.len() > limits::ISSUERS_MAX {
            let message = format!("there are more than {} issuers", limits::ISSUERS_MAX);
            return Err(self.wrong(&[Key("issuer"), Index(limits::ISSUERS_MAX)], message));
        }
        for (index, issuer) in issuers.iter().enumerate() {
            self.check_issuer(index, issuer)?;
            self.check_beside(index, issuer, issuers.get(..index).unwrap_or_default())?;
            self.check_beside_sign_in(index, issuer)?;
        }
        Ok(())
    }

    fn check_issuer(&self, index: usize, issuer: &Issuer) -> Result<(), Mistake> {
        let url = Url::parse(&issuer.url).ok().filter(|url| url.query().is_none() && url.fragment().is_none());
        if url.is_none() {
            let message = "an issuer is a URL without query and fragment";
            return Err(self.wrong(&at(index, "url"), message).with_hint("write it exactly as its tokens do in `iss`"));
        }
        if issuer.algorithms.is_empty() {
            return Err(self.wrong(&at(index, "algorithms"), "an issuer signs in some way: name it"));
        }
        if issuer.clock_skew_seconds > limits::SKEW_SECONDS_MAX {
            let message = format!("this may be {} at most", limits::SKEW_SECONDS_MAX);
            return Err(self.wrong(&at(index, "clock_skew_seconds"), message));
        }
        if !(limits::KEYS_REFRESH_SECONDS_MIN..=limits::KEYS_AGE_SECONDS_MAX).contains(&issuer.keys_age_seconds_max) {
            let (least, most) = (limits::KEYS_REFRESH_SECONDS_MIN, limits::KEYS_AGE_SECONDS_MAX);
            return Err(self.wrong(&at(index, "keys_age_seconds_max"), format!("this is from {least} to {most}")));
        }
        if issuer.networks.as_ref().is_some_and(Vec::is_empty) {
            let message = "an issuer in no network cannot be reached";
            return Err(self.wrong(&at(index, "networks"), message).with_hint("leave it out for all public addresses"));
        }
        if issuer.claims.client.is_empty() || issuer.claims.client.iter().any(String::is_empty) {
            let steps = [Key("issuer"), Index(index), Key("claims"), Key("client")];
            return Err(self.wrong(&steps, "name the claim that names the client"));
        }
        Ok(())
    }

    /// Whether people of an issuer can be told from those who sign in at the gate. They are the same people where it is the
    /// provider with which they sign in, and the same claim names them.
    fn check_beside_sign_in(&self, index: usize, issuer: &Issuer) -> Result<(), Mistake> {
        let Some(sign_in) = &self.settings.sign_in else { return Ok(()) };
        if self.settings.agents.public_url.as_ref() == Some(&issuer.url) {
            return Err(self.wrong(&at(index, "url"), "this is the gate itself, whose tokens are taken already"));
        }
        let (own, theirs) = (&issuer.claims.user_prefix, &sign_in.claims.user_prefix);
        let is_one = issuer.url == sign_in.issuer && issuer.claims.user == sign_in.claims.user && own == theirs;
        if !is_one && (own.starts_with(theirs.as_str()) || theirs.starts_with(own.as_str())) {
            let message = "people of this issuer could not be told from those who sign in at the gate";
            let hint = "give both a `user_prefix` in their `claims`, neither of which begins the other";
            let steps = [Key("issuer"), Index(index), Key("claims"), Key("user_prefix")];
            return Err(self.wrong(&steps, message).with_hint(hint));
        }
        Ok(())
    }

    /// Whether two issuers can be told apart, and their people.
    fn check_beside(&self, index: usize, issuer: &Issuer, before: &[Issuer]) -> Result<(), Mistake> {
        for other in before {
            if other.url == issuer.url {
                return Err(self.wrong(&at(index, "url"), format!("issuer `{}` is there already", issuer.url)));
            }
            let (own, theirs) = (&issuer.claims.user_prefix, &other.claims.user_prefix);
            if own.starts_with(theirs.as_str()) || theirs.starts_with(own.as_str()) {
                let message = format!("people of this issuer could not be told from those of `{}`", other.url);
                let hint = "give both a `user_prefix` in `[issuer.claims]`, neither of which begins the other";
                let steps = [Key("issuer"), Index(index), Key("claims"), Key("user_prefix")];
                return Err(self.wrong(&steps, message).with_hint(hint));
            }
            if other.introspection.is_some() && issuer.introspection.is_some() {
                let message = "an opaque token does not say whose it is, so one issuer alone can be asked about them";
                return Err(self.wrong(&at(index, "introspection"), message));
            }
        }
        Ok(())
    }

    /// Whether what clients are told to ask for can be told in a challenge.
    fn check_scopes(&self, agents: &Listener) -> Result<(), Mistake> {
        let is_word = |word: &String| {
            let fits = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
            !word.is_empty() && word.bytes().all(fits) && word != "offline_access"
        };
        if agents.scopes.len() > limits::SCOPES_MAX || !agents.scopes.iter().all(is_word) {
            let message =
                "scopes are words without spaces, quotes and backslashes, and `offline_access` is for clients to ask";
            return Err(self.wrong(&[Key("agents"), Key("scopes")], message));
        }
        Ok(())
    }
}

/// The way to a key of one issuer.
fn at(index: usize, key: &str) -> [Step<'_>; 3] {
    [Key("issuer"), Index(index), Key(key)]
}
