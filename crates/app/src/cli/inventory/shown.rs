//! How an inventory looks.

use std::fmt::Write as _;
use std::path::Path;

use admin::view::{HostReport, HostRow};
use anstyle::Style;
use inventory::{Compared, Concern, Judged, Package, Scope, Target, Verdict};

use crate::cli::paint::{self, BAD, FAINT, GOOD, NAME, WARN, visible, wrapped};

/// Columns before a server's details.
const INDENT: usize = 16;

/// A host's own inventory.
pub(super) fn page(compared: &Compared, home: &Path) -> String {
    let mut page = head(compared);
    page.push_str(&body(compared, &home.display().to_string()));
    page.push_str(&next(compared));
    page
}

/// What was reported of a host.
pub(super) fn report(report: &HostReport) -> String {
    let HostReport { by, at, inventory } = report;
    let told = format!("reported by {}, {}", visible(by), paint::moment(*at));
    format!("{}{FAINT}{told}{FAINT:#}\n{}\n", head(inventory), body(inventory, ""))
}

fn head(compared: &Compared) -> String {
    let Compared { host, user, system, files, entries, unreadable, .. } = compared;
    let number = paint::count(entries.len(), "server");
    let mut page = format!(
        "{NAME}{}{NAME:#}  {FAINT}{}, {}:{FAINT:#} {number} in {}\n",
        visible(host),
        visible(user),
        visible(system),
        paint::count(*files, "file")
    );
    let around = compared.count(|verdict| verdict == Verdict::AroundGate);
    let unapproved = compared.count(Verdict::is_unapproved);
    let through = compared.count(|verdict| verdict == Verdict::ThroughGate);
    let mut used = 0;
    for (style, number, words) in [
        (GOOD, through, "through the gate"),
        (WARN, around, "around the gate"),
        (BAD, unapproved, "unapproved"),
        (BAD, compared.with_secrets(), "with secrets in plain text"),
        (WARN, unreadable.len(), "unreadable"),
    ] {
        let part = format!("{number} {words}");
        if number == 0 {
            continue;
        }
        let breaks = used + 2 + paint::columns(&part) >= paint::WIDTH;
        let gap = match used {
            0 => "  ",
            _ if breaks => ",\n  ",
            _ => ", ",
        };
        used = if breaks { 0 } else { used } + 2 + paint::columns(&part);
        let _infallible = write!(page, "{gap}{style}{part}{style:#}");
    }
    if used > 0 {
        page.push('\n');
    }
    page
}

fn body(compared: &Compared, home: &str) -> String {
    let mut page = String::new();
    let mut file = None;
    for judged in &compared.entries {
        let entry = &judged.entry;
        let place = (&entry.file, &entry.project);
        if file.replace(place) != Some(place) {
            let scope = match (entry.scope, &entry.project) {
                (_, Some(project)) => format!("  {FAINT}for {}{FAINT:#}", visible(&short(project, home))),
                (Scope::Machine, None) => format!("  {FAINT}for everybody{FAINT:#}"),
                (Scope::User | Scope::Project, None) => String::new(),
            };
            let path = short(&entry.file, home);
            let _infallible = writeln!(page, "\n{NAME}{}{NAME:#}  {}{scope}", entry.client, visible(&path));
        }
        page.push_str(&one(judged));
    }
    for one in &compared.unreadable {
        let path = short(&one.file, home);
        let _infallible = writeln!(page, "\n{NAME}{}{NAME:#}  {}", one.client, visible(&path));
        let why = wrapped(&visible(&one.why), INDENT);
        let _infallible = writeln!(page, "  {WARN}{:<12}{WARN:#}  {why}", "unreadable");
    }
    page
}

