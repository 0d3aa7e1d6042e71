//! `portcullis people …`: who is signed in to look after the gate, and sending them out.

use admin::requests::SendOut;
use admin::view::{KnownBy, PersonRow, SentOut};
use anstyle::Style;
use clap::{Args, Subcommand};

use super::failure::Failure;
use super::lists::Every;
use super::login::now_seconds;
use super::paint::{self, FAINT, GOOD, NAME};
use super::{Gate, WithGate};

/// The commands for people who are signed in.
#[derive(Debug, Subcommand)]
pub(crate) enum People {
    /// Who is signed in now
    List(WithGate<Every>),
    /// End all sessions of a person
    SignOut(WithGate<SignOut>),
}

/// Whom, and why.
#[derive(Debug, Args)]
pub(crate) struct SignOut {
    /// What the identity provider calls them: a name of `people list`, or a subject
    who: String,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl People {
    pub(super) async fn run(self) -> Result<(), Failure> {
        match self {
            Self::List(WithGate { own: _, gate }) => {
                let rows: Vec<PersonRow> = gate.client()?.get("/people").await?;
                let now = now_seconds().saturating_mul(1_000);
                gate.print(&rows, |rows| shown(rows, now))
            }
            Self::SignOut(command) => command.own.run(&command.gate).await,
        }
    }
}

impl SignOut {
    async fn run(self, gate: &Gate) -> Result<(), Failure> {
        let client = gate.client()?;
        let rows: Vec<PersonRow> = client.get("/people").await?;
        let (issuer, subject) = account(&rows, &self.who)?;
        let ended: SentOut = client.post("/people/sign-out", &SendOut { issuer, subject, reason: self.reason }).await?;
        gate.print(&ended, |SentOut { ended }| {
            let sessions = if *ended == 1 { "session" } else { "sessions" };
            format!(
                "{GOOD}signed out{GOOD:#}  {ended} {sessions}\n\n{FAINT}next:{FAINT:#}  they can sign in again as long \
                 as the identity provider lets them:\n       take their groups away there\n"
            )
        })
    }
}

/// The one account that is called so.
fn account(rows: &[PersonRow], who: &str) -> Result<(String, String), Failure> {
    let mut accounts: Vec<(&str, &str)> = rows
        .iter()
        .filter(|row| row.subject == who || row.name == who)
        .map(|row| (row.issuer.as_str(), row.subject.as_str()))
        .collect();
    accounts.sort_unstable();
    accounts.dedup();
    match accounts.as_slice() {
        [(issuer, subject)] => Ok(((*issuer).to_owned(), (*subject).to_owned())),
        [] => Err(Failure::new(format!("nobody called `{who}` is signed in")).with_next("portcullis people list")),
        several => {
            let subjects = several.iter().map(|(_, subject)| format!("`{subject}`")).collect::<Vec<_>>().join(", ");
            Err(Failure::new(format!("`{who}` is the name of several accounts"))
                .with_next(format!("name the one you mean by its subject: {subjects}")))
        }
    }
}

fn shown(rows: &[PersonRow], now: u64) -> String {
    if rows.is_empty() {
        return "nobody is signed in; tokens of settings are no sessions\n".to_owned();
    }
    let plain = Style::new();
    let cells = rows.iter().map(|row| {
        let roles = row.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", ");
        let by = match row.known_by {
            KnownBy::Browser => "browser",
            KnownBy::CommandLine => "command line",
            KnownBy::Token => "token",
        };
        let name = if row.own { format!("{} (you)", row.name) } else { row.name.clone() };
        vec![
            (NAME, paint::cut(&name, 18)),
            (plain, paint::cut(&roles, 22)),
            (plain, by.to_owned()),
            (plain, ago(now.saturating_sub(row.seen))),
            (FAINT, paint::cut(&row.subject, 16)),
        ]
    });
    paint::table(&["person", "roles", "by", "last seen", "subject"], &cells.collect::<Vec<_>>())
}

/// How long ago something was, as a person would say it. A session lives for a day at most.
fn ago(milliseconds: u64) -> String {
    match milliseconds / 60_000 {
        0 | 1 => "now".to_owned(),
        minutes @ 2..120 => format!("{minutes} min ago"),
        minutes => format!("{} h ago", minutes / 60),
    }
}
