//! What a program finds, and what it does not.

use std::fs;
use std::process::Stdio;

use model::Secret;
use sandbox::{Cause, Command, End, SpawnError, Supervisor, Value, Wall, spawn};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::scene::{FIXTURE, Gate, command, line, lives, output, script};

#[tokio::test]
async fn the_environment_is_what_the_command_names_and_nothing_else() {
    // Cargo gives this test many variables.
    assert!(std::env::vars().count() > 0);
    let mut command = command("/usr/bin/env", &[]);
    assert_eq!(output(&command).await, "");
    command.environment = vec![
        ("MODE".into(), Value::Plain("read only".into())),
        ("TOKEN".into(), Value::Secret(Secret::new("s3cret".into()))),
    ];
    assert_eq!(output(&command).await, "MODE=read only\nTOKEN=s3cret\n");
}

#[tokio::test]
async fn neither_arguments_nor_environment_of_the_supervisor_tell_a_secret() {
    let mut command = script("tr '\\0' ' ' </proc/$PPID/cmdline; echo; exec cat");
    command.environment = vec![("TOKEN".into(), Value::Secret(Secret::new("s3cret".into())))];
    let mut child = spawn(&command).await.unwrap();
    let supervisor = line(&mut child).await;
    assert!(supervisor.ends_with("sandbox-init "), "{supervisor}");
}

#[tokio::test]
async fn no_open_file_is_inherited() {
    // Left open for programs on purpose, as a careless library or whoever started the gate would.
    let file = tempfile::tempfile().unwrap();
    rustix::io::fcntl_setfd(&file, rustix::io::FdFlags::empty()).unwrap();
    let listed = output(&script("cd /proc/self/fd && for f in *; do readlink $f; done")).await;
    let kinds: Vec<&str> = listed.lines().map(|line| line.split(':').next().unwrap()).collect();
    // What is open in this shell while `$f` is read is three pipes, and the directory that `*` reads in between.
    assert!(kinds.iter().all(|&kind| kind == "pipe"), "{listed}");
    assert_eq!(kinds.len(), 3, "{listed}");
}

#[tokio::test]
async fn signals_that_the_gate_ignores_have_their_effect() {
    let gate = Gate::start("grep Sig /proc/self/status | grep -e Blk -e Ign | tr '\n\t' '  '; echo; exec cat");
    // The C library keeps two signals, 32 and 33, to itself, and does not let them be reset.
    let said = gate.said.replace("0000000180000000", "0000000000000000");
    assert_eq!(said, "SigBlk: 0000000000000000 SigIgn: 0000000000000000");
}

#[tokio::test]
async fn a_program_has_no_capabilities_even_under_root() {
    let text = output(&script("grep Cap /proc/self/status")).await;
    let sets = text.lines().filter(|line| !line.starts_with("CapBnd"));
    let all_empty = sets.map(|line| line.split_once('\t').unwrap().1).all(|set| set == "0000000000000000");
    assert!(all_empty, "{text}");
}

#[tokio::test]
async fn session_mask_and_directory_are_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let mut shell =
        script("umask; pwd; ulimit -c; grep NoNewPrivs /proc/self/status; cut -d' ' -f 1,5,6 /proc/$$/stat");
    shell.directory = Some(folder.path().to_owned());
    let text = output(&shell).await;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[..4], ["0077", folder.path().to_str().unwrap(), "0", "NoNewPrivs:\t1"]);
    let [pid, group, session] = lines[4].split(' ').collect::<Vec<_>>()[..] else { panic!("{text}") };
    assert!(pid == group && pid == session, "{text}");
}

#[tokio::test]
async fn a_conversation_goes_both_ways_and_ends_with_its_input() {
    let mut child = spawn(&command("cat", &[])).await.unwrap();
    let (mut input, mut output) = (child.stdin().unwrap(), child.stdout().unwrap());
    assert!(child.stdin().is_none() && child.stdout().is_none());
    input.write_all(b"there and back\n").await.unwrap();
    let mut back = [0; 15];
    output.read_exact(&mut back).await.unwrap();
    assert_eq!(&back, b"there and back\n");
    assert!(lives(&child.id().to_string()));
    drop(input);
    let exit = child.wait().await;
    assert_eq!((exit.end, exit.cause, exit.all_gone), (End::Status(0), Cause::Itself, true));
    assert_eq!(child.wait().await, exit);
}

#[tokio::test]
async fn a_large_plan_arrives_whole() {
    let mut command = script("echo ${#BIG}");
    command.environment = (0..6).map(|n| (format!("V{n}"), Value::Plain("v".repeat(100_000)))).collect();
    command.environment.push(("BIG".into(), Value::Plain("b".repeat(120_000))));
    assert_eq!(output(&command).await, "120000\n");
}

#[tokio::test]
async fn what_cannot_start_is_told_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("script");
    fs::write(&path, "#!/no/such/interpreter\n").unwrap();
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let refused = |command: Command| async move { spawn(&command).await.err().unwrap() };

    let error = refused(command(&path, &[])).await;
    let expected = "did not start: the system could not execute it; if it is a script, the program its first line names is missing";
    assert!(error.to_string().ends_with(expected), "{error}");
    assert!(matches!(refused(command("no-such-program", &[])).await, SpawnError::ProgramNotFound { .. }));
    let mut elsewhere = script("true");
    elsewhere.directory = Some(folder.path().join("gone"));
    assert!(matches!(refused(elsewhere).await, SpawnError::DirectoryMissing(_)));
    let mut alone = script("true");
    alone.supervisor.program = "/no/such/gate".into();
    assert!(matches!(refused(alone).await, SpawnError::Supervisor { .. }));
    let mut other = script("true");
    other.supervisor = Supervisor { program: "/bin/true".into(), arguments: Vec::new() };
    assert!(matches!(refused(other).await, SpawnError::Supervisor { .. }));
}

#[tokio::test]
async fn a_program_can_neither_read_the_gate_nor_end_it() {
    let wall = spawn(&script("true")).await.unwrap().wall();
    if wall != Wall::Whole {
        eprintln!("passed over: on this system {wall}");
        return;
    }
    // The parent of the supervisor is the gate.
    let attack = "gate=$(cut -d' ' -f4 /proc/$PPID/stat); \
        for f in environ mem maps; do head -c 4096 /proc/$gate/$f >/dev/null 2>&1 && printf \"read-$f \"; done; \
        head -c 4096 /proc/$PPID/environ >/dev/null 2>&1 && printf 'read-supervisor '; \
        kill -9 $gate 2>/dev/null && printf 'ended-gate '; kill -9 $PPID 2>/dev/null && printf 'ended-supervisor '; \
        sleep 300 & kill -9 $! && printf 'ended-own '; kill -0 $gate 2>/dev/null; echo $gate; exec cat";
    let mut gate = Gate::start(attack);
    assert_eq!(gate.said, format!("ended-own {}", gate.id()));
    assert!(gate.lives());
}

#[tokio::test]
async fn a_supervisor_run_by_hand_says_so() {
    let output = std::process::Command::new(FIXTURE).arg("sandbox-init").stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("cannot be run by hand"));
}
