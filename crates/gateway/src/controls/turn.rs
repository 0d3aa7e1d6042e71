//! The call's turn at its server: fairly among those who call, and not at all while the server is known to fail.
//!
//! It stands before the intent, so that a call that never gets its turn leaves one record, of a refusal: nothing was sent.
//! Waiting takes time, and what was decided before does not count after it: whoever waited is decided on anew, in the light
//! of everything that is in force by then.

use model::{Reason, Refusal, with_causes};
use upstream::{Turn, TurnError};

use crate::controls::authenticate;
use crate::controls::decide::Permitted;
use crate::controls::halted::Running;
use crate::gate::Gate;
use crate::naming;

/// Waits for the call's turn.
pub(crate) async fn run(gate: &Gate, running: &Running, permitted: &Permitted) -> Result<Turn, Refusal> {
    let server = naming::server(permitted.valid.live.visible.objects())?;
    let turnstile = running.door.turnstile(server)?;
    let caller = running.caller.session_key();
    tokio::select! {
        biased;
        turn = turnstile.enter(&caller) => turn.map_err(|error| refusal(&error)),
        // Whoever waits would only take the time that calls have to end.
        () = gate.stops() => Err(busy("the gate is stopping".to_owned())),
    }
}

/// The caller in the light of what is in force now, after a wait.
pub(crate) fn waited(gate: &Gate, mut running: Running) -> Result<Running, Refusal> {
    authenticate::again(gate, &running.caller)?;
    running.present.connected = running.again(gate.snapshots.load(), gate.clock.now())?;
    Ok(running)
}

/// Whether the turn is still one at the server that is meant: while the call waited, the endpoint may have got another.
pub(crate) fn is_at(turn: &Turn, permitted: &Permitted) -> Result<(), Refusal> {
    if turn.server() == naming::server(permitted.valid.live.visible.objects())? {
        return Ok(());
    }
    Err(busy("the endpoint got another server while the call waited for its turn".to_owned()))
}

fn refusal(error: &TurnError) -> Refusal {
    match error {
        TurnError::LeftAlone { .. } => {
            let told = with_causes(error);
            Refusal::new(Reason::ServerLeftAlone, told.clone()).with_hint(told)
        }
        TurnError::Full { .. } => busy_as(error, "the line before the server is full"),
        TurnError::Late { .. } => busy_as(error, "the call's turn at the server did not come in time"),
    }
}

/// How busy a server is with others is not told to everybody.
fn busy_as(error: &TurnError, told: &str) -> Refusal {
    Refusal::new(Reason::ServerBusy, with_causes(error)).with_hint(format!("{told}; nothing was sent"))
}

fn busy(why: String) -> Refusal {
    let told = format!("{why}; nothing was sent");
    Refusal::new(Reason::ServerBusy, why).with_hint(told)
}
