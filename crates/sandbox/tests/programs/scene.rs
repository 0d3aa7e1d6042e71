//! What the tests share: commands, the lines that programs write, and whether processes live.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use sandbox::{Child, Command, Limits, Supervisor, spawn};
use tokio::io::AsyncReadExt as _;

pub(crate) const FIXTURE: &str = env!("CARGO_BIN_EXE_sandbox-fixture");

pub(crate) fn command(program: impl Into<PathBuf>, arguments: &[&str]) -> Command {
    Command {
        supervisor: Supervisor { program: FIXTURE.into(), arguments: vec!["sandbox-init".into()] },
        program: program.into(),
        arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
        directory: None,
        environment: Vec::new(),
        limits: Limits::default(),
    }
}

pub(crate) fn script(text: &str) -> Command {
    command("sh", &["-c", text])
}

/// All that a program writes until it ends.
pub(crate) async fn output(command: &Command) -> String {
    let mut child = spawn(command).await.unwrap();
    let mut text = String::new();
    child.stdout().unwrap().read_to_string(&mut text).await.unwrap();
    child.wait().await;
    text
}

/// The first line a program writes.
pub(crate) async fn line(child: &mut Child) -> String {
    let mut output = child.stdout().unwrap();
    let mut line = Vec::new();
    loop {
        match output.read_u8().await {
            Ok(b'\n') | Err(_) => return String::from_utf8(line).unwrap(),
            Ok(byte) => line.push(byte),
        }
    }
}

pub(crate) fn lives(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.starts_with(" Z") && !rest.starts_with(" X"))
}

pub(crate) async fn all_end(pids: &str) {
    let deadline = Instant::now() + Duration::from_secs(5);
    assert!(pids.split_whitespace().count() > 0);
    while let Some(pid) = pids.split_whitespace().find(|pid| lives(pid)) {
        assert!(Instant::now() < deadline, "process {pid} of {pids} lives on");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A child, a grandchild, one in a session of its own and one that was left by its parents in another session; their
/// numbers, on one line.
pub(crate) const FAMILY: &str = r#"
    f=$(mktemp)
    sleep 300 & echo $! >>$f
    sh -c 'sleep 300 & echo $! >>'$f'; exec sleep 300' & echo $! >>$f
    setsid sh -c 'echo $$ >>'$f'; exec sleep 300' &
    (setsid sh -c '(echo $$ >>'$f'; sleep 300 & echo $! >>'$f') & exec sleep 300' &)
    while [ $(wc -l <$f) -lt 6 ]; do sleep 0.01; done
    echo $$ $(cat $f); rm $f; exec cat
"#;

/// Processes that double, up to a thousand of them: enough to exceed what a test allows, and no danger to the machine.
pub(crate) const MULTIPLY: &str =
    "bomb() { if [ $1 -gt 0 ]; then bomb $(($1 - 1)) & bomb $(($1 - 1)) & fi; sleep 300; }; bomb 9";

/// A gate of its own process, which is killed when this is dropped.
pub(crate) struct Gate {
    process: std::process::Child,
    /// The first line that the script it started has written.
    pub(crate) said: String,
}

impl Gate {
    /// A gate that starts `text` in a shell and passes on what it writes.
    pub(crate) fn start(text: &str) -> Self {
        // As if it were started by `nohup`, or by something that is careless with signals.
        let careless = format!("trap '' HUP USR1 PIPE TERM; exec {FIXTURE} gate \"$0\"");
        let mut process = std::process::Command::new("/bin/sh")
            .args(["-c", &careless, text])
            .env("GATE_SECRET", "open sesame")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut said).unwrap();
        Self { process, said: said.trim_end().to_owned() }
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn lives(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn signal(pid: i32, signal: rustix::process::Signal) {
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), signal).unwrap();
}
