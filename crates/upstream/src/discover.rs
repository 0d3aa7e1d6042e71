//! Everything a server says of itself, read whole, so that people can approve it.
//!
//! Whether a server is of 2026-07-28 or keeps sessions shows when it is asked: first in the newer way, and if it
//! unmistakably does not know that, in the older. A server that merely failed is not asked again in another way. Which of
//! the older revisions a server speaks is what it chooses when it is asked for the newest of them.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use model::limits;
use serde_json::{Map, Value};
use tokio::time::timeout;
use wire::answer::{Incoming, Outcome};
use wire::{Revision, outgoing};

use crate::ask::{Credential, Line, Question, printable};
use crate::listing::Reader;
use crate::local::Process;
use crate::route::Way;
use crate::session::agreed;
use crate::{Answer, AskError, Excluded, Fault, Listing, Named, Route, SendError, Session, local};

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

/// Why a server's definitions could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// One of the requests was not answered.
    #[error(transparent)]
    Ask(AskError),
    /// The server speaks no revision that the gate speaks.
    #[error("the server speaks {supported:?}, and the gate {:?}", Revision::SUPPORTED.iter().map(|r| r.as_str()).collect::<Vec<_>>())]
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

/// Reads everything a server says of itself: `server/discover` or `initialize`, then all pages of the lists its
/// capabilities name. `credential` writes the server's credential into each request's headers.
///
/// A local server that is running is asked there and then, in the revision it was started in. One that is not is started
/// for this alone, in a process that ends with it; the route's own process stays unstarted.
///
/// # Errors
/// When a request is not answered properly, a bound of `model::limits` is reached, or names repeat. There is no
/// partial answer: what was not read whole cannot be approved.
pub async fn discover(
    route: &Route,
    credential: impl Fn(&mut HeaderMap) + Send + Sync,
) -> Result<Definitions, DiscoverError> {
    let limit = Duration::from_millis(limits::DISCOVERY_MILLISECONDS_MAX);
    let read = async {
        match route.way() {
            Way::Http(_) => remote(route, &credential).await,
            Way::Local(local) => match local.running() {
                Some(process) => running(&process).await,
                None => local::probe(local.spec()).await,
            },
        }
    };
    let said = timeout(limit, read).await.unwrap_or(Err(DiscoverError::TimedOut));
    if said.is_ok() {
        // Whatever calls found before, the server is there.
        route.turnstile().answered();
    }
    said
}

async fn remote(route: &Route, credential: Credential<'_>) -> Result<Definitions, DiscoverError> {
    let line = Line::Stateless(route, credential);
    if !route.answers_on_one_stream() {
        match introduced(line).await {
            // Only its first answer shows of which kind a server is: what goes wrong later has another reason.
            Err(DiscoverError::Ask(error)) if is_of_sessions(&error) => {}
            Err(error) => return Err(error),
            Ok(definitions) => return lists(line, definitions).await,
        }
    }
    // What is read here is what people approve, so nothing is too old for it but what the gate does not speak.
    let route = route.clone().speaking_at_least(None);
    let (session, greeting) = Session::greet(&route, &Value::Object(Map::new()), credential).await?;
    let read = greeted(Line::Session(&session, credential), greeting).await;
    session.part(credential).await;
    read
}

/// Reads what a running local server says of itself.
pub(crate) async fn running(process: &Arc<Process>) -> Result<Definitions, DiscoverError> {
    let line = Line::Process(process);
    if process.revision().has_sessions() {
        return greeted(line, process.greeting()).await;
    }
    lists(line, introduced(line).await?).await
}

/// Greets a local server that has just started, and tells which revision it chose.
pub(crate) async fn greet(process: &Arc<Process>) -> Result<(Revision, Map<String, Value>), AskError> {
    let question = Question::new("initialize", 0);
    let line = Line::Process(process);
    let result = question.ask(line, outgoing::initialize(&question.id, &Value::Object(Map::new()))).await?;
    let revision = agreed(&question, &result)?;
    process.tell(&outgoing::initialized().body).map_err(|cause| question.unsent(cause.into()))?;
    Ok((revision, result))
}

