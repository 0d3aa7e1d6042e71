//! How servers, their definitions and differences look.

use std::fmt::Write as _;

use admin::view::{CredentialHealth, Deed, Dossier, Drift, Item, LeftAlone, Offer, ScopeRow, Traffic};
use admin::{Action, Edit, Line, Mark};
use registry::{CommandManifest, Credential, GrantHolder, GrantKind, GrantSubject, Place};
use serde_json::{Map, Value};

use super::paint::{self, BAD, FAINT, GOOD, NAME, WARN, visible, wrapped};
use super::{json, judged, lifecycle, looked, offered, package, vetting};

/// What changes, thing by thing and line by line.
pub(crate) fn edits(edits: &[Edit]) -> String {
    edits.iter().map(edit).collect()
}

fn edit(edit: &Edit) -> String {
    let (style, sign) = match edit.action {
        Action::Create => (GOOD, '+'),
        Action::Update => (WARN, '~'),
        Action::Delete => (BAD, '-'),
    };
    let Edit { kind, name, .. } = edit;
    let mut page = format!("\n{style}{sign} {kind}{style:#} {NAME}{}{NAME:#}\n", visible(name));
    if let Some(note) = &edit.note {
        let _infallible = writeln!(page, "  {WARN}{}{WARN:#}", wrapped(&visible(note), 2));
    }
    page.extend(edit.lines.iter().map(line));
    page
}

fn line(Line { mark, text }: &Line) -> String {
    let text = wrapped(&visible(text), 8);
    match mark {
        Mark::Same => format!("    {FAINT}  {text}{FAINT:#}\n"),
        Mark::Added => format!("    {GOOD}+ {text}{GOOD:#}\n"),
        Mark::Removed => format!("    {BAD}- {text}{BAD:#}\n"),
        Mark::Gap => format!("    {FAINT}  …{FAINT:#}\n"),
    }
}

/// `2 to add, 1 to change, 0 to remove`.
pub(crate) fn tally(edits: &[Edit]) -> String {
    let number = |action| edits.iter().filter(|edit| edit.action == action).count();
    let (create, update, delete) = (number(Action::Create), number(Action::Update), number(Action::Delete));
    format!("{create} to add, {update} to change, {delete} to remove")
}

/// All that is known of a server, its definitions named but not read out.
pub(crate) fn dossier(dossier: &Dossier) -> String {
    of(dossier, None)
}

/// The same, and of its definitions only those with a text in their name, if one is given.
pub(crate) fn of(dossier: &Dossier, named: Option<&str>) -> String {
    let manifest = &dossier.manifest;
    let name = manifest.name.as_str();
    let mut page = format!("{NAME}{name}{NAME:#}  {}\n", lifecycle::standing(&dossier.standing, dossier.in_service));
    let mut row = |label: &str, text: &str| {
        let _infallible = writeln!(page, "  {FAINT}{label:<12}{FAINT:#}{}", wrapped(&visible(text), 14));
    };
    row("purpose", manifest.purpose.as_str());
    row("owner", manifest.owner.as_str());
    if let Some(environment) = &manifest.environment {
        row("environment", environment.as_str());
    }
    if !manifest.data.is_empty() {
        row("data", &manifest.data.iter().map(|class| class.as_str()).collect::<Vec<_>>().join(", "));
    }
    match &manifest.place {
        Place::At(address) => {
            row("url", address.url.as_str());
            row("zone", address.zone.as_str());
            if let Some(tls) = &address.tls {
                row("shown", &format!("the certificate {}", tls.certificate.as_str()));
            }
            if let Some(credential) = &address.credential {
                row("credential", &presented(credential));
            }
        }
        Place::Started(command) => command_rows(command).iter().for_each(|(label, text)| row(label, text)),
    }
    if let Some(name) = &manifest.published_as {
        row("published", name.as_str());
    }
    if let Some(package) = &manifest.package {
        package::asked(package).iter().for_each(|(label, text)| row(label, text));
    }
    row("submitted", &deed(&dossier.submitted));
    dossier.approved.iter().for_each(|one| row("approved", &deed(one)));
    dossier.expires.iter().for_each(|end| row("until", &paint::moment(*end)));
    dossier.suspended.iter().for_each(|one| row(&dossier.standing, &deed(one)));
    if let Some(offer) = &dossier.pinned {
        row("pinned", &summary(offer));
    }
    if let Some(offer) = &dossier.observed {
        row("seen", &summary(offer));
        row("digest", &offer.digest);
    }
    dossier.credentials.iter().for_each(|one| row("held", &held(one)));
    dossier.scopes.iter().for_each(|one| row("scope", &scope(one)));
    if let Some(traffic) = &dossier.traffic {
        row("calls", &calls(traffic));
    }
    page.push_str(&lifecycle::since(dossier));
    page.push_str(&vetting::brief(dossier.vetting.as_ref()));
    page.push_str(&offered::names(dossier, named));
    dossier.package.iter().for_each(|kept| page.push_str(&package::kept(kept)));
    dossier.probe.iter().for_each(|kept| page.push_str(&looked::probe(kept)));
    dossier.trial.iter().for_each(|kept| page.push_str(&looked::trial(kept)));
    page.push_str(&offered::mentions(&dossier.mentions, offered::TOLD_MAX));
    page.push_str(&judged::judgement(dossier.judgement.as_ref()));
    page.push_str(&next(dossier));
    page
}

