//! Every way in which a program, its supervisor or the gate may end, and who is left: nobody.

use std::fs;
use std::time::{Duration, Instant};

use sandbox::{Cause, End, spawn};

use crate::scene::{FAMILY, Gate, all_end, line, lives, script, signal};

#[tokio::test]
async fn an_end_tells_its_status_or_its_signal() {
    let exit = spawn(&script("exit 7")).await.unwrap().wait().await;
    assert_eq!((exit.end, exit.cause), (End::Status(7), Cause::Itself));
    let exit = spawn(&script("kill -SEGV $$")).await.unwrap().wait().await;
    assert_eq!((exit.end, exit.cause), (End::Signal(11), Cause::Itself));
    assert_eq!(exit.to_string(), "it was ended by signal 11 (SIGSEGV, a fault of its own)");
}

#[tokio::test]
async fn nobody_left_behind_outlives_the_program() {
    let mut child = spawn(&script(FAMILY)).await.unwrap();
    let pids = line(&mut child).await;
    assert_eq!(pids.split_whitespace().count(), 7, "{pids}");
    assert!(pids.split_whitespace().all(lives), "{pids}");
    // `cat` ends with its input.
    drop(child.stdin());
    let exit = child.wait().await;
    assert_eq!((exit.end, exit.all_gone), (End::Status(0), true));
    assert!(!pids.split_whitespace().any(lives), "{pids}");
}

#[tokio::test]
async fn killing_takes_the_whole_tree_and_can_be_repeated() {
    let mut child = spawn(&script(FAMILY)).await.unwrap();
    let pids = line(&mut child).await;
    child.kill();
    child.kill();
    let exit = child.wait().await;
    assert_eq!((exit.end, exit.cause, exit.all_gone), (End::Signal(9), Cause::Asked, true));
    assert!(!pids.split_whitespace().any(lives), "{pids}");
    child.kill();
    child.end();
    assert_eq!(child.wait().await, exit);
}

#[tokio::test]
async fn dropping_kills_the_whole_tree() {
    let mut child = spawn(&script(FAMILY)).await.unwrap();
    let pids = line(&mut child).await;
    drop(child);
    all_end(&pids).await;
}

#[tokio::test]
async fn a_runtime_that_ends_kills_the_whole_tree() {
    let pids = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut child = spawn(&script(FAMILY)).await.unwrap();
            line(&mut child).await
        })
    });
    all_end(&pids.join().unwrap()).await;
}

#[tokio::test]
async fn a_start_that_is_given_up_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("pids");
    for microseconds in (0..8_000).step_by(250) {
        let command = script(&format!("echo $$ >>{}; exec sleep 300", list.display()));
        let _ = tokio::time::timeout(Duration::from_micros(microseconds), spawn(&command)).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    if let Ok(pids) = fs::read_to_string(&list) {
        all_end(&pids).await;
    }
}

#[tokio::test]
async fn asked_gently_a_program_may_end_by_itself() {
    let mut child = spawn(&script("trap 'exit 5' TERM; echo up; while :; do sleep 0.01; done")).await.unwrap();
    line(&mut child).await;
    child.end();
    let exit = child.wait().await;
    assert_eq!((exit.end, exit.cause), (End::Status(5), Cause::Asked));
}

#[tokio::test]
async fn a_program_that_ignores_being_asked_is_killed() {
    let mut child = spawn(&script("trap '' TERM INT HUP; echo up; while :; do sleep 1; done")).await.unwrap();
    line(&mut child).await;
    let since = Instant::now();
    child.end();
    let exit = child.wait().await;
    assert_eq!((exit.end, exit.cause, exit.all_gone), (End::Signal(9), Cause::Asked, true));
    let grace = Duration::from_millis(model::limits::LOCAL_GRACE_MILLISECONDS);
    assert!((grace..grace * 2).contains(&since.elapsed()), "{:?}", since.elapsed());
}

#[tokio::test]
async fn nothing_outlives_a_gate_that_is_killed() {
    for _ in 0..5 {
        let gate = Gate::start(FAMILY);
        let pids = gate.said.clone();
        assert_eq!(pids.split_whitespace().count(), 7, "{pids}");
        // By `SIGKILL`.
        drop(gate);
        all_end(&pids).await;
    }
}

#[tokio::test]
async fn a_supervisor_that_is_asked_to_end_takes_the_tree_with_it() {
    let mut child = spawn(&script(&FAMILY.replace("echo $$ $(cat $f)", "echo $PPID $$ $(cat $f)"))).await.unwrap();
    let pids = line(&mut child).await;
    let supervisor: i32 = pids.split(' ').next().unwrap().parse().unwrap();
    signal(supervisor, rustix::process::Signal::TERM);
    let exit = child.wait().await;
    assert_eq!((exit.cause, exit.all_gone), (Cause::Asked, true));
    all_end(&pids).await;
}

#[tokio::test]
async fn a_supervisor_that_is_killed_is_told_and_nobody_is_left() {
    let family = FAMILY.replace("echo $$ $(cat $f)", "echo $PPID $$ $(cat $f)");
    // One that goes on, and one that an ordinary child of this process is no part of.
    let mut other = spawn(&script(&family)).await.unwrap();
    let others = line(&mut other).await;
    let mut bystander = std::process::Command::new("sleep").arg("300").spawn().unwrap();
    for _ in 0..3 {
        let mut child = spawn(&script(&family)).await.unwrap();
        let pids = line(&mut child).await;
        let supervisor: i32 = pids.split(' ').next().unwrap().parse().unwrap();
        signal(supervisor, rustix::process::Signal::KILL);
        let exit = child.wait().await;
        assert_eq!((exit.end, exit.cause, exit.all_gone), (End::Unknown, Cause::SupervisorLost, true));
        all_end(&pids).await;
    }
    assert!(others.split(' ').all(lives), "{others}");
    assert!(bystander.try_wait().unwrap().is_none());
    bystander.kill().unwrap();
    bystander.wait().unwrap();
}

/// A container's first process may belong to a session that began outside: the kernel then tells 0 for it.
#[test]
#[cfg(target_os = "linux")]
fn orphans_are_found_where_the_own_session_cannot_be_seen() {
    let in_a_namespace = || {
        let mut command = std::process::Command::new("unshare");
        command.args(["--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc"]);
        command
    };
    if !in_a_namespace().arg("true").status().is_ok_and(|status| status.success()) {
        eprintln!("left out: this machine makes no pid namespaces for ordinary users");
        return;
    }
    let told = in_a_namespace()
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "ends::a_supervisor_that_is_killed_is_told_and_nobody_is_left"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&told.stdout);
    assert!(said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&told.stderr));
}
