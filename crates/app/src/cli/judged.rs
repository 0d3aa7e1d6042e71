//! How judged definitions and graded changes look: line by line, so that no score stands without its reasons.

use std::fmt::Write as _;

use admin::view::{AlterationRow, ChangeRow, JudgedRow, JudgementRow, RemarkRow};
use anstyle::Style;

use super::paint::{self, BAD, FAINT, GOOD, NAME, WARN, visible, wrapped};

/// Definitions that are explained; the API has all of them.
const SHOWN_MAX: usize = 20;
/// Parts of one change that are shown.
const PARTS_MAX: usize = 6;

/// What the words of a server's definitions try to do; nothing where there is nothing to say.
pub(crate) fn judgement(judgement: Option<&JudgementRow>) -> String {
    let Some(JudgementRow { score, level, definitions }) = judgement.filter(|one| !one.definitions.is_empty()) else {
        return String::new();
    };
    let style = level_style(level);
    let mut page = format!("\n{style}its words score {score} of 100, {level}:{style:#}\n");
    page.extend(definitions.iter().take(SHOWN_MAX).map(judged));
    let left = definitions.len().saturating_sub(SHOWN_MAX);
    if left > 0 {
        let _infallible =
            writeln!(page, "  {FAINT}and {} more; --json has them{FAINT:#}", paint::count(left, "definition"));
    }
    page
}

fn judged(JudgedRow { within, score, level, remarks }: &JudgedRow) -> String {
    let style = level_style(level);
    let mut page = format!("  {NAME}{}{NAME:#}  {style}{score} {level}{style:#}\n", paint::cut(&visible(within), 60));
    page.extend(remarks.iter().map(remark));
    page
}

fn remark(RemarkRow { points, pointer, says, excerpt, .. }: &RemarkRow) -> String {
    let mut page = format!("    {WARN}{points:>+4}{WARN:#}  {}\n", wrapped(&visible(says), 10));
    let place = [pointer.as_str(), excerpt.as_str()].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
    if !place.is_empty() {
        let _infallible = writeln!(page, "          {FAINT}{}{FAINT:#}", wrapped(&visible(&place.join(": ")), 10));
    }
    page
}

fn level_style(level: &str) -> Style {
    match level {
        "high" => BAD,
        "medium" => WARN,
        _ => FAINT,
    }
}

/// What became of each changed definition.
pub(crate) fn graded(changes: &[ChangeRow]) -> String {
    let mut page = String::new();
    for ChangeRow { kind, name, outcome, alterations } in changes {
        let (style, follows) = match outcome.as_str() {
            "accepted" => (GOOD, "served as it is now"),
            "pinned" => (WARN, "the approved one is served; calls must fit both"),
            _ => (BAD, "withheld"),
        };
        let name = paint::cut(&visible(name), 40);
        let _infallible = writeln!(page, "\n{kind} {NAME}{name}{NAME:#}  {style}{follows}{style:#}");
        page.extend(alterations.iter().filter(|one| one.grade != "form").take(PARTS_MAX).map(part));
        if alterations.is_empty() {
            let _infallible = writeln!(page, "  {FAINT}too much changed at once to take it apart{FAINT:#}");
        }
    }
    page
}

fn part(AlterationRow { grade, says, pointer, about }: &AlterationRow) -> String {
    let place = if pointer.is_empty() { String::new() } else { format!(" at {pointer}") };
    let about = if about.is_empty() { String::new() } else { format!(": {about}") };
    let text = visible(&format!("{says}{place}{about}")).into_owned();
    format!("  {WARN}{grade:<12}{WARN:#}{}\n", wrapped(&text, 14))
}
