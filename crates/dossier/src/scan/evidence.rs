//! What is known of a package besides what is in it, which changes while it stays the same: who is proven to have made it, and
//! which advisories are about it.

use std::collections::BTreeSet;

use model::limits;

use super::{Examination, Finding, finding, score, worst_first};
use crate::advisories::{Index, Vulnerability};
use crate::components::Ecosystem;
use crate::metadata::{Form, Metadata};
use crate::provenance::Package;
use crate::rules::Severity;

/// Of an attestation that does not hold.
const REFUSED: &str = "attestation-refused";
/// Of a package that is attested less than the one before.
const FALLEN: &str = "attested-before";
/// Of a package that was built from another repository than it says.
const ELSEWHERE: &str = "built-elsewhere";
/// Of a system whose packages no advisory is about.
const UNKNOWN: &str = "unknown-to-advisories";
/// Of a package that was made to do harm.
const MALICE: &str = "known-malice";
/// Of a package with a known weakness.
const WEAKNESS: &str = "known-weakness";

impl Examination {
    /// Verifies the evidence of who made it again, and compares that with what was proven of the package before. Whoever
    /// keeps an examination that somebody else made calls this, and believes nothing that was said of it.
    pub fn verify(&mut self, earlier: Option<&Self>) {
        self.provenance = self.provenance.again(&self.package());
        if let Some(earlier) = earlier {
            self.provenance.remember(&earlier.provenance);
        }
        self.judge_provenance();
    }

    /// Verifies the kept evidence once more, and forgets nothing of the packages before. What was proven and is not any more is
    /// given back, in words that are the same each time: a root that is trusted no longer, a key that was taken back.
    pub fn verify_again(&mut self) -> Vec<String> {
        let known = self.provenance.clone();
        self.provenance = known.again(&self.package());
        self.provenance.remember(&known);
        self.judge_provenance();
        known.lost(&self.provenance)
    }

    /// What attestations have to be about.
    pub(super) fn package(&self) -> Package {
        let Metadata { form, name, version, .. } = &self.metadata;
        // An image is attested by its manifest, wherever it lies and however it is packed.
        let image = self.image.as_ref().and_then(|image| image.manifest.as_ref()?.strip_prefix("sha256:"));
        let of_npm = name.as_ref().zip(version.as_ref()).filter(|_| *form == Form::Npm);
        Package {
            sha256: image.map(str::to_owned).or_else(|| self.sha256.clone()).unwrap_or_default(),
            sha512: self.sha512.clone().unwrap_or_default(),
            purl: of_npm.map(|(name, version)| format!("pkg:npm/{name}@{version}")),
            version: version.clone(),
        }
    }

    /// Says in the findings what is wrong with the provenance.
    pub(super) fn judge_provenance(&mut self) {
        self.forget(&[REFUSED, FALLEN, ELSEWHERE]);
        for why in &self.provenance.refused {
            let title = "has an attestation that does not hold";
            self.findings.push(Finding { excerpt: why.clone(), ..finding(REFUSED, Severity::High, title, "") });
        }
        if let Some(why) = self.provenance.fallen() {
            let title = "is not proven to come from where it came from before";
            self.findings.push(Finding { excerpt: why, ..finding(FALLEN, Severity::High, title, "") });
        }
        let proven = self.provenance.proven.iter().find_map(|proof| proof.signer.repository.as_deref());
        if let (Some(said), Some(proven)) = (self.metadata.repository.as_deref(), proven)
            && let (Some(one), Some(other)) = (repository_place(said), repository_place(proven))
            && one != other
        {
            let title = "was built from another repository than it says";
            let excerpt = super::short(&format!("{proven}, and says {said}"));
            self.findings.push(Finding { excerpt, ..finding(ELSEWHERE, Severity::Medium, title, "") });
        }
        self.settle();
    }

    /// Compares it, and what runs with it, with advisories. Those that are new since it was compared last are given back: what
    /// was approved in ignorance of them is to be looked at again.
    pub fn compare(&mut self, advisories: &Index<'_>) -> Vec<Vulnerability> {
        let earlier = std::mem::replace(&mut self.vulnerabilities, advisories.about(&self.components));
        self.compared = Some(advisories.compared().clone());
        self.forget(&[MALICE, WEAKNESS, UNKNOWN]);
        // Where nothing is said of any, that nothing was found says nothing.
        let systems: BTreeSet<Ecosystem> =
            self.components.iter().map(|one| one.ecosystem).filter(|one| one.is_of_system()).collect();
        for ecosystem in systems.into_iter().filter(|one| !advisories.knows(*one)) {
            let title = "has packages of a kind that no advisory at hand is about";
            let excerpt = ecosystem.word().into_owned();
            self.findings.push(Finding { excerpt, ..finding(UNKNOWN, Severity::Medium, title, "") });
        }
        for one in &self.vulnerabilities {
            let (rule, title) = if one.is_malice() {
                (MALICE, "has a package in it that is known to be malicious")
            } else {
                (WEAKNESS, "has a package in it with a known weakness")
            };
            let listed = self.findings.iter().filter(|finding| finding.rule == rule).count();
            if listed >= limits::PACKAGE_SIGHTS_LISTED {
                *self.unlisted.entry(rule.to_owned()).or_default() += 1;
                continue;
            }
            let mended = one.mended.as_ref().map(|version| format!("; mended in {version}")).unwrap_or_default();
            let excerpt = format!("{}: {} {}{mended}", one.purl, one.id, one.summary);
            self.findings.push(Finding { excerpt: super::short(&excerpt), ..finding(rule, one.severity, title, "") });
        }
        self.settle();
        let is_new = |one: &&Vulnerability| !earlier.iter().any(|known| known.id == one.id && known.purl == one.purl);
        self.vulnerabilities.iter().filter(is_new).cloned().collect()
    }

    fn forget(&mut self, rules: &[&str]) {
        self.findings.retain(|finding| !rules.contains(&finding.rule.as_str()));
        self.unlisted.retain(|rule, _| !rules.contains(&rule.as_str()));
    }

    fn settle(&mut self) {
        self.findings.sort_by(worst_first);
        self.score = score(&self.findings);
    }
}

/// The host, the owner and the name of a repository, in whichever way it is written; none if it is in another.
pub fn repository_place(written: &str) -> Option<String> {
    let text = written.trim().to_ascii_lowercase();
    let text = text.strip_prefix("git+").unwrap_or(&text);
    let text = match (text.strip_prefix("github:"), text.strip_prefix("gitlab:")) {
        (Some(path), _) => format!("github.com/{path}"),
        (None, Some(path)) => format!("gitlab.com/{path}"),
        (None, None) => text.split_once("://").map_or(text, |(_, rest)| rest).to_owned(),
    };
    let text = text.split_once('@').map_or(text.as_str(), |(_, rest)| rest).replace(':', "/");
    let text = text.split(['#', '?']).next()?;
    let mut parts = text.split('/').filter(|part| !part.is_empty());
    let (host, owner, name) = (parts.next()?, parts.next()?, parts.next()?);
    let is_host = host.contains('.');
    is_host.then(|| format!("{host}/{owner}/{}", name.strip_suffix(".git").unwrap_or(name)))
}
