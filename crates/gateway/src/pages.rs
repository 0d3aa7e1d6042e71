//! Resources over several servers: the pages of one server after those of another, under cursors of the gate's own.
//!
//! A cursor names the server whose page comes next and, after a `:`, the server's own cursor if it gave one. It proves
//! nothing: what a caller writes into one only leads where the caller could have got to page by page.

use model::{Object, Reason, Refusal, ServerName, Timestamp};
use policy::Action;
use registry::{Member, Naming};

use crate::controls::connect::Connected;

/// Whose page is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) server: ServerName,
    /// The server's own cursor; none for its first page.
    pub(crate) cursor: Option<String>,
}

/// The servers whose resources are listed one after another: those that have some here, as far as the caller may see them.
/// One that is withheld whole is passed over.
pub(crate) fn turns(connected: &Connected, now: Timestamp) -> impl Iterator<Item = &ServerName> {
    let sees = move |server: &&ServerName| {
        connected.decide(Action::List, &Object::Server { server: (*server).clone() }, now).is_ok()
    };
    let members = connected.door.endpoint.members.iter();
    let members = members.filter(|member| lists(member) && !member.server.withheld);
    members.map(|member| &member.server.name).filter(sees)
}

/// Whether a server has resources here and said that it can list them.
pub(crate) fn lists(member: &Member) -> bool {
    member.has_resources() && member.server.capabilities.get("resources").is_some()
}

/// Finds the page that a cursor names; without one, the first.
///
/// # Errors
/// [`Reason::ParamsInvalid`] for a cursor that is none of the gate's, [`Reason::MethodUnknown`] where nobody has resources.
pub(crate) fn find(connected: &Connected, cursor: Option<&str>, now: Timestamp) -> Result<Page, Refusal> {
    let endpoint = &connected.door.endpoint;
    let first = endpoint.members.first().map(|member| member.server.name.clone());
    let first = first.ok_or_else(|| Refusal::new(Reason::Internal, "an endpoint without servers"))?;
    if endpoint.naming == Naming::Plain {
        return Ok(Page { server: first, cursor: cursor.map(str::to_owned) });
    }
    let mut turns = turns(connected, now);
    match cursor {
        None => match turns.next() {
            Some(server) => Ok(Page { server: server.clone(), cursor: None }),
            None if endpoint.members.iter().any(lists) => Ok(Page { server: first, cursor: None }),
            None => Err(Refusal::new(Reason::MethodUnknown, "no server of the endpoint has resources here")),
        },
        Some(cursor) => {
            let (server, theirs) = split(cursor);
            let unknown =
                || Refusal::new(Reason::ParamsInvalid, "a cursor the gate did not give").with_hint("unknown cursor");
            let server = turns.find(|turn| turn.as_str() == server).ok_or_else(unknown)?.clone();
            Ok(Page { server, cursor: theirs.map(str::to_owned) })
        }
    }
}

/// The cursor of the page that follows one of `server`'s, which gave `theirs` for its own next.
pub(crate) fn next(connected: &Connected, server: &ServerName, theirs: Option<&str>, now: Timestamp) -> Option<String> {
    match (connected.door.endpoint.naming, theirs) {
        (Naming::Plain, theirs) => theirs.map(str::to_owned),
        (Naming::Prefixed, Some(theirs)) => Some(format!("{server}:{theirs}")),
        (Naming::Prefixed, None) => {
            turns(connected, now).skip_while(|turn| *turn != server).nth(1).map(ToString::to_string)
        }
    }
}

fn split(cursor: &str) -> (&str, Option<&str>) {
    match cursor.split_once(':') {
        Some((server, theirs)) => (server, Some(theirs)),
        None => (cursor, None),
    }
}
