//! Connecting to a server to see what it offers, and setting aside what nobody could approve.

use std::collections::HashSet;

use http::HeaderMap;
use model::{Clock, Digest, ServerName, ZoneName};
use upstream::{DiscoverError, Listing, Named, Route, RouteError};

use crate::{Definition, Definitions, Excluded, InputSchema, Kind, Observed, ServerManifest, ZoneManifest, catalogue};

/// Why a server could not be seen.
#[derive(Debug, thiserror::Error)]
pub enum VetError {
    /// Its zone is not declared.
    #[error("server `{server}` is in zone `{zone}`, which is not declared")]
    ZoneMissing {
        /// The server.
        server: ServerName,
        /// The zone.
        zone: ZoneName,
    },
    /// It is started by the gate, and reached at no url.
    #[error("server `{server}` is started by the gate, and reached at no url")]
    Started {
        /// The server.
        server: ServerName,
    },
    /// Its url is none a server can be reached at.
    #[error("server `{server}` cannot be reached at its url")]
    Url {
        /// The server.
        server: ServerName,
        /// What is wrong with it; none if it is no URI at all.
        #[source]
        source: Option<RouteError>,
    },
    /// It did not say what it offers.
    #[error("server `{server}` did not say what it offers")]
    Discover {
        /// The server.
        server: ServerName,
        /// What went wrong.
        #[source]
        source: DiscoverError,
    },
    /// What it says of itself has no canonical form, so it cannot be pinned.
    #[error("what server `{server}` says of itself has no canonical form")]
    Canonical {
        /// The server.
        server: ServerName,
        /// What went wrong.
        #[source]
        source: serde_json::Error,
    },
    /// Reading its definitions failed within the gate.
    #[error("reading the definitions of server `{server}` failed")]
    Failed {
        /// The server.
        server: ServerName,
    },
}

/// The way to a submitted server: its url, within the addresses of its zone.
///
/// # Errors
/// When it has no url, its zone is not declared or the url cannot be used.
pub fn route(
    manifest: &ServerManifest,
    zones: &[ZoneManifest],
    client: &egress::Client,
    shows: Option<&egress::Shows>,
) -> Result<Route, VetError> {
    let server = manifest.name.clone();
    let Some(address) = manifest.address() else {
        return Err(VetError::Started { server });
    };
    let Some(reach) = catalogue::reach(&address.zone, zones) else {
        return Err(VetError::ZoneMissing { server, zone: address.zone.clone() });
    };
    let Ok(url) = address.url.as_str().parse() else {
        return Err(VetError::Url { server, source: None });
    };
    let lane = client.lane_that_shows(server.as_str(), &reach, shows);
    Route::new(server.clone(), url, lane).map_err(|source| VetError::Url { server, source: Some(source) })
}

/// Reads everything a server says of itself. What nobody could approve, such as a tool whose schema is unusable, is
/// set aside with the reason; the rest can be approved. `before` is what was seen last: what has not changed since
/// then is not examined again.
///
/// # Errors
/// When the server did not answer whole.
pub async fn vet(
    route: &Route,
    credential: impl Fn(&mut HeaderMap) + Send + Sync,
    before: Option<&Observed>,
    clock: &dyn Clock,
) -> Result<Observed, VetError> {
    let server = &route.server;
    let said = upstream::discover(route, credential).await;
    let said = said.map_err(|source| VetError::Discover { server: server.clone(), source })?;
    examined(server, said, before, clock).await
}

/// The same of what was read already, as from a process that was just started.
///
/// # Errors
/// When it has no canonical form.
pub async fn examined(
    server: &ServerName,
    said: upstream::Definitions,
    before: Option<&Observed>,
    clock: &dyn Clock,
) -> Result<Observed, VetError> {
    let server = server.clone();
    let known: HashSet<Digest> =
        before.iter().flat_map(|observed| &observed.definitions.tools).map(|tool| tool.digest).collect();
    // Digesting and compiling thousands of definitions takes seconds of one core, which no other task should wait for.
    let examined = tokio::task::spawn_blocking(move || examine(said, &known)).await;
    let (definitions, excluded) = examined.map_err(|_| VetError::Failed { server: server.clone() })?;
    Observed::new(definitions, clock.now(), excluded).map_err(|source| VetError::Canonical { server, source })
}

/// Digests every definition and compiles the schemas of tools that are not `known` to be usable.
fn examine(said: upstream::Definitions, known: &HashSet<Digest>) -> (Definitions, Vec<Excluded>) {
    let set_aside =
        said.excluded.into_iter().map(|one| Excluded { kind: kind(one.listing), name: one.name, why: one.why });
    let mut excluded: Vec<_> = set_aside.collect();
    let mut digest = |kind, named: Vec<Named>| -> Vec<Definition> {
        let mut usable = Vec::with_capacity(named.len());
        for Named { name, value } in named {
            match Definition::new(name.clone(), &value) {
                Ok(definition) => match unusable(kind, &definition, known) {
                    Some(why) => excluded.push(Excluded { kind, name, why }),
                    None => usable.push(definition),
                },
                Err(_) => excluded.push(Excluded { kind, name, why: "it has no canonical form".to_owned() }),
            }
        }
        usable
    };
    let definitions = Definitions {
        server_info: said.server_info,
        instructions: said.instructions,
        capabilities: said.capabilities,
        supported_versions: said.supported_versions,
        tools: digest(Kind::Tool, said.tools),
        prompts: digest(Kind::Prompt, said.prompts),
        templates: digest(Kind::Template, said.templates),
    };
    (definitions, excluded)
}

/// Why nobody could approve the definition, if so.
fn unusable(kind: Kind, definition: &Definition, known: &HashSet<Digest>) -> Option<String> {
    match kind {
        Kind::Tool if known.contains(&definition.digest) => None,
        Kind::Tool => InputSchema::compile(&definition.input_schema()).err().map(|error| error.to_string()),
        Kind::Prompt | Kind::Template => None,
    }
}

fn kind(listing: Listing) -> Kind {
    match listing {
        Listing::Tools => Kind::Tool,
        Listing::Prompts => Kind::Prompt,
        Listing::Templates => Kind::Template,
    }
}

#[cfg(test)]
mod tests;
