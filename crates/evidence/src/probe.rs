//! A server on the network, asked what a stranger could ask.
//!
//! [`probe()`] is the list of questions, in order; each has a file: [`hello`] (who is answered), [`strangers`] (whose tokens are
//! taken), [`metadata`] (what clients are told of tokens), [`pages`] (foreign pages and names), [`channel`] (TLS and
//! redirects), [`mistakes`] (what errors tell), [`claims`] (what is declared), [`sessions`] (what sessions are worth).

mod asker;
mod channel;
mod claims;
mod hello;
mod leaks;
mod metadata;
mod mistakes;
mod notes;
mod pages;
mod sessions;
mod strangers;
mod whole;

use std::time::Duration;

use egress::Lane;
use http::{HeaderMap, Uri};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use self::asker::Asker;
pub use self::metadata::parameter;
use self::notes::Notes;
use crate::{Finding, Told};

/// Who is asked, and with what.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// Where it is.
    pub url: &'a Uri,
    /// The way there: nothing leaves by another.
    pub lane: &'a Lane,
    /// Who else can reach it.
    pub surroundings: Surroundings,
    /// Whether whoever submitted it says that it wants a credential.
    pub wants_credential: bool,
    /// The gate's credential for it, for what cannot be asked without one.
    pub presents: Option<&'a dyn Presents>,
}

/// Who can reach a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surroundings {
    /// Everybody.
    Internet,
    /// Whoever is in its network; and pages that they open, if it lets them.
    Inside,
}

/// Writes the gate's credential for a server into a request.
pub trait Presents: Send + Sync {
    /// Writes it, in place of whatever stood there.
    fn write(&self, headers: &mut HeaderMap);
}

/// What came of asking a server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// Where it was asked.
    pub url: String,
    /// Questions that were sent.
    pub requests: usize,
    /// Bytes of answers that were read.
    pub bytes: usize,
    /// How long it took.
    pub milliseconds: u64,
    /// How it speaks, as far as it did: `2026-07-28`, `2025-11-25 with sessions`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaks: Option<String>,
    /// Whether the gate's credential was presented, to the server itself and to nobody else.
    pub presented: bool,
    /// How the connection is protected; none over plain HTTP, or if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// What was asked, and what came of it.
    pub asked: Vec<Asked>,
    /// What was seen, the worst first.
    pub findings: Vec<Finding>,
    /// Why it ended early, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut_short: Option<String>,
}

/// How a connection is protected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The version: `1.3`.
    pub version: String,
    /// The suite, as the registry of such names has it.
    pub suite: String,
}

/// One thing that was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// What: `strangers`, `tokens`.
    pub what: String,
    /// What came of it.
    pub outcome: Outcome,
    /// More of it, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// What came of something that was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is as it should be.
    Fine,
    /// There are findings.
    Found,
    /// It could not be found out.
    Unknown,
}

impl Probe {
    /// What is asked, in order.
    pub const WHAT: [&'static str; 8] =
        ["strangers", "tokens", "metadata", "pages", "channel", "errors", "claims", "sessions"];
}

/// Asks a server everything there is to ask. `told` hears of each thing before it is asked.
pub async fn probe(target: &Target<'_>, told: &Told) -> Probe {
    let since = Instant::now();
    let mut asker = Asker::new(target);
    let mut notes = Notes::default();
    let mut steps = Probe::WHAT.into_iter().enumerate();
    let mut next = || {
        if let Some((done, what)) = steps.next() {
            told(done, what);
        }
    };
    next();
    let way = hello::ask(target, &mut asker, &mut notes).await;
    next();
    strangers::ask(&way, &mut asker, &mut notes).await;
    next();
    metadata::ask(target, &way, &mut asker, &mut notes).await;
    next();
    pages::ask(target, &way, &mut asker, &mut notes).await;
    next();
    let tls = channel::ask(target, &way, &mut asker, &mut notes).await;
    next();
    mistakes::ask(target, &way, &mut asker, &mut notes).await;
    next();
    claims::ask(&way, &mut asker, &mut notes).await;
    next();
    sessions::ask(&way, &mut asker, &mut notes).await;
    channel::redirects(target, &asker, &mut notes);
    let (asked, findings) = notes.whole();
    Probe {
        url: target.url.to_string(),
        requests: asker.asked,
        bytes: asker.bytes,
        milliseconds: u64::try_from(since.elapsed().min(Duration::from_hours(1)).as_millis()).unwrap_or_default(),
        speaks: way.speaks(),
        presented: way.presented,
        tls,
        asked,
        findings,
        cut_short: asker.spent().map(str::to_owned),
    }
}

#[cfg(test)]
mod tests;
