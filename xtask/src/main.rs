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

  check               layers, leaks, lints and long files of this repository
  bench [OPTIONS]     builds for release and measures the gate; --help tells the options
  bench instructions  how many instructions a call takes, counted by valgrind
  bench hostile       another caller's latency beside each kind of attack
  bench soak          half load for an hour: does the gate hold more and more?
  bench stages        measures each step of the gate by itself
  bench inspect       what inspection finds on corpora, wrongly finds and misses, and its speed; --help tells the options
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
    violations.extend(sources::documented_tests(repository)?);
    violations.extend(leaks::violations(repository)?);
    Ok(violations)
}

/// Builds the benchmark, and the gate unless it is left out; then runs it from the repository's root.
fn bench(options: &[String]) -> anyhow::Result<ExitCode> {
    let (binary, options) = match options {
        [first, rest @ ..] if first == "inspect" => {
            run_cargo(&[&["run", "--release", "--package", "trial", "--", "score"], &strings(rest)[..]].concat())?;
            return Ok(ExitCode::SUCCESS);
        }
        [first, rest @ ..] if first == "stages" => ("stages", rest),
        _ => ("bench", options),
    };
    let takes_part = |option: &str| !options.iter().any(|given| given == option);
    if binary == "bench" && takes_part("--without-gate") && takes_part("--gate") && takes_part("--help") {
        run_cargo(&["build", "--profile", "dist", "--package", "app"])?;
    }
    let mut arguments = vec!["run", "--profile", "dist", "--package", "bench", "--bin", binary, "--"];
    let others = ["hostile", "instructions", "many", "soak"];
    let is_other = options.first().is_some_and(|first| others.contains(&first.as_str()));
    arguments.extend((binary == "bench" && !is_other).then_some("run"));
    arguments.extend(strings(options));
    run_cargo(&arguments)?;
    Ok(ExitCode::SUCCESS)
}

fn strings(options: &[String]) -> Vec<&str> {
    options.iter().map(String::as_str).collect()
}

fn run_cargo(arguments: &[&str]) -> anyhow::Result<()> {
    let status = repository::cargo().args(arguments).current_dir(Repository::root()?).status().context("run cargo")?;
    ensure!(status.success(), "`cargo {}` failed", arguments.join(" "));
    Ok(())
}

#[cfg(test)]
mod tests;