/// How one credential is.
fn held(health: &CredentialHealth) -> String {
    let CredentialHealth { holder, issuer, requested, granted, connected, obtained_at, renew_at, expires_at, .. } =
        health;
    let mut parts = vec![holder.clone()];
    parts.extend(issuer.iter().map(|issuer| format!("of {issuer}")));
    parts.extend(connected.iter().map(|by| format!("connected {}", deed(by))));
    let missing: Vec<&str> = requested.iter().filter(|one| !granted.contains(one)).map(String::as_str).collect();
    if !granted.is_empty() {
        parts.push(format!("scopes {}", granted.join(" ")));
    }
    if !missing.is_empty() {
        parts.push(format!("not given {}", missing.join(" ")));
    }
    for (word, at) in [("given out", obtained_at), ("renewed at", renew_at), ("over at", expires_at)] {
        parts.extend(at.iter().map(|at| format!("{word} {}", paint::moment(*at))));
    }
    parts.extend(health.since.iter().map(|at| format!("the same since {}", paint::moment(*at))));
    parts.extend(health.due_at.iter().map(|at| format!("another one due {}", paint::moment(*at))));
    parts.extend(health.late_days.iter().map(|days| format!("late by {days} days: replace it")));
    let failed = health.failure.iter().zip(health.failed_at);
    parts.extend(failed.map(|(why, at)| format!("failed {}: {why}", paint::moment(at))));
    parts.join(", ")
}

/// What became of one scope.
fn scope(row: &ScopeRow) -> String {
    let ScopeRow { scope, granted_at, asked_at, used_at } = row;
    let told = |word: &str, never: &str, at: &Option<u64>| {
        at.map_or_else(|| never.to_owned(), |at| format!("{word} {}", paint::moment(at)))
    };
    let [granted, asked, used] = [
        told("given", "never given", granted_at),
        told("asked for", "never asked for", asked_at),
        told("used", "not known to be used", used_at),
    ];
    format!("{scope}: {granted}, {asked}, {used}")
}

/// The calls under way, and why there are none.
fn calls(traffic: &Traffic) -> String {
    let Traffic { places, under_way, waiting, left_alone } = traffic;
    let calls = format!("{under_way} of {places} under way, {waiting} waiting");
    let alone = left_alone.as_ref().map(|LeftAlone { failures, again_in_milliseconds }| {
        let seconds = again_in_milliseconds.div_ceil(1_000);
        format!("; it failed {failures} times in a row and is left alone: tried again in {seconds} s")
    });
    calls + &alone.unwrap_or_default()
}

/// A local server's command, exactly: what would run, with what it would be given.
pub(crate) fn command(command: &CommandManifest) -> String {
    let row =
        |(label, text): (&str, String)| format!("  {FAINT}{label:<12}{FAINT:#}{}\n", wrapped(&visible(&text), 14));
    command_rows(command).into_iter().map(row).collect()
}

fn command_rows(command: &CommandManifest) -> Vec<(&'static str, String)> {
    let mut rows = vec![("program", quoted(command.program.as_str()))];
    rows.extend(command.arguments.iter().map(|argument| ("argument", quoted(argument))));
    let directory = command.directory.as_ref().map_or("an empty one of its own".to_owned(), |one| quoted(one.as_str()));
    rows.push(("directory", directory));
    for (name, value) in &command.environment {
        let warning = if name.names_code() { "  (an interpreter may run code from there)" } else { "" };
        rows.push(("variable", format!("{name}={}{warning}", quoted(value.as_str()))));
    }
    for (name, secret) in &command.secrets {
        let warning = if name.names_code() { "  (an interpreter may run code from there)" } else { "" };
        rows.push(("secret", format!("{name} from {secret}{warning}")));
    }
    match &command.jail {
        None => rows.push(("jail", "none: it has the files and the network of the gate's user".to_owned())),
        Some(jail) => {
            rows.push(("jail", "no network, no other process, the system's programs".to_owned()));
            rows.extend(jail.reads.iter().map(|path| ("may read", quoted(path.as_str()))));
            rows.extend(jail.writes.iter().map(|path| ("may write", quoted(path.as_str()))));
        }
    }
    let limits = &command.limits;
    rows.push((
        "limits",
        format!(
            "{} of memory, {}, {} open in each, {} in a file",
            paint::bytes(limits.memory_bytes()),
            paint::count(usize::try_from(limits.processes()).unwrap_or(usize::MAX), "process"),
            paint::count(usize::try_from(limits.open_files()).unwrap_or(usize::MAX), "file"),
            paint::bytes(limits.file_bytes()),
        ),
    ));
    rows
}

