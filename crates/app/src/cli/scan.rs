//! `portcullis server scan`: what is in a package, without running any of it.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use admin::view::PackageView;
use clap::Args;
use dossier::advisories::Index;
use dossier::archive::{ArchiveError, Contents, Entry, Limits, is_tar, of_folder};
use dossier::provenance::Demand;
use dossier::{Beside, Examination, Progress};
use model::{ServerName, limits};

use super::Gate;
use super::advisories::read;
use super::client::segment;
use super::failure::Failure;
use super::package;
use super::paint::{self, FAINT, GOOD, NAME, visible};

/// How often the progress is told, in source files.
const TOLD_EVERY: usize = 20;

/// Bytes read at once of what is read as it comes.
const BUFFER_BYTES: usize = 256 * 1024;

/// What `server scan` takes.
#[derive(Debug, Args)]
pub(crate) struct Scan {
    /// The package: a .tgz, .whl, .tar.gz, .mcpb, .zip or .crate file, a container image's .tar, or a folder
    #[arg(value_name = "FILE|DIR")]
    package: PathBuf,
    /// Files with what attests who made it; those beside the package are found by their names
    #[arg(long, value_name = "FILE")]
    attestations: Vec<PathBuf>,
    /// Fail unless it was built from this repository
    #[arg(long, value_name = "URL", requires = "issuer")]
    repository: Option<String>,
    /// … with this file in it
    #[arg(long, value_name = "PATH", requires = "repository")]
    workflow: Option<String>,
    /// … and this issuer vouches for it
    #[arg(long, value_name = "URL", requires = "repository")]
    issuer: Option<String>,
    /// A lock file that was made for it, such as a package-lock.json
    #[arg(long = "lock", value_name = "FILE")]
    locks: Vec<PathBuf>,
    /// Compare what is in it with these advisories, as `portcullis advisories import` made them
    #[arg(long, value_name = "FILE", env = "PORTCULLIS_ADVISORIES")]
    advisories: Option<PathBuf>,
    /// Write what is in it as a bill of materials, `CycloneDX`
    #[arg(long, value_name = "FILE")]
    sbom: Option<PathBuf>,
    /// Keep what was found with this server, for those who approve it
    #[arg(long, value_name = "NAME")]
    server: Option<ServerName>,
}

impl Scan {
    pub(super) async fn run(self, gate: &Gate) -> Result<(), Failure> {
        let since = Instant::now();
        let name = self.package.file_name().and_then(|name| name.to_str()).unwrap_or("package").to_owned();
        let index = self.advisories.as_deref().map(|path| read(path, limits::ADVISORY_INDEX_BYTES_MAX)).transpose()?;
        let advisories = index.as_deref().map(Index::new).transpose();
        let advisories = advisories.map_err(|why| Failure::new(format!("the advisories cannot be read: {why}")))?;
        let attestations = attested(&self.package, &self.attestations)?;
        let beside = Beside { attestations, locks: locks(&self.locks)?, advisories };
        let examination = examined(&self.package, &name, &beside)?;
        if let Some(path) = &self.sbom {
            let text = serde_json::to_string_pretty(&dossier::cyclone_dx(&examination)).unwrap_or_default();
            fs::write(path, text + "\n").map_err(|error| {
                let path = visible(&path.display().to_string()).into_owned();
                Failure::new(format!("cannot write `{path}`: {error}"))
            })?;
        }
        let took = since.elapsed();
        let unmet = self.demand().and_then(|demand| demand.met(&examination.provenance).err());
        if let Some(server) = &self.server {
            let path = format!("/servers/{}/package", segment(server.as_str()));
            let kept: PackageView = gate.client()?.post(&path, &examination).await?;
            gate.print(&kept, |kept| {
                page(&kept.examination, took)
                    + &package::unmet(kept)
                    + &format!("\n{GOOD}kept{GOOD:#} with {NAME}{server}{NAME:#}\n")
            })?;
        } else {
            gate.print(&examination, |examination| page(examination, took))?;
        }
        match unmet {
            None => Ok(()),
            Some(why) => Err(Failure::new(format!("the package is not good enough: {why}"))
                .with_next("do not install it before you know why")),
        }
    }

    /// Who is to have made it, if that is asked for.
    fn demand(&self) -> Option<Demand> {
        let Self { repository, workflow, issuer, .. } = self;
        repository.is_some().then(|| Demand {
            repository: repository.clone(),
            workflow: workflow.clone(),
            issuer: issuer.clone(),
            ..Demand::default()
        })
    }
}

/// How files are called that attest a package, beside it.
const BESIDE: [&str; 5] = [".sigstore", ".sigstore.json", ".publish.attestation", ".slsa.attestation", ".provenance"];

/// What attests a package: the files that are named, and those beside it.
fn attested(package: &Path, named: &[PathBuf]) -> Result<Vec<String>, Failure> {
    let beside = BESIDE.iter().map(|ending| {
        let mut path = package.as_os_str().to_owned();
        path.push(ending);
        PathBuf::from(path)
    });
    let beside = beside.filter(|path| path.is_file() && !named.contains(path));
    let most = u64::try_from(limits::ATTESTATION_FILE_BYTES_MAX).unwrap_or(u64::MAX);
    named.iter().cloned().chain(beside).map(|path| text(&path, most)).collect()
}

/// Lock files, by their names.
fn locks(paths: &[PathBuf]) -> Result<Vec<(String, String)>, Failure> {
    let named = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        Ok((name, text(path, limits::LOCK_BYTES_MAX)?))
    };
    paths.iter().map(named).collect()
}

fn text(path: &Path, most: u64) -> Result<String, Failure> {
    Ok(String::from_utf8_lossy(&read(path, most)?).into_owned())
}

fn examined(package: &Path, name: &str, beside: &Beside<'_>) -> Result<Examination, Failure> {
    let shown = visible(&package.display().to_string()).into_owned();
    let unread = |error: std::io::Error| Failure::new(format!("cannot read `{shown}`: {error}"));
    let refused = |error: ArchiveError| {
        Failure::new(format!("`{shown}` was not examined: {error}"))
            .with_next("do not install it: what cannot be looked at cannot be approved")
    };
    let metadata = fs::metadata(package).map_err(unread)?;
    let examination = if metadata.is_dir() {
        let contents = folder(package).map_err(refused)?;
        dossier::examine_contents(name, &contents, beside, &mut told)
    } else {
        if !metadata.is_file() {
            return Err(Failure::new(format!("`{shown}` is no file")));
        }
        let mut bytes = Vec::new();
        let mut file = File::open(package).map_err(unread)?;
        (&mut file).take(limits::PACKAGE_BEGIN_BYTES).read_to_end(&mut bytes).map_err(unread)?;
        if is_tar(&bytes) {
            // An image can be larger than what fits into memory, and is read as it comes.
            let whole = std::io::Cursor::new(bytes).chain(std::io::BufReader::with_capacity(BUFFER_BYTES, file));
            dossier::examine_image(name, whole, beside, &mut told).map_err(refused)?
        } else {
            file.take(limits::PACKAGE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unread)?;
            dossier::examine(name, &bytes, beside, &mut told).map_err(refused)?
        }
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
    let mut page = package::page(examination);
    let seconds = took.as_secs_f64();
    let _infallible = writeln!(
        page,
        "\n{FAINT}{} read in {seconds:.1} s; nothing of it was run{FAINT:#}",
        paint::count(examination.sources, "source file")
    );
    page
}
