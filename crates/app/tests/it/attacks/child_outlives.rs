//! A local server that wants to stay when it should go: it forks, leaves its session, becomes an orphan, does not listen
//! to requests to end, and its gate or its supervisor is killed. Nobody of it is left.

use drill::hostile::local::{Local, Mode};

use crate::client::eventually;
use crate::local::{Ground, Yard, all_end, kill, lives, parent, report};
use crate::verdict::{OUTCOME_UNKNOWN, passes};

/// Has the server surround itself with processes of every kind; gives all of them, and its supervisor.
async fn family(yard: &Yard) -> Vec<u32> {
    let process = yard.running().await;
    let before = yard.local.children().len();
    for mode in [Mode::LeavesAChild, Mode::LeavesAnOrphan, Mode::LeavesAChild] {
        yard.misbehave(mode);
        passes(&report(&yard.client()).await);
    }
    yard.misbehave(Mode::Stays);
    eventually("all of them are noted", || yard.local.children().len() == before + 3).await;
    let mut all = yard.local.children().split_off(before);
    all.extend([process, parent(process)]);
    assert!(all.iter().all(|process| lives(*process)), "{all:?}");
    all
}

#[tokio::test]
async fn nobody_outlives_a_gate_that_is_killed() {
    let yard = Yard::start().await;
    let mut all = family(&yard).await;
    let session = yard.session().await;
    passes(&session.call(crate::local::TOOL, crate::local::asking_for("r-1")).await);
    all.extend([yard.newest(), parent(yard.newest())]);
    yard.gate.kill();
    all_end(&all).await;
    // The next gate knows nothing of them and needs nothing of them.
    yard.misbehave(Mode::Honest);
    yard.gate.again().await;
    passes(&report(&yard.client()).await);
}

#[tokio::test]
async fn nobody_outlives_an_approval() {
    let yard = Yard::start().await;
    let all = family(&yard).await;
    yard.gate.must(&["server", "suspend", "reports", "--reason", "enough"]).await;
    all_end(&all).await;
}

#[tokio::test]
async fn nobody_outlives_their_own_program() {
    let yard = Yard::start().await;
    let all = family(&yard).await;
    yard.misbehave(Mode::ExitsMidCall);
    yard.gate.ends(&report(&yard.client()).await, OUTCOME_UNKNOWN, "unknown").await;
    all_end(&all).await;
}

#[tokio::test]
async fn nobody_outlives_their_supervisor() {
    let yard = Yard::start().await;
    let all = family(&yard).await;
    let process = yard.newest();
    kill(parent(process));
    all_end(&all).await;
    yard.misbehave(Mode::Honest);
    yard.served_again().await;
    assert_ne!(yard.newest(), process);
}

#[tokio::test]
async fn nobody_outlives_a_look() {
    let yard = Yard::unapproved(Ground::default()).await;
    let meets = yard.meeting_place();
    let orphan = "(setsid /bin/sh -c 'echo $$ >>$0/children; exec sleep 600' $1 &)";
    let awaited = "while ! [ -s $1/children ]; do sleep 0.01; done";
    let text = format!(
        "name = \"reports\"\nowner = \"ops\"\npurpose = \"Reports\"\n\n[command]\nprogram = \"/bin/sh\"\n\
         arguments = [\"-c\", \"{orphan}; {awaited}; exec $0 sample-server hostile $1\", \"{}\", \"{}\"]\n",
        env!("CARGO_BIN_EXE_portcullis"),
        meets.display()
    );
    yard.put("servers/reports.toml", &text).await;
    yard.gate.must(&["server", "check", "reports"]).await;
    let local = Local::new(meets);
    let left = local.children();
    assert_eq!((left.len(), local.starts().len()), (1, 1));
    all_end(&[left, local.starts()].concat()).await;
}
