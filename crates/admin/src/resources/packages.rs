//! What is in the packages of servers, as reviewers have them examined. It decides nothing: whoever approves reads it.

use std::sync::Arc;

use dossier::Examination;
use model::{Expected, ServerName, limits};

use crate::Admin;
use crate::fault::{Code, Fault};
use crate::port::KeptPackage;
use crate::requests::ServerPath;
use crate::route::{Call, Nothing};
use crate::view::PackageView;

pub(crate) async fn keep(
    admin: Arc<Admin>,
    call: Call<ServerPath, Nothing, Examination>,
) -> Result<PackageView, Fault> {
    let bytes = serde_json::to_vec(&call.body).map_or(usize::MAX, |text| text.len());
    if bytes > limits::EXAMINATION_BYTES_MAX {
        let most = limits::EXAMINATION_BYTES_MAX;
        return Err(Fault::new(Code::RequestInvalid, format!("an examination has at most {most} bytes")));
    }
    let change = admin.change(&call.person, Expected::Any, None)?;
    admin.packages.keep_package(&call.path.name, call.body, change).await?;
    let kept = of_server(&admin, &call.path.name).await?;
    kept.ok_or_else(|| Fault::new(Code::NotFound, "the server was removed meanwhile"))
}

/// What is known of a server's package.
pub(super) async fn of_server(admin: &Admin, server: &ServerName) -> Result<Option<PackageView>, Fault> {
    let view = |KeptPackage { examination, by, at }| PackageView { examination, by, at: at.0 };
    Ok(admin.packages.package(server).await?.map(view))
}
