//! `portcullis advisories import`: a database of advisories, from files that somebody has, made ready to be looked up.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use dossier::advisories::Importer;
use model::limits;

use super::failure::Failure;
use super::paint::{self, FAINT, GOOD, NAME, visible};

/// What can be done with advisories.
#[derive(Debug, Subcommand)]
pub(crate) enum Advisories {
    /// Make an index of advisories in the form of OSV, in place of the one before
    Import(Import),
}

/// What is imported.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// An `all.zip` of OSV, an advisory as .json, or a folder of either
    #[arg(value_name = "FILE|DIR", required = true)]
    from: Vec<PathBuf>,
    /// Where the index is written
    #[arg(long, value_name = "FILE", env = "PORTCULLIS_ADVISORIES", default_value = "advisories.index")]
    to: PathBuf,
}

impl Advisories {
    /// Does it.
    pub(crate) fn run(self) -> ExitCode {
        let Self::Import(import) = self;
        match import.run() {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => failure.told(),
        }
    }
}

impl Import {
    fn run(&self) -> Result<(), Failure> {
        let mut importer = Importer::default();
        let mut waiting: Vec<PathBuf> = self.from.iter().rev().cloned().collect();
        while let Some(path) = waiting.pop() {
            if path.is_dir() {
                let listed = fs::read_dir(&path).map_err(|error| unread(&path, &error))?;
                let mut inside: Vec<PathBuf> = listed.flatten().map(|entry| entry.path()).collect();
                inside.retain(|path| path.is_dir() || is_zip(path) || is_json(path));
                inside.sort();
                waiting.extend(inside.into_iter().rev());
                continue;
            }
            let bytes = read(&path, limits::ADVISORY_ARCHIVE_BYTES_MAX)?;
            let taken = if is_zip(&path) { importer.archive(&bytes) } else { importer.advisory(&bytes) };
            taken.map_err(|why| Failure::new(format!("`{}` was not imported: {why}", shown(&path))))?;
        }
        if importer.advisories() == 0 {
            return Err(Failure::new("there is no advisory about packages of npm, PyPI or crates.io in it")
                .with_next("nothing was changed"));
        }
        let now = jiff::Timestamp::now().as_second();
        write(&self.to, &importer.index(now))
            .map_err(|error| Failure::new(format!("cannot write `{}`: {error}", shown(&self.to))))?;
        let count = paint::count(importer.advisories(), "advisory");
        paint::out(&format!("{GOOD}imported{GOOD:#} {count} to {NAME}{}{NAME:#}\n", shown(&self.to)))?;
        if importer.passed_over() > 0 {
            let count = paint::count(importer.passed_over(), "file");
            paint::out(&format!("{FAINT}{count} were no advisories, and were passed over{FAINT:#}\n"))?;
        }
        Ok(())
    }
}

fn is_zip(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("zip"))
}

fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"))
}

/// In place of the one before in one step, so that nobody reads half of it.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(beside, path)
}

/// Reads a file that has so many bytes at most.
pub(super) fn read(path: &Path, most: u64) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| unread(path, &error))?;
    file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| unread(path, &error))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > most) {
        return Err(Failure::new(format!("`{}` has more than {most} bytes", shown(path))));
    }
    Ok(bytes)
}

fn unread(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot read `{}`: {error}", shown(path)))
}

fn shown(path: &Path) -> String {
    visible(&path.display().to_string()).into_owned()
}