fn one(judged: &Judged) -> String {
    let Judged { entry, verdict, server, endpoints, concerns } = judged;
    let (style, word) = match verdict {
        Some(Verdict::ThroughGate) => (GOOD, "through"),
        Some(Verdict::NoEndpoint) => (WARN, "no endpoint"),
        Some(Verdict::AroundGate) => (WARN, "around"),
        Some(Verdict::NotApproved | Verdict::Unknown) => (BAD, "unapproved"),
        Some(Verdict::Unclear) => (WARN, "unclear"),
        None => (FAINT, "found"),
    };
    let off = if entry.enabled { "" } else { " (switched off)" };
    let mut page = format!("  {style}{word:<12}{style:#}  {NAME}{}{NAME:#}{off}\n", visible(&entry.name));
    let mut row = |style: Style, text: &str| {
        let _infallible = writeln!(page, "{:INDENT$}{style}{}{style:#}", "", wrapped(&visible(text), INDENT));
    };
    row(Style::new(), &target(&entry.target));
    match (verdict, server) {
        (Some(Verdict::AroundGate), Some(server)) => {
            let way = match endpoints.as_slice() {
                [] => "no endpoint offers it yet".to_owned(),
                [one] => format!("go through {one}"),
                [..] => format!("go through one of {}", endpoints.join(", ")),
            };
            row(WARN, &format!("goes around the gate, where it is approved as `{server}`: {way}"));
        }
        (Some(Verdict::NotApproved), Some(server)) => {
            row(BAD, &format!("the gate knows it as `{server}`, and it is not approved"));
        }
        (Some(Verdict::NoEndpoint), _) => row(WARN, "the gate has no such endpoint"),
        (Some(_) | None, _) => {}
    }
    concerns.iter().for_each(|concern| {
        let (style, text) = self::concern(concern);
        row(style, &text);
    });
    page
}

fn target(target: &Target) -> String {
    match target {
        Target::Remote { url, by: None } => url.clone(),
        Target::Remote { url, by: Some(by) } => format!("{url}, by {by}"),
        Target::Local { program, arguments, .. } => {
            let line = std::iter::once(program).chain(arguments).cloned().collect::<Vec<_>>().join(" ");
            paint::cut(&line, 160)
        }
        Target::Unclear => "the entry names neither a command nor a URL that could be read".to_owned(),
    }
}

fn concern(concern: &Concern) -> (Style, String) {
    match concern {
        Concern::PlainSecret { place } => (BAD, format!("secret in plain text: {place}")),
        Concern::PlainHttp => (WARN, "plain http: whoever is on the way reads and changes what is said".to_owned()),
        Concern::AnyVersion { package: Package { ecosystem, name, .. } } => {
            (WARN, format!("whichever {name} of {} is newest is run at every start", ecosystem.word()))
        }
        Concern::Shell => (WARN, "a shell reads the command".to_owned()),
    }
}

fn next(compared: &Compared) -> String {
    let around = compared.entries.iter().any(|judged| !judged.endpoints.is_empty());
    let unapproved = compared.count(Verdict::is_unapproved) > 0;
    let words = match (compared.compared, around, unapproved) {
        (false, _, _) => "no gate was asked what is approved: name one with --config, or with --admin and --token-file",
        (true, true, _) => "portcullis inventory --fix",
        (true, false, true) => "portcullis server submit FILE, for those that are needed; take the others out",
        (true, false, false) => return String::new(),
    };
    format!("\n{FAINT}next:{FAINT:#}  {}\n", wrapped(words, 7))
}

/// A path with `~` for the home.
fn short(path: &str, home: &str) -> String {
    let below = path.strip_prefix(home).filter(|rest| !home.is_empty() && rest.starts_with(std::path::MAIN_SEPARATOR));
    below.map_or_else(|| path.to_owned(), |rest| format!("~{rest}"))
}

/// Every host that was reported.
pub(super) fn hosts(rows: &[HostRow]) -> String {
    if rows.is_empty() {
        return format!("no host was reported yet\n\n{FAINT}next:{FAINT:#}  portcullis inventory --report URL\n");
    }
    let plain = Style::new();
    let number =
        |style: Style, number: usize| if number == 0 { (FAINT, "0".to_owned()) } else { (style, number.to_string()) };
    let cells = rows.iter().map(|row| {
        vec![
            (NAME, paint::cut(&visible(&row.host), 20)),
            (plain, paint::cut(&visible(&row.user), 12)),
            number(plain, row.servers),
            number(WARN, row.around_gate),
            number(BAD, row.unapproved),
            number(BAD, row.with_secrets),
            (FAINT, paint::moment(row.at)),
        ]
    });
    let head = ["host", "user", "servers", "around", "unapproved", "secrets", "reported"];
    paint::table(&head, &cells.collect::<Vec<_>>())
}
