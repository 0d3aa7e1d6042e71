//! What the tests start: a gate that can be killed, its supervisor, and programs that do what they should not.

use std::io::{self, Read as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use sandbox::{Command, Limits, Supervisor};

fn main() -> ExitCode {
    let mut arguments = std::env::args();
    let role = arguments.nth(1).unwrap_or_default();
    if role == "sandbox-init" {
        return sandbox::supervise();
    }
    if role == sandbox::JAIL_COMMAND {
        return sandbox::enter(std::env::args_os().skip(2));
    }
    if role == sandbox::JAIL_WATCH_COMMAND {
        return sandbox::watch(std::env::args_os().skip(2));
    }
    let rest: Vec<String> = arguments.collect();
    let number = rest.first().and_then(|number| number.parse().ok()).unwrap_or(0);
    let done = match role.as_str() {
        "gate" => gate(&rest),
        "use-memory" => use_memory(number),
        "start-threads" => start_threads(number),
        "start-threads-until-refused" => start_threads_until_refused(number),
        "flood" => flood(number),
        _ => Err(io::ErrorKind::InvalidInput.into()),
    };
    if done.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Starts `sh -c TEXT` and passes on what it says, until it is killed.
fn gate(script: &[String]) -> io::Result<()> {
    sandbox::conceal()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let arguments = [vec!["-c".to_owned()], script.to_vec()].concat();
        let command = Command {
            supervisor: Supervisor::this_program(&["sandbox-init"]),
            program: "sh".into(),
            arguments,
            directory: None,
            environment: Vec::new(),
            limits: Limits::default(),
        };
        let mut child = sandbox::spawn(&command).await.map_err(io::Error::other)?;
        let mut output = child.stdout().ok_or(io::ErrorKind::Other)?;
        let mut buffer = [0; 4096];
        loop {
            let count = tokio::io::AsyncReadExt::read(&mut output, &mut buffer).await?;
            io::stdout().write_all(buffer.get(..count).unwrap_or_default())?;
            io::stdout().flush()?;
            if count == 0 {
                child.wait().await;
                return Ok(());
            }
        }
    })
}

/// Fills memory, mebibyte by mebibyte, and waits.
fn use_memory(mebibytes: usize) -> io::Result<()> {
    let mut held: Vec<Vec<u8>> = Vec::new();
    for _ in 0..mebibytes {
        held.push(vec![1; 1 << 20]);
    }
    wait(&held)
}

fn start_threads(count: usize) -> io::Result<()> {
    let mut threads = Vec::new();
    for _ in 0..count {
        let builder = std::thread::Builder::new().stack_size(64 * 1024);
        threads.push(builder.spawn(|| std::thread::sleep(Duration::from_secs(60)))?);
    }
    wait(&threads)
}

/// Starts threads until the system makes no more, or there are so many; says how many there are with the first one, and waits.
fn start_threads_until_refused(most: usize) -> io::Result<()> {
    let one =
        || std::thread::Builder::new().stack_size(64 * 1024).spawn(|| std::thread::sleep(Duration::from_secs(60)));
    let threads: Vec<_> = (0..most).map_while(|_| one().ok()).collect();
    // Nothing is said after the count: whoever reads it may be gone then.
    writeln!(io::stdout(), "{}", threads.len() + 1)?;
    io::stdin().read_exact(&mut [0])
}

/// Writes this many mebibytes to standard error, and a last line.
fn flood(mebibytes: usize) -> io::Result<()> {
    let line = [vec![b'x'; 1023], vec![b'\n']].concat().repeat(1024);
    let mut output = io::stderr();
    for _ in 0..mebibytes {
        output.write_all(&line)?;
    }
    output.write_all(b"that was all\n")
}

fn wait<T>(_held: &T) -> io::Result<()> {
    writeln!(io::stdout(), "ready")?;
    io::stdin().read_exact(&mut [0])
}
