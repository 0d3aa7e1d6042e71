//! Checks and generators of this repository: `cargo xtask TASK`.
//!
//! `check` is what no compiler and no linter looks at: [`layers`] (which crate may use which), [`leaks`] (no file names
//! the machine it was written on) and [`sources`] (lints are inherited; files are short). The same checks are tests, so
//! that `cargo test --workspace` fails with them. `bench` builds for release and runs the benchmark.

mod layers;
mod leaks;
mod repository;
mod sources;

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, ensure};

use repository::Repository;

const USAGE: &str = "\
cargo xtask TASK

  check            layers, leaks, lints and long files of this repository
  bench [OPTIONS]  builds for release and measures the gate; see `bench run --help`
";

fn main() -> anyhow::Result<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("check") => check(),
        Some("bench") => bench(&arguments.collect::<Vec<_>>()),
        _ => {
            write!(std::io::stderr(), "{USAGE}")?;
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Prints every violation and every warning; only violations fail.
fn check() -> anyhow::Result<ExitCode> {
    let repository = Repository::here()?;
    let mut output = std::io::stdout().lock();
    for warning in sources::long_files(&repository)? {
        writeln!(output, "warning: {warning}")?;
    }
    let violations = violations(&repository)?;
    for violation in &violations {
        writeln!(output, "error: {violation}")?;
    }
    let (crates, files) = (repository.crates.len(), repository.files.len());
    writeln!(output, "{crates} crates and {files} files looked at, {} violations", violations.len())?;
    Ok(if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn violations(repository: &Repository) -> anyhow::Result<Vec<String>> {
    let mut violations = layers::violations(&repository.crates);
    violations.extend(sources::without_lints(repository)?);
    violations.extend(leaks::violations(repository)?);
    Ok(violations)
}

/// Builds the benchmark, and the gate unless it is left out; then runs it from the repository's root.
fn bench(options: &[String]) -> anyhow::Result<ExitCode> {
    let root = Repository::root()?;
    let mut packages = vec!["build", "--release", "--package", "bench"];
    if !options.iter().any(|option| option == "--without-gate") {
        packages.extend(["--package", "app"]);
    }
    let built = repository::cargo().args(packages).current_dir(&root).status().context("run cargo")?;
    ensure!(built.success(), "the build failed");
    // `stages` is the benchmark's other command; everything else is options of its main one.
    let command: &[&str] = if options.first().is_some_and(|first| first == "stages") { &[] } else { &["run"] };
    let mut run = repository::cargo();
    run.args(["run", "--quiet", "--release", "--package", "bench", "--"]).args(command).args(options);
    let done = run.current_dir(&root).status().context("run the benchmark")?;
    Ok(if done.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(test)]
mod tests;
