//! How the credentials of a server are, for those who look after it.

use model::{ServerName, Timestamp};

use super::{About, KeepError, Outgoing};

/// One credential, without anything that opens anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Whose it is: `shared`, `user ana`, `agent nightly`.
    pub holder: String,
    /// Who gave it out.
    pub issuer: String,
    /// The scopes that were asked for.
    pub requested: Vec<String>,
    /// The scopes that it has.
    pub granted: Vec<String>,
    /// Who brought it about.
    pub by: String,
    /// When.
    pub connected: Timestamp,
    /// When it was renewed last.
    pub renewed: Timestamp,
    /// When it is over, unless it is renewed.
    pub expires: Option<Timestamp>,
}

impl Outgoing {
    /// How the kept credentials of a server are, by holder.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn health(&self, server: &ServerName) -> Result<Vec<Health>, KeepError> {
        let known = self.keeper.known_of(server).await?;
        let told = known.into_iter().filter_map(|(holder, about, _)| {
            let About { issuer, requested, granted, by, connected, obtained, expires, .. } = About::read(&about)?;
            Some(Health { holder, issuer, requested, granted, by, connected, renewed: obtained, expires })
        });
        Ok(told.collect())
    }

    /// Wraps every kept credential's key anew that an earlier master key wrapped; returns how many there were.
    ///
    /// # Errors
    /// The first that cannot be wrapped anew.
    pub async fn rewrap(&self) -> Result<usize, KeepError> {
        self.keeper.rewrap().await
    }
}
