//! How looks at servers that live are shown.

use std::fmt::Write as _;

use admin::view::{ProbeView, TrialView};
use anstyle::Style;
use evidence::{Asked, Finding, Outcome, Phase, Probe, Severity, Trial};

use super::paint::{self, BAD, FAINT, GOOD, WARN, visible, wrapped};

/// What a server answered to what strangers ask.
pub(super) fn probe(kept: &ProbeView) -> String {
    let Probe { requests, bytes, milliseconds, speaks, presented, tls, asked, findings, cut_short, .. } = &kept.probe;
    let mut page = format!("\n{FAINT}probed by {}, {}{FAINT:#}\n", visible(&kept.by), paint::moment(kept.at));
    if kept.outdated {
        let text = "what the server was is not what it is now: probe it again";
        let _infallible = writeln!(page, "  {WARN}{text}{WARN:#}");
    }
    let mut row = |label: &str, text: &str| {
        let _infallible = writeln!(page, "  {FAINT}{label:<12}{FAINT:#}{}", fitting(&visible(text), 14));
    };
    row(
        "asked",
        &format!(
            "{} of {} in {}.{} s, {} read{}",
            paint::count(*requests, "question"),
            kept.probe.url,
            milliseconds / 1_000,
            milliseconds % 1_000 / 100,
            paint::count(*bytes, "byte"),
            if *presented { ", some with the gate's credential" } else { "" },
        ),
    );
    row("speaks", speaks.as_deref().unwrap_or("nothing that was understood"));
    tls.iter().for_each(|tls| row("protected", &format!("TLS {}, {}", tls.version, tls.suite)));
    cut_short.iter().for_each(|why| row("cut short", why));
    asked.iter().for_each(|one| page.push_str(&what(one)));
    page.push_str(&found(findings));
    page
}

/// What a server's program tried, where it could do no harm.
pub(super) fn trial(kept: &TrialView) -> String {
    let Trial { what, sha256, milliseconds, steps, ended, speaks, tools, .. } = &kept.trial;
    let Trial { reached, touched, started, more, blind, stderr, findings, .. } = &kept.trial;
    let mut page = format!("\n{FAINT}tried by {}, {}{FAINT:#}\n", visible(&kept.by), paint::moment(kept.at));
    if kept.outdated {
        let text = "what the server was is not what it is now: try it again";
        let _infallible = writeln!(page, "  {WARN}{text}{WARN:#}");
    }
    let mut row = |label: &str, text: &str| {
        let _infallible = writeln!(page, "  {FAINT}{label:<12}{FAINT:#}{}", fitting(&visible(text), 14));
    };
    row("tried", &format!("{what}, for {}.{} s, in a jail", milliseconds / 1_000, milliseconds % 1_000 / 100));
    sha256.iter().for_each(|digest| row("sha256", digest.trim_start_matches("sha256:")));
    steps.iter().for_each(|step| row("did", &format!("{}: {}", step.what, step.ended)));
    row("ended", ended);
    row("speaks", speaks.as_deref().unwrap_or("nothing that was understood"));
    if !tools.is_empty() {
        row("has", &format!("{}: {}", paint::count(tools.len(), "tool"), tools.join(", ")));
    }
    for one in reached {
        let word = if one.allowed { "reached" } else { "was refused" };
        row("network", &format!("{word} {} {}", one.place, when(one.phase)));
    }
    for one in touched {
        let word = if one.read { "read" } else { "opened" };
        row("bait", &format!("{word} {} {}", one.file, when(one.phase)));
    }
    started.iter().for_each(|one| row("started", &format!("{} {}", one.command, when(one.phase))));
    if *more {
        row("", "and more than is listed");
    }
    blind.iter().for_each(|why| row("not seen", &format!("what it started and connected to: {why}")));
    stderr.iter().for_each(|line| row("said", line));
    page.push_str(&found(findings));
    page
}

fn when(phase: Phase) -> &'static str {
    match phase {
        Phase::Shutting | Phase::Installing => "while it was installed",
        Phase::Running => "while it ran",
    }
}

fn what(Asked { what, outcome, note }: &Asked) -> String {
    let (style, word) = match outcome {
        Outcome::Fine => (GOOD, "fine"),
        Outcome::Found => (WARN, "see below"),
        Outcome::Unknown => (FAINT, "unknown"),
    };
    let note = wrapped(&visible(note), 26);
    format!("  {FAINT}{what:<12}{FAINT:#}{style}{word:<12}{style:#}{note}").trim_end().to_owned() + "\n"
}

/// What was seen, with what was done for it and what came.
pub(super) fn found(findings: &[Finding]) -> String {
    if findings.is_empty() {
        return format!("\n  {GOOD}nothing was found in its disfavour{GOOD:#}\n");
    }
    let mut page = String::new();
    for Finding { severity, title, sent, came, .. } in findings {
        let style = style(*severity);
        let _infallible = writeln!(page, "\n  {style}{:<10}{style:#}{}", severity.word(), wrapped(&visible(title), 12));
        for (label, text) in [("sent", sent), ("came", came)] {
            if !text.is_empty() {
                let text = fitting(&visible(text), 18);
                let _infallible = writeln!(page, "            {FAINT}{label}  {text}{FAINT:#}");
            }
        }
    }
    page
}

/// As [`wrapped`], and a word that no line has room for goes on in the next.
pub(super) fn fitting(text: &str, indent: usize) -> String {
    let room = paint::WIDTH.saturating_sub(indent).max(1);
    let pieces = |word: &str| {
        let characters: Vec<char> = word.chars().collect();
        characters.chunks(room).map(String::from_iter).collect::<Vec<_>>().join(" ")
    };
    wrapped(&text.split(' ').map(pieces).collect::<Vec<_>>().join(" "), indent)
}

fn style(severity: Severity) -> Style {
    match severity {
        Severity::Critical | Severity::High => BAD,
        Severity::Medium => WARN,
        Severity::Low | Severity::Note => FAINT,
    }
}
