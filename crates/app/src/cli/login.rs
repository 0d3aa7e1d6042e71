//! `portcullis login`, `logout` and `whoami`: a person on the command line.
//!
//! `login` waits at a port of loopback while the person signs in with their browser, or, with `--device`, until they have
//! typed a code at their identity provider. What comes of it is a session of an hour in a file (`sessions.rs`), which later
//! commands for the same gate show instead of a token.

mod waiting;

use std::path::PathBuf;
use std::time::Duration;

use admin::view::{KnownBy, SignedOut, WhoAmI};
use clap::Args;
use identity::people::challenge;
use model::{Clock as _, Entropy as _, SecretReference, limits};
use serde::Deserialize;

use super::Gate;
use super::client::{Client, Told};
use super::failure::Failure;
use super::paint::{self, FAINT, GOOD, NAME, visible, wrapped};
use super::sessions::Sessions;
use crate::system::{SystemClock, SystemEntropy};
use waiting::Waiting;

/// How to sign in.
#[derive(Debug, Args)]
pub(crate) struct Login {
    /// Sign in with a browser elsewhere, by a code that you type at your identity provider
    #[arg(long)]
    device: bool,
    /// Only print the address, and open no browser
    #[arg(long, conflicts_with = "device")]
    no_browser: bool,
    /// The file with the code for the first administrator
    #[arg(long, value_name = "FILE")]
    first: Option<PathBuf>,
}

/// Nothing.
#[derive(Debug, Args)]
pub(crate) struct Nothing {}

/// What the gate gives whoever signed in.
#[derive(Deserialize)]
struct Given {
    token: String,
    expires_in: u64,
}

/// A sign-in that goes on at the identity provider.
#[derive(Deserialize)]
struct Device {
    device: String,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: Option<String>,
    expires_in: u64,
    interval: u64,
}

impl Login {
    pub(super) async fn run(self, gate: &Gate) -> Result<(), Failure> {
        let (url, authority) = gate.finding.place()?;
        let stranger = Client::stranger(&url, authority.as_deref())?;
        let first = self.first.as_ref().map(|file| first_code(file)).transpose()?;
        let mut more: Vec<(&str, &str)> = Vec::new();
        more.extend(first.as_deref().map(|code| ("first_code", code)));
        let given = match self.device {
            true => by_device(&stranger, &more).await?,
            false => by_browser(&stranger, &url, !self.no_browser, &more).await?,
        };
        let until = now_seconds().saturating_add(given.expires_in);
        let file = sessions()?.keep(&url, &given.token, until)?;
        let person: WhoAmI = gate.client()?.get("/whoami").await?;
        gate.print(&person, |person| {
            let kept = wrapped(&format!("kept in {}", file.display()), 2);
            format!("{GOOD}signed in{GOOD:#}\n{}  {FAINT}{kept}{FAINT:#}\n", shown(person))
        })
    }
}

/// Ends the session, here and at the gate.
pub(super) async fn logout(gate: &Gate) -> Result<(), Failure> {
    let (url, _) = gate.finding.place()?;
    let sessions = sessions()?;
    if sessions.at(&url, now_seconds()).is_none() {
        return Err(Failure::new("you are not signed in at this gate").with_next("portcullis login"));
    }
    let ended: Result<SignedOut, Failure> = match gate.client() {
        Ok(client) => client.post("/sign-out", &serde_json::json!({})).await,
        Err(failure) => Err(failure),
    };
    // Whatever the gate says, the session is not used from here any more.
    sessions.forget(&url);
    gate.print(&ended?, |_| format!("{GOOD}signed out{GOOD:#}\n"))
}

/// Who one is.
pub(super) async fn whoami(gate: &Gate) -> Result<(), Failure> {
    let person: WhoAmI = gate.client()?.get("/whoami").await?;
    gate.print(&person, shown)
}

fn shown(person: &WhoAmI) -> String {
    let mut page = String::new();
    let mut row = |label: &str, text: &str| {
        page.push_str(&format!("  {FAINT}{label:<10}{FAINT:#}{}\n", wrapped(&visible(text), 12)));
    };
    row("you are", &person.name);
    if let (Some(issuer), Some(subject)) = (&person.issuer, &person.subject) {
        row("at", issuer);
        row("known as", subject);
    }
    let roles: Vec<_> = person.roles.iter().map(|role| role.as_str()).collect();
    row("roles", &roles.join(", "));
    row(
        "by",
        match person.known_by {
            KnownBy::Token => "a token",
            KnownBy::Browser => "a browser's session",
            KnownBy::CommandLine => "a session of the command line",
        },
    );
    if let Some(ends) = person.ends {
        row("until", &paint::moment(ends));
    }
    page
}

