//! Servers: submitted, looked at, read, approved; and taken out of service.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{Expected, Revision, Role, ServerName, limits};
use registry::manifest::ZONE_INTERNET;
use registry::{Difference, Kind, Observed, Place, Server, ServerManifest, difference};
use serde_json::Value;

use super::{lifecycle, looks, packages, vetting};
use crate::difference::edit;
use crate::fault::{Code, Fault};
use crate::readings::{Judged, Readings, Text};
use crate::requests::{Connect, Disconnect, ServerPath, Submit};
use crate::route::{Call, Nothing};
use crate::view::{
    ChangeRow, Deed, Done, Dossier, Drift, Forgotten, Invitation, Item, Left, Offer, ServerRow, WarningRow,
};
use crate::{Action, Admin, Edit, Person, busy};

pub(crate) async fn list(admin: Arc<Admin>, _call: Call) -> Result<Vec<ServerRow>, Fault> {
    let (_revision, servers) = admin.registry.servers().await?;
    Ok(servers.iter().map(|server| row(server)).collect())
}

pub(crate) async fn show(admin: Arc<Admin>, call: Call<ServerPath>) -> Result<Dossier, Fault> {
    told(&admin, &call.path.name).await
}

/// Submits and looks at once, so that the answer already shows what there is to approve. A server that cannot be
/// reached stays submitted, and so does a local one, which nobody starts unread. A draft is kept as it is.
pub(crate) async fn submit(admin: Arc<Admin>, call: Call<Nothing, Nothing, Submit>) -> Result<Dossier, Fault> {
    let Submit { manifest, draft, reason } = call.body;
    let zones = admin.state.zones().await?;
    let zone = manifest.address().map(|address| &address.zone).filter(|zone| zone.as_str() != ZONE_INTERNET);
    if let Some(zone) = zone.filter(|zone| !zones.iter().any(|declared| declared.name == **zone)) {
        let message = format!("zone `{zone}` is not declared");
        return Err(Fault::new(Code::Refused, message).with_next("apply zones/NAME.toml first, or name another zone"));
    }
    let change = admin.change(&call.person, Expected::Any, reason)?;
    if draft {
        let revision = admin.registry.draft(manifest.clone(), change).await?;
        admin.done(revision).await;
        return told(&admin, &manifest.name).await;
    }
    let mut revision = admin.registry.submit(manifest.clone(), change).await?;
    let unseen = match observe_submitted(&admin, &call.person, &manifest).await {
        Ok((_observed, seen)) => {
            revision = seen;
            None
        }
        Err(fault) => Some(fault.message().to_owned()),
    };
    admin.done(revision).await;
    let change = admin.change(&call.person, Expected::Any, None)?;
    vetting::anew(&admin, &manifest.name, change).await?;
    let mut dossier = told(&admin, &manifest.name).await?;
    dossier.unseen = unseen;
    Ok(dossier)
}

pub(crate) async fn check(admin: Arc<Admin>, call: Call<ServerPath, Nothing, Nothing>) -> Result<Dossier, Fault> {
    let server = admin.registry.server(&call.path.name).await?;
    let (_observed, revision) = observe(&admin, &call.person, &server.manifest).await?;
    admin.done(revision).await;
    told(&admin, &call.path.name).await
}

pub(crate) async fn drift(admin: Arc<Admin>, call: Call<ServerPath>) -> Result<Drift, Fault> {
    let server = admin.registry.server(&call.path.name).await?;
    let name = call.path.name;
    let drift = busy(move || drifted(&server)).await?;
    drift.ok_or_else(|| {
        let message = format!("server `{name}` was never approved, or not seen since it was submitted");
        Fault::new(Code::Refused, message).with_next(format!("portcullis server show {name}"))
    })
}

/// Invites whoever opens the answer to connect a server. Only who could approve the server may: its credential may do what
/// theirs may.
pub(crate) async fn connect(admin: Arc<Admin>, call: Call<ServerPath, Nothing, Connect>) -> Result<Invitation, Fault> {
    let server = admin.registry.server(&call.path.name).await?;
    server.may_be_seen().map_err(|error| Fault::new(Code::Refused, error.to_string()))?;
    let invited = admin.credentials.invite(&server.manifest, call.body.holder.as_deref(), &call.person.who).await;
    Ok(Invitation { url: invited.map_err(|why| Fault::new(Code::Refused, why))? })
}

