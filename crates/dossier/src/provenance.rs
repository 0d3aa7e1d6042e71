//! Who made this package, and from what?
//!
//! A signature says that somebody had a key. An attestation says more: a build of this repository, at this commit, made
//! these very bytes. Both are verified here without a network: the certificate down to a pinned root, its entry in a
//! public log, the signature, and that what was signed is this package ([`verify`]). Whose it has to be is a [`Demand`],
//! which only what was verified can meet.
//!
//! The evidence is kept as it came ([`Provenance::evidence`]), so that the gate believes nobody's word about it: whoever
//! has the package's digests can verify it again.

mod demand;
mod der;
mod mcpb;
mod read;
mod verify;

use model::limits;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use demand::{Demand, Unmet};
pub(crate) use mcpb::split;
pub(crate) use verify::Package;

/// What is proven of who made a package.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// What was verified, the strongest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proven: Vec<Proof>,
    /// Why other evidence does not hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<String>,
    /// The strongest that was proven of this server's package before, if that was by somebody else, or stronger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Box<Proof>>,
    /// The evidence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
}

/// What a signature says, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Strength {
    /// Somebody signed these bytes.
    Signed,
    /// A registry took them from a publisher that it knows.
    Published,
    /// A build made them: SLSA provenance.
    Built,
}

impl Strength {
    /// Its name for people, to be followed by whom.
    pub fn word(self) -> &'static str {
        match self {
            Self::Signed => "signed by",
            Self::Published => "published by",
            Self::Built => "built by",
        }
    }
}

/// One signature that holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// What it says.
    pub strength: Strength,
    /// Whose it is.
    pub signer: Signer,
    /// The package's version, as it says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// When it was signed, by a clock that is trusted, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
}

/// Who signed, as a certificate says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Signer {
    /// Who vouched for them: the issuer of the token that they showed to the certificate authority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Who they are there: a workflow's address, or a person's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The repository that was built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// The file in it that said how, with the branch or the tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// The commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Where it ran: `github-hosted`, `self-hosted`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner: Option<String>,
    /// The digest of a certificate that no authority vouches for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
}

impl Signer {
    /// Who it is, in a line.
    pub fn name(&self) -> &str {
        let of_nobody = self.certificate.as_deref();
        self.repository.as_deref().or(self.subject.as_deref()).or(of_nobody).unwrap_or("a key")
    }

    /// Whether two are the same: of one repository; or, without one, the same person or key.
    fn is(&self, other: &Self) -> bool {
        let who = |signer: &Self| match &signer.repository {
            Some(repository) => (Some(plain(repository)), None, None),
            None => (None, signer.subject.clone(), signer.certificate.clone()),
        };
        self.issuer == other.issuer && who(self) == who(other)
    }
}

/// A repository's address, in the one way in which it is compared.
pub(crate) fn plain(repository: &str) -> String {
    let address = repository.trim().trim_start_matches("git+").trim_end_matches('/');
    address.strip_suffix(".git").unwrap_or(address).to_ascii_lowercase()
}

impl Provenance {
    /// Verifies files of attestations, as registries, `cosign`, `gh` and package indexes give them out, and what was found
    /// within the package by [`split`].
    pub(crate) fn of(files: &[String], within: Option<String>, package: &Package) -> Self {
        let mut provenance = Self::default();
        within.into_iter().for_each(|one| provenance.take(one, package));
        for text in files {
            match read::attestations(text) {
                Ok(found) => found.into_iter().for_each(|one| provenance.take(one, package)),
                Err(why) => provenance.refuse(why),
            }
        }
        provenance.sorted()
    }

    /// Verifies the same evidence again.
    pub(crate) fn again(&self, package: &Package) -> Self {
        let mut provenance = Self::default();
        self.evidence.iter().for_each(|one| provenance.take(one.clone(), package));
        provenance.sorted()
    }

    fn sorted(mut self) -> Self {
        self.proven.sort_by_key(|proof| std::cmp::Reverse(proof.strength));
        self
    }

    fn take(&mut self, attestation: String, package: &Package) {
        if self.evidence.len() >= limits::ATTESTATIONS_MAX {
            return self.refuse(format!("there are more than {} attestations", limits::ATTESTATIONS_MAX));
        }
        match verify::proof(&attestation, package) {
            Ok(proof) => self.proven.push(proof),
            Err(why) => self.refuse(why),
        }
        self.evidence.push(attestation);
    }

    fn refuse(&mut self, why: String) {
        if self.refused.len() < limits::ATTESTATIONS_MAX {
            self.refused.push(why);
        }
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The strongest of what was verified.
    pub fn best(&self) -> Option<&Proof> {
        self.proven.first()
    }

    /// Keeps in mind what was proven of the package that was looked at before.
    pub(crate) fn remember(&mut self, earlier: &Self) {
        let best = earlier.before.as_deref().or(earlier.best());
        self.before = best.filter(|best| !self.holds(best)).cloned().map(Box::new);
    }

    /// What was proven here and is not any more, though the evidence is the same.
    pub(crate) fn lost(&self, now: &Self) -> Vec<String> {
        let why = now.refused.iter().find(|why| !self.refused.contains(why)).or(now.refused.first());
        let why = why.map_or("its evidence is gone", String::as_str);
        let lost = self.proven.iter().filter(|proof| !now.holds(proof));
        let mut told: Vec<String> = Vec::new();
        for proof in lost {
            let text =
                format!("that it is {} {} does not hold any more: {why}", proof.strength.word(), proof.signer.name());
            if !told.contains(&text) {
                told.push(text);
            }
        }
        told
    }

    fn holds(&self, earlier: &Proof) -> bool {
        self.proven.iter().any(|proof| proof.strength >= earlier.strength && proof.signer.is(&earlier.signer))
    }

    /// What an earlier package had and this one has not: it may come from somebody else.
    pub fn fallen(&self) -> Option<String> {
        let before = self.before.as_deref()?;
        let of = before.version.as_deref().unwrap_or("an earlier one");
        let now = match self.best() {
            None => "nobody shows who made this one".to_owned(),
            Some(proof) => format!("this one is {} {}", proof.strength.word(), proof.signer.name()),
        };
        Some(format!("{of} is {} {}, and {now}", before.strength.word(), before.signer.name()))
    }
}

#[cfg(test)]
mod tests;
