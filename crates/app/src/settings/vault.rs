//! `[vault]`: the master key under which secrets that the gate keeps are sealed, or the service that has it.

use egress::{Client, Reach};
use identity::fetch::Outbound;
use identity::vault::{KeyRing, Transit, TransitPlace, Vault as Sealing};
use ipnet::IpNet;
use model::{Secret, SecretReference};
use registry::manifest::Mistake;
use serde::Deserialize;
use std::sync::Arc;
use url::Url;

use super::Loaded;
use super::place::Step::{self, Index, Key};

/// The master key, and those before it. Without this table the gate keeps a key of its own in the data directory, for the
/// credentials of servers alone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Vault {
    /// Where the master key is kept: 64 hexadecimal digits, beside no backup of what it seals.
    pub key: Option<SecretReference>,
    /// The service that has the master key, in place of that.
    pub transit: Option<TransitKey>,
    /// Where those before it are kept, as long as anything is sealed under them.
    #[serde(default)]
    pub earlier: Vec<SecretReference>,
}

/// A key of the transit engine of `HashiCorp` Vault or `OpenBao`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TransitKey {
    /// The service: `https://vault.example:8200`.
    pub url: String,
    /// The key's name there.
    pub key: String,
    /// Where its engine is mounted.
    #[serde(default = "transit")]
    pub mount: String,
    /// Where the token is kept by which the service knows the gate.
    pub token: SecretReference,
    /// The networks that it may be in; any public address if none is named.
    pub networks: Option<Vec<IpNet>>,
}

fn transit() -> String {
    "transit".to_owned()
}

/// The way to a setting of the service.
fn of_transit(key: &str) -> [Step<'_>; 3] {
    [Key("vault"), Key("transit"), Key(key)]
}

impl Loaded {
    /// The vault, if there is one; a service that has its key is reached by `egress`.
    ///
    /// # Errors
    /// When a key cannot be read, or is none.
    pub(crate) fn vault(&self, egress: &Client) -> Result<Option<Sealing>, Mistake> {
        let Some(Vault { key, transit, earlier }) = &self.settings.vault else { return Ok(None) };
        let indices = earlier.iter().enumerate();
        let earlier = indices.map(|(index, key)| self.key(key, &[Key("vault"), Key("earlier"), Index(index)]));
        let earlier = earlier.collect::<Result<Vec<_>, Mistake>>()?;
        let at_key = [Key("vault"), Key("key")];
        let wrong = |error: identity::vault::KeyRingError| self.wrong(&at_key, error.to_string());
        match (key, transit) {
            (Some(key), None) => {
                let ring = KeyRing::new(&self.key(key, &at_key)?, &earlier).map_err(wrong)?;
                Ok(Some(Sealing::new(Arc::new(ring))))
            }
            (None, Some(transit)) => {
                let before = earlier.split_first().map(|(newest, older)| KeyRing::new(newest, older));
                let before = before.transpose().map_err(wrong)?;
                // Read once here, so that what is wrong with it is told at its place.
                self.secret(&transit.token, &of_transit("token"))?;
                Ok(Some(Sealing::new(Arc::new(self.transit(transit, before, egress)?))))
            }
            (Some(_), Some(_)) => {
                let message = "the master key is kept here or by a service, not both: leave out `key` or `transit`";
                let hint = "name a key that was used before under `earlier`";
                Err(self.wrong(&[Key("vault"), Key("transit")], message).with_hint(hint))
            }
            (None, None) => {
                let message = "the vault has no master key";
                let hint = "add `key = \"file:PATH\"`; `openssl rand -hex 32` makes one";
                Err(self.wrong(&[Key("vault")], message).with_hint(hint))
            }
        }
    }

    fn transit(&self, transit: &TransitKey, earlier: Option<KeyRing>, egress: &Client) -> Result<Transit, Mistake> {
        let TransitKey { url, key, mount, token, networks } = transit;
        let read = Url::parse(url).ok().filter(|url| url.query().or(url.fragment()).is_none());
        let reach = networks.clone().map_or_else(Reach::internet, Reach::new);
        let way = Outbound::new(egress, "the vault's key service", &reach);
        let read = read.filter(|url| way.takes(url).is_ok()).ok_or_else(|| {
            let message =
                format!("`{url}` is no place of a key service: `https`, or plain in a network of this machine");
            self.wrong(&of_transit("url"), message).with_hint("write `https://vault.example:8200`")
        })?;
        for (name, word) in [("key", key), ("mount", mount)] {
            let is_name = !word.is_empty()
                && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
                && !word.starts_with('.');
            if !is_name {
                return Err(self.wrong(&of_transit(name), format!("`{word}` is no name there")));
            }
        }
        let (token, base) = (token.clone(), self.base().to_owned());
        let place = TransitPlace { url: read, mount: mount.clone(), key: key.clone(), token, base };
        Ok(Transit::new(place, Arc::new(way), earlier))
    }

    /// A master key, where it is one.
    fn key(&self, reference: &SecretReference, at: &[Step<'_>]) -> Result<Secret<String>, Mistake> {
        let secret = self.secret(reference, at)?;
        KeyRing::new(&secret, &[]).map_err(|error| self.wrong(at, error.to_string()))?;
        Ok(secret)
    }
}