async fn by_browser(stranger: &Client, gate: &str, opens: bool, more: &[(&str, &str)]) -> Result<Given, Failure> {
    let entropy = SystemEntropy::default();
    let fresh = || format!("{:032x}{:032x}", entropy.bits(), entropy.bits());
    let (verifier, state) = (fresh(), fresh());
    let waiting = Waiting::begin().await?;
    let port = waiting.port().to_string();
    let query = [("port", port.as_str()), ("state", &state), ("code_challenge", &challenge(&verifier))]
        .map(|(name, value)| format!("{name}={value}"))
        .join("&");
    let page = format!("{gate}/sign-in/command-line?{query}");
    paint::err(&format!("sign in with your browser at\n  {NAME}{page}{NAME:#}\n"));
    if opens {
        open(&page);
    }
    let code = waiting.code(&state, gate).await?;
    let mut form = vec![("code", code.as_str()), ("code_verifier", &verifier)];
    form.extend(more);
    stranger.form("/sign-in/command-line/token", &form).await?.map_err(refused)
}

async fn by_device(stranger: &Client, more: &[(&str, &str)]) -> Result<Given, Failure> {
    let begun: Device = stranger.form("/sign-in/device", &[]).await?.map_err(refused)?;
    let (at, code) = (visible(&begun.verification_uri), visible(&begun.user_code));
    let whole = begun.verification_uri_complete.as_deref().map(visible);
    let whole = whole.map_or_else(String::new, |whole| format!("or open\n  {NAME}{whole}{NAME:#}\n"));
    paint::err(&format!("open\n  {NAME}{at}{NAME:#}\nand type the code\n  {NAME}{code}{NAME:#}\n{whole}"));
    let mut form = vec![("device", begun.device.as_str())];
    form.extend(more);
    let mut interval = begun.interval.max(1);
    let until = now_seconds().saturating_add(begun.expires_in);
    while now_seconds() < until {
        tokio::time::sleep(Duration::from_secs(interval)).await;
        match stranger.form("/sign-in/device/token", &form).await? {
            Ok(given) => return Ok(given),
            Err(Told { error, .. }) if error == "authorization_pending" => {}
            Err(Told { error, .. }) if error == "slow_down" => interval = interval.saturating_add(5),
            Err(told) => return Err(refused(told)),
        }
    }
    Err(Failure::new("nobody signed in in time").with_next("portcullis login --device"))
}

fn refused(Told { error, error_description, .. }: Told) -> Failure {
    Failure::new(format!("the gate does not let you in: {error_description}")).with_next(match error.as_str() {
        "access_denied" => "ask an administrator of the gate for a role, or sign in as somebody who has one",
        "unsupported_grant_type" => "run `portcullis login` without --device where there is a browser",
        _ => "run `portcullis login` again",
    })
}

/// The code in a file that only its owner can read, as the gate wrote it.
fn first_code(file: &std::path::Path) -> Result<String, Failure> {
    // Read as secrets are, which refuses a file that others can read.
    identity::read_secret(&SecretReference::File(file.to_owned()), "".as_ref()).map_err(|error| {
        Failure::of(&error).with_next("the gate names the file when it starts, while nobody is an administrator yet")
    })?;
    let text = std::fs::read_to_string(file).map_err(|error| Failure::of(&error))?;
    Ok(text.trim().to_owned())
}

/// Opens the person's browser, if there is a way to; the address is printed in any case.
fn open(page: &str) {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let nothing = std::process::Stdio::null;
    let mut command = std::process::Command::new(program);
    // No shell: the address is one argument, whatever is in it.
    let _nobody_waits = command.arg(page).stdin(nothing()).stdout(nothing()).stderr(nothing()).spawn();
}

fn sessions() -> Result<Sessions, Failure> {
    Sessions::of_this_person().ok_or_else(|| {
        Failure::new("there is no place for your session").with_next("name a directory by PORTCULLIS_SESSIONS")
    })
}

/// Seconds since 1970.
pub(super) fn now_seconds() -> u64 {
    SystemClock.now().0 / 1_000
}

/// How long somebody may take to sign in.
pub(super) const PATIENCE: Duration = Duration::from_millis(limits::SIGN_IN_MILLISECONDS_MAX);
