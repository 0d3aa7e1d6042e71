//! Reading what a local server says of itself, in a process that is there for nothing else.

use std::sync::Arc;
use std::time::Duration;

use model::{limits, with_causes};
use tokio::sync::broadcast;
use tokio::time::timeout;
use wire::{Revision, outgoing};

use super::LocalSpec;
use super::process::Keeper;
use crate::ask::{Line, Question};
use crate::discover::{self, is_of_sessions};
use crate::{AskError, Definitions, DiscoverError, SendError, Unsent};

/// Starts the server and asks it in the newer way; if that is none of its ways, starts it anew and asks in the older. One
/// process for both would not do: some servers end when what they hear first is not a handshake.
pub(crate) async fn probe(spec: &LocalSpec) -> Result<Definitions, DiscoverError> {
    let keeper = spawn(spec, Revision::V2026_07_28).await?;
    let process = keeper.process();
    let question = Question::new("server/discover", 1);
    let limit = Duration::from_millis(limits::LOCAL_PROBE_MILLISECONDS_MAX);
    let asked = timeout(limit, question.ask(Line::Process(&process), outgoing::discover(&question.id))).await;
    match asked {
        Ok(Ok(_)) => return told(&keeper, discover::running(&process).await),
        Ok(Err(error)) if !(is_of_sessions(&error) || process.ending().is_some()) => {
            return told(&keeper, Err(error.into()));
        }
        // It does not know what it was asked, ended over it, or kept silent.
        Ok(Err(_)) | Err(_) => drop(keeper),
    }
    let keeper = spawn(spec, Revision::NEWEST_LEGACY).await?;
    let process = keeper.process();
    let read = async {
        let (revision, said) = discover::greet(&process).await?;
        process.greeted(revision, said);
        discover::running(&process).await
    };
    told(&keeper, read.await)
}

async fn spawn(spec: &LocalSpec, revision: Revision) -> Result<Keeper, DiscoverError> {
    let keeper = Keeper::spawn(spec, revision, &broadcast::Sender::new(1), &Arc::default()).await;
    keeper.map_err(|error| not_started(with_causes(&error)))
}

/// What came of it; if nothing did, with what the process said last.
fn told(keeper: &Keeper, read: Result<Definitions, DiscoverError>) -> Result<Definitions, DiscoverError> {
    match read {
        Err(error) if keeper.process().ending().is_none() => {
            let why = with_causes(&error);
            let words = keeper.last_words(&why);
            if words == why { Err(error) } else { Err(not_started(words)) }
        }
        read => read,
    }
}

fn not_started(why: String) -> DiscoverError {
    let cause = Unsent::NotStarted { why: why.into() };
    AskError::Send { method: "server/discover", source: SendError::NotSent { cause } }.into()
}
