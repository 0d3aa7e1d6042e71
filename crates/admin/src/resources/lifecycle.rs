//! The life of a server after it was submitted: approved, taken out of service, ended; and what people say of it.

use std::sync::Arc;

use model::{Expected, Timestamp, limits};
use registry::{Approval, Server, Standing, StandingError};

use super::lists::compiled;
use super::vetting;
use crate::fault::{Code, Fault};
use crate::requests::{Approve, Because, Comment, ServerPath};
use crate::route::{Call, Nothing};
use crate::view::{CommentRow, Done, Note};
use crate::{Admin, Whom, busy};

/// Pins what was read. This is the one place where it is decided whether the approver may be who submitted the server.
pub(crate) async fn approve(admin: Arc<Admin>, call: Call<ServerPath, Nothing, Approve>) -> Result<Done, Fault> {
    let Approve { seen, expires, reason } = call.body;
    let name = call.path.name;
    let change = admin.change(&call.person, Expected::Any, reason)?;
    let eyes = admin.people.load().eyes(&call.person, admin.entrance.is_some());
    // Also says when there is no such server.
    admin.registry.server(&name).await?;
    if admin.vetting.look(&Whom::Only(name.clone())).await? {
        let message = format!("something became known of server `{name}` just now, which nobody has read");
        return Err(Fault::new(Code::Refused, message).with_next(format!("portcullis server show {name}")));
    }
    // The policies must still fit with the tools as they will be approved; if not, the data path could not go by
    // the approval at all.
    let mut governed = admin.state.read().await?;
    let revision = governed.revision;
    let package = admin.packages.package(&name).await?.map(|kept| kept.digest);
    let approval = Approval { seen, package, expires: expires.map(Timestamp), eyes };
    let place = governed.servers.iter().position(|server| server.manifest.name == name);
    if let Some(server) = place.and_then(|place| governed.servers.get(place)) {
        // What stands against it whoever looks is told first.
        Server::clone(server).approve(approval, &change).map_err(|error| refused(&error))?;
    }
    let servers = Arc::new(std::mem::take(&mut governed.servers));
    vetting::must_not_be_blocked(&admin, &name, &servers).await?;
    governed.servers = Arc::unwrap_or_clone(servers);
    let mut alone = false;
    if let Some(server) = place.and_then(|place| governed.servers.get_mut(place)) {
        alone = server.submitted.by == change.actor;
        Arc::make_mut(server).approve(approval, &change).map_err(|error| refused(&error))?;
    }
    let vocabularies = Arc::clone(&admin.vocabularies);
    busy(move || compiled(&governed, &vocabularies)).await??;
    let change = model::Change { expected: Expected::At(revision), ..change };
    let revision = admin.registry.approve(&name, approval, change).await?;
    Ok(Done { note: alone.then_some(Note::ApprovedAlone), ..admin.done(revision).await })
}

fn refused(error: &StandingError) -> Fault {
    let fault = Fault::new(Code::Refused, error.to_string());
    match error {
        StandingError::SameHands(server) => {
            fault.with_next(format!("another approver runs `portcullis server approve {server}`"))
        }
        StandingError::Unseen(_)
        | StandingError::SeenOther { .. }
        | StandingError::Standing { .. }
        | StandingError::Over(_)
        | StandingError::Unexplained(_)
        | StandingError::TooLong { .. }
        | StandingError::IdentityChanged(_) => fault,
    }
}

pub(crate) async fn suspend(admin: Arc<Admin>, call: Call<ServerPath, Nothing, Because>) -> Result<Done, Fault> {
    let change = admin.change(&call.person, Expected::Any, call.body.reason)?;
    let revision = admin.registry.suspend(&call.path.name, change).await?;
    Ok(admin.done(revision).await)
}

pub(crate) async fn resume(admin: Arc<Admin>, call: Call<ServerPath, Nothing, Because>) -> Result<Done, Fault> {
    let name = call.path.name;
    let change = admin.change(&call.person, Expected::Any, call.body.reason)?;
    let (revision, servers) = admin.registry.servers().await?;
    if let Some(server) = servers.iter().find(|server| server.manifest.name == name) {
        let mut after = Server::clone(server);
        after.resume(&change).map_err(|error| refused(&error))?;
        // What was approved before a check said no is not back in service by that.
        if after.standing == Standing::Approved {
            vetting::must_not_be_blocked(&admin, &name, &Arc::new(servers)).await?;
        }
    }
    let change = model::Change { expected: Expected::At(revision), ..change };
    let revision = admin.registry.resume(&name, change).await?;
    Ok(admin.done(revision).await)
}

pub(crate) async fn quarantine(admin: Arc<Admin>, call: Call<ServerPath, Nothing, Because>) -> Result<Done, Fault> {
    let change = admin.change(&call.person, Expected::Any, call.body.reason)?;
    let revision = admin.registry.quarantine(&call.path.name, change).await?;
    Ok(admin.done(revision).await)
}

pub(crate) async fn release(admin: Arc<Admin>, call: Call<ServerPath, Nothing, Because>) -> Result<Done, Fault> {
    let change = admin.change(&call.person, Expected::Any, call.body.reason)?;
    let revision = admin.registry.release(&call.path.name, change).await?;
    Ok(admin.done(revision).await)
}

pub(crate) async fn retire(admin: Arc<Admin>, call: Call<ServerPath, Nothing, Because>) -> Result<Done, Fault> {
    let change = admin.change(&call.person, Expected::Any, call.body.reason)?;
    let revision = admin.registry.retire(&call.path.name, change).await?;
    Ok(admin.done(revision).await)
}

pub(crate) async fn comment(
    admin: Arc<Admin>,
    call: Call<ServerPath, Nothing, Comment>,
) -> Result<Vec<CommentRow>, Fault> {
    let (name, text) = (call.path.name, call.body.text);
    let is_fit = !text.trim().is_empty()
        && text.len() <= limits::COMMENT_BYTES_MAX
        && !text.chars().any(|c| c.is_control() && c != '\n');
    if !is_fit {
        let most = limits::COMMENT_BYTES_MAX;
        return Err(Fault::new(Code::RequestInvalid, format!("a comment is 1 to {most} bytes of plain text")));
    }
    let change = admin.change(&call.person, Expected::Any, None)?;
    admin.comments.comment(&name, text, change).await?;
    of_server(&admin, &name).await
}

/// What people said of a server, in order.
pub(super) async fn of_server(admin: &Admin, server: &model::ServerName) -> Result<Vec<CommentRow>, Fault> {
    let said = admin.comments.comments(server).await?.into_iter();
    Ok(said.map(|one| CommentRow { by: one.by, at: one.at.0, text: one.text }).collect())
}