/// A text of a command, in quotation marks, so that where it begins and ends is seen.
fn quoted(text: &str) -> String {
    format!("{text:?}")
}

fn deed(deed: &Deed) -> String {
    let reason = deed.reason.iter().map(|reason| format!(": {reason}")).collect::<String>();
    format!("{} by {}{reason}", paint::moment(deed.at), deed.by)
}

fn summary(offer: &Offer) -> String {
    let number = |kind: &str| paint::count(offer.definitions.iter().filter(|item| item.kind == kind).count(), kind);
    let at = offer.at.iter().map(|at| format!(", {}", paint::moment(*at))).collect::<String>();
    format!("{}, {}, {}{at}", number("tool"), number("prompt"), number("template"))
}

/// What to do about a server next.
fn next(dossier: &Dossier) -> String {
    let name = dossier.manifest.name.as_str();
    let drifted = dossier.difference.as_ref().is_some_and(|drift| !drift.is_none());
    let told = match (&dossier.unseen, &dossier.observed) {
        _ if dossier.standing == "retired" => return String::new(),
        _ if dossier.standing == "draft" => "portcullis server submit FILE, when it is ready".to_owned(),
        _ if dossier.standing == "quarantined" => format!("portcullis server release {name}, or retire {name}"),
        (Some(why), _) => format!("it could not be looked at: {why}; then: portcullis server check {name}"),
        (None, None) if dossier.manifest.command().is_some() => format!(
            "it was never started; if you may approve it and this command is right: portcullis server check {name}"
        ),
        (None, None) => format!("portcullis server check {name}"),
        // What came by itself is ended by an approval.
        (None, Some(_)) if dossier.standing == "suspended" && dossier.warnings.iter().all(|one| one.settled) => {
            format!("portcullis server resume {name}")
        }
        (None, Some(_)) if !dossier.in_service => format!("portcullis server approve {name}"),
        (None, Some(_)) if drifted => format!("portcullis server diff {name}"),
        (None, Some(_)) => return String::new(),
    };
    format!("\n{FAINT}next:{FAINT:#}  {}\n", wrapped(&visible(&told), 7))
}

/// What changed since the approval.
pub(crate) fn drift(name: &str, drift: &Drift) -> String {
    if drift.is_none() {
        return format!("{NAME}{name}{NAME:#} is {GOOD}as it was approved{GOOD:#}\n");
    }
    let mut page = format!("{NAME}{name}{NAME:#} is {WARN}not as it was approved{WARN:#}\n");
    if drift.identity_changed {
        let text =
            "its address, zone, credential or command changed: nothing of it is reachable until it is approved again";
        let _infallible = writeln!(page, "  {BAD}{}{BAD:#}", wrapped(text, 2));
    }
    if let Some(noticed) = &drift.noticed {
        let _infallible = writeln!(page, "  {FAINT}noticed{FAINT:#}  {}", wrapped(&visible(&deed(noticed)), 11));
    }
    page.push_str(&judged::graded(&drift.graded));
    page.push_str(&edits(&drift.changes));
    page
}

/// Everything that an approval would pin, read out whole; or those definitions with a text in their name.
pub(crate) fn offer(offer: &Offer, named: Option<&str>) -> String {
    let mut page = String::new();
    let info = inline(&offer.server_info);
    let _infallible = writeln!(page, "  {FAINT}calls itself{FAINT:#}  {}", wrapped(&visible(&info), 16));
    let versions = offer.versions.join(", ");
    let _infallible = writeln!(page, "  {FAINT}speaks{FAINT:#}        {}", wrapped(&visible(&versions), 16));
    if let Some(instructions) = &offer.instructions {
        let text = wrapped(&visible(instructions), 16);
        let _infallible = writeln!(page, "  {FAINT}tells models{FAINT:#}  {text}");
    }
    page.extend(offered::named(offer, named).map(item));
    for left in &offer.excluded {
        let text = format!("{} {}: {}", left.kind, visible(&left.name), visible(&left.why));
        let _infallible = writeln!(page, "\n{BAD}left out{BAD:#} {}", wrapped(&text, 9));
    }
    page
}

