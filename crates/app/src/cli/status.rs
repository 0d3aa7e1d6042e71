//! `portcullis status`: how the gate is, on one page.

use admin::view::{self, AdvisoriesView, IssuerKeys, VettingView, WhoAmI};
use clap::Args;

use super::Gate;
use super::failure::Failure;
use super::paint::{self, BAD, FAINT, GOOD, NAME, WARN, visible, wrapped};

/// Nothing.
#[derive(Debug, Args)]
pub(crate) struct Status {}

impl Status {
    pub(super) async fn run(self, gate: &Gate) -> Result<(), Failure> {
        let client = gate.client()?;
        let status: view::Status = client.get("/status").await?;
        let person: WhoAmI = client.get("/whoami").await?;
        gate.print(&status, |status| shown(status, &person))?;
        if status.ready { Ok(()) } else { Err(Failure::new("the gate is not ready").with_next("see the checks above")) }
    }
}

fn shown(status: &view::Status, person: &WhoAmI) -> String {
    let (style, word) = if status.ready { (GOOD, "ready") } else { (BAD, "not ready") };
    let mut page = format!("{NAME}Portcullis {}{NAME:#}  {style}{word}{style:#}\n", status.version);
    let mut row = |label: &str, text: String| {
        page.push_str(&format!("  {FAINT}{label:<10}{FAINT:#}{text}\n"));
    };
    let lag = if status.in_effect >= status.revision {
        "in effect".to_owned()
    } else {
        format!("{WARN}in effect: {}{WARN:#}", status.in_effect)
    };
    row("revision", format!("{}, {lag}", status.revision));
    let servers = &status.servers;
    let drifted = match servers.drifted {
        0 => String::new(),
        drifted => format!(", {WARN}{drifted} of them changed{WARN:#}"),
    };
    let others = format!("{} submitted, {} suspended", servers.submitted, servers.suspended);
    row("servers", format!("{} in service{drifted}, {others}", servers.in_service));
    let rest = [
        (servers.drafts, "drafts", FAINT),
        (servers.quarantined, "in quarantine", BAD),
        (servers.retired, "retired", FAINT),
        (servers.expiring, "with an approval that is soon over or over", WARN),
        (servers.warned, "with a warning since their approval", WARN),
    ];
    let rest = rest.iter().filter(|(number, ..)| *number > 0);
    rest.for_each(|(number, what, style)| row("", format!("{style}{number} {what}{style:#}")));
    advisories(&status.vetting, &mut row);
    row("endpoints", status.endpoints.to_string());
    row("policies", format!("{} files", status.policy_files));
    row("halts", if status.halts == 0 { "none".to_owned() } else { format!("{BAD}{}{BAD:#}", status.halts) });
    for keys in &status.issuers {
        row("keys", keys_of(keys));
    }
    let roles: Vec<_> = person.roles.iter().map(|role| role.as_str()).collect();
    row("you", format!("{} ({})", visible(&person.name), roles.join(", ")));
    page.push('\n');
    for check in &status.checks {
        let (style, word) = if check.ready { (GOOD, "ok") } else { (BAD, "bad") };
        let detail = wrapped(&visible(&check.detail), 17);
        page.push_str(&format!("  {style}{word:<3}{style:#}  {:<9} {FAINT}{detail}{FAINT:#}\n", check.name));
    }
    page
}

/// The advisories that servers are compared with, and how the last look went.
fn advisories(vetting: &VettingView, row: &mut impl FnMut(&str, String)) {
    let trouble = |why: &str| format!("{BAD}{}{BAD:#}", wrapped(&visible(why), 12));
    if let Some(AdvisoriesView { advisories, imported_at, stale, trouble: why, file }) = &vetting.advisories {
        let known = advisories.zip(*imported_at).map(|(number, at)| {
            let (style, old) = if *stale { (WARN, ", which is long ago: import those of today") } else { (FAINT, "") };
            let text = format!("{}, imported on {}{old}", paint::count(number, "advisory"), paint::day(at));
            format!("{style}{}{style:#}", wrapped(&text, 12))
        });
        match why {
            None => row("vetting", known.unwrap_or_else(|| format!("{FAINT}the advisories are not read yet{FAINT:#}"))),
            Some(why) => row("vetting", trouble(&format!("no advisories: {why} ({file})"))),
        }
    }
    if let Some(why) = &vetting.trouble {
        row("vetting", trouble(&format!("servers could not be looked at: {why}")));
    }
}

/// An issuer's keys in a line, or two where something is wrong with them.
fn keys_of(keys: &IssuerKeys) -> String {
    let issuer = visible(&keys.issuer);
    let known = match (keys.fetched_at, keys.believed) {
        (None, _) => format!("{WARN}none fetched yet{WARN:#}"),
        (Some(at), true) => {
            format!("{} of {}", paint::count_of(u64::try_from(keys.keys).unwrap_or(u64::MAX), "key"), paint::moment(at))
        }
        (Some(at), false) => format!("{BAD}too old to be believed: of {}{BAD:#}", paint::moment(at)),
    };
    let trouble =
        keys.trouble.as_ref().map(|why| format!("\n            {WARN}{}{WARN:#}", wrapped(&visible(why), 12)));
    format!("{issuer} for {}\n            {FAINT}{known}{FAINT:#}{}", keys.used_for, trouble.unwrap_or_default())
}
