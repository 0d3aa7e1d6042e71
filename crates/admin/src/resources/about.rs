//! The gate itself: is it there, is it ready, how is it.

use std::sync::Arc;

use axum::http::StatusCode;
use identity::people::Known;
use identity::port::SessionKind;
use model::{Actor, Timestamp, limits};
use registry::{Standing, difference};
use serde_json::Value;

use crate::fault::{Code, Fault};
use crate::route::{Call, Nothing, Words};
use crate::view::{InspectionView, KnownBy, Revisions, Servers, SignedOut, Status, WhoAmI};
use crate::{Admin, Person, openapi as document, table};

/// Always the same word: whoever asks without a token learns only that something is there.
pub(crate) fn healthz(_admin: &Admin) -> Words {
    Words { status: StatusCode::OK, text: "ok\n".to_owned() }
}

pub(crate) fn readyz(admin: &Admin) -> Words {
    match is_ready(admin) {
        true => Words { status: StatusCode::OK, text: "ready\n".to_owned() },
        false => Words { status: StatusCode::SERVICE_UNAVAILABLE, text: "not ready\n".to_owned() },
    }
}

pub(crate) fn metrics(admin: &Admin) -> Words {
    Words { status: StatusCode::OK, text: (admin.metrics)() }
}

pub(crate) async fn openapi(_admin: Arc<Admin>, _call: Call) -> Result<Value, Fault> {
    Ok(document::document(&table::routes()))
}

pub(crate) async fn whoami(_admin: Arc<Admin>, call: Call) -> Result<WhoAmI, Fault> {
    let Person { who, roles, session } = call.person;
    let (known_by, csrf) = match &session {
        None => (KnownBy::Token, None),
        Some(session) => {
            let csrf = (session.kind == SessionKind::Browser).then(|| session.csrf.as_str().to_owned());
            (KnownBy::from(session.kind), csrf)
        }
    };
    let (name, account) = match who {
        Actor::SignedIn(account) => (account.name.clone(), Some((account.issuer, account.subject))),
        Actor::Person(_) | Actor::User(_) | Actor::Gate => (who.to_string(), None),
    };
    let (issuer, subject) = account.unzip();
    Ok(WhoAmI { name, roles, known_by, issuer, subject, ends: session.map(|session| session.ends.0), csrf })
}

pub(crate) async fn sign_out(admin: Arc<Admin>, call: Call<Nothing, Nothing, Nothing>) -> Result<SignedOut, Fault> {
    let Person { who, roles, session } = call.person;
    let (Some(entrance), Some(session)) = (&admin.entrance, session) else {
        let message = "a token is no session, and is good until settings name it no more";
        return Err(Fault::new(Code::Refused, message).with_next("ask whoever keeps the gate's settings"));
    };
    entrance.sign_out(&Known { who, roles, session }).await?;
    Ok(SignedOut { signed_out: true })
}

pub(crate) async fn revision(admin: Arc<Admin>, _call: Call) -> Result<Revisions, Fault> {
    let (revision, _servers) = admin.registry.servers().await?;
    Ok(Revisions { revision: revision.0, in_effect: admin.in_effect().0 })
}

pub(crate) async fn status(admin: Arc<Admin>, _call: Call) -> Result<Status, Fault> {
    let governed = admin.state.read().await?;
    let mut servers = Servers::default();
    let soon = Timestamp(admin.clock.now().0.saturating_add(limits::EXPIRY_REMINDER_MILLISECONDS));
    for server in &governed.servers {
        match server.standing {
            Standing::Draft => servers.drafts += 1,
            Standing::Suspended => servers.suspended += 1,
            Standing::Quarantined => servers.quarantined += 1,
            Standing::Retired => servers.retired += 1,
            Standing::Approved | Standing::Vetted | Standing::Submitted if server.in_service().is_some() => {
                servers.in_service += 1;
                servers.expiring += usize::from(server.ends_by(soon));
                servers.warned += usize::from(server.warnings.iter().any(|warning| !warning.settled));
                servers.drifted +=
                    usize::from(difference(server).is_some_and(|difference| difference.needs_a_person()));
            }
            // Approved under another identity is no approval.
            Standing::Approved | Standing::Vetted | Standing::Submitted => servers.submitted += 1,
        }
    }
    let checks = (admin.readiness)();
    Ok(Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ready: checks.iter().all(|check| check.ready),
        checks,
        revision: governed.revision.0,
        in_effect: admin.in_effect().0,
        servers,
        endpoints: governed.endpoints.len(),
        policy_files: governed.policies.len(),
        halts: admin.halts.current().all().len(),
        issuers: (admin.issuers)(),
        vetting: admin.vetting.view(),
    })
}

/// Findings that are not told, and who else looks into messages.
pub(crate) async fn inspection(admin: Arc<Admin>, _call: Call) -> Result<InspectionView, Fault> {
    Ok((admin.inspection)())
}

fn is_ready(admin: &Admin) -> bool {
    (admin.readiness)().iter().all(|check| check.ready)
}
