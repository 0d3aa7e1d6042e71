//! Endpoints, zones, agents and policies: what `apply` put there.

use std::sync::Arc;

use policy::PolicySummary;
use registry::{AgentManifest, ZoneManifest};

use crate::desired::compile;
use crate::fault::Fault;
use crate::port::Governed;
use crate::route::Call;
use crate::view::{EndpointRow, PolicyRow};
use crate::vocabularies::Vocabularies;
use crate::{Admin, busy, endpoints};

pub(crate) async fn endpoints(admin: Arc<Admin>, _call: Call) -> Result<Vec<EndpointRow>, Fault> {
    let governed = admin.state.read().await?;
    busy(move || endpoints::rows(&governed, admin.agents_urls.first().map(String::as_str))).await
}

pub(crate) async fn zones(admin: Arc<Admin>, _call: Call) -> Result<Vec<ZoneManifest>, Fault> {
    Ok(admin.state.zones().await?)
}

pub(crate) async fn agents(admin: Arc<Admin>, _call: Call) -> Result<Vec<AgentManifest>, Fault> {
    Ok(admin.state.read().await?.agents)
}

pub(crate) async fn policies(admin: Arc<Admin>, _call: Call) -> Result<Vec<PolicyRow>, Fault> {
    let governed = admin.state.read().await?;
    let vocabularies = Arc::clone(&admin.vocabularies);
    let summaries = busy(move || compiled(&governed, &vocabularies)).await??;
    Ok(summaries.into_iter().map(PolicyRow::from).collect())
}

/// Compiles the policies of a state with the names and approved tools of that state.
///
/// # Errors
/// Everything that is wrong with any of them.
pub(super) fn compiled(governed: &Governed, vocabularies: &Vocabularies) -> Result<Vec<PolicySummary>, Fault> {
    match compile(&governed.policies, &vocabularies.of(governed)) {
        Ok(policies) => Ok(policies.summaries()),
        Err(problems) => Fault::of_problems(problems).map_or(Ok(Vec::new()), Err),
    }
}
