//! The checks, one function each: from what is known of a server to what that says. Nothing here asks anybody.

use dossier::{Component, Examination, Severity};
use registry::{Definitions, Place, Server, difference};

use super::checks::{Answer, VettingCheck};
use super::publisher;
use crate::port::KeptPackage;
use crate::resources::packages::unmet;
use crate::view::{AdvisoriesView, JudgementRow};

/// Things of one kind that are told by name.
const TOLD: usize = 3;
/// Findings of a package that other checks tell of.
const TOLD_ELSEWHERE: &[&str] = &[
    "known-malice",
    "known-weakness",
    "nearly-a-known-name",
    "attestation-refused",
    "attested-before",
    "built-elsewhere",
];

/// What is known of a server.
pub(crate) struct Facts<'a> {
    pub(crate) server: &'a Server,
    pub(crate) others: &'a [&'a Server],
    pub(crate) judgement: Option<&'a JudgementRow>,
    pub(crate) kept: Option<&'a KeptPackage>,
    /// How the advisories are that settings name.
    pub(crate) advisories: Option<&'a AdvisoriesView>,
    /// What its publisher's host says, where it was asked.
    pub(crate) document: Option<&'a publisher::Document>,
}

impl Facts<'_> {
    /// Every check, in order.
    pub(crate) fn answers(&self) -> Vec<(VettingCheck, Answer)> {
        let answer = |check: &VettingCheck| {
            let answer = match check {
                VettingCheck::Definitions => self.definitions(),
                VettingCheck::Drift => self.drift(),
                VettingCheck::Package => self.package(),
                VettingCheck::Provenance => self.provenance(),
                VettingCheck::Malice => self.known(true),
                VettingCheck::Advisories => self.known(false),
                VettingCheck::Name => self.name(),
                VettingCheck::Publisher => publisher::answer(self.server, self.examination(), self.document),
                VettingCheck::Repository => self.repository(),
                VettingCheck::Transport => self.transport(),
            };
            (*check, answer)
        };
        VettingCheck::ALL.iter().map(answer).collect()
    }

    fn examination(&self) -> Option<&Examination> {
        self.kept.map(|kept| &kept.examination)
    }

    fn definitions(&self) -> Answer {
        let (Some(observed), Some(judgement)) = (&self.server.observed, self.judgement) else {
            return Answer::could_not_look("the gate has not looked at it yet");
        };
        let says = format!("its words score {} of 100, {}", judgement.score, judgement.level);
        let answer = match judgement.level.as_str() {
            "high" => Answer::found(Severity::High, says),
            "medium" => Answer::found(Severity::Medium, says),
            _ => Answer::passed(says),
        };
        let told = judgement.definitions.iter().take(TOLD).map(|one| {
            let why = one.remarks.first().map(|remark| remark.says.as_str()).unwrap_or_default();
            format!("{}: {why}", one.within)
        });
        answer.with([numbers(&observed.definitions), observed.digest.to_string()]).with(told)
    }

    fn drift(&self) -> Answer {
        if self.server.pins.is_none() {
            return Answer::nothing("it was never approved");
        }
        let (Some(difference), Some(observed)) = (difference(self.server), &self.server.observed) else {
            return Answer::could_not_look("the gate has not looked at it since it was submitted");
        };
        let evidence = [observed.digest.to_string()];
        if difference.identity_changed {
            let says = "its address, command, credential or time is another than was approved";
            return Answer::found(Severity::Medium, says).with(evidence);
        }
        if difference.is_empty() {
            return Answer::passed("it shows what was approved").with(evidence);
        }
        let withheld = difference.withheld().len();
        let severity = match (withheld, difference.needs_a_person()) {
            (1.., _) => Severity::High,
            (0, true) => Severity::Medium,
            (0, false) => Severity::Low,
        };
        let (changed, added) = (difference.changed.len(), difference.added.len());
        let removed = difference.removed.len() + difference.unusable.len();
        let says = format!("{changed} changed, {added} new, {removed} gone; {withheld} withheld");
        let names = difference.changed.iter().map(|one| format!("{} {}", one.kind.as_str(), one.name));
        Answer::found(severity, says).with(evidence).with(names.take(TOLD))
    }

    fn package(&self) -> Answer {
        let Some(kept) = self.kept else { return self.unexamined() };
        let found = &kept.examination;
        let name = found.metadata.name.as_deref().unwrap_or(&found.name);
        let version = found.metadata.version.as_deref().unwrap_or("of no version");
        let digest = found.sha256.clone().unwrap_or_else(|| "a folder".to_owned());
        let evidence = [format!("{name} {version}"), digest];
        let mut own: Vec<_> =
            found.findings.iter().filter(|finding| !TOLD_ELSEWHERE.contains(&finding.rule.as_str())).collect();
        own.retain(|finding| finding.severity >= Severity::Medium);
        let Some(worst) = own.iter().map(|finding| finding.severity).max() else {
            return Answer::passed("nothing in it that a reviewer has to see").with(evidence);
        };
        let mut titles: Vec<String> = Vec::new();
        for finding in &own {
            if !titles.contains(&finding.title) {
                titles.push(finding.title.clone());
            }
        }
        let says = format!("it {}", titles.iter().take(TOLD).cloned().collect::<Vec<_>>().join("; "));
        Answer::found(worst, says).with(evidence).with(titles)
    }

    /// What is said where nobody had a package examined: of a server that runs elsewhere there is none to be had.
    fn unexamined(&self) -> Answer {
        match &self.server.manifest.place {
            Place::Started(_) => Answer::could_not_look("nobody had its package examined: portcullis server scan"),
            Place::At(_) if self.server.manifest.package.is_some() => {
                Answer::could_not_look("its manifest asks for a package, and nobody had one examined")
            }
            Place::At(_) => Answer::nothing("it runs elsewhere, and nobody had a package of it examined"),
        }
    }

    fn provenance(&self) -> Answer {
        let asked = self.server.manifest.package.as_ref();
        let evidence = self.examination().and_then(|found| found.sha256.clone());
        if let Some(why) = unmet(asked, self.examination()) {
            return Answer::found(Severity::High, format!("its package is not good enough: {why}"))
                .with(evidence)
                .with([why]);
        }
        let Some(found) = self.examination() else {
            return Answer::nothing("nothing is asked of its package, and nobody had one examined");
        };
        let by_anybody = asked.and_then(|asked| asked.provenance.as_ref()).is_some_and(|one| !one.required);
        match (found.provenance.best(), found.provenance.refused.first()) {
            (Some(best), _) => {
                Answer::passed(format!("it is {} {}", best.strength.word(), best.signer.name())).with(evidence)
            }
            (None, Some(why)) if !by_anybody => {
                Answer::found(Severity::High, format!("what it shows of its maker does not hold: {why}"))
                    .with(evidence)
                    .with([why.clone()])
            }
            (None, Some(_) | None) => {
                Answer::nothing("nobody shows who made it, and nobody is asked for").with(evidence)
            }
        }
    }

    /// Advisories that say that something was made to do harm, or the others.
    fn known(&self, malice: bool) -> Answer {
        // That nobody looked is what the check of the package says.
        let Some(found) = self.examination() else {
            return Answer::nothing("nobody had a package of it examined that could be compared");
        };
        let about: Vec<_> = found.vulnerabilities.iter().filter(|one| one.is_malice() == malice).collect();
        let evidence = about.iter().map(|one| format!("{} ({}) in {}", one.id, one.severity.word(), one.purl));
        let evidence: Vec<String> = evidence.collect();
        if let Some(worst) = about.iter().map(|one| one.severity).max() {
            let told = evidence.iter().take(TOLD).cloned().collect::<Vec<_>>().join("; ");
            let more = evidence.len().saturating_sub(TOLD);
            let more = if more > 0 { format!("; and {more} more") } else { String::new() };
            return Answer::found(worst, format!("{told}{more}")).with(evidence);
        }
        if found.components.is_empty() && self.advisories.is_some() {
            return Answer::could_not_look("what runs with it is not known");
        }
        let trouble = self.advisories.and_then(|advisories| advisories.trouble.as_deref());
        match (&found.compared, self.advisories) {
            _ if trouble.is_some() => {
                let why = trouble.unwrap_or_default();
                Answer::could_not_look(format!("the advisories cannot be read: {why}")).with([why.to_owned()])
            }
            (Some(compared), advisories) => {
                let open = found.components.iter().filter(|one| Component::is_open(one)).count();
                let old = advisories.is_some_and(|one| one.stale);
                let old = if old { ", which are old" } else { "" };
                let (number, fixed) = (compared.advisories, found.components.len().saturating_sub(open));
                Answer::passed(format!("{fixed} packages compared with {number} advisories{old}"))
            }
            (None, Some(_)) => Answer::could_not_look("it was not compared with the advisories yet"),
            (None, None) => Answer::nothing("settings name no advisories to compare it with"),
        }
    }

    fn name(&self) -> Answer {
        let manifest = &self.server.manifest;
        let mut told = Vec::new();
        if let Some(known) = self.examination().and_then(|found| found.resembles.as_ref()) {
            told.push((Severity::High, format!("its package is nearly `{}`: {}", known.name, known.how)));
        }
        for other in self.others.iter().filter(|other| other.in_service().is_some()) {
            let name = &other.manifest.name;
            if let Some(how) = dossier::alike(manifest.name.as_str(), name.as_str()) {
                told.push((Severity::Medium, format!("its name is nearly that of `{name}`: {how}")));
            }
            if let Some((own, others)) = host(self.server).zip(host(other))
                && let Some(how) = dossier::alike(&own, &others)
            {
                told.push((Severity::High, format!("its host {own} is nearly {others} of `{name}`: {how}")));
            }
        }
        match told.iter().map(|(severity, _)| *severity).max() {
            None => Answer::passed("like no other that is known or approved"),
            Some(worst) => {
                let says: Vec<String> = told.into_iter().map(|(_, says)| says).collect();
                Answer::found(worst, says.iter().take(TOLD).cloned().collect::<Vec<_>>().join("; ")).with(says)
            }
        }
    }

    fn repository(&self) -> Answer {
        let Some(found) = self.examination() else { return self.unexamined() };
        let proven = found.provenance.proven.iter().find_map(|proof| proof.signer.repository.as_deref());
        let elsewhere = found.findings.iter().find(|finding| finding.rule == "built-elsewhere");
        match (elsewhere, proven, found.metadata.repository.as_deref()) {
            (Some(finding), ..) => {
                Answer::found(finding.severity, format!("it was built elsewhere: {}", finding.excerpt))
                    .with([finding.excerpt.clone()])
            }
            (None, Some(proven), _) => Answer::passed(format!("it was built from {proven}")).with([proven.to_owned()]),
            (None, None, Some(said)) => {
                Answer::could_not_look(format!("it says {said}, and nothing proves that")).with([said.to_owned()])
            }
            (None, None, None) => Answer::could_not_look("it does not say where its source is"),
        }
    }

    fn transport(&self) -> Answer {
        let Place::At(address) = &self.server.manifest.place else {
            return Answer::nothing("the gate starts it, and speaks with it over pipes");
        };
        let url = address.url.as_str();
        let evidence = [url.to_owned()];
        if url.starts_with("https://") {
            return match &self.server.observed {
                Some(_) => {
                    Answer::passed("TLS, and its certificate named its host when it was looked at").with(evidence)
                }
                None => Answer::could_not_look("nobody has seen its certificate yet").with(evidence),
            };
        }
        if host(self.server).is_some_and(|host| is_loopback(&host)) {
            return Answer::passed("no TLS, on this machine alone").with(evidence);
        }
        let (severity, what) = match address.credential {
            Some(_) => (Severity::High, "read the credential that it is given, and answer for it"),
            None => (Severity::Medium, "read along, and answer for it"),
        };
        Answer::found(severity, format!("no TLS: whoever is on the way can {what}")).with(evidence)
    }
}

fn numbers(definitions: &Definitions) -> String {
    let Definitions { tools, prompts, templates, .. } = definitions;
    format!("{} tools, {} prompts, {} templates", tools.len(), prompts.len(), templates.len())
}

/// The host that a server is reached at.
pub(super) fn host(server: &Server) -> Option<String> {
    let url: http::Uri = server.manifest.address()?.url.as_str().parse().ok()?;
    Some(url.host()?.trim_end_matches('.').to_ascii_lowercase())
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests;
