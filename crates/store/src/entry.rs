//! What a change leaves in the outbox: the same words from every backend.

use std::collections::BTreeSet;

use admin::Verdict;
use admin::port::{Edits, Plan};
use admin::view::VettingReport;
use dossier::Examination;
use evidence::{Probe, Trial};
use identity::port::{self, Ended, EndedSession, Family, Grant, Kept, Registered, Session};
use inventory::Report;
use model::{Change, Digest, Role, Scope, ServerName, StoreError, limits};
use registry::{Approval, Consequence, Difference, Eyes, Observed, Place, Reopening, Server, ServerManifest};
use serde_json::{Map, Value, json};

/// An outbox row's content, but for what the transaction adds.
pub(crate) struct Entry {
    pub(crate) what: &'static str,
    pub(crate) subject: String,
    detail: Value,
}

impl Entry {
    pub(crate) fn drafted(manifest: &ServerManifest) -> Self {
        Self::new("server.draft", &manifest.name)
            .with(json!({ "place": place(manifest), "identity": manifest.identity() }))
    }

    pub(crate) fn submitted(manifest: &ServerManifest, before: Option<&Server>) -> Self {
        let identity = manifest.identity();
        Self::new("server.submit", &manifest.name).with(json!({
            "place": place(manifest),
            "identity": identity,
            "new": before.is_none(),
            "identity_changed": before.is_some_and(|server| server.manifest.identity() != identity),
        }))
    }

    pub(crate) fn observed(server: &Server, observed: &Observed) -> Self {
        let definitions = &observed.definitions;
        Self::new("server.observe", &server.manifest.name).with(json!({
            "digest": observed.digest,
            "approved": server.pins.as_ref().map(|pins| pins.digest),
            "tools": definitions.tools.len(),
            "prompts": definitions.prompts.len(),
            "templates": definitions.templates.len(),
            "excluded": observed.excluded.len(),
            "changed": changed(server, observed),
        }))
    }

    pub(crate) fn approved(server: &Server, approval: Approval) -> Self {
        Self::new("server.approve", &server.manifest.name).with(json!({
            "digest": approval.seen,
            "identity": server.manifest.identity(),
            "submitted_by": server.submitted.by,
            "eyes": approval.eyes,
            "expires": server.expires,
        }))
    }

    /// Somebody accepted what vetting found. The reason is beside it.
    pub(crate) fn accepted(server: &Server, check: &str, of: Digest, eyes: Eyes) -> Self {
        Self::new("server.accept", &server.manifest.name).with(json!({
            "check": check,
            "of": of,
            "submitted_by": server.submitted.by,
            "eyes": eyes,
        }))
    }

    /// A server was vetted, and it came out otherwise than before.
    pub(crate) fn vetted(server: &ServerName, report: &VettingReport) -> Self {
        let of = |wanted: Verdict| -> Vec<_> {
            let rows = report.checks.iter().filter(|row| row.verdict == wanted);
            rows.map(|row| json!({ "check": row.check, "severity": row.severity, "of": row.of })).collect()
        };
        let blocks: Vec<_> = report.checks.iter().filter(|row| row.blocks).map(|row| row.check).collect();
        Self::new("server.vet", server).with(json!({
            "points": report.points,
            "found": of(Verdict::Found),
            "could_not_look": of(Verdict::CouldNotLook),
            "blocks": blocks,
        }))
    }

    /// Somebody had a server stand elsewhere.
    pub(crate) fn stood(what: &'static str, server: &Server) -> Self {
        Self::new(what, &server.manifest.name).with(json!({ "standing": server.standing }))
    }

    /// An approval was opened again by itself.
    pub(crate) fn reopened(server: &Server, reopening: &Reopening, consequence: Consequence) -> Self {
        // Of advisories only those are told that were not known.
        let last = server.warnings.last();
        let mut detail = json!({
            "cause": reopening.cause,
            "about": last.map_or(&reopening.about, |warning| &warning.about),
            "consequence": consequence,
            "standing": server.standing,
        });
        let advisories = last.map_or(&[][..], |warning| &warning.advisories);
        if let (Some(detail), false) = (detail.as_object_mut(), advisories.is_empty()) {
            let told: Vec<_> = advisories.iter().take(limits::ADVISORIES_IN_RECEIPT).collect();
            detail.insert("advisories".to_owned(), json!(told));
            detail.insert("advisories_count".to_owned(), advisories.len().into());
        }
        Self::new("server.reopen", &server.manifest.name).with(detail)
    }

    /// Somebody said something of a server. The receipt tells which words, and does not hold them.
    pub(crate) fn commented(server: &ServerName, text: &str) -> Self {
        Self::new("server.comment", server).with(json!({ "digest": Digest::of(text.as_bytes()), "bytes": text.len() }))
    }

    pub(crate) fn removed(server: &Server) -> Self {
        Self::new("server.remove", &server.manifest.name).with(json!({ "place": place(&server.manifest) }))
    }

