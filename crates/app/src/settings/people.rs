//! `[people]`: the identity provider with which people sign in on the admin side, and which of its groups have which role.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use egress::Reach;
use identity::client_keys::ClientKeys;
use identity::keys::Algorithm;
use identity::people::{Entrance, Terms};
use identity::relying::Provider;
use ipnet::IpNet;
use model::{GroupName, Role, SecretReference, limits};
use registry::manifest::Mistake;
use serde::Deserialize;
use url::Url;

use super::place::Step::{self, Index, Key};
use super::sign_in::{Authentication, Claims, is_public_url, keys_age, proof, skew, usual};
use super::{Bootstrap, Loaded};

/// The identity provider of the people who look after the gate.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct People {
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
    /// Classes of sign-in; where some are named, nobody comes in by another.
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
    /// Which groups have which role.
    #[serde(default)]
    pub roles: BTreeMap<Role, Vec<GroupName>>,
    /// How long they are in.
    #[serde(default)]
    pub sessions: Sessions,
}

/// How long people are in, in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Sessions {
    /// In a browser, at most.
    pub seconds: u64,
    /// In a browser, without a request.
    pub idle_seconds: u64,
    /// On the command line.
    pub command_line_seconds: u64,
    /// Until the provider is asked again who they are.
    pub check_seconds: u64,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            seconds: limits::PEOPLE_SESSION_SECONDS,
            idle_seconds: limits::PEOPLE_IDLE_SECONDS,
            command_line_seconds: limits::PEOPLE_COMMAND_LINE_SECONDS,
            check_seconds: limits::PEOPLE_CHECK_SECONDS,
        }
    }
}

impl People {
    /// Whether some group makes its members administrators.
    pub(crate) fn names_administrators(&self) -> bool {
        self.roles.get(&Role::Admin).is_some_and(|groups| !groups.is_empty())
    }
}

/// The way to a setting of the table.
fn at(key: &str) -> [Step<'_>; 2] {
    [Key("people"), Key(key)]
}

impl Loaded {
    /// What browsers call the admin listener; `None` where nobody said and it is not on loopback.
    pub(crate) fn admin_url(&self, bound: SocketAddr) -> Option<String> {
        let said = self.settings.admin.public_url.clone();
        let scheme = if self.settings.admin.tls.is_some() { "https" } else { "http" };
        said.or_else(|| bound.ip().is_loopback().then(|| format!("{scheme}://{bound}")))
    }

    /// The entrance's terms, its provider and where that may be; `None` where nobody signs in.
    ///
    /// # Errors
    /// When the provider's secret cannot be read.
    pub(crate) fn entrance(
        &self,
        bound: SocketAddr,
        own: &Arc<ClientKeys>,
    ) -> Result<Option<(Terms, Provider, Reach)>, Mistake> {
        let (Some(people), Some(terms)) = (&self.settings.people, self.entrance_terms(bound)) else { return Ok(None) };
        let url = &terms.url;
        let secret = people.client_secret.as_ref().map(|secret| self.secret(secret, &at("client_secret")));
        let redirect = Url::parse(&format!("{url}{}", Entrance::CALLBACK));
        let redirect = redirect.map_err(|_| self.wrong(&[Key("admin"), Key("public_url")], "this leads to no URL"))?;
        let provider = Provider {
            issuer: people.issuer.clone(),
            client_id: people.client_id.clone(),
            authentication: proof(secret.transpose()?, people.authentication, own),
            redirect,
            scopes: people.scopes.clone(),
            algorithms: people.algorithms.clone(),
            skew: people.skew_seconds,
            claims: people.claims.names(),
            asks_userinfo: people.ask_userinfo,
        };
        let reach = people.networks.clone().map_or_else(Reach::internet, Reach::new);
        Ok(Some((terms, provider, reach)))
    }

    /// The entrance's terms alone; `None` where nobody signs in.
    pub(crate) fn entrance_terms(&self, bound: SocketAddr) -> Option<Terms> {
        let (people, url) = (self.settings.people.as_ref()?, self.admin_url(bound)?);
        let Sessions { seconds, idle_seconds, command_line_seconds, check_seconds } = people.sessions;
        Some(Terms {
            url,
            roles: people.roles.clone(),
            acr_values: people.acr_values.clone(),
            session_seconds: seconds,
            idle_seconds,
            command_line_seconds,
            check_seconds,
        })
    }

