//! How packages look: what is in them, who made them, and what is asked of them.

use std::fmt::Write as _;

use admin::view::PackageView;
use anstyle::Style;
use dossier::provenance::Proof;
use dossier::{Examination, Finding, Image, Severity};
use registry::manifest::{Line, Sha256};
use registry::{Least, PackageManifest, ProvenanceManifest};

use super::paint::{self, BAD, FAINT, GOOD, NAME, WARN, visible, wrapped};

/// What is kept of a server's package.
pub(super) fn kept(package: &PackageView) -> String {
    let when = format!("examined by {}, {}", visible(&package.by), paint::moment(package.at));
    format!("\n{FAINT}{when}{FAINT:#}\n{}\n{}", page(&package.examination).trim_end(), unmet(package))
}

/// Why a server cannot be approved with its package.
pub(super) fn unmet(package: &PackageView) -> String {
    let told = |why: &String| format!("\n{BAD}not good enough{BAD:#}  {}\n", wrapped(&visible(why), 17));
    package.unmet.iter().map(told).collect()
}

/// What is asked of its package.
pub(super) fn asked(package: &PackageManifest) -> Vec<(&'static str, String)> {
    let mut rows: Vec<_> = package.sha256.iter().map(|digest| ("its package", format!("sha256 {digest}"))).collect();
    if let Some(provenance) = &package.provenance {
        let ProvenanceManifest { required, strength, issuer, repository, workflow, subject, certificate } = provenance;
        let said = strength.map(|least| match least {
            Least::Signed => "signed",
            Least::Published => "published",
            Least::Built => "built",
        });
        let whom = [repository, subject].into_iter().flatten().map(Line::as_str);
        let whom = whom.chain(certificate.as_ref().map(Sha256::as_str)).collect::<Vec<_>>().join(", ");
        let more = workflow.iter().map(|file| format!(", with {file}"));
        let more = more.chain(issuer.iter().map(|issuer| format!(", vouched for by {issuer}"))).collect::<String>();
        let text =
            if *required { format!("{} by {whom}{more}", said.unwrap_or("signed")) } else { "by anybody".to_owned() };
        rows.push(("made", text));
    }
    rows
}

/// A package, as it was examined.
pub(super) fn page(examination: &Examination) -> String {
    let metadata = &examination.metadata;
    let name = metadata.name.as_deref().unwrap_or(&examination.name);
    let version = metadata.version.iter().map(|version| format!(" {version}")).collect::<String>();
    let form = metadata.form.word();
    let files = paint::count(examination.files, "file");
    let mut page = format!("{NAME}{}{NAME:#}{}  {FAINT}{form}, {files}{FAINT:#}\n", visible(name), visible(&version));
    let mut row = |label: &str, text: &str| {
        let _infallible = writeln!(page, "  {FAINT}{label:<13}{FAINT:#}{}", wrapped(&visible(text), 15));
    };
    examination.sha256.iter().for_each(|digest| row("sha256", digest));
    if let Some(Image { manifest, id, platform, system, layers, command, user }) = &examination.image {
        manifest.iter().for_each(|digest| row("manifest", digest));
        row("image", id);
        row("for", platform);
        row("system", system.as_deref().unwrap_or("none that says what it is"));
        row("layers", &layers.to_string());
        row(
            "starts",
            &format!("{}, as {user}", if command.is_empty() { "nothing".to_owned() } else { command.join(" ") }),
        );
    }
    metadata.licence.iter().for_each(|licence| row("licence", licence));
    metadata.repository.iter().for_each(|place| row("source", place));
    if !metadata.dependencies.is_empty() {
        row("needs", &paint::count(metadata.dependencies.len(), "package"));
    }
    if !examination.components.is_empty() {
        row("runs", &known(examination));
    }
    examination.provenance.proven.iter().for_each(|proof| row(proof.strength.word(), &made(proof)));
    page.push_str(&findings(examination));
    page.push_str(&score(examination));
    page
}

/// What is known of what runs, and with what that was compared.
fn known(examination: &Examination) -> String {
    let open = examination.components.iter().filter(|one| one.wanted.is_some()).count();
    let fixed = examination.components.len() - open + examination.components_unlisted;
    let mut parts = vec![format!("{} of a known version", paint::count(fixed, "package"))];
    parts.extend((open > 0).then(|| format!("{open} of a version that is chosen when it is installed")));
    parts.push(match &examination.compared {
        Some(compared) => {
            let day = jiff::Timestamp::from_second(compared.imported_at).unwrap_or_default().strftime("%Y-%m-%d");
            let count = paint::count(compared.advisories, "advisory");
            format!("compared with {count}, imported on {day}: {} apply", examination.vulnerabilities.len())
        }
        None => "compared with no advisories".to_owned(),
    });
    parts.join("; ")
}

/// Who made a package, and how.
fn made(Proof { signer, at, .. }: &Proof) -> String {
    let mut parts = vec![signer.name().to_owned()];
    parts.extend(signer.workflow.iter().map(|file| format!("with {file}")));
    parts.extend(signer.commit.iter().map(|commit| format!("commit {}", commit.get(..12).unwrap_or(commit))));
    parts.extend(
        signer.runner.iter().filter(|runner| *runner == "self-hosted").map(|_| "on a machine of its own".to_owned()),
    );
    parts.extend(at.and_then(|at| Some(jiff::Timestamp::from_second(at).ok()?.strftime("on %Y-%m-%d").to_string())));
    parts.extend(signer.issuer.iter().map(|issuer| format!("vouched for by {issuer}")));
    parts.join(", ")
}

fn findings(examination: &Examination) -> String {
    let mut page = String::new();
    let mut rule: Option<(&str, Severity)> = None;
    for finding in &examination.findings {
        let Finding { severity, title, .. } = finding;
        if rule != Some((&finding.rule, *severity)) {
            rule = Some((&finding.rule, *severity));
            let style = style(*severity);
            let more = examination.unlisted.get(&finding.rule);
            let more = more.map(|more| format!(", and in {} more", paint::count(*more, "place"))).unwrap_or_default();
            let text = wrapped(&visible(&format!("{title}{more}")), 12);
            let _infallible = writeln!(page, "\n  {style}{:<10}{style:#}{text}", severity.word());
        }
        let line = finding.line.map(|line| format!(":{line}")).unwrap_or_default();
        let gap = if finding.file.is_empty() || finding.excerpt.is_empty() { "" } else { "  " };
        let text = format!("{}{line}{gap}{}", finding.file, finding.excerpt);
        if !text.is_empty() {
            let _infallible = writeln!(page, "            {FAINT}{}{FAINT:#}", wrapped(&visible(&text), 14));
        }
    }
    page
}

fn style(severity: Severity) -> Style {
    match severity {
        Severity::Critical | Severity::High => BAD,
        Severity::Medium => WARN,
        Severity::Low | Severity::Note => FAINT,
    }
}

fn score(examination: &Examination) -> String {
    let points = examination.points();
    let Some(worst) = examination.worst().filter(|_| points > 0) else {
        return format!("\n  {GOOD}score 0{GOOD:#}  nothing was found in its disfavour\n");
    };
    let style = style(worst);
    let mut page = format!("\n  {style}score {points}{style:#}\n");
    for point in &examination.score {
        let _infallible = writeln!(page, "    {:>4}  {}", point.points, wrapped(&visible(&point.why), 10));
    }
    page
}