    pub(crate) fn applied(plan: &Plan) -> Self {
        let zones = edits(&plan.zones, |zone| zone.name.to_string(), ToString::to_string);
        let servers = edits(&plan.servers, |server| server.name.to_string(), ToString::to_string);
        let endpoints = edits(&plan.endpoints, |endpoint| endpoint.name.to_string(), ToString::to_string);
        let agents = edits(&plan.agents, |agent| agent.name.to_string(), ToString::to_string);
        let policies = edits(&plan.policies, |policy| policy.file.clone(), Clone::clone);
        Self {
            what: "state.apply",
            subject: String::new(),
            detail: json!({
                "zones": zones,
                "servers": servers,
                "endpoints": endpoints,
                "agents": agents,
                "policies": policies,
            }),
        }
    }

    pub(crate) fn halted(scope: &Scope, already: bool) -> Self {
        Self::new("halt", scope).with(json!({ "scope": scope, "already": already }))
    }

    pub(crate) fn unhalted(scope: &Scope, was_halted: bool) -> Self {
        Self::new("resume", scope).with(json!({ "scope": scope, "was_halted": was_halted }))
    }

    /// Something was agreed to, for whom and within which bounds. Its receipt holds nothing that opens anything.
    pub(crate) fn granted(what: &'static str, grant: &Grant) -> Self {
        Self::new(what, &grant.agent).with(granted(grant))
    }

    /// Tokens were given out.
    pub(crate) fn given(what: &'static str, family: &Family) -> Self {
        let mut detail = granted(&family.grant);
        if let Some(detail) = detail.as_object_mut() {
            detail.insert("family".to_owned(), json!(family.id));
        }
        Self::new(what, &family.grant.agent).with(detail)
    }

    /// What is good once came again.
    pub(crate) fn reused(what: &str, family: &str) -> Self {
        Self::new("signin.reuse", &family).with(json!({ "what": what, "family": family }))
    }

    /// Families were ended.
    pub(crate) fn ended(ended: &Ended, families: usize) -> Self {
        let (subject, of) = match ended {
            Ended::Family(id) => (id.as_str(), json!({ "family": id })),
            Ended::Subject { issuer, subject } => (subject.as_str(), json!({ "issuer": issuer, "subject": subject })),
            Ended::Session { issuer, session } => (session.as_str(), json!({ "issuer": issuer, "session": session })),
            Ended::Consent { user, client } => (user.as_str(), json!({ "user": user, "client": client })),
        };
        Self::new("signin.end", &subject).with(json!({ "of": of, "families": families }))
    }

    /// A client registered by itself.
    pub(crate) fn registered(client: &Registered) -> Self {
        let detail = json!({ "name": client.name, "redirects": client.redirects });
        Self::new("signin.register", &client.id).with(detail)
    }

    /// A person signed in on the admin side. Who, says the actor.
    pub(crate) fn signed_in(session: &Session, roles: &[Role]) -> Self {
        let Session { kind, person, first, upstream: _, begun: _, ends } = session;
        let roles: Vec<_> = roles.iter().map(|role| role.as_str()).collect();
        Self::new("people.sign-in", &kind.as_str()).with(json!({
            "roles": roles,
            "first": first,
            "acr": person.acr,
            "amr": person.amr,
            "ends": ends,
        }))
    }

    /// Sessions of people ended.
    pub(crate) fn left(ended: &EndedSession, sessions: usize) -> Self {
        let of = match ended {
            EndedSession::One { id: _, whose } => json!({ "account": whose }),
            EndedSession::Subject { issuer, subject } => json!({ "issuer": issuer, "subject": subject }),
            EndedSession::Provider { issuer, session } => json!({ "issuer": issuer, "session": session }),
        };
        Self::new("people.sign-out", &"").with(json!({ "of": of, "sessions": sessions }))
    }

    /// A person signed in and has no role.
    pub(crate) fn no_role() -> Self {
        Self::new("people.refuse", &"")
    }

    /// Somebody connected a server, or the gate registered itself somewhere. What is known of the credential tells where, and
    /// within which scopes.
    pub(crate) fn connected(place: &port::Place, kept: &Kept) -> Self {
        let about: Value = serde_json::from_str(&kept.about).unwrap_or_default();
        Self::new("credential.connect", &place.owner).with(json!({ "holder": place.holder, "about": about }))
    }

    /// Somebody disconnected a server.
    pub(crate) fn disconnected(place: &port::Place, was_there: bool) -> Self {
        Self::new("credential.disconnect", &place.owner).with(json!({ "holder": place.holder, "was_there": was_there }))
    }

    /// Somebody had what is sealed wrapped anew.
    pub(crate) fn rewrapped(count: usize) -> Self {
        Self::new("vault.rewrap", &"vault").with(json!({ "rewrapped": count }))
    }

    /// Somebody reported what a host's clients connect to.
    pub(crate) fn reported(report: &Report) -> Self {
        let with_secrets = report.entries.iter().filter(|entry| !entry.plaintext.is_empty()).count();
        Self::new("inventory.report", &report.host).with(json!({
            "user": report.user,
            "system": report.system,
            "servers": report.entries.len(),
            "with_secrets": with_secrets,
            "unreadable": report.unreadable.len(),
        }))
    }

