//! Everything a server says of itself, read whole, so that people can approve it.

use std::collections::HashSet;
use std::time::Duration;

use http::HeaderMap;
use model::{Digest, PromptName, ToolName, canonical_json, limits};
use serde_json::{Map, Value};
use tokio::time::timeout;
use wire::{ParamHeaders, Revision, outgoing};

use crate::ask::{Question, printable};
use crate::{AskError, Route};

const METHOD_NOT_FOUND: i64 = -32601;
const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

/// What a server says of itself. Definitions are as the server wrote them, with every field, in its order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Definitions {
    /// Its `serverInfo`; null if it gave none. Self-reported.
    pub server_info: Value,
    /// What it tells models about how to use it.
    pub instructions: Option<String>,
    /// Its capabilities.
    pub capabilities: Value,
    /// The protocol revisions it speaks.
    pub supported_versions: Vec<String>,
    /// Its tools.
    pub tools: Vec<Named>,
    /// Its prompts.
    pub prompts: Vec<Named>,
    /// Its resource templates.
    pub templates: Vec<Named>,
    /// What it also lists and nobody can use.
    pub excluded: Vec<Excluded>,
}

/// One definition, with the name it has in its list.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// The tool's or prompt's name, or the URI template.
    pub name: String,
    /// The definition, whole.
    pub value: Value,
}

/// A definition that nobody can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excluded {
    /// The list it stands in.
    pub listing: Listing,
    /// Its name, shortened and made printable; empty if it has none.
    pub name: String,
    /// Why it cannot be used.
    pub why: String,
}

/// A list of definitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// Tools.
    Tools,
    /// Prompts.
    Prompts,
    /// Resource templates.
    Templates,
}

/// Why a server's definitions could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// One of the requests was not answered.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// The server speaks no revision that the gate speaks.
    #[error("the server speaks {supported:?}, and the gate {}", Revision::SUPPORTED.first().map_or("none", |r| r.as_str()))]
    Version {
        /// What it speaks.
        supported: Vec<String>,
    },
    /// Two definitions of one list have one name, so that a name would not say which is meant.
    #[error("`{method}` lists more than once: {names:?}")]
    Duplicates {
        /// The list's method.
        method: &'static str,
        /// The names, shortened and made printable; at most ten.
        names: Vec<String>,
    },
    /// A list comes back to a page it already gave.
    #[error("`{method}` gave a cursor again")]
    CursorRepeated {
        /// The list's method.
        method: &'static str,
    },
    /// The server says more than the gate reads.
    #[error("the server lists more than {bound}")]
    TooMuch {
        /// The limit that was reached, with its unit.
        bound: String,
    },
    /// Reading took longer than [`limits::DISCOVERY_MILLISECONDS_MAX`].
    #[error("the server's definitions were not read within {} ms", limits::DISCOVERY_MILLISECONDS_MAX)]
    TimedOut,
}

impl Listing {
    /// Every list, in the order they are read.
    pub const ALL: [Self; 3] = [Self::Tools, Self::Prompts, Self::Templates];

    /// The method that reads the list.
    pub fn method(self) -> &'static str {
        match self {
            Self::Tools => "tools/list",
            Self::Prompts => "prompts/list",
            Self::Templates => "resources/templates/list",
        }
    }

    /// The capability of a server that has the list.
    fn capability(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
            Self::Templates => "resources",
        }
    }

    /// The member of a result that holds the list.
    fn member(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
            Self::Templates => "resourceTemplates",
        }
    }

    /// The member of a definition that names it.
    fn name(self) -> &'static str {
        match self {
            Self::Tools | Self::Prompts => "name",
            Self::Templates => "uriTemplate",
        }
    }
}

/// Reads everything a server says of itself: `server/discover`, then all pages of the lists its capabilities name.
/// `credential` writes the server's credential into each request's headers.
///
/// # Errors
/// When a request is not answered properly, a bound of `model::limits` is reached, or names repeat. There is no
/// partial answer: what was not read whole cannot be approved.
pub async fn discover(
    route: &Route,
    credential: impl Fn(&mut HeaderMap) + Send + Sync,
) -> Result<Definitions, DiscoverError> {
    let limit = Duration::from_millis(limits::DISCOVERY_MILLISECONDS_MAX);
    timeout(limit, read(route, &credential)).await.unwrap_or(Err(DiscoverError::TimedOut))
}

