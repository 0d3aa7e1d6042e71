//! Which gate a command is for, and whose token it shows.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::failure::Failure;
use crate::settings::Loaded;

/// The arguments that find the gate: its settings, or its address and a token.
#[derive(Debug, Args)]
pub(crate) struct Finding {
    /// The gate's settings, which name its address and its data directory
    #[arg(long, value_name = "FILE", env = "PORTCULLIS_CONFIG", default_value = "portcullis.toml")]
    config: PathBuf,
    /// The gate's admin address; the settings are not read then
    #[arg(long, value_name = "URL", env = "PORTCULLIS_ADMIN", requires = "token_file")]
    admin: Option<String>,
    /// A file with your token that only you can read; without it, the gate's bootstrap token
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
    /// The gate that was named.
    pub(crate) fn connection(&self) -> Result<Connection, Failure> {
        if let (Some(admin), Some(token_file)) = (&self.admin, &self.token_file) {
            let url = admin.trim_end_matches('/').to_owned();
            return Ok(Connection { url, token_file: token_file.clone(), authority: self.authority.clone() });
        }
        let loaded = self.settings()?;
        let token_file = self.token_file.clone().unwrap_or_else(|| loaded.bootstrap_file());
        let connection = Connection::to(&loaded, loaded.settings.admin.listen, token_file);
        Ok(Connection { authority: self.authority.clone().or(connection.authority), ..connection })
    }

    /// Whether a gate was named, or there are settings that name one.
    pub(crate) fn is_named(&self) -> bool {
        self.admin.is_some() || self.config.exists()
    }

    /// The gate at this address, with the token that was named.
    pub(crate) fn at(&self, url: &str) -> Result<Connection, Failure> {
        let token_file = self.token_file.clone().ok_or_else(|| {
            Failure::usage("there is no token to show to that gate")
                .with_next("name the file with your token by --token-file")
        })?;
        let url = url.trim_end_matches('/').to_owned();
        Ok(Connection { url, token_file, authority: self.authority.clone() })
    }

    /// The settings, for what needs no running gate.
    pub(crate) fn settings(&self) -> Result<Loaded, Failure> {
        Loaded::read(&self.config).map_err(|error| {
            Failure::new(format!("{error:#}"))
                .with_next("name the gate's settings with --config, or the gate with --admin and --token-file")
        })
    }
}