/// Forgets a credential, also of a server that is not there any more.
pub(crate) async fn disconnect(
    admin: Arc<Admin>,
    call: Call<ServerPath, Nothing, Disconnect>,
) -> Result<Forgotten, Fault> {
    let Disconnect { holder, reason } = call.body;
    let change = admin.change(&call.person, Expected::Any, reason)?;
    let forgotten = admin.credentials.disconnect(&call.path.name, &holder, change).await;
    Ok(Forgotten { was_there: forgotten.map_err(|why| Fault::new(Code::Refused, why))? })
}

pub(crate) async fn remove(admin: Arc<Admin>, call: Call<ServerPath>) -> Result<Done, Fault> {
    let change = admin.change(&call.person, Expected::Any, None)?;
    let revision = admin.registry.remove(&call.path.name, change).await?;
    Ok(admin.done(revision).await)
}

/// Looks at a server that was submitted or applied just now. A local one is not started by that: its command would run
/// before anybody who may approve it has read it.
pub(super) async fn observe_submitted(
    admin: &Admin,
    person: &Person,
    manifest: &ServerManifest,
) -> Result<(Observed, Revision), Fault> {
    if manifest.command().is_some() {
        let name = &manifest.name;
        let message = format!("server `{name}` is started by the gate, and was not: its command is to be read first");
        let next = format!("portcullis server show {name}; an approver then runs `portcullis server check {name}`");
        return Err(Fault::new(Code::Refused, message).with_next(next));
    }
    observe(admin, person, manifest).await
}

/// Looks at a server and records what was seen. For a local server this is what starts it, in a process that is thrown
/// away.
async fn observe(admin: &Admin, person: &Person, manifest: &ServerManifest) -> Result<(Observed, Revision), Fault> {
    may_look(admin, person, manifest).await?;
    // What is in quarantine is not even connected to.
    let server = admin.registry.server(&manifest.name).await?;
    server.may_be_seen().map_err(|error| Fault::new(Code::Refused, error.to_string()))?;
    let observed = admin.vetter.vet(manifest).await.map_err(|why| Fault::new(Code::ServerUnusable, why))?;
    let change = admin.change(person, Expected::Any, None)?;
    let recorded = admin.registry.observe(&manifest.name, manifest.identity(), observed.clone(), change).await?;
    Ok((observed, recorded.revision))
}

/// A look presents the server's credential, or runs its command. Who submits a server names address, command and secrets
/// freely, so what nobody approved only those look at who could approve it: else any secret could be sent anywhere, and
/// anything run.
pub(super) async fn may_look(admin: &Admin, person: &Person, manifest: &ServerManifest) -> Result<(), Fault> {
    if !manifest.is_trusted_by_looking() || person.has_one_of(&[Role::Approver]) {
        return Ok(());
    }
    let server = admin.registry.server(&manifest.name).await?;
    if server.pins.is_some_and(|pins| pins.identity == manifest.identity()) {
        return Ok(());
    }
    let name = &manifest.name;
    let message = match &manifest.place {
        Place::At(_) => format!("server `{name}` would be given a credential at an address that nobody approved"),
        Place::Started(_) => format!("server `{name}` would be started by a command that nobody approved"),
    };
    Err(Fault::new(Code::RoleMissing, message).with_next(format!("an approver runs `portcullis server check {name}`")))
}

fn row(server: &Server) -> ServerRow {
    let difference = difference(server).zip(server.pins.as_ref());
    let withheld = difference.map_or(0, |(difference, pins)| difference.count_withheld(pins));
    ServerRow {
        manifest: server.manifest.clone(),
        standing: server.standing.as_str().to_owned(),
        in_service: server.in_service().is_some(),
        tools: server.pins.as_ref().map_or(0, |pins| pins.definitions.tools.len()),
        withheld,
        warned: warned(server),
        expires: server.expires.map(|expires| expires.0),
        seen_at: server.observed.as_ref().map(|observed| observed.at.0),
    }
}

/// The kinds of what became known after the approval and nobody settled.
fn warned(server: &Server) -> Vec<String> {
    let open = server.warnings.iter().filter(|warning| !warning.settled);
    let words: BTreeSet<&str> = open.map(|warning| warning.cause.as_str()).collect();
    words.into_iter().map(str::to_owned).collect()
}

