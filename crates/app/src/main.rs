//! Portcullis: the gate between AI agents and the systems they act on.
//!
//! This crate is the binary: arguments, settings and wiring. To see what happens to a message, read
//! `gateway/src/pipeline.rs`.

mod ages;
mod beside;
mod bootstrap;
mod checks;
mod cli;
mod compile;
mod connect;
mod credentials;
mod expiry;
mod inspection;
mod issuers;
mod keys;
mod listeners;
mod locals;
mod logs;
mod people;
mod probes;
mod quickstart;
mod serve;
mod settings;
mod shelf;
mod shown;
mod sign_in;
mod system;
mod vault;
mod vetting;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser as _;

use cli::failure::Failure;
use cli::{Cli, Command};

#[global_allocator]
static ALLOCATOR: sandbox::Allocator = sandbox::Allocator;

/// How long what still runs at the end is waited for.
const SHUTDOWN: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|first| first == locals::SUPERVISOR) {
        // Watches over a local server and does nothing else: no runtime, no threads.
        return sandbox::supervise();
    }
    if std::env::args_os().nth(1).is_some_and(|first| first == sandbox::JAIL_COMMAND) {
        // Shuts the jail around a local server, and becomes it.
        return sandbox::enter(std::env::args_os().skip(2));
    }
    if std::env::args_os().nth(1).is_some_and(|first| first == sandbox::JAIL_WATCH_COMMAND) {
        // The same, and watches what happens within.
        return sandbox::watch(std::env::args_os().skip(2));
    }
    let since = Instant::now();
    let cli = Cli::parse();
    // One cryptography library, chosen here, for every connection.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Failure::new(format!("the program cannot start: {error}")).told(),
    };
    let code = runtime.block_on(run(cli, since));
    // What still runs holds nothing that matters: the journal is closed. It is waited for all the same, because a thread
    // that works while the process tears itself down ends it by a signal, and not with this code.
    runtime.shutdown_timeout(SHUTDOWN);
    code
}

async fn run(cli: Cli, since: Instant) -> ExitCode {
    let result = match cli.command {
        Command::Quickstart(arguments) => quickstart::run(&arguments).await,
        Command::Serve(arguments) => {
            logs::start();
            match settings::Loaded::read(&arguments.config) {
                Ok(loaded) => serve::run(loaded, arguments.apply.as_deref(), since).await,
                Err(error) => Err(error),
            }
        }
        Command::Connect(command) => return command.run().await,
        Command::Inspect(command) => return command.run().await,
        Command::Canary(command) => return command.run(),
        Command::Advisories(command) => return command.run(),
        Command::SampleServer(server) => server.run().await,
        Command::Client(command) => return command.run().await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => Failure::of(error.as_ref()).told(),
    }
}