async fn read(
    route: &Route,
    credential: &(impl Fn(&mut HeaderMap) + Send + Sync),
) -> Result<Definitions, DiscoverError> {
    let question = Question::new("server/discover", 1);
    let said = question.ask(route, credential, outgoing::discover(&question.id)).await?;
    let mut definitions = introduction(&question, said)?;
    let mut reader = Reader { route, credential, asked: 1, count: 0, bytes: 0, excluded: Vec::new() };
    for listing in Listing::ALL {
        if definitions.capabilities.get(listing.capability()).is_none_or(Value::is_null) {
            continue;
        }
        let listed = reader.all(listing).await?;
        match listing {
            Listing::Tools => definitions.tools = listed,
            Listing::Prompts => definitions.prompts = listed,
            Listing::Templates => definitions.templates = listed,
        }
    }
    definitions.excluded = reader.excluded;
    Ok(definitions)
}

/// What `server/discover` says.
fn introduction(question: &Question, mut said: Map<String, Value>) -> Result<Definitions, DiscoverError> {
    let versions: Option<Vec<String>> = match said.remove("supportedVersions") {
        Some(Value::Array(versions)) => versions.iter().map(|one| one.as_str().map(printable)).collect(),
        Some(_) | None => None,
    };
    let supported_versions = versions.ok_or_else(|| question.malformed("`supportedVersions` is no list of texts"))?;
    if !supported_versions.iter().any(|one| one == Revision::V2026_07_28.as_str()) {
        return Err(DiscoverError::Version { supported: supported_versions.into_iter().take(10).collect() });
    }
    let capabilities = match said.remove("capabilities") {
        Some(capabilities @ Value::Object(_)) => capabilities,
        Some(_) | None => return Err(question.malformed("`capabilities` is no object").into()),
    };
    let instructions = match said.remove("instructions") {
        Some(Value::String(text)) => Some(text),
        Some(Value::Null) | None => None,
        Some(_) => return Err(question.malformed("`instructions` is no text").into()),
    };
    if instructions.as_ref().is_some_and(|text| text.len() > limits::DEFINITION_BYTES_MAX) {
        return Err(DiscoverError::TooMuch {
            bound: format!("{} bytes of instructions", limits::DEFINITION_BYTES_MAX),
        });
    }
    let server_info = match said.get_mut("_meta").and_then(|meta| meta.get_mut(SERVER_INFO)) {
        Some(info) => info.take(),
        None => said.remove("serverInfo").unwrap_or_default(),
    };
    Ok(Definitions { server_info, instructions, capabilities, supported_versions, ..Definitions::default() })
}

/// Reads lists, within bounds that hold for all of a server's lists together.
struct Reader<'a, C> {
    route: &'a Route,
    credential: &'a C,
    asked: i64,
    count: usize,
    bytes: usize,
    excluded: Vec<Excluded>,
}

