//! Which gate a command is for, and whose token it shows.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::failure::Failure;
use super::login::now_seconds;
use super::sessions::Sessions;
use crate::settings::Loaded;

/// The arguments that find the gate: its settings, or its address and a token.
#[derive(Debug, Args)]
pub(crate) struct Finding {
    /// The gate's settings, which name its address and its data directory
    #[arg(long, value_name = "FILE", env = "PORTCULLIS_CONFIG", default_value = "portcullis.toml")]
    config: PathBuf,
    /// The gate's admin address; the settings are not read then
    #[arg(long, value_name = "URL", env = "PORTCULLIS_ADMIN")]
    admin: Option<String>,
    /// A file with your token that only you can read; without it, what `login` left, or the gate's bootstrap token
    #[arg(long, value_name = "FILE", env = "PORTCULLIS_TOKEN_FILE")]
    token_file: Option<PathBuf>,
    /// A file with the authority of the gate's certificate, in PEM; without it, those that the operating system trusts
    #[arg(long, value_name = "FILE", env = "PORTCULLIS_AUTHORITY")]
    authority: Option<PathBuf>,
}

/// Where the admin API is, and where the token is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Connection {
    /// `https://host:port`, or `http://host:port` on this machine.
    pub(crate) url: String,
    /// The file with the token.
    pub(crate) token_file: PathBuf,
    /// The file with the authority of the gate's certificate; those that the operating system trusts without it.
    pub(crate) authority: Option<PathBuf>,
}

impl Connection {
    /// The gate of these settings, whose admin listener is at this address, with the token in this file. Over TLS it is
    /// called by the first of its host names, if it has any: that is what its certificate names.
    pub(crate) fn to(loaded: &Loaded, admin: SocketAddr, token_file: PathBuf) -> Self {
        let Some(tls) = &loaded.settings.admin.tls else {
            return Self { url: format!("http://{admin}"), token_file, authority: None };
        };
        let url = match loaded.settings.admin.hosts.first() {
            None => format!("https://{admin}"),
            Some(host) if host.contains(':') => format!("https://{host}"),
            Some(host) => format!("https://{host}:{}", admin.port()),
        };
        Self { url, token_file, authority: tls.authority.as_ref().map(|path| loaded.base().join(path)) }
    }
}

impl Finding {
    /// The gate that was named, and whose token is shown to it: the one that was named, what `login` left, or the gate's
    /// bootstrap token.
    pub(crate) fn connection(&self) -> Result<Connection, Failure> {
        if let Some(admin) = &self.admin {
            return self.at(admin);
        }
        let loaded = self.settings()?;
        let connection = Connection::to(&loaded, loaded.settings.admin.listen, loaded.bootstrap_file());
        let token_file = self.token_file.clone().or_else(|| session_at(&connection.url));
        let token_file = token_file.unwrap_or_else(|| connection.token_file.clone());
        Ok(Connection { token_file, authority: self.authority.clone().or(connection.authority), ..connection })
    }

    /// Where the gate is that was named, and the authority of its certificate, for whoever has no token yet.
    pub(crate) fn place(&self) -> Result<(String, Option<PathBuf>), Failure> {
        if let Some(admin) = &self.admin {
            return Ok((plain(admin), self.authority.clone()));
        }
        let loaded = self.settings()?;
        let connection = Connection::to(&loaded, loaded.settings.admin.listen, loaded.bootstrap_file());
        Ok((connection.url, self.authority.clone().or(connection.authority)))
    }

    /// Whether a gate was named, or there are settings that name one.
    pub(crate) fn is_named(&self) -> bool {
        self.admin.is_some() || self.config.exists()
    }

    /// The gate at this address, with the token that was named, or what `login` left.
    pub(crate) fn at(&self, url: &str) -> Result<Connection, Failure> {
        let url = plain(url);
        let token_file = self.token_file.clone().or_else(|| session_at(&url)).ok_or_else(|| {
            Failure::usage("there is no token to show to that gate")
                .with_next("sign in with `portcullis login`, or name the file with your token by --token-file")
        })?;
        Ok(Connection { url, token_file, authority: self.authority.clone() })
    }

    /// The settings, for what needs no running gate.
    pub(crate) fn settings(&self) -> Result<Loaded, Failure> {
        Loaded::read(&self.config).map_err(|error| {
            Failure::new(format!("{error:#}"))
                .with_next("name the gate's settings with --config, or the gate with --admin")
        })
    }
}

/// A gate's address as sessions are kept under it.
fn plain(url: &str) -> String {
    url.trim_end_matches('/').to_owned()
}

fn session_at(url: &str) -> Option<PathBuf> {
    Sessions::of_this_person()?.at(url, now_seconds())
}
