//! `portcullis server scan`: what is in a package, without running any of it.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use admin::view::PackageView;
use anstyle::Style;
use clap::Args;
use dossier::archive::{ArchiveError, Contents, Entry, Limits, of_folder};
use dossier::{Examination, Finding, Progress, Severity};
use model::{ServerName, limits};

use super::Gate;
use super::client::segment;
use super::failure::Failure;
use super::paint::{self, BAD, FAINT, GOOD, NAME, WARN, visible, wrapped};

/// How often the progress is told, in source files.
const TOLD_EVERY: usize = 20;

/// What `server scan` takes.
#[derive(Debug, Args)]
pub(crate) struct Scan {
    /// The package: a .tgz, .whl, .tar.gz, .mcpb, .zip or .crate file, or a folder
    #[arg(value_name = "FILE|DIR")]
    package: PathBuf,
    /// Keep what was found with this server, for those who approve it
    #[arg(long, value_name = "NAME")]
    server: Option<ServerName>,
}

impl Scan {
    pub(super) async fn run(self, gate: &Gate) -> Result<(), Failure> {
        let since = Instant::now();
        let name = self.package.file_name().and_then(|name| name.to_str()).unwrap_or("package").to_owned();
        let examination = examined(&self.package, &name)?;
        let took = since.elapsed();
        if let Some(server) = &self.server {
            let path = format!("/servers/{}/package", segment(server.as_str()));
            let kept: PackageView = gate.client()?.post(&path, &examination).await?;
            return gate.print(&kept, |kept| {
                page(&kept.examination, took) + &format!("\n{GOOD}kept{GOOD:#} with {NAME}{server}{NAME:#}\n")
            });
        }
        gate.print(&examination, |examination| page(examination, took))
    }
}

fn examined(package: &Path, name: &str) -> Result<Examination, Failure> {
    let shown = visible(&package.display().to_string()).into_owned();
    let unread = |error: std::io::Error| Failure::new(format!("cannot read `{shown}`: {error}"));
    let refused = |error: ArchiveError| {
        Failure::new(format!("`{shown}` was not examined: {error}"))
            .with_next("do not install it: what cannot be looked at cannot be approved")
    };
    let metadata = fs::metadata(package).map_err(unread)?;
    let examination = if metadata.is_dir() {
        let contents = folder(package).map_err(refused)?;
        dossier::examine_contents(name, &contents, &mut told)
    } else {
        if !metadata.is_file() {
            return Err(Failure::new(format!("`{shown}` is no file")));
        }
        let mut bytes = Vec::new();
        let file = File::open(package).map_err(unread)?;
        file.take(limits::PACKAGE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unread)?;
        dossier::examine(name, &bytes, &mut told).map_err(refused)?
    };
    if std::io::stderr().is_terminal() {
        paint::err("\r\u{1b}[K");
    }
    Ok(examination)
}

/// Tells somebody who watches how far it is.
fn told(progress: Progress) {
    if !std::io::stderr().is_terminal() {
        return;
    }
    match progress {
        Progress::Unpacking => paint::err("unpacking …"),
        Progress::Reading { done, of } if done.is_multiple_of(TOLD_EVERY) => {
            paint::err(&format!("\r\u{1b}[Kreading source file {done} of {of} …"));
        }
        Progress::Reading { .. } => {}
    }
}

/// What lies in a folder. Links are told and not followed.
fn folder(root: &Path) -> Result<Contents, ArchiveError> {
    of_folder(Limits::default(), |take| {
        let mut waiting = vec![root.to_owned()];
        while let Some(folder) = waiting.pop() {
            let mut paths: Vec<_> =
                fs::read_dir(&folder).into_iter().flatten().flatten().map(|one| one.path()).collect();
            paths.sort();
            for path in paths {
                let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
                let within = path.strip_prefix(root).unwrap_or(&path).display().to_string();
                if metadata.is_dir() {
                    waiting.push(path);
                } else if metadata.is_symlink() {
                    let to = fs::read_link(&path).map(|to| to.display().to_string()).unwrap_or_default();
                    take(Entry::Link(within, to))?;
                } else if metadata.is_file() {
                    match File::open(&path) {
                        Ok(mut file) => take(Entry::File(within, &mut file))?,
                        Err(_) => take(Entry::NoFile(within))?,
                    }
                } else {
                    take(Entry::NoFile(within))?;
                }
            }
        }
        Ok(())
    })
}

fn page(examination: &Examination, took: Duration) -> String {
    let mut page = package(examination);
    let seconds = took.as_secs_f64();
    let _infallible = writeln!(
        page,
        "\n{FAINT}{} read in {seconds:.1} s; nothing of it was run{FAINT:#}",
        paint::count(examination.sources, "source file")
    );
    page
}

/// A package, as it was examined.
pub(super) fn package(examination: &Examination) -> String {
    let metadata = &examination.metadata;
    let name = metadata.name.as_deref().unwrap_or(&examination.name);
    let version = metadata.version.iter().map(|version| format!(" {version}")).collect::<String>();
    let form = metadata.form.word();
    let files = paint::count(examination.files, "file");
    let mut page = format!("{NAME}{}{NAME:#}{}  {FAINT}{form}, {files}{FAINT:#}\n", visible(name), visible(&version));
    let mut row = |label: &str, text: &str| {
        let _infallible = writeln!(page, "  {FAINT}{label:<10}{FAINT:#}{}", wrapped(&visible(text), 12));
    };
    examination.sha256.iter().for_each(|digest| row("sha256", digest));
    metadata.licence.iter().for_each(|licence| row("licence", licence));
    metadata.repository.iter().for_each(|place| row("source", place));
    if !metadata.dependencies.is_empty() {
        row("needs", &paint::count(metadata.dependencies.len(), "package"));
    }
    page.push_str(&findings(examination));
    page.push_str(&score(examination));
    page
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
