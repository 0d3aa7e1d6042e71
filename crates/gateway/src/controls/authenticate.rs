//! Who calls? Every request is asked anew; nothing but its token answers.

use std::sync::Arc;

use http::HeaderMap;
use identity::DevelopmentTokens;
use model::{Caller, Reason, Refusal};

/// A caller that proved who it is.
pub(crate) struct Known {
    /// The agent, with the user it acts for.
    pub(crate) caller: Arc<Caller>,
}

/// Finds the caller whose token the request carries.
pub(crate) fn run(callers: &DevelopmentTokens, headers: &HeaderMap) -> Result<Known, Refusal> {
    let caller = callers.authenticate(headers)?;
    Ok(Known { caller })
}

/// Whether the caller is still somebody, for answers and streams that a reload of the settings overtook.
pub(crate) fn again(callers: &DevelopmentTokens, caller: &Caller) -> Result<(), Refusal> {
    if callers.knows(caller) {
        return Ok(());
    }
    Err(Refusal::new(Reason::Unauthenticated, "the caller's token was taken away"))
}
