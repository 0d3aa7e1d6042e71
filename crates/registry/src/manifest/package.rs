//! `[package]` of a server's manifest: what it is made of, and who must have made that.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Misfit;
use super::text::{Line, Sha256};

/// The package that a server runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PackageManifest {
    /// The SHA-256 digest of its file: these bytes and no others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256>,
    /// Who must have made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<ProvenanceManifest>,
}

/// Who must have made a package, verified by what they signed. What is not named is not asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProvenanceManifest {
    /// Whether the server can only be approved with it; it is, if it is not said. `false` also lets a server be approved
    /// whose package is attested less than the one before.
    #[serde(default = "yes")]
    pub required: bool,
    /// What a signature must say at least: `signed`, `published` by a registry, `built` from a repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strength: Option<Least>,
    /// Who vouches for the signer: `https://token.actions.githubusercontent.com`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<Line>,
    /// The repository that is built: `https://github.com/acme/tickets`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<Line>,
    /// The file in it that says how: `.github/workflows/release.yml`, with `@` and a branch or a tag if only that will do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<Line>,
    /// Who signs, exactly as their certificate says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Line>,
    /// The SHA-256 digest of the signer's certificate, for MCP bundles, behind whose certificates stands no authority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Sha256>,
}

/// What a signature must say at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Least {
    /// Somebody signed these bytes.
    Signed,
    /// A registry took them from a publisher that it knows.
    Published,
    /// A build made them.
    Built,
}

fn yes() -> bool {
    true
}

impl PackageManifest {
    pub(super) fn check(&self) -> Result<(), Misfit> {
        let Some(provenance) = &self.provenance else { return Ok(()) };
        let ProvenanceManifest { required, issuer, repository, subject, certificate, .. } = provenance;
        let is_somebody = repository.is_some() || subject.is_some() || certificate.is_some();
        if *required && !is_somebody {
            let why = "say who must have made it: `repository`, `subject` or `certificate`; anybody can sign something";
            return Err(Misfit::new("package.provenance", why));
        }
        if *required && certificate.is_none() && issuer.is_none() {
            let why = "say who vouches for the signer: the same name can be anybody's at another issuer";
            return Err(Misfit::new("package.provenance", why));
        }
        Ok(())
    }
}
