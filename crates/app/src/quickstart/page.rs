//! What the story looks like on a terminal: eighty columns, with colour where there is some.

use anstyle::{AnsiColor, Style};
use audit::Report;

use super::stage::{ENDPOINTS, LOCAL, Stage};
use super::story::{Step, Story, Verdict};
use crate::cli::paint::{self, BAD, FAINT, GOOD, NAME, WARN};

/// Columns before a value.
const LABEL: usize = 16;

/// The page.
pub(super) struct Page;

impl Page {
    pub(super) fn new() -> Self {
        Self
    }

    /// The first lines.
    pub(super) fn title(&self) {
        let accent: Style = AnsiColor::Cyan.on_default().bold();
        print(&format!(
            "\n  {accent}PORTCULLIS{accent:#} {} quickstart\n  {FAINT}The gate between AI agents and the systems they act \
             on.{FAINT:#}\n\n",
            env!("CARGO_PKG_VERSION")
        ));
    }

    /// What was set up.
    pub(super) fn stage(&self, stage: &Stage) {
        let mut text = heading("The sample company");
        for (_, server, purpose) in ENDPOINTS {
            let (style, standing) = if server == "web-search" { (WARN, "vetted   ") } else { (GOOD, "approved ") };
            text.push_str(&format!(
                "    {server:<12}{style}{standing}{style:#}  {}\n",
                paint::cut(purpose, paint::WIDTH - 28)
            ));
        }
        let (local, purpose) = LOCAL;
        text.push_str(&format!("    {local:<12}{GOOD}approved {GOOD:#}  {purpose}, started by the gate\n"));
        text.push('\n');
        text.push_str(&heading("The gate"));
        text.push_str(&field("agents at", &format!("http://{}/{{endpoint}}/mcp", stage.gate.agents)));
        text.push_str(&field("ready in", &format!("{} ms, on SQLite", stage.ready_milliseconds)));
        text.push_str(&field("files in", &stage.directory.display().to_string()));
        text.push('\n');
        print(&text);
    }

    /// One step.
    pub(super) fn step(&self, number: usize, step: &Step) {
        let mut text = format!("  {NAME}{number}  {}{NAME:#}\n", step.title);
        let (style, word) = match step.verdict {
            Verdict::Permitted => (GOOD, "PERMITTED"),
            Verdict::Refused => (BAD, "REFUSED"),
        };
        text.push_str(&field("asked", &step.asked));
        text.push_str(&format!("     {FAINT}{:<11}{FAINT:#}{style}{word}{style:#}\n", "verdict"));
        text.push_str(&field("answer", &step.answer));
        text.push_str(&field("policy", &step.by));
        text.push_str(&field("receipt", &step.receipt));
        if let Some(note) = &step.note {
            text.push_str(&format!("     {FAINT}{}{FAINT:#}\n", paint::wrapped(note, 5)));
        }
        for astray in &step.astray {
            text.push_str(&format!("     {BAD}not as told: {astray}{BAD:#}\n"));
        }
        text.push('\n');
        print(&text);
    }

    /// The end: how the story went, and what its journal is worth.
    pub(super) fn summary(&self, story: &Story, journal: &Report) {
        let total = story.steps.len();
        let good = story.steps.iter().filter(|step| step.astray.is_empty()).count();
        let style = if good == total { GOOD } else { BAD };
        let mut text = heading("The end");
        text.push_str(&format!(
            "    {style}{good} of {total} steps went as told.{style:#} Every one left a receipt.\n"
        ));
        let (style, verdict) = if journal.problems_total == 0 { (GOOD, "verified") } else { (BAD, "DAMAGED") };
        text.push_str(&format!(
            "    {style}The journal is {verdict}{style:#}: {} records, {} under a signed root.\n\n",
            journal.records, journal.signed
        ));
        print(&text);
    }

    /// How to go on from here.
    pub(super) fn stays(&self, stage: &Stage) {
        let directory = stage.directory.display();
        let mut text = heading("It stays up. Try it from another terminal");
        for (what, line) in [
            (
                "Tell the commands which gate you mean",
                format!(
                    "export PORTCULLIS_ADMIN=http://{} \\\n             PORTCULLIS_TOKEN_FILE={directory}/data/admin.token",
                    stage.gate.admin
                ),
            ),
            ("Look around", "portcullis status".to_owned()),
            ("See what changed in the ERP", "portcullis server diff erp".to_owned()),
            ("Read the last receipts", "portcullis audit search".to_owned()),
            (
                "Stop an agent, and let it go on",
                "portcullis halt agent helpdesk --reason \"trying it\"\n      portcullis resume agent helpdesk"
                    .to_owned(),
            ),
            (
                "Connect your own MCP client",
                format!(
                    "URL    {}\n      token  {directory}/tokens/helpdesk   (Authorization: Bearer …)",
                    stage.url("orders")
                ),
            ),
            ("The API", format!("http://{}/api/v1/openapi.json", stage.gate.admin)),
        ] {
            text.push_str(&format!("    {FAINT}{what}{FAINT:#}\n      {line}\n"));
        }
        text.push_str(&format!(
            "\n  {FAINT}`portcullis` is `cargo run --release --` here. Ctrl-C ends it all.{FAINT:#}\n\n"
        ));
        print(&text);
    }
}

fn heading(text: &str) -> String {
    format!("  {NAME}{text}{NAME:#}\n")
}

fn field(label: &str, value: &str) -> String {
    format!("     {FAINT}{label:<11}{FAINT:#}{}\n", paint::wrapped(&paint::visible(value), LABEL))
}

/// Prints; a reader that went away is no failure of the story.
fn print(text: &str) {
    let _ = paint::out(text);
}
