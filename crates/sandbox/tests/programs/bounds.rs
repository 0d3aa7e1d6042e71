//! Limits, each exceeded.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use sandbox::{Cause, Command, End, Limits, SpawnError, Value, spawn};

use crate::scene::{FIXTURE, MULTIPLY, command, line, output, script};

const MEBIBYTE: u64 = 1 << 20;

#[tokio::test]
async fn the_kernels_limits_bind() {
    let mut command = script("ulimit -d; ulimit -n; ulimit -Hn; ulimit -t");
    command.limits = Limits { memory_bytes: 200 * MEBIBYTE, open_files: 40, cpu_seconds: Some(9), ..Limits::default() };
    assert_eq!(output(&command).await, "204800\n40\n40\n9\n");

    let folder = tempfile::tempdir().unwrap();
    let mut command = command_in(folder.path(), "head -c 3000000 /dev/zero >big; echo $?; wc -c <big");
    command.limits.file_bytes = MEBIBYTE;
    assert_eq!(output(&command).await, "153\n1048576\n");

    let mut spinning = script("while :; do :; done");
    spinning.limits.cpu_seconds = Some(1);
    let exit = spawn(&spinning).await.unwrap().wait().await;
    assert_eq!(exit.cause, Cause::Itself);
    assert!(matches!(exit.end, End::Signal(libc::SIGXCPU | libc::SIGKILL)), "{exit}");
}

fn command_in(directory: &Path, text: &str) -> Command {
    Command { directory: Some(directory.to_owned()), ..script(text) }
}

#[tokio::test]
async fn one_process_cannot_allocate_more_than_it_may() {
    let mut command = command(FIXTURE, &["use-memory", "400"]);
    command.limits.memory_bytes = 100 * MEBIBYTE;
    let exit = spawn(&command).await.unwrap().wait().await;
    assert_eq!(exit.end, End::Signal(libc::SIGABRT), "{exit}");
}

#[tokio::test]
async fn processes_cannot_use_more_together_than_one_may() {
    let mut command =
        script(&format!("exec 3<&0; for i in 1 2 3 4 5 6; do {FIXTURE} use-memory 60 <&3 & done; exec cat"));
    command.limits.memory_bytes = 200 * MEBIBYTE;
    let child = spawn(&command).await.unwrap();
    let exit = child.wait().await;
    let Cause::Memory { used_bytes } = exit.cause else { panic!("{exit}") };
    assert!(used_bytes > 200 * MEBIBYTE && exit.all_gone);
}

#[tokio::test]
async fn memory_that_is_shared_is_counted_once() {
    let python = "import mmap,os,sys,time\nm=mmap.mmap(-1,80<<20)\nm.write(b'x'*(80<<20))\nfor i in range(5):\n if os.fork()==0:\n  sum(m[::4096]); time.sleep(300)\ntime.sleep(1)\nprint('ready',flush=True)\nsys.stdin.read()";
    let mut command = command("python3", &["-c", python]);
    command.environment = vec![("PATH".into(), Value::Plain(std::env::var("PATH").unwrap()))];
    command.limits.memory_bytes = 200 * MEBIBYTE;
    let mut child = match spawn(&command).await {
        Ok(child) => child,
        Err(SpawnError::ProgramNotFound { .. }) => return,
        Err(error) => panic!("{error}"),
    };
    // Six processes see 80 MiB each, which are the same.
    if line(&mut child).await != "ready" {
        assert_eq!(child.wait().await.cause, Cause::Itself, "python3 is not usable here");
        return;
    }
    child.kill();
    assert_eq!(child.wait().await.cause, Cause::Asked);
}

#[tokio::test]
async fn processes_that_multiply_are_killed() {
    let mut command = script(MULTIPLY);
    command.limits.processes = 32;
    let exit = tokio::time::timeout(Duration::from_secs(20), spawn(&command).await.unwrap().wait()).await.unwrap();
    let Cause::Processes { count } = exit.cause else { panic!("{exit}") };
    assert!(count > 32 && exit.all_gone, "{exit}");
}

/// Where a control group can be made, no more than a few above the limit are ever born.
#[tokio::test]
async fn the_kernel_makes_no_more_processes_than_it_was_told() {
    if !control_groups_can_be_made() {
        eprintln!("no control group can be made here: the supervisor's count is the bound");
        return;
    }
    let mut command = command(FIXTURE, &["start-threads-until-refused", "500"]);
    command.limits.processes = 600;
    let mut child = spawn(&command).await.unwrap();
    assert_eq!(line(&mut child).await, "501", "as many can be made where they may be");
    child.kill();
    assert!(child.wait().await.all_gone);

    command.limits.processes = 20;
    let mut child = spawn(&command).await.unwrap();
    assert_eq!(line(&mut child).await, (20 + model::limits::LOCAL_PROCESSES_MARGIN).to_string());
    let exit = child.wait().await;
    assert!(matches!(exit.cause, Cause::Processes { .. }) && exit.all_gone, "{exit}");
}

/// Whether this process may make groups that count processes: version 1 of control groups, or the root of version 2.
fn control_groups_can_be_made() -> bool {
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let of_first = own.lines().find_map(|line| Some(format!("pids/{}", line.split_once(":pids:/")?.1)));
    let place = Path::new("/sys/fs/cgroup").join(of_first.unwrap_or_default());
    let probe = place.join(format!("probe-{}", std::process::id()));
    let counts = fs::create_dir(&probe).is_ok() && probe.join("pids.max").exists();
    let _ = fs::remove_dir(&probe);
    counts
}

#[tokio::test]
async fn threads_count_as_processes() {
    let mut command = command(FIXTURE, &["start-threads", "50"]);
    let mut child = spawn(&command).await.unwrap();
    assert_eq!(line(&mut child).await, "ready");
    tokio::time::sleep(Duration::from_millis(500)).await;
    child.kill();
    assert_eq!(child.wait().await.cause, Cause::Asked);
    command.limits.processes = 20;
    assert_eq!(spawn(&command).await.unwrap().wait().await.cause, Cause::Processes { count: 51 });
}

#[tokio::test]
async fn a_flood_on_standard_error_is_bounded_and_its_end_is_kept() {
    let since = Instant::now();
    let before = processor_time();
    let child = spawn(&command(FIXTURE, &["flood", "1024"])).await.unwrap();
    let exit = child.wait().await;
    let (took, spent) = (since.elapsed(), processor_time() - before);
    assert_eq!(exit.end, End::Status(0));
    let tail = child.stderr().tail();
    assert_eq!(tail.lines.last().unwrap(), "that was all");
    let kept: usize = tail.lines.iter().map(|line| line.len() + 1).sum();
    assert!(kept <= model::limits::LOCAL_STDERR_BYTES_MAX);
    assert_eq!(kept as u64 + tail.dropped_bytes, 1024 * MEBIBYTE + 13);
    eprintln!("1 GiB of standard error: {took:?}, of which the tests' process computed {spent:?} at most");
    assert!(took > Duration::from_secs(6), "{took:?}");
}

/// Processor time of this process so far.
fn processor_time() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}
