//! Halts: durable first, then in force, then answered.

use std::sync::Arc;

use model::{Expected, NameError, Scope};

use crate::Admin;
use crate::fault::{Code, Fault};
use crate::port::Governed;
use crate::requests::HaltRequest;
use crate::route::{Call, Nothing};
use crate::view::{Ended, HaltRow, What};

pub(crate) async fn list(admin: Arc<Admin>, _call: Call) -> Result<Vec<HaltRow>, Fault> {
    // What is in force, not what is stored: this is what the data path asks.
    let halted = admin.halts.current();
    Ok(halted.all().into_iter().map(|halt| HaltRow::new(halt, None)).collect())
}

pub(crate) async fn halt(admin: Arc<Admin>, call: Call<Nothing, Nothing, HaltRequest>) -> Result<HaltRow, Fault> {
    let scope = scope(call.body.what, call.body.name.as_deref())?;
    let change = admin.change(&call.person, Expected::Any, call.body.reason)?;
    let halt = watch::stop(admin.halts_port.as_ref(), &admin.halts, scope, change).await?;
    // Only now, and never in the way of the halt.
    let note = admin.state.read().await.ok().and_then(|governed| unknown(&halt.scope, &governed));
    Ok(HaltRow::new(&halt, note))
}

pub(crate) async fn resume(admin: Arc<Admin>, call: Call<Nothing, Nothing, HaltRequest>) -> Result<Ended, Fault> {
    let scope = scope(call.body.what, call.body.name.as_deref())?;
    let change = admin.change(&call.person, Expected::Any, call.body.reason)?;
    let was_halted = watch::resume(admin.halts_port.as_ref(), &admin.halts, &scope, change).await?;
    Ok(Ended { was_halted })
}

fn scope(what: What, name: Option<&str>) -> Result<Scope, Fault> {
    let invalid = |error: NameError| Fault::new(Code::RequestInvalid, error.to_string());
    let missing = || Fault::new(Code::RequestInvalid, "name what is meant; only everything has no name");
    match (what, name) {
        (What::Everything, None) => Ok(Scope::Everything),
        (What::Everything, Some(_)) => Err(Fault::new(Code::RequestInvalid, "everything has no name")),
        (What::User, Some(name)) => Ok(Scope::User(name.parse().map_err(invalid)?)),
        (What::Agent, Some(name)) => Ok(Scope::Agent(name.parse().map_err(invalid)?)),
        (What::Server, Some(name)) => Ok(Scope::Server(name.parse().map_err(invalid)?)),
        (What::Endpoint, Some(name)) => Ok(Scope::Endpoint(name.parse().map_err(invalid)?)),
        (What::Tool, Some(name)) => {
            // A server's name has no slash; a tool's may.
            let (server, tool) = name
                .split_once('/')
                .ok_or_else(|| Fault::new(Code::RequestInvalid, "a tool is named `server/tool`"))?;
            Ok(Scope::Tool { server: server.parse().map_err(invalid)?, tool: tool.parse().map_err(invalid)? })
        }
        (What::User | What::Agent | What::Server | What::Endpoint | What::Tool, None) => Err(missing()),
    }
}

/// A misspelt halt stops nothing, and whoever halted must learn that.
fn unknown(scope: &Scope, governed: &Governed) -> Option<String> {
    let server_of = |name| governed.servers.iter().find(|server| server.manifest.name == name);
    let there = match scope {
        // Users and agents are known only once they call.
        Scope::Everything | Scope::User(_) | Scope::Agent(_) => true,
        Scope::Server(name) => server_of(name.clone()).is_some(),
        Scope::Endpoint(name) => governed.endpoints.iter().any(|endpoint| endpoint.name == *name),
        Scope::Tool { server, tool } => server_of(server.clone()).is_some_and(|server| {
            let pinned = server.pins.iter().flat_map(|pins| &pins.definitions.tools);
            let observed = server.observed.iter().flat_map(|observed| &observed.definitions.tools);
            pinned.chain(observed).any(|definition| definition.name == tool.as_str())
        }),
    };
    (!there).then(|| format!("the halt is in force, but there is no {scope} at present: check the name"))
}