/// One definition. Every member of it is on the screen: some in words, the rest as JSON.
fn item(item: &Item) -> String {
    let Item { kind, name, digest, .. } = item;
    let digest = short(digest);
    let mut page = format!("\n{GOOD}+ {kind}{GOOD:#} {NAME}{}{NAME:#}  {FAINT}{digest}{FAINT:#}\n", visible(name));
    let mut rest = match &item.definition {
        Value::Object(members) => members.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    };
    rest.retain(|key, value| !(matches!(key.as_str(), "name" | "uriTemplate") && value == name));
    if let Some(Value::String(text)) = rest.remove("description") {
        let _infallible = writeln!(page, "    {}", wrapped(&visible(&text), 4));
    }
    if let Some(Value::Object(schema)) = rest.get_mut("inputSchema") {
        page.push_str(&arguments(schema));
        if schema.is_empty() {
            rest.remove("inputSchema");
        }
    }
    if !rest.is_empty() {
        let text = json::fitted(&Value::Object(rest), 4);
        let _infallible = writeln!(page, "    {FAINT}{}{FAINT:#}", visible(&text));
    }
    for pointer in &item.accepts_undeclared {
        let place = if pointer.is_empty() { "anywhere" } else { pointer };
        let text = format!("takes arguments its schema does not name, at {}", visible(place));
        let _infallible = writeln!(page, "    {WARN}{}{WARN:#}", wrapped(&text, 4));
    }
    page
}

/// A tool's arguments, one a line; what was put in words is taken out of the schema.
fn arguments(schema: &mut Map<String, Value>) -> String {
    let required = match schema.get("required") {
        Some(Value::Array(names)) => names.clone(),
        Some(_) | None => Vec::new(),
    };
    let Some(Value::Object(properties)) = schema.remove("properties") else {
        return String::new();
    };
    if schema.get("type").is_some_and(|kind| kind == "object") {
        schema.remove("type");
    }
    let every_one_is_shown =
        required.iter().all(|name| name.as_str().is_some_and(|name| properties.contains_key(name)));
    if every_one_is_shown {
        schema.remove("required");
    }
    let width = properties.keys().map(|name| paint::columns(name) + 1).max().unwrap_or_default().min(24);
    let mut page = String::new();
    for (name, mut property) in properties {
        let must = if required.iter().any(|one| *one == name) { " " } else { "?" };
        let pad = " ".repeat(width.saturating_sub(paint::columns(&name) + 1));
        let mut words = format!("{must}{pad}");
        if let Value::Object(members) = &mut property {
            for key in ["type", "description"] {
                if let Some(Value::String(text)) = members.remove(key) {
                    let _infallible = write!(words, "  {text}");
                }
            }
            if !members.is_empty() {
                let _infallible = write!(words, "  {}", inline(&Value::Object(members.clone())));
            }
        } else {
            let _infallible = write!(words, "  {}", inline(&property));
        }
        let text = wrapped(&visible(&words), width + 6);
        let _infallible = writeln!(page, "    {NAME}{}{NAME:#}{text}", visible(&name));
    }
    page
}

fn inline(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// Enough of a digest to tell two apart on a screen.
pub(crate) fn short(digest: &str) -> String {
    digest.strip_prefix("sha256:").unwrap_or(digest).chars().take(8).collect()
}

/// What a server is given, in words.
fn presented(credential: &Credential) -> String {
    match credential {
        Credential::Key(key) => format!("{} in header {}", key.secret, key.header),
        Credential::Grant(grant) => {
            let holder = match grant.holder {
                GrantHolder::User => "each person's own",
                GrantHolder::Agent => "each agent's own",
                GrantHolder::Shared => "shared",
            };
            let who = match (grant.kind, grant.subject) {
                (GrantKind::AuthorizationCode, _) => "a person agrees to",
                (GrantKind::ClientCredentials, _) => "the gate asks for",
                (GrantKind::TokenExchange, GrantSubject::Gate) => "the gate asks for on their behalf",
                (GrantKind::TokenExchange, GrantSubject::SignIn) => "their ID token is exchanged for",
                (GrantKind::IdentityAssertion, _) => "their identity provider vouches for",
            };
            let issuer = grant.issuer.as_ref().map_or("the server's authorization server", |issuer| issuer.as_str());
            format!("tokens that {who} at {issuer}, {holder}")
        }
    }
}
