//! Whether everything that names something else names something that is there.

use std::collections::HashSet;

use model::{StoreError, ZoneName};
use registry::manifest::ZONE_INTERNET;
use registry::{EndpointManifest, ServerManifest};

/// What stands in the state after a change, before it is committed.
pub(crate) struct Standing {
    pub(crate) zones: Vec<ZoneName>,
    pub(crate) servers: Vec<ServerManifest>,
    pub(crate) endpoints: Vec<EndpointManifest>,
}

impl Standing {
    /// Refuses a state in which an endpoint names no server or a server no zone. Without this a removal would leave
    /// endpoints behind that look declared and are not there.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let zones: HashSet<_> = self.zones.iter().map(ZoneName::as_str).collect();
        if zones.contains(ZONE_INTERNET) {
            return Err(StoreError::Refused(format!("the zone `{ZONE_INTERNET}` is built in and cannot be declared")));
        }
        let placed = self.servers.iter().filter_map(|server| Some((&server.name, &server.address()?.zone)));
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
        Ok(())
    }
}
