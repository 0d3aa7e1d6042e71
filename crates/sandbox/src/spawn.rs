//! How a program is started: pipes, a socket, the supervisor, the plan, and what comes back.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{self, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc;
use std::time::Duration;

use model::limits::LOCAL_START_MILLISECONDS_MAX;
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::sync::oneshot;

use crate::child::{Began, Child, Line, Monitor};
use crate::handover::{self, Pipes};
use crate::{Command, SpawnError, Stderr, Supervisor, Value, orphans, plan, program};

/// Starts a program, and returns once it runs: what it does from then on, a missing library included, is told by
/// [`Child::wait`] and [`Child::stderr`]. Dropping the future kills what was started. Needs a `tokio` runtime.
///
/// # Errors
/// When the program is missing or cannot be started as the command says.
pub async fn spawn(command: &Command) -> Result<Child, SpawnError> {
    let (program, directory) = look_up(command).await?;
    let plan = plan::encode(command, &program, &directory)?;
    let system = |doing| move |source| SpawnError::System { doing, source };
    let (gate, socket) = UnixStream::pair().map_err(system("make a socket"))?;
    let (theirs, ours) = pipes().map_err(system("make pipes"))?;
    handover::send_pipes(&gate, &theirs, plan.len()).map_err(system("hand over pipes"))?;
    // From here on only the supervisor, and then the program, has those ends: when it closes them, that is seen.
    drop(theirs);
    let gate = gate.set_nonblocking(true).and_then(|()| tokio::net::UnixStream::from_std(gate));
    let (read, write) = gate.map_err(system("use a socket"))?.into_split();
    let lost = |source| SpawnError::Supervisor { program: command.supervisor.program.clone(), source };
    let process = start(&command.supervisor, socket).await.map_err(lost)?;

    let stderr = Stderr::default();
    let collected = tokio::spawn({
        let (stderr, pipe) = (stderr.clone(), ours.stderr);
        async move { stderr.read(pipe).await }
    });
    let line = Line::new(write);
    let (began, monitored) = Monitor::start(process, read, line.cut(), collected);
    let answer = tokio::time::timeout(Duration::from_millis(LOCAL_START_MILLISECONDS_MAX), async {
        // If the supervisor is gone, that is told below.
        let _ = line.send(&plan).await;
        began.await
    });
    match answer.await {
        Ok(Ok(Began::Runs { pid, wall })) => {
            Ok(Child::new(pid, wall, (ours.stdin, ours.stdout), stderr, line, monitored))
        }
        Ok(Ok(Began::Failed { step, errno })) => {
            Err(SpawnError::NotStarted { program, step, source: io::Error::from_raw_os_error(errno) })
        }
        Ok(Ok(Began::Lost) | Err(_)) => Err(lost(io::ErrorKind::UnexpectedEof.into())),
        Err(_) => Err(SpawnError::Silent),
    }
}

/// The program's file and its directory. Looked up where a slow file system holds up nobody else.
async fn look_up(command: &Command) -> Result<(PathBuf, PathBuf), SpawnError> {
    let (program, directory) = (command.program.clone(), command.directory.clone());
    let search = command.environment.iter().find_map(|(name, value)| match value {
        Value::Plain(text) if name == "PATH" => Some(text.clone()),
        Value::Plain(_) | Value::Secret(_) => None,
    });
    let looked = tokio::task::spawn_blocking(move || {
        let directory = program::directory(directory.as_deref())?;
        Ok((program::file(&program, &directory, search.as_deref())?, directory))
    });
    looked.await.unwrap_or_else(|error| Err(SpawnError::System { doing: "look for the program", source: error.into() }))
}

/// The gate's ends of a program's pipes. They do not block; the program's ends do, as programs expect.
struct Ends {
    stdin: Sender,
    stdout: Receiver,
    stderr: Receiver,
}

fn pipes() -> io::Result<(Pipes, Ends)> {
    let (read_stdin, stdin) = io::pipe()?;
    let (stdout, write_stdout) = io::pipe()?;
    let (stderr, write_stderr) = io::pipe()?;
    let ends = Ends {
        stdin: Sender::from_owned_fd(stdin.into())?,
        stdout: Receiver::from_owned_fd(stdout.into())?,
        stderr: Receiver::from_owned_fd(stderr.into())?,
    };
    Ok(([read_stdin.into(), write_stdout.into(), write_stderr.into()], ends))
}

/// Something for the spawner to start, and who waits for it.
struct Job {
    command: process::Command,
    started: oneshot::Sender<io::Result<process::Child>>,
}

/// Runs the gate as a supervisor, with the socket as its only open file.
async fn start(supervisor: &Supervisor, socket: UnixStream) -> io::Result<process::Child> {
    let mut command = process::Command::new(&supervisor.program);
    command.args(&supervisor.arguments).env_clear().current_dir("/");
    command.stdin(Stdio::from(OwnedFd::from(socket))).stdout(Stdio::null()).stderr(Stdio::null());
    let (started, job) = oneshot::channel();
    let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
    spawner()?.send(Job { command, started }).map_err(|_| gone())?;
    job.await.map_err(|_| gone())?
}

/// The thread that starts supervisors, for as long as the gate runs.
///
/// The kernel sends a process its parent-death signal when the *thread* that made it ends, and a runtime's threads come
/// and go. So there is one that stays.
fn spawner() -> io::Result<&'static mpsc::Sender<Job>> {
    static SPAWNER: OnceLock<mpsc::Sender<Job>> = OnceLock::new();
    if let Some(spawner) = SPAWNER.get() {
        return Ok(spawner);
    }
    orphans::adopt();
    let (sender, jobs) = mpsc::channel();
    std::thread::Builder::new().name("spawner".to_owned()).spawn(move || jobs.into_iter().for_each(run))?;
    // Of two threads made at once, the one whose sender is not kept ends, having started nothing.
    Ok(SPAWNER.get_or_init(|| sender))
}

fn run(Job { mut command, started }: Job) {
    let result = orphans::start(&mut command);
    // The command still holds the supervisor's end of the socket.
    drop(command);
    if let Err(Ok(mut unwanted)) = started.send(result) {
        // Whoever wanted it is gone, and with it the other end of the socket: it has been told nothing and started nothing.
        let _ = unwanted.kill();
        orphans::wait(unwanted);
    }
}
