//! `portcullis inspect rules`: what is looked for, for those who write policies and suppressions by the ids of rules.

use std::path::PathBuf;

use ::inspect::{Rule, Rules};
use clap::Args;
use serde_json::json;

use crate::cli::failure::Failure;
use crate::cli::paint::{self, FAINT, NAME, wrapped};

/// Which rules are shown.
#[derive(Debug, Args)]
pub(crate) struct Shown {
    /// Those alone whose id, class or description has all of these words
    #[arg(value_name = "WORD")]
    words: Vec<String>,
    /// A file of rules of your own
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Print them as JSON
    #[arg(long)]
    json: bool,
}

/// Rules up to which each is described.
const DESCRIBED_MAX: usize = 12;

impl Shown {
    /// Shows them. Whether there are any.
    pub(super) fn run(&self) -> Result<bool, Failure> {
        let rules = super::rules(self.rules.as_deref())?;
        let wanted: Vec<&Rule> = rules.iter().filter(|rule| self.is_wanted(rule)).collect();
        let page = if self.json { listed(&wanted) } else { page(&wanted, &rules) };
        paint::out(&page)?;
        Ok(!wanted.is_empty())
    }

    fn is_wanted(&self, rule: &Rule) -> bool {
        let text = format!("{} {} {}", rule.id, rule.class, rule.about).to_lowercase();
        self.words.iter().all(|word| text.contains(&word.to_lowercase()))
    }
}

fn page(wanted: &[&Rule], all: &Rules) -> String {
    if wanted.is_empty() {
        return format!("none of {} has these words\n", paint::count(all.iter().count(), "rule"));
    }
    let mut page = String::new();
    if wanted.len() <= DESCRIBED_MAX {
        for rule in wanted {
            let Rule { id, version, class, about, severity, confidence, .. } = rule;
            let (severity, confidence) = (severity.as_str(), confidence.as_str());
            page.push_str(&format!("{NAME}{id}{NAME:#} {FAINT}version {version}{FAINT:#}\n"));
            page.push_str(&format!("  class {class}, severity {severity}, {confidence} confidence\n"));
            page.push_str(&format!("  {}\n\n", wrapped(about, 2)));
        }
    } else {
        let cell = |text: &str| (anstyle::Style::new(), text.to_owned());
        let row = |rule: &&Rule| {
            let name = (NAME, rule.id.to_string());
            vec![name, cell(rule.class.as_str()), cell(rule.severity.as_str()), cell(rule.confidence.as_str())]
        };
        let rows: Vec<_> = wanted.iter().map(row).collect();
        page.push_str(&paint::table(&["RULE", "CLASS", "SEVERITY", "CONFIDENCE"], &rows));
        page.push('\n');
    }
    page.push_str(&format!("{}\n", paint::count(wanted.len(), "rule")));
    page
}

fn listed(wanted: &[&Rule]) -> String {
    let of = |rule: &&Rule| {
        json!({
            "rule": rule.id, "version": rule.version, "class": rule.class, "severity": rule.severity,
            "confidence": rule.confidence, "about": rule.about,
        })
    };
    format!("{:#}\n", json!({ "rules": wanted.iter().map(of).collect::<Vec<_>>() }))
}
