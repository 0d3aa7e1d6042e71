//! The gate itself: is it there, is it ready, how is it.

use std::sync::Arc;

use axum::http::StatusCode;
use registry::{Standing, difference};
use serde_json::Value;

use crate::fault::Fault;
use crate::route::{Call, Words};
use crate::view::{Revisions, Servers, Status, WhoAmI};
use crate::{Admin, openapi as document, table};

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
    Ok(WhoAmI { name: call.person.name, roles: call.person.roles })
}

pub(crate) async fn revision(admin: Arc<Admin>, _call: Call) -> Result<Revisions, Fault> {
    let (revision, _servers) = admin.registry.servers().await?;
    Ok(Revisions { revision: revision.0, in_effect: admin.in_effect().0 })
}

pub(crate) async fn status(admin: Arc<Admin>, _call: Call) -> Result<Status, Fault> {
    let governed = admin.state.read().await?;
    let mut servers = Servers::default();
    for server in &governed.servers {
        match server.standing {
            Standing::Suspended => servers.suspended += 1,
            Standing::Approved | Standing::Submitted if server.in_service().is_some() => {
                servers.in_service += 1;
                servers.drifted +=
                    usize::from(difference(server).is_some_and(|difference| difference.needs_a_person()));
            }
            // Approved under another identity is no approval.
            Standing::Approved | Standing::Submitted => servers.submitted += 1,
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
    })
}

fn is_ready(admin: &Admin) -> bool {
    (admin.readiness)().iter().all(|check| check.ready)
}
