//! What a server offers, by name: as much as somebody reads, and how to come by the rest.

use std::fmt::Write as _;

use admin::view::{Dossier, Item, MentionRow, Offer};

use super::paint::{self, BAD, FAINT, WARN, visible, wrapped};
use super::show::short;

/// Definitions that are listed; more are counted.
const LISTED_MAX: usize = 60;
/// Places and definitions that are told with what is wrong with them.
pub(crate) const TOLD_MAX: usize = 20;
/// What tools do, the worst first, as they are counted.
const EFFECTS: [&str; 5] = ["destroys", "sends", "writes", "unknown", "reads"];

/// The definitions of an offer with a text in their name, in any case; all without one.
pub(crate) fn named<'a>(offer: &'a Offer, text: Option<&str>) -> impl Iterator<Item = &'a Item> {
    let text = text.unwrap_or_default().to_lowercase();
    offer.definitions.iter().filter(move |item| item.name.to_lowercase().contains(&text))
}

/// The names of what it offers, or of what is pinned where it was not seen.
pub(crate) fn names(dossier: &Dossier, text: Option<&str>) -> String {
    let Some(offer) = dossier.observed.as_ref().or(dossier.pinned.as_ref()) else {
        return String::new();
    };
    let mut page = String::from("\n");
    let found: Vec<&Item> = named(offer, text).collect();
    if found.len() > LISTED_MAX {
        page.push_str(&effects(&found));
    }
    for item in found.iter().take(LISTED_MAX) {
        let digest = short(&item.digest);
        let kind = &item.kind;
        let name = paint::cut(&visible(&item.name), 44);
        let effect = item.effect.as_deref().unwrap_or_default();
        let open = if item.accepts_undeclared.is_empty() { "" } else { "  takes undeclared arguments" };
        let _infallible = writeln!(
            page,
            "  {FAINT}{kind:<9}{FAINT:#}{name:<44}  {FAINT}{digest}  {effect}{FAINT:#}{WARN}{open}{WARN:#}"
        );
    }
    let server = &dossier.manifest.name;
    if found.is_empty() && text.is_some() {
        let count = paint::count(offer.definitions.len(), "definition");
        let _infallible = writeln!(page, "  {WARN}none of its {count} has that in its name{WARN:#}");
    } else if let Some(more) = found.len().checked_sub(LISTED_MAX).filter(|more| *more > 0) {
        let count = paint::count(more, "more definition");
        let told = format!(
            "and {count}: `portcullis server show {server} --named TEXT` has those with a text in their name, --json all of them"
        );
        let _infallible = writeln!(page, "  {FAINT}{}{FAINT:#}", wrapped(&told, 2));
    }
    for left in offer.excluded.iter().take(TOLD_MAX) {
        let text = format!("{} {}: {}", left.kind, visible(&left.name), visible(&left.why));
        let _infallible = writeln!(page, "  {BAD}left out{BAD:#} {}", wrapped(&text, 11));
    }
    page.push_str(&more(offer.excluded.len(), TOLD_MAX, "left out"));
    page
}

/// How many do what, where they are too many to be counted by whoever reads.
fn effects(found: &[&Item]) -> String {
    let number = |effect: &str| found.iter().filter(|item| item.effect.as_deref() == Some(effect)).count();
    let counted = EFFECTS.iter().map(|effect| (number(effect), effect)).filter(|(number, _)| *number > 0);
    let counted: Vec<_> = counted.map(|(number, effect)| format!("{number} {effect}")).collect();
    if counted.is_empty() {
        return String::new();
    }
    format!("  {FAINT}its tools, by what they seem to do: {}{FAINT:#}\n\n", counted.join(", "))
}

fn more(number: usize, told: usize, what: &str) -> String {
    match number.checked_sub(told).filter(|more| *more > 0) {
        Some(more) => format!("  {FAINT}and {more} more {what}; --json has them{FAINT:#}\n"),
        None => String::new(),
    }
}

/// Where a server speaks of others, at most so many places of them: whoever approves it reads all.
pub(crate) fn mentions(mentions: &[MentionRow], most: usize) -> String {
    if mentions.is_empty() {
        return String::new();
    }
    let number = paint::count(mentions.len(), "place");
    let mut page = format!("\n{WARN}it speaks of other servers in {number}:{WARN:#}\n");
    for MentionRow { within, pointer, server, name, excerpt } in mentions.iter().take(most) {
        let whose = name.as_ref().map_or_else(|| server.clone(), |name| format!("{server}/{name}"));
        let text =
            format!("{within}{}{pointer} speaks of {whose}: … {excerpt} …", if pointer.is_empty() { "" } else { " " });
        let _infallible = writeln!(page, "  {WARN}{}{WARN:#}", wrapped(&visible(&text), 4));
    }
    page + &more(mentions.len(), most, "places")
}