impl<C: Fn(&mut HeaderMap) + Send + Sync> Reader<'_, C> {
    /// All pages of one list.
    async fn all(&mut self, listing: Listing) -> Result<Vec<Named>, DiscoverError> {
        let method = listing.method();
        let mut listed = Vec::new();
        let (mut names, mut repeated) = (HashSet::new(), Vec::new());
        let mut cursors = HashSet::new();
        let mut cursor: Option<String> = None;
        for _ in 0..limits::LISTING_PAGES_MAX {
            let (items, next) = self.page(listing, cursor.as_deref()).await?;
            for item in items {
                let name = item.get(listing.name()).and_then(Value::as_str).unwrap_or_default().to_owned();
                if !name.is_empty() && !names.insert(name.clone()) && repeated.len() < 10 {
                    repeated.push(printable(&name));
                }
                if let Some(named) = self.take(listing, name, item)? {
                    listed.push(named);
                }
            }
            let Some(next) = next else {
                return if repeated.is_empty() {
                    Ok(listed)
                } else {
                    Err(DiscoverError::Duplicates { method, names: repeated })
                };
            };
            if !cursors.insert(Digest::of(next.as_bytes())) {
                return Err(DiscoverError::CursorRepeated { method });
            }
            cursor = Some(next);
        }
        Err(DiscoverError::TooMuch { bound: format!("{} pages of `{method}`", limits::LISTING_PAGES_MAX) })
    }

    /// One page: its items, and the cursor of the next.
    async fn page(
        &mut self,
        listing: Listing,
        cursor: Option<&str>,
    ) -> Result<(Vec<Value>, Option<String>), DiscoverError> {
        self.asked += 1;
        let question = Question::new(listing.method(), self.asked);
        let request = outgoing::list(Revision::V2026_07_28, listing.method(), cursor, &question.id);
        let mut page = match question.ask(self.route, self.credential, request).await {
            // A server may have resources and no templates, and not know the method at all.
            Err(AskError::Answered { code: METHOD_NOT_FOUND, .. }) if listing == Listing::Templates => {
                return Ok((Vec::new(), None));
            }
            page => page?,
        };
        let Some(Value::Array(items)) = page.remove(listing.member()) else {
            return Err(question.malformed(format!("`{}` is no list", listing.member())).into());
        };
        match page.remove("nextCursor") {
            Some(Value::String(next)) if !next.is_empty() => Ok((items, Some(next))),
            Some(Value::String(_) | Value::Null) | None => Ok((items, None)),
            Some(_) => Err(question.malformed("`nextCursor` is no text").into()),
        }
    }

    /// Counts a definition, and sets it aside if nobody can use it.
    fn take(&mut self, listing: Listing, name: String, value: Value) -> Result<Option<Named>, DiscoverError> {
        self.count += 1;
        if self.count > limits::DEFINITIONS_PER_SERVER_MAX {
            let bound = format!("{} definitions", limits::DEFINITIONS_PER_SERVER_MAX);
            return Err(DiscoverError::TooMuch { bound });
        }
        let canonical = canonical_json(&value).map(|canonical| canonical.len());
        self.bytes = self.bytes.saturating_add(canonical.as_ref().copied().unwrap_or_default());
        if self.bytes > limits::DEFINITIONS_BYTES_MAX {
            let bound = format!("{} bytes of definitions", limits::DEFINITIONS_BYTES_MAX);
            return Err(DiscoverError::TooMuch { bound });
        }
        let why = match canonical {
            Err(_) => Some("it has no canonical form".to_owned()),
            Ok(bytes) if bytes > limits::DEFINITION_BYTES_MAX => {
                Some(format!("it has more than {} bytes", limits::DEFINITION_BYTES_MAX))
            }
            Ok(_) => unusable(listing, &name, &value),
        };
        if let Some(why) = why {
            self.excluded.push(Excluded { listing, name: printable(&name), why });
            return Ok(None);
        }
        Ok(Some(Named { name, value }))
    }
}

/// Why nobody can use a definition, if so.
fn unusable(listing: Listing, name: &str, value: &Value) -> Option<String> {
    match listing {
        Listing::Tools => {
            let named = name.parse::<ToolName>().map(drop).map_err(|error| error.to_string());
            let schema = value.get("inputSchema").unwrap_or(&Value::Null);
            // The specification has clients leave such tools out (MCP 2026-07-28, streamable HTTP, SEP-2243).
            let annotated = || ParamHeaders::compile(schema).map(drop).map_err(|error| error.to_string());
            named.and_then(|()| annotated()).err()
        }
        Listing::Prompts => name.parse::<PromptName>().err().map(|error| error.to_string()),
        Listing::Templates if name.is_empty() || name.len() > limits::URI_BYTES_MAX => {
            Some(format!("a URI template has 1 to {} bytes", limits::URI_BYTES_MAX))
        }
        Listing::Templates if name.chars().any(char::is_control) => {
            Some("its URI template has control characters".to_owned())
        }
        Listing::Templates => None,
    }
}

#[cfg(test)]
mod tests;
