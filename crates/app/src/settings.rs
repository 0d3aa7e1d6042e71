//! `portcullis.toml`: listeners, storage and references to keys. What is governed (servers, endpoints, policies, zones,
//! halts) is state and comes through `apply`.
//!
//! Every mistake is told at its file, line and column, also where two settings do not fit each other: [`place`] finds it.

mod catalogue;
pub(crate) mod inspection;
mod issuers;
pub(crate) mod people;
mod place;
pub(crate) mod sign_in;
mod tls;
pub(crate) mod trials;
pub(crate) mod vault;
mod vetting;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use admin::PeopleError;
use identity::{DevelopmentToken, DevelopmentTokens, SecretError, TokenError, read_secret};
use model::{AgentId, AgentKind, GroupName, Role, Secret, SecretReference, UserId};
use registry::manifest::{self, Mistake};
use serde::Deserialize;

use crate::cli::failure::Failure;
pub(crate) use issuers::Issuer;
use place::Step::{self, Index, Key};

/// How to make a token that nobody guesses.
const GOOD_TOKEN: &str = "`openssl rand -hex 32` makes a good one";

/// The whole file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Where agents connect.
    pub agents: Listener,
    /// Where people, the CLI and monitoring connect.
    pub admin: AdminListener,
    /// Where everything is kept.
    pub data: Data,
    /// Callers for one machine.
    #[serde(default)]
    pub development: Development,
    /// Whose access tokens are taken.
    #[serde(default, rename = "issuer")]
    pub issuers: Vec<Issuer>,
    /// How the gate checks servers.
    #[serde(default)]
    pub pins: Pins,
    /// How servers are vetted again after they were approved.
    #[serde(default)]
    pub vetting: vetting::Vetting,
    /// How programs are tried that nobody trusts.
    #[serde(default)]
    pub trials: trials::Trials,
    /// What is looked for in messages beside what the shipped rules see.
    #[serde(default)]
    pub inspection: inspection::Inspection,
    /// What seals secrets that are kept.
    pub vault: Option<vault::Vault>,
    /// The private registry, in which clients find endpoints.
    pub catalogue: Option<catalogue::Catalogue>,
    /// The identity provider with which people sign in for their agents.
    pub sign_in: Option<sign_in::SignIn>,
    /// The identity provider with which people sign in on the admin side.
    pub people: Option<people::People>,
}

/// The agents' listener.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listener {
    /// Address and port; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Host names it answers to, beside its own address; `name` or `name:port`.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Origins of web pages that may call.
    #[serde(default)]
    pub origins: Vec<String>,
    /// What agents and browsers call it: `https://gate.example`. A token for `/{endpoint}/mcp` below it is good there and nowhere
    /// else. Without it, the address of a listener on loopback.
    pub public_url: Option<String>,
    /// Where the gate's client metadata document is published for authorization servers that cannot reach this listener; it is
    /// at `/connect/client.json` here, to be copied.
    pub client_document: Option<String>,
    /// Scopes that clients are told to ask for when they sign in, the same at every endpoint.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// TLS, where it ends here.
    pub tls: Option<tls::AgentsTls>,
}

/// The admin listener.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdminListener {
    /// Address and port.
    pub listen: SocketAddr,
    /// Host names it answers to, beside its own address.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// What browsers call it: `https://gate.example:9443`. Without it, the address of a listener on loopback.
    pub public_url: Option<String>,
    /// How the first of all comes in.
    #[serde(default)]
    pub bootstrap: Bootstrap,
    /// People besides the bootstrap token.
    #[serde(default, rename = "token")]
    pub tokens: Vec<AdminToken>,
    /// TLS, where it ends here.
    pub tls: Option<tls::AdminTls>,
}

/// How the first of all comes in on the admin side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Bootstrap {
    /// With a token that the gate makes once, and that stays.
    #[default]
    Token,
    /// With a code that is good once, for whoever signs in, until some group has administrators. There is no token.
    Code,
    /// Not at all: the people that settings name are enough.
    None,
}

/// One person's token on the admin side.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdminToken {
    /// The person's name, as receipts show it.
    pub name: String,
    /// What they may do.
    pub roles: Vec<Role>,
    /// Where their token is kept.
    pub token: SecretReference,
}

/// Storage.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Data {
    /// A directory for the database, the journal and the bootstrap token; relative to the settings file.
    pub directory: PathBuf,
}