/// All that is known of a server, read beside what the others offer.
async fn told(admin: &Admin, name: &ServerName) -> Result<Dossier, Fault> {
    // Also says when there is no such server.
    let server = admin.registry.server(name).await?;
    let (_revision, servers) = admin.registry.servers().await?;
    let traffic = (admin.traffic)(name);
    let credentials = admin.credentials.health(name).await.map_err(|why| Fault::new(Code::Internal, why))?;
    let scopes = admin.credentials.scopes(name).await.map_err(|why| Fault::new(Code::Internal, why))?;
    let package = packages::of_server(admin, &server.manifest).await?;
    let (probe, trial) = looks::of_server(admin, &server.manifest).await?;
    let comments = lifecycle::of_server(admin, name).await?;
    let vetting = admin.vettings.vetting(name).await?;
    let readings = Arc::clone(&admin.readings);
    busy(move || {
        readings.keep(&servers.iter().map(|server| &server.manifest.name).collect());
        let mut dossier = Dossier {
            traffic,
            credentials,
            scopes,
            package,
            probe,
            trial,
            vetting,
            comments,
            ..dossier(&server, &readings)
        };
        if let Some(judged) = judged(&readings, &server, &servers) {
            (dossier.mentions, dossier.judgement) = (judged.mentions.clone(), Some(judged.judgement.clone()));
        }
        dossier
    })
    .await
}

/// What the words of a server try to do, read beside those of all servers; none if it was not seen.
pub(super) fn judged(readings: &Readings, server: &Server, all: &[Arc<Server>]) -> Option<Arc<Judged>> {
    let read = text_of(server, Newest::Observed)?;
    let all: Vec<_> =
        all.iter().filter_map(|one| Some((&one.manifest.name, text_of(one, Newest::Approved)?))).collect();
    Some(readings.judged(&server.manifest.name, &read, &all))
}

/// Which definitions of a server are wanted, where it has two.
#[derive(Clone, Copy)]
enum Newest {
    /// Those it shows now.
    Observed,
    /// Those that agents read.
    Approved,
}

/// The definitions of a server, with their digest.
fn text_of(server: &Server, newest: Newest) -> Option<Text<'_>> {
    let observed = || server.observed.as_ref().map(|one| Text { definitions: &one.definitions, digest: one.digest });
    let pinned = || server.pins.as_ref().map(|one| Text { definitions: &one.definitions, digest: one.digest });
    match newest {
        Newest::Observed => observed().or_else(pinned),
        Newest::Approved => pinned().or_else(observed),
    }
}

fn dossier(server: &Server, readings: &Readings) -> Dossier {
    let deed = |mark: &registry::Mark| Deed::new(&mark.by, mark.at, None);
    let suspended = server.suspended.as_ref();
    Dossier {
        manifest: server.manifest.clone(),
        standing: server.standing.as_str().to_owned(),
        in_service: server.in_service().is_some(),
        submitted: deed(&server.submitted),
        approved: server.approved.as_ref().map(deed),
        expires: server.expires.map(|expires| expires.0),
        suspended: suspended.map(|suspended| Deed::new(&suspended.by, suspended.at, suspended.reason.as_deref())),
        warnings: server.warnings.iter().map(WarningRow::from).collect(),
        comments: Vec::new(),
        pinned: server.pins.as_ref().map(|pins| offer(&pins.definitions, pins.digest)),
        observed: server.observed.as_ref().map(|observed| observed_offer(&server.manifest.name, observed, readings)),
        difference: drifted(server),
        traffic: None,
        credentials: Vec::new(),
        scopes: Vec::new(),
        mentions: Vec::new(),
        package: None,
        vetting: None,
        probe: None,
        trial: None,
        judgement: None,
        noticed: server.noticed.as_ref().map(noticed),
        unseen: None,
    }
}

fn offer(definitions: &registry::Definitions, digest: model::Digest) -> Offer {
    Offer {
        digest: digest.to_string(),
        at: None,
        server_info: definitions.server_info.clone(),
        instructions: definitions.instructions.clone(),
        versions: definitions.supported_versions.clone(),
        definitions: Item::all(definitions),
        excluded: Vec::new(),
    }
}