/// Whether a server of sessions gave this answer to `server/discover` or another request of 2026-07-28.
pub(crate) fn is_of_sessions(error: &AskError) -> bool {
    match error {
        // It knows what was asked, and says what it speaks.
        AskError::Version { supported, .. } => {
            supported.iter().filter_map(|one| Revision::parse(one)).any(Revision::has_sessions)
        }
        // Servers of 2026-07-28 have these codes for what is wrong with a header (-32020) or a capability (-32021);
        // -32603 says that something broke. With anything else a server says that it cannot make sense of a request
        // that every server of 2026-07-28 must know.
        AskError::Answered { code, .. } => !matches!(code, -32603 | -32021 | -32020),
        AskError::Send { source: SendError::Unknown { fault: Fault::Status { status } }, .. } => matches!(
            *status,
            StatusCode::BAD_REQUEST
                | StatusCode::NOT_FOUND
                | StatusCode::METHOD_NOT_ALLOWED
                | StatusCode::NOT_ACCEPTABLE
                | StatusCode::UNSUPPORTED_MEDIA_TYPE
                | StatusCode::UNPROCESSABLE_ENTITY
        ),
        AskError::Send { .. } | AskError::Malformed { .. } => false,
    }
}

/// Whether what came back for a request of 2026-07-28 is what a server says that does not know it: then it is not what it
/// was, and a reason to look at all it says.
pub fn is_of_an_older_kind(came: &Result<Answer, SendError>) -> bool {
    let (status, code) = match came {
        Ok(Answer::Whole { status, body }) if !status.is_success() => match wire::answer::read(body) {
            Ok(Incoming::Response { outcome: Outcome::Error { code, .. }, .. }) => (*status, Some(code)),
            Ok(_) | Err(_) => (*status, None),
        },
        Ok(Answer::Whole { .. } | Answer::Stream(_) | Answer::Accepted) => return false,
        Err(SendError::Unknown { fault: Fault::Status { status } }) => (*status, None),
        Err(_) => return false,
    };
    match status {
        // Its own codes are those of the revision; a method that it does not know it answers with 404 and -32601.
        StatusCode::BAD_REQUEST => code.is_none_or(|code| !matches!(code, -32602 | -32022..=-32020)),
        StatusCode::NOT_FOUND => code.is_none_or(|code| code != -32601),
        status => status == StatusCode::METHOD_NOT_ALLOWED,
    }
}

/// What a server of 2026-07-28 says before its lists.
async fn introduced(line: Line<'_>) -> Result<Definitions, DiscoverError> {
    let question = Question::new("server/discover", 1);
    let mut said = question.ask(line, outgoing::discover(&question.id)).await?;
    let versions: Option<Vec<String>> = match said.remove("supportedVersions") {
        Some(Value::Array(versions)) => versions.iter().map(|one| one.as_str().map(printable)).collect(),
        Some(_) | None => None,
    };
    let supported = versions.ok_or_else(|| question.malformed("`supportedVersions` is no list of texts"))?;
    if !supported.iter().any(|one| one == Revision::V2026_07_28.as_str()) {
        return Err(question.version(&supported).into());
    }
    introduction(&question, said, supported)
}

/// Reads a server that has been greeted.
async fn greeted(line: Line<'_>, greeting: Map<String, Value>) -> Result<Definitions, DiscoverError> {
    let question = Question::new("initialize", 0);
    let supported = vec![line.revision().as_str().to_owned()];
    lists(line, introduction(&question, greeting, supported)?).await
}

async fn lists(line: Line<'_>, mut definitions: Definitions) -> Result<Definitions, DiscoverError> {
    let mut reader = Reader::new(line);
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
    definitions.excluded = reader.excluded();
    Ok(definitions)
}

/// What a server says before its lists.
fn introduction(
    question: &Question,
    mut said: Map<String, Value>,
    supported_versions: Vec<String>,
) -> Result<Definitions, DiscoverError> {
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

impl From<AskError> for DiscoverError {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Version { supported, .. } if supported.iter().all(|one| Revision::parse(one).is_none()) => {
                Self::Version { supported }
            }
            error @ (AskError::Send { .. }
            | AskError::Answered { .. }
            | AskError::Version { .. }
            | AskError::Malformed { .. }) => Self::Ask(error),
        }
    }
}

#[cfg(test)]
mod tests;
