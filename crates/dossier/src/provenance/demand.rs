//! What has to be proven before a package is good enough.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Proof, Provenance, Strength, plain};

/// Who must have made a package. What is not named is not asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Demand {
    /// What a signature must say at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strength: Option<Strength>,
    /// Who vouches for the signer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// The file in it that says how it is built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// Who signed, exactly as the certificate says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The SHA-256 digest of the signer's certificate, where no authority vouches for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
}

/// Why a package is not good enough.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unmet {
    /// Nobody showed anything.
    #[error("nothing shows who made it")]
    Missing,
    /// What was shown does not hold.
    #[error("what was shown does not hold: {0}")]
    Broken(String),
    /// Somebody else made it.
    #[error("it is {made}, and {wanted} is asked for")]
    SomebodyElse {
        /// Who did.
        made: String,
        /// Who should have.
        wanted: String,
    },
}

impl Demand {
    /// Whether what was proven is what is asked for; the proof that is.
    ///
    /// # Errors
    /// When none is.
    pub fn met<'a>(&self, provenance: &'a Provenance) -> Result<&'a Proof, Unmet> {
        if let Some(proof) = provenance.proven.iter().find(|proof| self.is_met_by(proof)) {
            return Ok(proof);
        }
        Err(match (provenance.best(), provenance.refused.first()) {
            (Some(best), _) => Unmet::SomebodyElse { made: made(best), wanted: self.wanted() },
            (None, Some(why)) => Unmet::Broken(why.clone()),
            (None, None) => Unmet::Missing,
        })
    }

    fn is_met_by(&self, Proof { strength, signer, .. }: &Proof) -> bool {
        let same = |wanted: &Option<String>, found: &Option<String>| wanted.is_none() || wanted == found;
        let repository = || signer.repository.as_deref().map(plain);
        self.strength.is_none_or(|least| *strength >= least)
            && same(&self.issuer, &signer.issuer)
            && same(&self.subject, &signer.subject)
            && same(&self.certificate, &signer.certificate)
            && self.repository.as_deref().is_none_or(|wanted| repository() == Some(plain(wanted)))
            && self.workflow.as_deref().is_none_or(|wanted| is_workflow(wanted, signer.workflow.as_deref()))
            // A key without an authority is nobody's until somebody names it.
            && (signer.certificate.is_none() || self.certificate.is_some())
    }

    fn wanted(&self) -> String {
        let strength = self.strength.unwrap_or(Strength::Signed).word();
        let whom = [&self.repository, &self.subject, &self.certificate, &self.issuer];
        let whom = whom.into_iter().flatten().next().map_or("somebody who is known", String::as_str);
        let file = self.workflow.as_deref().map(|file| format!(" with {file}")).unwrap_or_default();
        format!("{strength} {whom}{file}")
    }
}

fn made(proof: &Proof) -> String {
    let file = proof.signer.workflow.as_deref().map(|file| format!(" with {file}")).unwrap_or_default();
    format!("{} {}{file}", proof.strength.word(), proof.signer.name())
}

/// Whether `PATH@REF` is of the file that is wanted: its path, or with the branch or the tag.
fn is_workflow(wanted: &str, found: Option<&str>) -> bool {
    found.is_some_and(|found| found == wanted || found.split_once('@').is_some_and(|(path, _)| path == wanted))
}
