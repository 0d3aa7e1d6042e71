//! `portcullis.toml`: listeners, storage and references to keys. What is governed (servers, endpoints, policies, zones,
//! halts) is state and comes through `apply`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use identity::{DevelopmentToken, DevelopmentTokens, read_secret};
use model::{AgentId, AgentKind, GroupName, Role, Secret, SecretReference, UserId};
use registry::manifest;
use serde::Deserialize;

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
    /// How the gate checks servers.
    #[serde(default)]
    pub pins: Pins,
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
    /// People besides the bootstrap token.
    #[serde(default, rename = "token")]
    pub tokens: Vec<AdminToken>,
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
}

impl Loaded {
    /// Reads and checks a settings file.
    ///
    /// # Errors
    /// With file, line and column where the text is wrong; in words where two settings do not fit each other.
    pub(crate) fn read(file: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(file).with_context(|| {
            format!(
                "cannot read the settings `{}`: name them with --config, or make one as the README shows",
                file.display()
            )
        })?;
        let settings: Settings = manifest::parse(&file.display().to_string(), &text)?;
        settings.check().with_context(|| format!("the settings in `{}` cannot be used", file.display()))?;
        Ok(Self { settings, file: file.to_owned() })
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

    /// Every development caller, its token read.
    ///
    /// # Errors
    /// When a token cannot be read, or two settings contradict each other.
    pub(crate) fn callers(&self) -> anyhow::Result<Arc<DevelopmentTokens>> {
        let read = |entry: &CallerToken| {
            let CallerToken { token, agent, kind, user, groups } = entry.clone();
            let token = read_secret(&token, self.base()).with_context(|| format!("the token of agent `{agent}`"))?;
            Ok(DevelopmentToken { token, agent, kind, user, groups })
        };
        let tokens = self.settings.development.tokens.iter().map(read).collect::<anyhow::Result<Vec<_>>>()?;
        Ok(Arc::new(DevelopmentTokens::new(tokens)?))
    }

    /// Everyone with a token for the admin side but the bootstrap's.
    ///
    /// # Errors
    /// When a token cannot be read.
    pub(crate) fn people(&self) -> anyhow::Result<Vec<Known>> {
        let read = |entry: &AdminToken| {
            let token =
                read_secret(&entry.token, self.base()).with_context(|| format!("the token of `{}`", entry.name))?;
            Ok((entry.name.clone(), entry.roles.clone(), token))
        };
        self.settings.admin.tokens.iter().map(read).collect()
    }
}

impl Settings {
    fn check(&self) -> anyhow::Result<()> {
        let loopback = |address: SocketAddr| address.ip().is_loopback();
        let everywhere_loopback = loopback(self.agents.listen) && loopback(self.admin.listen);
        if !self.development.tokens.is_empty() && !everywhere_loopback {
            bail!(
                "development tokens are accepted only while every listener is on loopback: \
                 listen on 127.0.0.1, or remove every [[development.token]]"
            );
        }
        ensure!(
            loopback(self.admin.listen),
            "the admin listener has no TLS of its own yet: listen on 127.0.0.1 and reach it through a tunnel"
        );
        let mut names: Vec<&str> = self.admin.tokens.iter().map(|token| token.name.as_str()).collect();
        names.sort_unstable();
        ensure!(names.windows(2).all(|pair| pair.first() != pair.last()), "two [[admin.token]] have the same name");
        ensure!(!names.contains(&"bootstrap"), "the name `bootstrap` is taken: choose another for the [[admin.token]]");
        ensure!(self.pins.check_seconds >= 1, "pins.check_seconds must be at least 1");
        Ok(())
    }
}
