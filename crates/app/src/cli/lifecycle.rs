//! `portcullis server approve`, `quarantine`, `release`, `retire`, `comment`: the life of a server, and how it looks.

use std::time::{SystemTime, UNIX_EPOCH};

use admin::requests::{Approve, Comment};
use admin::view::{CommentRow, Done, Dossier, Note, WarningRow};
use clap::Args;
use model::{Digest, ServerName};
use registry::Place;

use super::client::Client;
use super::failure::Failure;
use super::paint::{self, BAD, FAINT, GOOD, NAME, WARN, visible, wrapped};
use super::server::{path, told};
use super::{Gate, ask, judged, offered, show};

/// A server to be approved.
#[derive(Debug, Args)]
pub(crate) struct ApproveNamed {
    /// The server
    name: ServerName,
    /// The digest of what you read; approves that and nothing else, without asking
    #[arg(long, value_name = "DIGEST")]
    seen: Option<Digest>,
    /// How long the approval is good: `90d`, `12h`, `30m`. Without it, as long as the manifest says
    #[arg(long = "for", value_name = "TIME", value_parser = period)]
    period: Option<u64>,
    /// Approve whatever it offers now, without asking
    #[arg(short, long, conflicts_with = "seen")]
    yes: bool,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Something to be said of a server.
#[derive(Debug, Args)]
pub(crate) struct CommentOn {
    /// The server
    name: ServerName,
    /// What
    text: String,
}

/// `90d`, `12h` or `30m`, in milliseconds.
fn period(text: &str) -> Result<u64, String> {
    let unit = |letter, minutes: u64| text.strip_suffix(letter).map(|number| (number, minutes));
    let read = unit('d', 24 * 60).or_else(|| unit('h', 60)).or_else(|| unit('m', 1));
    let minutes = read.and_then(|(number, minutes)| number.parse::<u64>().ok()?.checked_mul(minutes));
    let milliseconds = minutes.filter(|minutes| *minutes > 0).and_then(|minutes| minutes.checked_mul(60_000));
    milliseconds.ok_or_else(|| "write a number and `d`, `h` or `m`, such as 90d".to_owned())
}

impl ApproveNamed {
    pub(super) async fn run(self, gate: &Gate) -> Result<(), Failure> {
        let Self { name, seen, period, yes, reason } = self;
        let client = gate.client()?;
        let seen = match seen {
            Some(seen) => seen,
            None => read(&client, &name, yes, gate).await?,
        };
        let expires = period.map(|period| now().saturating_add(period));
        let done: Done = client.post(&path(&name, "/approve"), &Approve { seen, expires, reason }).await?;
        gate.print(&done, |done| {
            let mut page = told(name.as_str(), "approved", done);
            if let Some(Note::ApprovedAlone) = done.note {
                let text = "you submitted it, too, and nobody else may approve; name another approver in the settings, \
                            and nobody approves alone";
                page.push_str(&format!("{WARN}{}{WARN:#}\n", wrapped(text, 0)));
            }
            page
        })
    }
}

impl CommentOn {
    pub(super) async fn run(self, gate: &Gate) -> Result<(), Failure> {
        let Self { name, text } = self;
        let said: Vec<CommentRow> = gate.client()?.post(&path(&name, "/comments"), &Comment { text }).await?;
        gate.print(&said, |said| comments(said))
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Shows what an approval would pin, asks unless that was waived, and gives the digest of what was shown.
async fn read(client: &Client, name: &ServerName, yes: bool, gate: &Gate) -> Result<Digest, Failure> {
    let dossier: Dossier = client.get(&path(name, "")).await?;
    let Some(offer) = &dossier.observed else {
        return Err(Failure::new(format!("server `{name}` was not looked at yet, so there is nothing to approve"))
            .with_next(format!("portcullis server check {name}")));
    };
    let seen: Digest = offer.digest.parse().map_err(|_| Failure::unreadable("the digest"))?;
    let nobody = !yes && !ask::anybody();
    if nobody {
        return Err(Failure::usage("there is nobody to ask whether to approve this").with_next(format!(
            "read it with `portcullis server show {name} --definitions`, then approve with --seen {seen}"
        )));
    }
    let page = to_read(&dossier, name);
    match yes {
        true if gate.json => {}
        true => paint::out(&page)?,
        false => {
            paint::err(&page);
            ask::confirm(&format!("Approve these definitions of {name}?"))?;
        }
    }
    Ok(seen)
}

/// What an approver reads: the first time everything, later what changed.
fn to_read(dossier: &Dossier, name: &ServerName) -> String {
    let mut page = match &dossier.manifest.place {
        Place::At(address) => format!("{NAME}{name}{NAME:#}  {}\n", address.url),
        Place::Started(command) => format!("{NAME}{name}{NAME:#}, started by the gate\n{}", show::command(command)),
    };
    match (&dossier.difference, &dossier.observed) {
        (Some(drift), Some(offer)) if !drift.identity_changed => {
            let same = offer.definitions.len().saturating_sub(drift.changes.len());
            page.push_str(&show::drift(name.as_str(), drift));
            page.push_str(&format!(
                "\n{FAINT}the other {} stay as approved{FAINT:#}\n",
                paint::count(same, "definition")
            ));
        }
        (_, Some(offer)) => page.push_str(&show::offer(offer, None)),
        (_, None) => {}
    }
    page.push_str(&offered::mentions(&dossier.mentions, usize::MAX));
    page.push_str(&judged::judgement(dossier.judgement.as_ref()));
    page.push('\n');
    page
}

/// The word for where a server stands, in its colour.
pub(crate) fn standing(word: &str, in_service: bool) -> String {
    match (word, in_service) {
        ("approved", true) => format!("{GOOD}approved{GOOD:#}"),
        ("approved", false) => format!("{BAD}approved for another address, command or time: unreachable{BAD:#}"),
        ("suspended" | "quarantined" | "retired", _) => format!("{BAD}{word}{BAD:#}"),
        (other, _) => format!("{WARN}{other}{WARN:#}"),
    }
}

/// What became known of a server after its approval, and what people said of it.
pub(crate) fn since(dossier: &Dossier) -> String {
    let mut page = String::new();
    for WarningRow { cause, about, at, settled, .. } in &dossier.warnings {
        let (style, word) = if *settled { (FAINT, "settled") } else { (WARN, cause.as_str()) };
        let text = wrapped(&visible(&format!("{about} ({})", paint::moment(*at))), 14);
        page.push_str(&format!("  {style}{word:<12}{style:#}{text}\n"));
    }
    if !dossier.comments.is_empty() {
        page.push('\n');
        page.push_str(&comments(&dossier.comments));
    }
    page
}

fn comments(said: &[CommentRow]) -> String {
    let one = |CommentRow { by, at, text }: &CommentRow| {
        let head = format!("  {NAME}{}{NAME:#} {FAINT}{}{FAINT:#}", visible(by), paint::moment(*at));
        format!("{head}\n    {}\n", wrapped(&visible(text), 4))
    };
    said.iter().map(one).collect()
}

#[cfg(test)]
mod tests;
