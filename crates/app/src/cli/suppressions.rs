//! `portcullis inspect suppressions`: findings that are not told, and who else looks into messages, as the gate has it.

use admin::view::{CalloutRow, InspectionView, SuppressionRow};
use clap::Args;

use super::Gate;
use super::failure::Failure;
use super::paint::{self, BAD, FAINT, GOOD, NAME, WARN, day, visible, wrapped};

/// Nothing.
#[derive(Debug, Args)]
pub(crate) struct Suppressions {}

impl Suppressions {
    pub(super) async fn run(self, gate: &Gate) -> Result<(), Failure> {
        let told: InspectionView = gate.client()?.get("/inspection").await?;
        gate.print(&told, page)
    }
}

fn page(told: &InspectionView) -> String {
    let mut page = String::new();
    if told.suppressions.is_empty() {
        page.push_str("every finding is told: there are no suppressions\n");
    }
    for row in &told.suppressions {
        page.push_str(&suppression(row));
    }
    if !told.callouts.is_empty() {
        page.push_str(&format!("\n{FAINT}asked as well{FAINT:#}\n"));
        page.extend(told.callouts.iter().map(callout));
    }
    page
}

fn suppression(row: &SuppressionRow) -> String {
    let place = [&row.server, &row.tool, &row.pointer].into_iter().flatten().map(String::as_str).collect::<Vec<_>>();
    let place = if place.is_empty() { "everywhere".to_owned() } else { place.join(" ") };
    let (style, end) = if row.over { (WARN, "ended") } else { (GOOD, "until") };
    let used = paint::count_of(row.used, "time");
    format!(
        "{NAME}{}{NAME:#}  {}\n  {style}{end} {}{style:#}, used {used}\n  {}\n  {FAINT}{}{FAINT:#}\n",
        visible(&row.rule),
        visible(&place),
        day(row.until.saturating_sub(1)),
        wrapped(&visible(&row.reason), 2),
        visible(&row.owner),
    )
}

fn callout(row: &CalloutRow) -> String {
    let servers = if row.servers.is_empty() { "all servers".to_owned() } else { row.servers.join(", ") };
    let about = format!("{} of {servers}; sent {}; fails {}", row.about.join(", "), row.sends, row.fails);
    let alone = match row.left_alone_until {
        Some(_) => format!("  {BAD}left alone for a while: it failed several times{BAD:#}\n"),
        None => String::new(),
    };
    format!(
        "{NAME}callout.{}{NAME:#}  {}\n  {}\n{alone}",
        visible(&row.name),
        visible(&row.place),
        wrapped(&visible(&about), 2)
    )
}