/// What an approver reads, so with everything they must know of each schema.
fn observed_offer(name: &ServerName, observed: &Observed, readings: &Readings) -> Offer {
    let mut offer = offer(&observed.definitions, observed.digest);
    offer.at = Some(observed.at.0);
    let read = Text { definitions: &observed.definitions, digest: observed.digest };
    let undeclared = readings.undeclared(name, &read);
    for item in offer.definitions.iter_mut().filter(|item| item.kind == Kind::Tool.as_str()) {
        item.accepts_undeclared = undeclared.get(&item.name).cloned().unwrap_or_default();
    }
    let left = |one: &registry::Excluded| Left {
        kind: one.kind.as_str().to_owned(),
        name: one.name.clone(),
        why: one.why.clone(),
    };
    offer.excluded = observed.excluded.iter().map(left).collect();
    offer
}

/// From what was approved to what is there now, line by line.
fn drifted(server: &Server) -> Option<Drift> {
    let difference = difference(server)?;
    let mut drift = Drift {
        identity_changed: difference.identity_changed,
        changes: Vec::new(),
        graded: difference.changed.iter().map(ChangeRow::from).collect(),
        noticed: server.noticed.as_ref().map(noticed),
    };
    if let (Some(pins), Some(observed)) = (&server.pins, &server.observed) {
        drift.changes = changes(&difference, &pins.definitions, observed);
    }
    Some(drift)
}

fn noticed(noticed: &registry::Noticed) -> Deed {
    Deed::new(&noticed.by, noticed.at, noticed.reason.as_deref())
}

fn changes(difference: &Difference, old: &registry::Definitions, observed: &Observed) -> Vec<Edit> {
    let new = &observed.definitions;
    let mut changes = Vec::new();
    if difference.server_changed {
        let mut one = edit("server", "itself", Action::Update, &of_itself(old), &of_itself(new));
        one.note = difference.downgraded.as_ref().map(|downgrade| format!("{downgrade}: all of it is withheld"));
        changes.push(one);
    }
    if difference.instructions_changed {
        let text = |definitions: &registry::Definitions| definitions.instructions.clone().unwrap_or_default();
        let mut one = edit("instructions", "", Action::Update, &text(old), &text(new));
        one.note = Some("agents still read the approved ones".to_owned());
        changes.push(one);
    }
    let (before, now) = (texts(old), texts(new));
    let text = |texts: &BTreeMap<(Kind, &str), String>, kind, name: &str| {
        texts.get(&(kind, name)).cloned().unwrap_or_default()
    };
    for changed in &difference.changed {
        let (kind, name) = (changed.kind, changed.name.as_str());
        changes.push(edit(kind.as_str(), name, Action::Update, &text(&before, kind, name), &text(&now, kind, name)));
    }
    for added in &difference.added {
        changes.push(edit(added.kind.as_str(), &added.name, Action::Create, "", &text(&now, added.kind, &added.name)));
    }
    for gone in &difference.removed {
        changes.push(edit(gone.kind.as_str(), &gone.name, Action::Delete, &text(&before, gone.kind, &gone.name), ""));
    }
    for unusable in &difference.unusable {
        let why = observed.excluded.iter().find(|one| one.kind == unusable.kind && one.name == unusable.name);
        let old = text(&before, unusable.kind, &unusable.name);
        let mut one = edit(unusable.kind.as_str(), &unusable.name, Action::Delete, &old, "");
        one.note = Some(format!("cannot be approved as it is now: {}", why.map_or("", |one| one.why.as_str())));
        changes.push(one);
    }
    changes.truncate(limits::DEFINITIONS_PER_SERVER_MAX);
    changes
}

/// Every definition as lines of text.
fn texts(definitions: &registry::Definitions) -> BTreeMap<(Kind, &str), String> {
    let of = |kind: Kind| definitions.of(kind).iter().map(move |one| ((kind, one.name.as_str()), pretty(&one.value())));
    Kind::ALL.into_iter().flat_map(of).collect()
}

fn of_itself(definitions: &registry::Definitions) -> String {
    let versions = definitions.supported_versions.join(", ");
    format!("{}\n{}\nversions: {versions}\n", pretty(&definitions.server_info), pretty(&definitions.capabilities))
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
