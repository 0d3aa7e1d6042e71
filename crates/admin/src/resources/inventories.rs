//! What hosts reported of their clients, held against what the gate has now.
//!
//! A report is what somebody with a reporter's token said: it is kept with their name, and decides nothing.

use std::sync::Arc;

use inventory::{Compared, Known, KnownEndpoint, KnownServer, Report, Target, Verdict, compared};
use model::{Expected, limits};
use registry::{EndpointManifest, Place, Server};

use crate::fault::{Code, Fault};
use crate::port::{Governed, KeptReport};
use crate::requests::HostPath;
use crate::route::{Call, Nothing};
use crate::view::{HostReport, HostRow};
use crate::{Admin, busy};

pub(crate) async fn compare(admin: Arc<Admin>, call: Call<Nothing, Nothing, Report>) -> Result<Compared, Fault> {
    fits(&call.body)?;
    let known = known(&admin).await?;
    busy(move || compared(&call.body, Some(&known))).await
}

pub(crate) async fn keep(admin: Arc<Admin>, call: Call<Nothing, Nothing, Report>) -> Result<Compared, Fault> {
    fits(&call.body)?;
    let known = known(&admin).await?;
    let change = admin.change(&call.person, Expected::Any, None)?;
    admin.inventories.keep_report(call.body.clone(), change).await?;
    busy(move || compared(&call.body, Some(&known))).await
}

pub(crate) async fn list(admin: Arc<Admin>, _call: Call) -> Result<Vec<HostRow>, Fault> {
    let known = Arc::new(known(&admin).await?);
    let mut rows = Vec::new();
    let mut after = None;
    loop {
        let (page, next) = admin.inventories.reports(after).await?;
        let known = Arc::clone(&known);
        rows.extend(busy(move || page.iter().map(|kept| row(kept, &known)).collect::<Vec<_>>()).await?);
        if next.is_none() {
            return Ok(rows);
        }
        after = next;
    }
}

pub(crate) async fn show(admin: Arc<Admin>, call: Call<HostPath>) -> Result<Vec<HostReport>, Fault> {
    let kept = admin.inventories.reports_of(&call.path.name).await?;
    if kept.is_empty() {
        return Err(Fault::new(Code::NotFound, format!("no host named `{}` was reported", call.path.name)));
    }
    let known = known(&admin).await?;
    let judged = move |kept: KeptReport| HostReport {
        inventory: compared(&kept.report, Some(&known)),
        by: kept.by,
        at: kept.at.0,
    };
    busy(move || kept.into_iter().map(judged).collect()).await
}

/// What the gate has now.
async fn known(admin: &Admin) -> Result<Known, Fault> {
    let Governed { servers, endpoints, .. } = admin.state.read().await?;
    let server = |server: &Arc<Server>| KnownServer {
        name: server.manifest.name.to_string(),
        approved: server.in_service().is_some(),
        target: match &server.manifest.place {
            Place::At(address) => Target::at(address.url.as_str()),
            Place::Started(command) => {
                let arguments: Vec<_> = command.arguments.iter().map(str::to_owned).collect();
                Target::of_command(command.program.as_str(), &arguments)
            }
        },
    };
    let endpoint = |endpoint: &EndpointManifest| KnownEndpoint {
        name: endpoint.name.to_string(),
        servers: endpoint.servers().map(ToString::to_string).collect(),
    };
    Ok(Known {
        bases: admin.agents_urls.clone(),
        servers: servers.iter().map(server).collect(),
        endpoints: endpoints.iter().map(endpoint).collect(),
    })
}

fn row(kept: &KeptReport, known: &Known) -> HostRow {
    let inventory = compared(&kept.report, Some(known));
    HostRow {
        servers: inventory.entries.len(),
        through_gate: inventory.count(|verdict| verdict == Verdict::ThroughGate),
        around_gate: inventory.count(|verdict| verdict == Verdict::AroundGate),
        unapproved: inventory.count(Verdict::is_unapproved),
        with_secrets: inventory.with_secrets(),
        unreadable: inventory.unreadable.len(),
        host: inventory.host,
        user: inventory.user,
        system: inventory.system,
        by: kept.by.clone(),
        at: kept.at.0,
    }
}

/// Refuses what is no report of a host.
fn fits(report: &Report) -> Result<(), Fault> {
    let unfit = |why: String| Err(Fault::new(Code::RequestInvalid, why));
    for name in [&report.host, &report.user, &report.system] {
        let plain = !name.is_empty() && !name.chars().any(char::is_control);
        if !plain || name.len() > limits::INVENTORY_NAME_BYTES_MAX {
            let most = limits::INVENTORY_NAME_BYTES_MAX;
            return unfit(format!("the names of a host, a user and a system are 1 to {most} bytes of plain text"));
        }
    }
    if report.entries.len() > limits::INVENTORY_ENTRIES_MAX {
        return unfit(format!("a host has at most {} servers", limits::INVENTORY_ENTRIES_MAX));
    }
    let bytes = serde_json::to_vec(report).map_or(usize::MAX, |text| text.len());
    if bytes > limits::INVENTORY_REPORT_BYTES_MAX {
        return unfit(format!("a report has at most {} bytes", limits::INVENTORY_REPORT_BYTES_MAX));
    }
    Ok(())
}
