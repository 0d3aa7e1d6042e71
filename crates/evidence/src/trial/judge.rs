//! What it means that a program tried what it tried.

use sandbox::{Cause, Exit};

use super::bait;
use super::report::{Phase, Reached, Touched, Trial};
use crate::{Finding, Severity};

/// Where installers ask for packages.
const REGISTRIES: [&str; 6] = [
    "registry.npmjs.org",
    "registry.yarnpkg.com",
    "pypi.org",
    "files.pythonhosted.org",
    "static.crates.io",
    "index.crates.io",
];
/// Programs by which things are fetched and sent.
const CARRIERS: [&str; 10] = ["curl", "wget", "nc", "ncat", "netcat", "socat", "ssh", "scp", "ftp", "telnet"];

/// The findings of a trial, the worst first.
pub(super) fn judge(trial: &Trial, exit: Option<Exit>, late: bool, phase: Phase) -> Vec<Finding> {
    let mut findings: Vec<Finding> = trial.touched.iter().map(touched).collect();
    findings.extend(trial.reached.iter().map(reached));
    for started in &trial.started {
        let program = started.command.split(' ').next().unwrap_or_default();
        let name = program.rsplit('/').next().unwrap_or_default();
        if CARRIERS.contains(&name) {
            let title = "starts a program by which things are fetched or sent";
            findings.push(finding("starts-carriers", Severity::Medium, title, started.phase, &started.command));
        }
    }
    match exit.map(|exit| exit.cause) {
        Some(Cause::Memory { .. } | Cause::Processes { .. }) => {
            let title = "takes more than it is given, and was ended";
            findings.push(finding("exhausts", Severity::High, title, phase, &trial.ended));
        }
        Some(Cause::Itself | Cause::Asked | Cause::SupervisorLost) | None => {}
    }
    if late && phase != Phase::Running {
        let title = "does not end being installed";
        findings.push(finding("never-installed", Severity::Medium, title, phase, &trial.ended));
    }
    if trial.stderr.iter().any(|line| line.contains("No space left on device") || line.contains("ENOSPC")) {
        let title = "fills all the room that it has";
        findings.push(finding("fills-its-room", Severity::Medium, title, phase, "no space was left"));
    }
    if trial.speaks.is_none() {
        let title = "did not answer as a server of MCP does";
        findings.push(finding("does-not-answer", Severity::Low, title, phase, &trial.ended));
    }
    if let Some(why) = &trial.blind {
        let title = "what it started and connected to could not all be seen";
        findings.push(finding("half-seen", Severity::Note, title, phase, why));
    }
    findings.sort_by(|one, other| other.severity.cmp(&one.severity).then_with(|| one.rule.cmp(&other.rule)));
    findings
}

fn touched(Touched { file, phase, read }: &Touched) -> Finding {
    let (severity, title) = match (bait::is_usual(file), read) {
        (true, _) => (Severity::Note, "a file with passwords was opened, as installers do by themselves"),
        (false, true) => (Severity::Critical, "reads keys or passwords of whoever runs it"),
        (false, false) => (Severity::High, "opens keys or passwords of whoever runs it"),
    };
    finding("takes-bait", severity, title, *phase, file)
}

fn reached(Reached { place, phase, allowed, sent, came }: &Reached) -> Finding {
    let host = place.rsplit_once(':').map_or(place.as_str(), |(host, _)| host);
    if *allowed {
        let came = format!("{place}: {sent} bytes sent, {came} came");
        return finding("reaches-allowed", Severity::Note, "reached a host that is allowed", *phase, &came);
    }
    if REGISTRIES.contains(&host) {
        let title = "its installation asks a package registry, which it was not let to";
        return finding("reaches-registries", Severity::Note, title, *phase, place);
    }
    let (severity, title) = match phase {
        Phase::Shutting | Phase::Installing => (Severity::High, "calls out while it is installed"),
        Phase::Running => (Severity::Medium, "calls out while nobody asks it for anything"),
    };
    finding("calls-out", severity, title, *phase, place)
}

fn finding(rule: &str, severity: Severity, title: &str, phase: Phase, came: &str) -> Finding {
    let sent = match phase {
        Phase::Shutting | Phase::Installing => "it was installed",
        Phase::Running => "it was started, and asked what it offers",
    };
    Finding {
        rule: rule.to_owned(),
        severity,
        title: title.to_owned(),
        sent: sent.to_owned(),
        came: crate::finding::shown(came),
    }
}