    /// Somebody had a server's package examined.
    pub(crate) fn examined(server: &ServerName, found: &Examination) -> Self {
        Self::new("server.examine", server).with(json!({
            "package": found.metadata.name,
            "version": found.metadata.version,
            "sha256": found.sha256,
            "made_by": found.provenance.best().map(|proof| format!("{} {}", proof.strength.word(), proof.signer.name())),
            "score": found.points(),
            "findings": found.findings.len(),
        }))
    }

    /// Somebody said that they may, and had a server asked what strangers ask.
    pub(crate) fn probed(server: &ServerName, found: &Probe) -> Self {
        let rules: BTreeSet<_> = found.findings.iter().map(|finding| finding.rule.as_str()).collect();
        Self::new("server.probe", server).with(json!({
            "i_may_probe": true,
            "url": found.url,
            "requests": found.requests,
            "presented": found.presented,
            "worst": evidence::worst(&found.findings),
            "found": rules,
            "cut_short": found.cut_short,
        }))
    }

    /// Somebody had a server's program tried in a jail.
    pub(crate) fn tried(server: &ServerName, found: &Trial) -> Self {
        let rules: BTreeSet<_> = found.findings.iter().map(|finding| finding.rule.as_str()).collect();
        Self::new("server.try", server).with(json!({
            "what": found.what,
            "sha256": found.sha256,
            "ended": found.ended,
            "worst": evidence::worst(&found.findings),
            "found": rules,
            "reached": found.reached.len(),
            "let_through": found.reached.iter().filter(|one| one.allowed).map(|one| &one.place).collect::<Vec<_>>(),
            "touched": found.touched.len(),
        }))
    }

    fn new(what: &'static str, subject: &impl ToString) -> Self {
        Self { what, subject: subject.to_string(), detail: Value::Object(Map::new()) }
    }

    fn with(mut self, detail: Value) -> Self {
        self.detail = detail;
        self
    }

    /// The detail with the person's reason in it. One that would not fit in a record is counted instead of listed,
    /// with its digest, so that it can still be told whether a list is the one that was applied.
    pub(crate) fn detail(self, change: &Change) -> Result<String, StoreError> {
        let whole = serde_json::to_vec(&self.detail).map_err(unwritable)?;
        let mut detail = if whole.len() > limits::OUTBOX_DETAIL_BYTES_MAX {
            json!({ "too_long": true, "digest": Digest::of(&whole), "counts": counts(&self.detail) })
        } else {
            self.detail
        };
        if let (Some(detail), Some(reason)) = (detail.as_object_mut(), &change.reason) {
            detail.insert("reason".to_owned(), Value::String(reason.clone()));
        }
        serde_json::to_string(&detail).map_err(unwritable)
    }
}

/// What of it is not as it was approved, and what follows: the receipt tells what was served, and why.
fn changed(server: &Server, observed: &Observed) -> Value {
    let Some(pins) = server.pins.as_ref().filter(|pins| pins.digest != observed.digest) else {
        return json!([]);
    };
    let difference = Difference::between(pins, observed, server.manifest.accepts());
    let changed = difference.changed.iter().map(|one| {
        let grades: BTreeSet<_> = one.alterations.iter().map(|alteration| alteration.grade).collect();
        json!({ "kind": one.kind, "name": one.name, "digest": one.new, "outcome": one.outcome, "grades": grades })
    });
    changed.collect()
}

/// Where a server is, or the whole command that starts it: the receipt says what was submitted. A command that would
/// crowd out the rest is named by its program, and by the identity beside it.
fn place(manifest: &ServerManifest) -> Value {
    match &manifest.place {
        Place::At(address) => json!({ "url": address.url, "zone": address.zone }),
        Place::Started(command) => {
            let whole = json!({ "command": command });
            let fits = whole.to_string().len() <= limits::OUTBOX_DETAIL_BYTES_MAX / 2;
            if fits { whole } else { json!({ "program": command.program, "too_long": true }) }
        }
    }
}

fn granted(grant: &Grant) -> Value {
    let person = grant.person.as_ref();
    json!({
        "client": grant.client,
        "user": person.map(|person| &person.user),
        "issuer": person.map(|person| &person.issuer),
        "endpoint": grant.endpoint,
        "scopes": grant.scopes,
        "redirect": grant.redirect,
        "acr": person.and_then(|person| person.acr.as_deref()),
        "bound": grant.key.is_some() || grant.certificate.is_some(),
    })
}

fn unwritable(source: serde_json::Error) -> StoreError {
    StoreError::Storage { doing: "write the change down", source: source.into() }
}

fn edits<T, Name>(edits: &Edits<T, Name>, name: fn(&T) -> String, gone: fn(&Name) -> String) -> Value {
    json!({
        "create": edits.create.iter().map(name).collect::<Vec<_>>(),
        "update": edits.update.iter().map(name).collect::<Vec<_>>(),
        "delete": edits.delete.iter().map(gone).collect::<Vec<_>>(),
    })
}

/// The same structure with the length of each list in its place.
fn counts(detail: &Value) -> Value {
    match detail {
        Value::Array(list) => json!(list.len()),
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), counts(value))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Value::Null,
    }
}

#[cfg(test)]
mod tests;
