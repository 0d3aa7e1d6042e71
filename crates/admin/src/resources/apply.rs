//! From files to state: a plan that shows what would change, and its application, whole or not at all.

use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream;
use model::{Expected, Revision, limits};
use registry::{Server, ServerManifest};

use crate::desired::Desired;
use crate::fault::Fault;
use crate::port::{Governed, Plan};
use crate::requests::{Apply, PlanRequest};
use crate::route::{Call, Nothing};
use crate::view::{Applied, Look, PlanView};
use crate::{Admin, Edit, Manifests, Person, busy, difference};

/// What was worked out from files and the state they were compared with.
struct Drafted {
    plan: Plan,
    changes: Vec<Edit>,
    warnings: Vec<String>,
}

pub(crate) async fn plan(admin: Arc<Admin>, call: Call<Nothing, Nothing, PlanRequest>) -> Result<PlanView, Fault> {
    let governed = admin.state.read().await?;
    let revision = governed.revision.0;
    let Drafted { plan: _, changes, warnings } = draft(&admin, governed, call.body.manifests).await?;
    Ok(PlanView { revision, changes, warnings })
}

pub(crate) async fn apply(admin: Arc<Admin>, call: Call<Nothing, Nothing, Apply>) -> Result<Applied, Fault> {
    let Apply { manifests, expected, reason } = call.body;
    let governed = admin.state.read().await?;
    let Drafted { plan, changes, warnings: _ } = draft(&admin, governed, manifests).await?;
    // The store compares the revision again, in the transaction; whatever changed since then, nothing happens.
    let change = admin.change(&call.person, Expected::At(expected), reason)?;
    let servers = [plan.servers.create.clone(), plan.servers.update.clone()].concat();
    let revision = if plan.is_empty() { expected } else { admin.state.apply(plan, change).await? };
    let (mut last, mut looked_at) = (revision, Vec::new());
    let looking = servers.into_iter().map(|manifest| look(Arc::clone(&admin), call.person.clone(), manifest));
    let mut looks = stream::iter(looking).buffered(limits::VETTINGS_AT_ONCE_MAX);
    while let Some((look, observed)) = looks.next().await {
        last = last.max(observed.unwrap_or(last));
        looked_at.push(look);
    }
    let done = admin.done(last).await;
    Ok(Applied { revision: done.revision, in_effect: done.in_effect, changes, looked_at })
}

async fn draft(admin: &Admin, governed: Governed, manifests: Manifests) -> Result<Drafted, Fault> {
    let vocabularies = Arc::clone(&admin.vocabularies);
    busy(move || {
        let desired = Desired::read(manifests)?;
        let summaries = desired.check(&governed, &vocabularies)?;
        let plan = desired.plan(&governed);
        let changes = difference::of_plan(&plan, &governed);
        let warned = summaries.iter().flat_map(|summary| {
            summary.warnings.iter().map(move |warning| format!("{}:{}: {warning}", summary.file, summary.line))
        });
        let warnings = warned.chain(desired.notes(&governed)).collect();
        Ok(Drafted { changes, warnings, plan })
    })
    .await?
}

/// Looks at a server that is new or changed. That it cannot be reached yet undoes nothing.
async fn look(admin: Arc<Admin>, person: Person, manifest: ServerManifest) -> (Look, Option<Revision>) {
    let mut look =
        Look { server: manifest.name.to_string(), digest: None, tools: 0, awaits_approval: true, unseen: None };
    match super::servers::observe_submitted(&admin, &person, &manifest).await {
        Ok((observed, revision)) => {
            look.digest = Some(observed.digest.to_string());
            look.tools = observed.definitions.tools.len();
            let server = admin.registry.server(&manifest.name).await;
            look.awaits_approval = !server.is_ok_and(|server| is_as_approved(&server));
            (look, Some(revision))
        }
        Err(fault) => {
            look.unseen = Some(fault.message().to_owned());
            (look, None)
        }
    }
}

fn is_as_approved(server: &Server) -> bool {
    server.in_service().is_some() && registry::difference(server).is_some_and(|difference| !difference.needs_a_person())
}