    /// What of people's sign-in stays as it is while the gate runs.
    pub(crate) fn fixed_of_people(&self) -> impl PartialEq + use<> {
        let (roles, sessions) = (BTreeMap::new(), Sessions::default());
        let people = self.settings.people.clone().map(|people| People { roles, sessions, ..people });
        (people, self.settings.admin.public_url.clone(), self.settings.admin.bootstrap)
    }

    /// Looks for settings of people's sign-in that do not fit each other.
    pub(super) fn check_people(&self) -> Result<(), Mistake> {
        self.check_admin_url()?;
        let Some(people) = &self.settings.people else {
            if self.settings.admin.bootstrap == Bootstrap::Code {
                let message = "a code is for somebody who signs in, and nobody can";
                let hint = "add the table `[people]`, or write `bootstrap = \"token\"`";
                return Err(self.wrong(&[Key("admin"), Key("bootstrap")], message).with_hint(hint));
            }
            return Ok(());
        };
        if self.admin_url(self.settings.admin.listen).is_none() {
            let message = "browsers must be told where the gate is, and it is not on loopback";
            let hint = "say `public_url = \"https://gate.example:9443\"` beside it";
            return Err(self.wrong(&[Key("admin"), Key("listen")], message).with_hint(hint));
        }
        self.check_provider("people", &people.issuer)?;
        self.check_proof("people", people.client_secret.as_ref(), people.authentication)?;
        if !people.claims.user_prefix.is_empty() {
            let at = [Key("people"), Key("claims"), Key("user_prefix")];
            let message = "people on the admin side are known by issuer and subject, and need no prefix";
            return Err(self.wrong(&at, message).with_hint("leave it out"));
        }
        if people.algorithms.is_empty() {
            return Err(self.wrong(&at("algorithms"), "the provider must sign somehow"));
        }
        self.check_entrance_roles(people)?;
        for (key, words) in [("scopes", &people.scopes), ("acr_values", &people.acr_values)] {
            self.check_each_word("people", key, words)?;
        }
        self.check_session_bounds(people)
    }

    fn check_admin_url(&self) -> Result<(), Mistake> {
        let Some(url) = self.settings.admin.public_url.as_ref().filter(|url| !is_public_url(url)) else {
            return Ok(());
        };
        let message = format!("`{url}` is not what browsers call a host: no path, and no `/` at its end");
        let hint = "write `https://gate.example:9443`; plain `http` is for loopback";
        Err(self.wrong(&[Key("admin"), Key("public_url")], message).with_hint(hint))
    }

    fn check_entrance_roles(&self, people: &People) -> Result<(), Mistake> {
        for (role, groups) in &people.roles {
            if groups.is_empty() {
                let steps = [Key("people"), Key("roles"), Key(role.as_str())];
                return Err(self.wrong(&steps, "no group has this role").with_hint("name one, or leave the role out"));
            }
        }
        let has_code = self.settings.admin.bootstrap == Bootstrap::Code && !people.names_administrators();
        if people.roles.is_empty() && !has_code {
            let message = "nobody who signs in would have a role";
            let hint = "add `[people.roles]` with lines such as `admin = [\"gate-admins\"]`";
            return Err(self.wrong(&[Key("people")], message).with_hint(hint));
        }
        Ok(())
    }

    fn check_session_bounds(&self, people: &People) -> Result<(), Mistake> {
        let sessions = &people.sessions;
        let most = limits::PEOPLE_SESSION_SECONDS_MAX;
        let in_sessions = |key| [Key("people"), Key("sessions"), Key(key)];
        for (key, said, most) in [
            ("seconds", sessions.seconds, most),
            ("idle_seconds", sessions.idle_seconds, most),
            ("command_line_seconds", sessions.command_line_seconds, most),
            ("check_seconds", sessions.check_seconds, limits::PEOPLE_UNCHECKED_SECONDS_MAX),
        ] {
            if !(1..=most).contains(&said) {
                return Err(self.wrong(&in_sessions(key), format!("this must be from 1 to {most}")));
            }
        }
        self.check_clocks("people", people.skew_seconds, people.keys_age_seconds)
    }

    /// Looks for what is no word where words are listed.
    pub(super) fn check_each_word(&self, table: &str, key: &str, words: &[String]) -> Result<(), Mistake> {
        let is_word = |word: &String| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_graphic());
        match words.iter().position(|word| !is_word(word)) {
            None => Ok(()),
            Some(index) => {
                let message = "this is no word of visible letters without spaces";
                Err(self.wrong(&[Key(table), Key(key), Index(index)], message))
            }
        }
    }
}
