//! Vetting a server: everything that is found of it, each check a line; and what somebody accepts of that.

use std::sync::Arc;

use model::{Actor, Change, Expected, ServerName};
use registry::{Server, Standing};

use super::servers::judged;
use crate::fault::{Code, Fault};
use crate::port::KeptPackage;
use crate::requests::{Accept, Because, ServerPath};
use crate::route::{Call, Nothing};
use crate::vetting::{Facts, VettingCheck, Whom, report};
use crate::view::{Done, VettingReport};
use crate::{Admin, busy};

/// Vets a server now. What became known of it is raised by the way, as it would be by itself.
pub(crate) async fn vet(admin: Arc<Admin>, call: Call<ServerPath, Nothing, Because>) -> Result<VettingReport, Fault> {
    let name = call.path.name;
    let change = admin.change(&call.person, Expected::Any, call.body.reason)?;
    may_be_vetted(&admin.registry.server(&name).await?)?;
    admin.vetting.look(&Whom::Only(name.clone())).await?;
    anew(&admin, &name, change).await
}

/// Accepts what a check found: exactly that, and with a reason.
pub(crate) async fn accept(admin: Arc<Admin>, call: Call<ServerPath, Nothing, Accept>) -> Result<Done, Fault> {
    let (name, Accept { check, of, reason }) = (call.path.name, call.body);
    let change = admin.change(&call.person, Expected::Any, Some(reason))?;
    admin.vetting.look(&Whom::Only(name.clone())).await?;
    let (_revision, servers) = admin.registry.servers().await?;
    let found = vetted(&admin, &name, &Arc::new(servers)).await?;
    let row = found.checks.iter().find(|row| row.check == check);
    if row.is_none_or(|row| row.of != of.to_string()) {
        let message = format!("`{}` of server `{name}` found something else than you read", check.word());
        return Err(Fault::new(Code::Refused, message).with_next(format!("portcullis server vet {name}")));
    }
    let eyes = admin.people.load().eyes(&call.person, admin.entrance.is_some());
    let again = Change { reason: None, ..change.clone() };
    let revision = admin.registry.accept(&name, check.word().to_owned(), of, eyes, change).await?;
    anew(&admin, &name, again).await?;
    Ok(admin.done(revision).await)
}

/// Vets every server that somebody may still approve or uses, as it goes on by itself. What could not be kept of one is told, and
/// stops none of the others.
///
/// # Errors
/// When the state cannot be read.
pub async fn vet_all(admin: &Arc<Admin>) -> Result<(), model::StoreError> {
    let (_revision, servers) = admin.registry.servers().await?;
    let servers = Arc::new(servers);
    for server in servers.iter().filter(|server| may_be_vetted(server).is_ok()) {
        let name = &server.manifest.name;
        let change = Change { actor: Actor::Gate, expected: Expected::Any, at: admin.clock.now(), reason: None };
        let kept = match vetted(admin, name, &servers).await {
            Ok(found) => admin.vettings.keep_vetting(name, found, change).await.map_err(Fault::from),
            Err(fault) => Err(fault),
        };
        if let Err(fault) = kept {
            tracing::error!(server = %name, why = fault.message(), "the server could not be vetted");
        }
    }
    Ok(())
}

/// Vets a server that was submitted just now.
pub(super) async fn anew(admin: &Arc<Admin>, name: &ServerName, change: Change) -> Result<VettingReport, Fault> {
    let (_revision, servers) = admin.registry.servers().await?;
    let found = vetted(admin, name, &Arc::new(servers)).await?;
    admin.vettings.keep_vetting(name, found.clone(), change).await?;
    Ok(found)
}

/// Refuses a server to be approved of which a check says no. It is asked about the server as it is, and not of what was found of it
/// some time ago.
pub(super) async fn must_not_be_blocked(
    admin: &Arc<Admin>,
    name: &ServerName,
    servers: &Arc<Vec<Arc<Server>>>,
) -> Result<(), Fault> {
    let found = vetted(admin, name, servers).await?;
    let blocking: Vec<_> = found.checks.iter().filter(|row| row.blocks).collect();
    let Some(first) = blocking.first() else { return Ok(()) };
    let says: Vec<_> = blocking.iter().map(|row| format!("{}: {}", row.check.word(), row.says)).collect();
    let next = match first.check {
        VettingCheck::Provenance | VettingCheck::Malice => format!(
            "have a better package examined (portcullis server scan PACKAGE --server {name}), or, who may approve it and did not \
             submit it: portcullis server accept {name} {} --reason TEXT",
            first.check.word()
        ),
        check @ (VettingCheck::Definitions
        | VettingCheck::Drift
        | VettingCheck::Package
        | VettingCheck::Advisories
        | VettingCheck::Name
        | VettingCheck::Publisher
        | VettingCheck::Repository
        | VettingCheck::Transport) => format!(
            "portcullis server vet {name}; mend it, or, who may approve it and did not submit it: portcullis server accept {name} {} \
             --reason TEXT",
            check.word()
        ),
    };
    let message = format!("server `{name}` cannot be approved as it is: {}", says.join("; "));
    Err(Fault::new(Code::Refused, message).with_next(next))
}

fn may_be_vetted(server: &Server) -> Result<(), Fault> {
    match server.standing {
        Standing::Submitted | Standing::Vetted | Standing::Approved | Standing::Suspended => Ok(()),
        standing @ (Standing::Draft | Standing::Quarantined | Standing::Retired) => {
            let (name, standing) = (&server.manifest.name, standing.as_str());
            Err(Fault::new(Code::Refused, format!("server `{name}` is {standing}, so it cannot be vetted")))
        }
    }
}

fn find<'a>(servers: &'a [Arc<Server>], name: &ServerName) -> Result<&'a Server, Fault> {
    let found = servers.iter().find(|server| server.manifest.name == *name).map(AsRef::as_ref);
    found.ok_or_else(|| Fault::new(Code::NotFound, format!("there is no server `{name}`")))
}

/// Everything that is found of a server as it is.
async fn vetted(
    admin: &Arc<Admin>,
    name: &ServerName,
    servers: &Arc<Vec<Arc<Server>>>,
) -> Result<VettingReport, Fault> {
    let kept: Option<KeptPackage> = admin.packages.package(name).await?;
    let document = admin.vetting.document(find(servers, name)?).await;
    let advisories = admin.vetting.view().advisories;
    let at = admin.clock.now();
    let (admin, name, servers) = (Arc::clone(admin), name.clone(), Arc::clone(servers));
    busy(move || {
        let server = find(&servers, &name)?;
        let others = servers.iter().map(AsRef::as_ref).filter(|other: &&Server| other.manifest.name != name);
        let others: Vec<&Server> = others.collect();
        let judged = judged(&admin.readings, server, &servers);
        let facts = Facts {
            server,
            others: &others,
            judgement: judged.as_ref().map(|judged| &judged.judgement),
            kept: kept.as_ref(),
            advisories: advisories.as_ref(),
            document: document.as_ref(),
        };
        Ok(report(server, facts.answers(), admin.vetting.modes(), at))
    })
    .await?
}
