//! A local server that takes what it can get: processes, memory, open files, room on disk. Its limits hold, its end is
//! told with the limit that it ran into, and the gate serves on.

use drill::hostile::local::Mode;

use crate::local::{Ground, Yard, all_end, report};
use crate::verdict::{OUTCOME_UNKNOWN, passes, receipt_id};

/// How much the server says that it got.
async fn took(yard: &Yard) -> u64 {
    let reply = report(&yard.client()).await;
    passes(&reply);
    reply.text().parse().unwrap()
}

/// Has the server do something that ends it, and gives how its end is told.
async fn ends_by(yard: &Yard, mode: Mode) -> String {
    let process = yard.running().await;
    yard.misbehave(mode);
    let outcome = yard.gate.ends(&report(&yard.client()).await, OUTCOME_UNKNOWN, "unknown").await;
    all_end(&[process]).await;
    yard.misbehave(Mode::Honest);
    yard.served_again().await;
    outcome["end"].to_string()
}

#[tokio::test]
async fn memory_and_files_beyond_its_limits_are_not_there() {
    let yard = Yard::with_command("[command.limits]\nmemory_bytes = 100663296\nopen_files = 40\n").await;
    let process = yard.running().await;
    yard.misbehave(Mode::EatsMemory);
    let mebibytes = took(&yard).await;
    assert!((16..96).contains(&mebibytes), "{mebibytes} MiB");
    yard.misbehave(Mode::OpensMany);
    let files = took(&yard).await;
    assert!((8..40).contains(&files), "{files} files");
    yard.misbehave(Mode::Honest);
    passes(&report(&yard.client()).await);
    assert_eq!(yard.newest(), process, "it was refused more, and lives");
}

#[tokio::test]
async fn memory_of_many_processes_together_counts_too() {
    let yard = Yard::unapproved(Ground::default()).await;
    // Each of them is below the limit, so that the kernel has nothing against it.
    let hog = "(head -c 45000000 /dev/zero | tail -n 1 | sleep 600) & ";
    let text = format!(
        "name = \"reports\"\nowner = \"ops\"\npurpose = \"Reports\"\n\n[command]\nprogram = \"/bin/sh\"\n\
         arguments = [\"-c\", \"{}sleep 600\"]\n[command.limits]\nmemory_bytes = 100663296\n",
        hog.repeat(4)
    );
    yard.put("servers/reports.toml", &text).await;
    let said = yard.gate.cli(&["server", "check", "reports"]).await;
    let words = said.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("MiB of memory in use are more than it is allowed"), "{words}");
}

#[tokio::test]
async fn processes_beyond_its_limit_are_its_end() {
    let yard = Yard::with_command("[command.limits]\nprocesses = 24\n").await;
    let process = yard.running().await;
    yard.misbehave(Mode::StartsMany);
    let mut reply = report(&yard.client()).await;
    // They are counted a few times a second, so that it may get to answer.
    if reply.status == 200 {
        yard.misbehave(Mode::NeverAnswers);
        reply = report(&yard.client()).await;
    }
    let told = yard.gate.outcome(receipt_id(&reply)).await.to_string();
    assert!(told.contains("processes and threads are more than it is allowed"), "{told}");
    all_end(&[yard.local.children(), vec![process]].concat()).await;
    yard.misbehave(Mode::Honest);
    yard.served_again().await;
}

#[tokio::test]
async fn a_file_beyond_its_limit_is_its_end() {
    let yard = Yard::with_command("[command.limits]\nfile_bytes = 4194304\n").await;
    let why = ends_by(&yard, Mode::WritesMuch).await;
    assert!(why.contains("SIGXFSZ"), "{why}");
}
