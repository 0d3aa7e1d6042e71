//! What policies can talk about, of the state there is.

use std::sync::Arc;

use model::EndpointName;
use policy::{ServerVocabulary, ToolVocabulary, Vocabulary};
use registry::{Definition, Pins, Server};

use crate::kept::Kept;
use crate::port::Governed;

/// The names that policies can use, with the approved tools of every server. A server that is suspended keeps its tools
/// here, so that suspending and resuming one changes no policy's meaning. The data path's policies are compiled with it
/// too, so that what is checked before a change is what happens after it.
///
/// A server's part is made once for what was approved of it, and shared: a change of one among a thousand reads the
/// definitions of one.
#[derive(Default)]
pub struct Vocabularies(Kept<ServerVocabulary>);

impl Vocabularies {
    /// The vocabulary of a state; what was kept of servers that are not there any more is forgotten.
    pub fn of(&self, governed: &Governed) -> Vocabulary {
        self.0.keep(&governed.servers.iter().map(|server| &server.manifest.name).collect());
        self.among(&governed.servers, governed.endpoints.iter().map(|endpoint| &endpoint.name))
    }

    /// The vocabulary of these servers and endpoints.
    pub(crate) fn among<'state>(
        &self,
        servers: impl IntoIterator<Item = &'state Arc<Server>>,
        endpoints: impl IntoIterator<Item = &'state EndpointName>,
    ) -> Vocabulary {
        Vocabulary {
            endpoints: endpoints.into_iter().cloned().collect(),
            servers: servers.into_iter().map(|server| self.server(server)).collect(),
        }
    }

    fn server(&self, server: &Server) -> Arc<ServerVocabulary> {
        let name = &server.manifest.name;
        match &server.pins {
            Some(Pins { definitions, digest, .. }) => self.0.of(name, *digest, || ServerVocabulary {
                name: name.clone(),
                tools: definitions.tools.iter().filter_map(tool).collect(),
            }),
            None => Arc::new(ServerVocabulary { name: name.clone(), tools: Vec::new() }),
        }
    }
}

fn tool(definition: &Definition) -> Option<ToolVocabulary> {
    // A name that is none of the model's cannot be called either.
    let name = definition.name.parse().ok()?;
    let classes = if registry::is_memory(definition) { vec!["memory"] } else { Vec::new() };
    Some(ToolVocabulary::new(name, Arc::clone(&definition.raw), classes))
}

#[cfg(test)]
mod tests;
