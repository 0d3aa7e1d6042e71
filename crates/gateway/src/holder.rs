//! Whom a sealed text is for, and what for: what every handle, cursor and state of the gateway is bound to, so that it opens
//! for nobody else and for nothing else.

use model::{SessionKey, UserId};

/// The agent, the user it works for or nobody, and `parts`; each with its length before it so that none runs into the next.
pub(crate) fn bound(owner: &SessionKey, parts: &[&str]) -> Vec<u8> {
    let mut bound = Vec::new();
    let user = owner.user.as_ref().map(UserId::as_str);
    let parts = parts.iter().map(|part| Some(*part));
    for part in [Some(owner.agent.as_str()), user].into_iter().chain(parts) {
        bound.extend_from_slice(&part.map_or(u64::MAX, |part| part.len() as u64).to_be_bytes());
        bound.extend_from_slice(part.unwrap_or_default().as_bytes());
    }
    bound
}
