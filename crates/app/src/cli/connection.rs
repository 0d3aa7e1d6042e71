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
    #[arg(long, value_name = "http://HOST:PORT", env = "PORTCULLIS_ADMIN", requires = "token_file")]
    admin: Option<String>,
    /// A file with your token that only you can read; without it, the gate's bootstrap token
    #[arg(long, value_name = "FILE", env = "PORTCULLIS_TOKEN_FILE")]
    token_file: Option<PathBuf>,
}

/// Where the admin API is, and where the token is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Connection {
    /// `http://host:port`.
    pub(crate) url: String,
    /// The file with the token.
    pub(crate) token_file: PathBuf,
}

impl Connection {
    /// The gate at this address, with the token in this file.
    pub(crate) fn to(admin: SocketAddr, token_file: PathBuf) -> Self {
        Self { url: format!("http://{admin}"), token_file }
    }
}

impl Finding {
    /// The gate that was named.
    pub(crate) fn connection(&self) -> Result<Connection, Failure> {
        if let (Some(admin), Some(token_file)) = (&self.admin, &self.token_file) {
            let url = admin.trim_end_matches('/').to_owned();
            return Ok(Connection { url, token_file: token_file.clone() });
        }
        let loaded = self.settings()?;
        let token_file = self.token_file.clone().unwrap_or_else(|| loaded.bootstrap_file());
        Ok(Connection::to(loaded.settings.admin.listen, token_file))
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
        Ok(Connection { url: url.trim_end_matches('/').to_owned(), token_file })
    }

    /// The settings, for what needs no running gate.
    pub(crate) fn settings(&self) -> Result<Loaded, Failure> {
        Loaded::read(&self.config).map_err(|error| {
            Failure::new(format!("{error:#}"))
                .with_next("name the gate's settings with --config, or the gate with --admin and --token-file")
        })
    }
}
