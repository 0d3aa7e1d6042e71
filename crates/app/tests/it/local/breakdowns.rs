//! Processes that end, fall silent or never begin: what may have been done is said to be unknown, what was not sent is
//! said not to be, and the next process serves.

use std::time::{Duration, Instant};

use drill::hostile::local::Mode;

use super::{TOOL, Yard, all_end, asking_for, kill, report};
use crate::verdict::{OUTCOME_UNKNOWN, SERVER_UNREACHABLE};

#[tokio::test]
async fn a_crash_leaves_a_call_unknown_and_the_next_not_sent_until_it_is_started_again() {
    let yard = Yard::start().await;
    yard.running().await;
    // It is left alone for a moment, for a longer one each time: at last for one in which a slow machine asks again.
    for _ in 0..6 {
        yard.misbehave(Mode::ExitsMidCall);
        let reply = report(&yard.client()).await;
        let outcome = yard.gate.ends(&reply, OUTCOME_UNKNOWN, "unknown").await;
        let why = outcome["end"].to_string();
        assert!(why.contains("status 1") && why.contains("out of order"), "with its last words: {outcome:#}");
        assert!(!String::from_utf8_lossy(&reply.body).contains("out of order"), "which are not for callers");
        yard.misbehave(Mode::Honest);
        let (calls, process) = (yard.local.calls(), yard.newest());
        // Whoever calls meanwhile is not kept waiting.
        let reply = report(&yard.client()).await;
        if reply.status.is_success() {
            continue;
        }
        let outcome = yard.gate.ends(&reply, SERVER_UNREACHABLE, "not-sent").await;
        assert!(outcome["detail"].as_str().unwrap().contains("started again in"), "{outcome:#}");
        assert_eq!((yard.local.calls(), yard.newest()), (calls, process), "nothing was started or sent");
        yard.served_again().await;
        assert_ne!(yard.newest(), process);
        return;
    }
    panic!("it was started again at once, six times");
}

#[tokio::test]
async fn a_silent_process_that_is_killed_leaves_calls_unknown_in_both_revisions() {
    let yard = Yard::start().await;
    let session = yard.session().await;
    crate::verdict::passes(&session.call(TOOL, asking_for("r-1")).await);
    let process = yard.running().await;
    yard.misbehave(Mode::NeverAnswers);
    let calls = yard.local.calls();
    let client = yard.client();
    let waiting = tokio::spawn(async move { report(&client).await });
    let in_session = session.clone();
    let also_waiting = tokio::spawn(async move { in_session.call(TOOL, asking_for("r-2")).await });
    yard.reached(calls + 2).await;
    kill(process);
    yard.gate.ends(&waiting.await.unwrap(), OUTCOME_UNKNOWN, "unknown").await;
    yard.gate.ends(&also_waiting.await.unwrap(), OUTCOME_UNKNOWN.in_body(), "unknown").await;
    assert_eq!(yard.local.calls(), calls + 2, "nothing was sent twice");
    yard.misbehave(Mode::Honest);
    yard.served_again().await;
}

#[tokio::test]
async fn a_process_that_closes_its_output_is_ended() {
    let yard = Yard::start().await;
    let process = yard.running().await;
    yard.misbehave(Mode::ClosesOutput);
    let outcome = yard.gate.ends(&report(&yard.client()).await, OUTCOME_UNKNOWN, "unknown").await;
    assert!(outcome["end"].to_string().contains("closed its output"), "{outcome:#}");
    all_end(&[process]).await;
    yard.misbehave(Mode::Honest);
    yard.served_again().await;
}

#[tokio::test]
async fn a_line_without_end_ends_the_process() {
    let yard = Yard::start().await;
    let process = yard.running().await;
    yard.misbehave(Mode::NeverEndsALine);
    let outcome = yard.gate.ends(&report(&yard.client()).await, OUTCOME_UNKNOWN, "unknown").await;
    assert!(outcome["end"].to_string().contains("longer than"), "{outcome:#}");
    all_end(&[process]).await;
    yard.misbehave(Mode::Honest);
    yard.served_again().await;
}

#[tokio::test]
async fn a_program_that_is_gone_is_told_of_and_its_calls_are_not_sent() {
    let yard = Yard::start().await;
    let program = yard.gate.directory().join("program");
    std::fs::copy("/bin/sh", &program).unwrap();
    let text = format!(
        "name = \"reports\"\nowner = \"ops\"\npurpose = \"Reports\"\n\n[command]\nprogram = \"{}\"\n\
        arguments = [\"-c\", 'exec \"$0\" sample-server hostile \"$1\"', \"{}\", \"{}\"]\n",
        program.display(),
        env!("CARGO_BIN_EXE_portcullis"),
        yard.directory.path().display()
    );
    yard.put("servers/reports.toml", &text).await;
    yard.approve().await;
    std::fs::remove_file(&program).unwrap();
    let reply = report(&yard.client()).await;
    let outcome = yard.gate.ends(&reply, SERVER_UNREACHABLE, "not-sent").await;
    assert!(outcome["detail"].as_str().unwrap().contains("is the program installed"), "{outcome:#}");
}

#[tokio::test]
async fn a_program_that_cannot_be_read_is_told_of_with_its_last_words() {
    let yard = Yard::start().await;
    let text = "name = \"reports\"\nowner = \"ops\"\npurpose = \"Reports\"\n\n[command]\nprogram = \"/bin/sh\"\n\
                arguments = [\"-c\", \"echo no ledger here >&2; exit 7\"]\n";
    yard.put("servers/reports.toml", text).await;
    let said = yard.gate.cli(&["server", "check", "reports"]).await;
    assert!(!said.ok && said.err.contains("status 7") && said.err.contains("no ledger here"), "{}", said.err);
}

#[tokio::test]
#[ignore = "waits for the gate's patience with an answer: sixty seconds"]
async fn a_process_that_never_answers_is_waited_for_and_no_longer() {
    let yard = Yard::start().await;
    let process = yard.running().await;
    yard.misbehave(Mode::NeverAnswers);
    let client = yard.client().with_patience(Duration::from_secs(90));
    let began = Instant::now();
    let reply = report(&client).await;
    assert!((59..120).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    yard.gate.ends(&reply, OUTCOME_UNKNOWN, "unknown").await;
    crate::client::eventually("it hears", || yard.heard("notifications/cancelled").len() == 1).await;
    yard.misbehave(Mode::Honest);
    crate::verdict::passes(&report(&yard.client()).await);
    assert_eq!(yard.newest(), process);
}
