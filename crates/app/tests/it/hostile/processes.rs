//! Servers that the gate starts itself, which turn on it: each manner of [`drill::hostile::local`], beside a caller who is
//! somebody else's.

use drill::hostile::local::Mode;

use super::Calm;
use crate::client::eventually;
use crate::local::{Yard, lives, report};
use crate::verdict::passes;

/// The numbers of the cases, and the manners: those in which a call is answered or given up on without waiting for the
/// gate's patience.
const CASES: [(u16, Mode); 14] = [
    (500, Mode::TellsEnvironment),
    (501, Mode::LeavesAChild),
    (502, Mode::LeavesAnOrphan),
    (503, Mode::StartsMany),
    (504, Mode::OpensMany),
    (505, Mode::WritesMuch),
    (506, Mode::FloodsErrors),
    (507, Mode::WritesGarbage),
    (508, Mode::NeverEndsALine),
    (509, Mode::AnswersTwice),
    (510, Mode::Asks),
    (511, Mode::Chatters),
    (512, Mode::ExitsMidCall),
    (513, Mode::ClosesOutput),
];

#[tokio::test]
async fn a_process_that_turns_on_the_gate_is_in_nobody_elses_way() {
    let yard = Yard::start().await;
    yard.gate.must(&["server", "approve", "desk", "--yes"]).await;
    yard.running().await;
    let mut calm = Calm::before(&yard.gate).await;
    for (number, mode) in CASES {
        yard.misbehave(mode);
        let (client, name) = (yard.client(), format!("{mode:?}"));
        let (reply, ()) = tokio::join!(report(&client), calm.serves(&yard.gate, number, &name));
        yard.gate.holds_no_secret(&String::from_utf8_lossy(&reply.body), "an answer");
        yard.misbehave(Mode::Honest);
        yard.served_again().await;
        passes(&report(&yard.client()).await);
    }
    let processes: Vec<u32> = yard.local.starts().into_iter().chain(yard.local.children()).collect();
    yard.gate.must(&["server", "suspend", "reports", "--reason", "it is hostile"]).await;
    eventually("every process of it ends", || !processes.iter().any(|process| lives(*process))).await;
    calm.after(&yard.gate, 0).await;
}
