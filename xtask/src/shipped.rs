//! The gate as it is shipped: optimised as a whole, and by a profile of what it did under load.
//!
//! A profile tells the compiler which of two ways is taken, so that the common one lies straight and is inlined. It is made
//! from scratch each time: one that is older than the sources misleads.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::repository::{self, Repository};

/// Builds it, and says where it is.
pub(crate) fn run() -> anyhow::Result<()> {
    let root = Repository::root()?;
    let tool = profdata()?;
    let host = told("rustc", &["-vV"])?;
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).context("find this machine's target")?;
    let folder = root.join("target/profile");
    let (raw, merged) = (folder.join("raw"), folder.join("merged.profdata"));
    if raw.exists() {
        fs::remove_dir_all(&raw).context("remove the last profile")?;
    }

    say("1 of 4: a gate that counts what it does")?;
    // Optimised as a whole, it would count the same, twenty minutes later.
    let counting = ["--config", "profile.dist.lto=false"];
    build(&folder, host, &format!("-Cprofile-generate={}", raw.display()), &counting)?;
    let counted = folder.join(host).join("dist/portcullis");

    say("2 of 4: the benchmark")?;
    let bench = ["run", "--profile", "dist", "--locked", "--package", "bench", "--bin", "bench", "--", "run"];
    let short = ["--rounds", "1", "--starts", "2", "--seconds", "2", "--name", "profile", "--gate"];
    let mut benchmark = repository::cargo();
    benchmark.args(bench).args(short).arg(&counted);
    benchmark.arg("--results").arg(&folder).arg("--directory").arg(folder.join("installations"));
    done(&mut benchmark, "the benchmark")?;
    done(Command::new(&counted).args(["quickstart", "--once"]), "the quickstart")?;

    say("3 of 4: what it counted")?;
    done(Command::new(&tool).arg("merge").arg("-o").arg(&merged).arg(&raw), "llvm-profdata")?;

    say("4 of 4: the gate")?;
    let shipped = root.join("target/shipped");
    build(&shipped, host, &format!("-Cprofile-use={}", merged.display()), &[])?;
    say(&format!("it is {}", shipped.join(host).join("dist/portcullis").display()))
}

/// Builds the gate with these flags. `--target` keeps them from what only runs while it is built.
fn build(folder: &Path, host: &str, flags: &str, more: &[&str]) -> anyhow::Result<()> {
    let arguments = ["build", "--profile", "dist", "--locked", "--package", "app", "--target", host];
    let mut cargo = repository::cargo();
    cargo.args(arguments).args(more).env("RUSTFLAGS", flags).env("CARGO_TARGET_DIR", folder);
    done(&mut cargo, "the build")
}

/// The compiler's own tool that reads profiles.
fn profdata() -> anyhow::Result<PathBuf> {
    let libraries = told("rustc", &["--print", "target-libdir"])?;
    let tool = Path::new(libraries.trim()).with_file_name("bin").join("llvm-profdata");
    ensure!(tool.exists(), "what reads profiles is not installed: `rustup component add llvm-tools`, then once more");
    Ok(tool)
}

fn told(program: &str, arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(program).args(arguments).output().with_context(|| format!("run `{program}`"))?;
    ensure!(output.status.success(), "`{program} {}` failed", arguments.join(" "));
    String::from_utf8(output.stdout).with_context(|| format!("read what `{program}` says"))
}

fn done(command: &mut Command, what: &str) -> anyhow::Result<()> {
    let status = command.current_dir(Repository::root()?).status().with_context(|| format!("run {what}"))?;
    ensure!(status.success(), "{what} failed");
    Ok(())
}

fn say(line: &str) -> anyhow::Result<()> {
    writeln!(std::io::stderr(), "-- {line}").context("say how far it is")
}
