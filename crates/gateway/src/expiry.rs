//! Streams end when the token does by which they were opened.
//!
//! Nobody sends anything when a token ends, so somebody has to look: once a second, whether one did. Then every open stream
//! asks again whether it may go on.

use std::sync::Arc;
use std::time::Duration;

use crate::gate::Gate;

/// How often tokens that end are looked for.
const LOOK: Duration = Duration::from_secs(1);

/// Has streams ask again when a token ended, until `stop` resolves.
pub async fn end_with_tokens(gate: Arc<Gate>, stop: impl Future<Output = ()>) {
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut since = gate.clock.now();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => return,
            _ = look.tick() => {}
        }
        let now = gate.clock.now();
        let front = gate.front.load_full();
        if front.callers.server.as_ref().is_some_and(|server| server.ended_since(since)) {
            gate.snapshots.ask_again();
        }
        since = now;
    }
}