/// Development tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Development {
    /// Each stands for one caller.
    #[serde(default, rename = "token")]
    pub tokens: Vec<CallerToken>,
}

/// One caller's development token.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallerToken {
    /// Where the token is kept.
    pub token: SecretReference,
    /// The agent.
    pub agent: AgentId,
    /// `delegated` or `autonomous`.
    pub kind: AgentKind,
    /// The person the agent acts for, if delegated.
    pub user: Option<UserId>,
    /// The person's groups.
    #[serde(default)]
    pub groups: Vec<GroupName>,
}

/// How definitions are compared with their pins.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Pins {
    /// Seconds between two checks of a server that says nothing itself; at least 1.
    pub check_seconds: u64,
}

impl Default for Pins {
    fn default() -> Self {
        Self { check_seconds: model::limits::PIN_CHECK_SECONDS }
    }
}

/// Someone with a token for the admin side: their name, roles and token.
pub(crate) type Known = (String, Vec<Role>, Secret<String>);

/// Settings read from a file, with the file's place to resolve what it names.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    /// What the file says.
    pub settings: Settings,
    /// The file.
    pub file: PathBuf,
    /// Its text, to find the place of what is wrong. Secrets are never in it.
    text: String,
}

impl Loaded {
    /// Reads and checks a settings file.
    ///
    /// # Errors
    /// With file, line and column of what is wrong.
    pub(crate) fn read(file: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(file).map_err(|error| {
            Failure::new(format!("cannot read the settings `{}`: {error}", file.display()))
                .with_next("name them with --config, or make them as the README shows")
        })?;
        let settings = manifest::parse(&file.display().to_string(), &text).map_err(|mistake: Mistake| {
            let whole =
                ["agents", "admin", "data"].iter().find(|name| mistake.message == format!("missing field `{name}`"));
            // What is missing is a table, and not a value.
            whole.map_or(mistake.clone(), |name| mistake.with_hint(format!("add the table `[{name}]`")))
        })?;
        let loaded = Self { settings, file: file.to_owned(), text };
        loaded.check()?;
        Ok(loaded)
    }

