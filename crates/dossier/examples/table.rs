//! Examines packages and writes a table of them: `cargo run -p dossier --example table -- PACKAGE…`

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::time::Instant;

use dossier::{Beside, Examination, Severity, examine};

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "| package | files | source files read | runs with it: fixed, open | score | what a reviewer should see | seconds |"
    )?;
    writeln!(out, "|---|--:|--:|--:|--:|---|--:|")?;
    for path in std::env::args().skip(1) {
        let bytes = std::fs::read(&path)?;
        let name = path.rsplit('/').next().unwrap_or_default();
        let since = Instant::now();
        let row = match examine(name, &bytes, &Beside::default(), &mut |_| {}) {
            Ok(found) => row(&found, since.elapsed().as_secs_f64()),
            Err(error) => format!("| {name} | | | | | not examined: {error} | |"),
        };
        writeln!(out, "{row}")?;
    }
    Ok(())
}

fn row(found: &Examination, seconds: f64) -> String {
    let mut rules: BTreeMap<(Severity, &str), usize> = BTreeMap::new();
    for finding in found.findings.iter().filter(|finding| finding.severity > Severity::Note) {
        let listed = rules.entry((finding.severity, &finding.title)).or_default();
        *listed += 1 + if *listed == 0 { found.unlisted.get(&finding.rule).copied().unwrap_or_default() } else { 0 };
    }
    let shown: Vec<String> = rules
        .iter()
        .rev()
        .map(|((severity, title), number)| format!("{}: {title} ({number})", severity.word()))
        .collect();
    let metadata = &found.metadata;
    let open = found.components.iter().filter(|one| one.wanted.is_some()).count();
    // Itself is one of them.
    let fixed = (found.components.len() - open).saturating_sub(1);
    format!(
        "| `{}` {} | {} | {} | {fixed}, {open} | {} | {} | {seconds:.2} |",
        metadata.name.as_deref().unwrap_or(&found.name),
        metadata.version.as_deref().unwrap_or_default(),
        found.files,
        found.sources,
        found.points(),
        if shown.is_empty() { "nothing".to_owned() } else { shown.join("; ") },
    )
}
