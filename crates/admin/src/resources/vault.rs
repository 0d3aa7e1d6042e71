//! What is kept sealed: its keys are wrapped anew when the master key has another version.

use std::sync::Arc;

use model::Expected;

use crate::Admin;
use crate::fault::{Code, Fault};
use crate::requests::Because;
use crate::route::{Call, Nothing};
use crate::view::Rewrapped;

pub(crate) async fn rewrap(admin: Arc<Admin>, call: Call<Nothing, Nothing, Because>) -> Result<Rewrapped, Fault> {
    let change = admin.change(&call.person, Expected::Any, call.body.reason)?;
    let rewrapped = admin.credentials.rewrap(change).await.map_err(|why| Fault::new(Code::Refused, why))?;
    Ok(Rewrapped { rewrapped })
}