    /// The directory relative paths start from.
    pub(crate) fn base(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new(""))
    }

    /// The data directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.base().join(&self.settings.data.directory)
    }

    /// The file with the bootstrap token.
    pub(crate) fn bootstrap_file(&self) -> PathBuf {
        self.data().join("admin.token")
    }

    /// The file with the code for the first administrator.
    pub(crate) fn first_code_file(&self) -> PathBuf {
        self.data().join("first.code")
    }

    /// Every development caller, its token read.
    ///
    /// # Errors
    /// When a token cannot be read, or two settings contradict each other.
    pub(crate) fn callers(&self) -> Result<Arc<DevelopmentTokens>, Mistake> {
        let read = |(index, entry): (usize, &CallerToken)| {
            let CallerToken { token, agent, kind, user, groups } = entry.clone();
            let token = self.secret(&token, &caller(index, "token"))?;
            Ok(DevelopmentToken { token, agent, kind, user, groups })
        };
        let tokens = self.settings.development.tokens.iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
        DevelopmentTokens::new(tokens).map(Arc::new).map_err(|error| {
            let (index, key) = match &error {
                TokenError::UserDoesNotFit { index, .. } | TokenError::TwoKinds { index, .. } => (*index, "kind"),
                TokenError::Shared { index, .. } | TokenError::Short { index, .. } => (*index, "token"),
            };
            let mistake = self.wrong(&caller(index, key), error.to_string());
            if let TokenError::Short { .. } = error { mistake.with_hint(GOOD_TOKEN) } else { mistake }
        })
    }

    /// Everyone with a token for the admin side but the bootstrap's.
    ///
    /// # Errors
    /// When a token cannot be read.
    pub(crate) fn people(&self) -> Result<Vec<Known>, Mistake> {
        let read = |(index, entry): (usize, &AdminToken)| {
            let token = self.secret(&entry.token, &person(index, "token"))?;
            Ok((entry.name.clone(), entry.roles.clone(), token))
        };
        self.settings.admin.tokens.iter().enumerate().map(read).collect()
    }

    /// The place of what is wrong with the people.
    pub(crate) fn wrong_people(&self, error: &PeopleError) -> Mistake {
        let named = |wanted: &str| self.settings.admin.tokens.iter().rposition(|token| token.name == *wanted);
        let at = match error {
            PeopleError::Nobody | PeopleError::Name => None,
            PeopleError::NameRepeated(name) => named(name).map(|index| person(index, "name")),
            PeopleError::NoRole(name) => named(name).map(|index| person(index, "roles")),
            PeopleError::Token(name) => named(name).map(|index| person(index, "token")),
        };
        let mistake = self.wrong(at.as_ref().map_or(&[Key("admin")], |steps| steps.as_slice()), error.to_string());
        if let PeopleError::Token(_) = error { mistake.with_hint(GOOD_TOKEN) } else { mistake }
    }

    fn secret(&self, reference: &SecretReference, at: &[Step<'_>]) -> Result<Secret<String>, Mistake> {
        read_secret(reference, self.base()).map_err(|error| {
            let mistake = self.wrong(at, model::with_causes(&error));
            match error {
                SecretError::NotSet(_) => mistake.with_hint("set it where the gate is started, or use `file:PATH`"),
                SecretError::File { .. } => mistake.with_hint("make the file, for its owner alone: `chmod 600`"),
                SecretError::Exposed { .. } | SecretError::Unusable(_) => mistake,
            }
        })
    }

    /// Looks for settings that do not fit each other.
    fn check(&self) -> Result<(), Mistake> {
        let Settings { agents, admin, development, pins, .. } = &self.settings;
        let listeners = [("agents", agents.listen), ("admin", admin.listen)];
        for (name, address) in listeners.into_iter().filter(|(_, address)| !address.ip().is_loopback()) {
            let at = [Key(name), Key("listen")];
            if !development.tokens.is_empty() {
                let message = "development tokens are accepted only while every listener is on loopback";
                return Err(self
                    .wrong(&at, message)
                    .with_hint("listen on 127.0.0.1, or remove every [[development.token]]"));
            }
            if name == "admin" && admin.tls.is_none() {
                let message = format!("the admin listener may not listen on {address} without TLS");
                let hint = "add `[admin.tls]`, or listen on 127.0.0.1 and reach it through a tunnel";
                return Err(self.wrong(&at, message).with_hint(hint));
            }
        }
        for (index, token) in admin.tokens.iter().enumerate() {
            let before = admin.tokens.get(..index).unwrap_or_default();
            let message = match token.name.as_str() {
                "bootstrap" => "the name `bootstrap` is taken".to_owned(),
                name if before.iter().any(|other| other.name == name) => format!("two people are named `{name}`"),
                _ => continue,
            };
            return Err(self.wrong(&person(index, "name"), message).with_hint("choose another name"));
        }
        if pins.check_seconds == 0 {
            return Err(self.wrong(&[Key("pins"), Key("check_seconds")], "this must be at least 1"));
        }
        if let Some(url) = agents.public_url.as_ref().filter(|url| !sign_in::is_public_url(url)) {
            let message = format!("`{url}` is not what browsers call a host: no path, and no `/` at its end");
            let hint = "write `https://gate.example`; plain `http` is for loopback";
            return Err(self.wrong(&[Key("agents"), Key("public_url")], message).with_hint(hint));
        }
        let is_document = |url: &String| url.parse().is_ok_and(|url| identity::outgoing::is_document(&url));
        if let Some(url) = agents.client_document.as_ref().filter(|url| !is_document(url)) {
            let message = format!("`{url}` is no `https` URL with a path, and nothing behind that");
            let hint =
                "write the URL at which the document is published, such as `https://www.example/portcullis.json`";
            return Err(self.wrong(&[Key("agents"), Key("client_document")], message).with_hint(hint));
        }
        self.check_trials()?;
        self.check_catalogue()?;
        self.check_vetting()?;
        self.check_issuers()?;
        self.check_sign_in()?;
        self.check_people()
    }

    /// A mistake at the place that the steps lead to.
    fn wrong(&self, at: &[Step<'_>], message: impl Into<String>) -> Mistake {
        Mistake::at(&self.file.display().to_string(), &self.text, place::offset(&self.text, at), message)
    }
}

/// The way to a key of one caller's token.
fn caller(index: usize, key: &str) -> [Step<'_>; 4] {
    [Key("development"), Key("token"), Index(index), Key(key)]
}

/// The way to a key of one person's token.
fn person(index: usize, key: &str) -> [Step<'_>; 4] {
    [Key("admin"), Key("token"), Index(index), Key(key)]
}
