//! The session of this agent working for this user.

use std::sync::Arc;

use flow::{Session, Sessions};
use model::{Refusal, Timestamp};

use crate::controls::connect::Connected;

/// A connected caller with its session.
pub(crate) struct Present {
    pub(crate) connected: Connected,
    pub(crate) session: Arc<Session>,
}

/// Enters the session, bounded in number.
pub(crate) fn run(sessions: &Sessions, connected: Connected, now: Timestamp) -> Result<Present, Refusal> {
    let session = sessions.enter(connected.caller.session_key(), now)?;
    Ok(Present { connected, session })
}
