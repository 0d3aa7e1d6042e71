//! Whether everything that names something else names something that is there.

use std::collections::HashSet;

use model::{ServerName, StoreError, ZoneName};
use registry::manifest::ZONE_INTERNET;
use registry::{AgentManifest, EndpointManifest, ServerManifest};

/// What stands in the state after a change, before it is committed.
pub(crate) struct Standing {
    pub(crate) zones: Vec<ZoneName>,
    pub(crate) servers: Vec<ServerManifest>,
    /// Those of them that are retired: they are in no zone any more.
    pub(crate) retired: HashSet<ServerName>,
    pub(crate) endpoints: Vec<EndpointManifest>,
    pub(crate) agents: Vec<AgentManifest>,
}

impl Standing {
    /// Refuses a state in which an endpoint names no server, a server no zone or an agent no endpoint, and one in which two
    /// agents are one client. Without this a removal would leave
    /// endpoints behind that look declared and are not there.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let zones: HashSet<_> = self.zones.iter().map(ZoneName::as_str).collect();
        if zones.contains(ZONE_INTERNET) {
            return Err(StoreError::Refused(format!("the zone `{ZONE_INTERNET}` is built in and cannot be declared")));
        }
        let there = self.servers.iter().filter(|server| !self.retired.contains(&server.name));
        let placed = there.flat_map(|server| server.zones().map(move |zone| (&server.name, zone)));
        let unzoned =
            placed.into_iter().find(|(_, zone)| zone.as_str() != ZONE_INTERNET && !zones.contains(zone.as_str()));
        if let Some((name, zone)) = unzoned {
            return Err(StoreError::Refused(format!("server `{name}` is in zone `{zone}`, which is not declared")));
        }
        let servers: HashSet<_> = self.servers.iter().map(|server| &server.name).collect();
        let named = self.endpoints.iter().flat_map(|endpoint| endpoint.servers().map(move |server| (endpoint, server)));
        if let Some((endpoint, server)) = named.into_iter().find(|(_, server)| !servers.contains(server)) {
            let name = &endpoint.name;
            return Err(StoreError::Refused(format!("endpoint `{name}` names server `{server}`, which is not there")));
        }
        let endpoints: HashSet<_> = self.endpoints.iter().map(|endpoint| &endpoint.name).collect();
        let (mut clients, mut certificates) = (HashSet::new(), HashSet::new());
        for AgentManifest { name, endpoints: own, clients: theirs, certificate, .. } in &self.agents {
            if let Some(endpoint) = own.iter().find(|endpoint| !endpoints.contains(endpoint)) {
                let why = format!("agent `{name}` names endpoint `{endpoint}`, which is not there");
                return Err(StoreError::Refused(why));
            }
            if theirs.iter().any(|client| !clients.insert((&client.issuer, &client.id))) {
                return Err(StoreError::Refused(format!("a client of agent `{name}` is another agent too")));
            }
            if certificate.as_ref().is_some_and(|certificate| !certificates.insert(certificate)) {
                return Err(StoreError::Refused(format!("the certificate of agent `{name}` is another agent's too")));
            }
        }
        Ok(())
    }
}
