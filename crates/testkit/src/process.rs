//! A program under test.

use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How often an ending program is looked at.
const RETRY: Duration = Duration::from_millis(10);
/// How long a program may live: a test that waits in vain fails then, because nobody is there any more.
const LIFE_MAX: Duration = Duration::from_secs(600);

/// A running program. It is killed, by its own process id, when this is dropped or has lived for ten minutes.
pub struct Process {
    child: Arc<Mutex<Child>>,
    output: Arc<Mutex<String>>,
    ready: String,
    /// The thread that ends its life hears when this goes.
    _life: Sender<()>,
}

impl Process {
    /// Starts a program and waits until a line of its output, standard or error, contains `ready`.
    ///
    /// # Errors
    /// When it cannot be started, ends before it is ready, or is not ready within `patience`; the error tells what it
    /// said until then.
    pub fn start(command: &mut Command, ready: &str, patience: Duration) -> io::Result<Self> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let output = Arc::new(Mutex::new(String::new()));
        let (line, lines) = channel();
        if let Some(stdout) = child.stdout.take() {
            collect(stdout, Arc::clone(&output), line.clone());
        }
        if let Some(stderr) = child.stderr.take() {
            collect(stderr, Arc::clone(&output), line);
        }
        // From here on the program dies with the value, whatever happens.
        let child = Arc::new(Mutex::new(child));
        let life = end_after(LIFE_MAX, Arc::clone(&child));
        let mut process = Self { child, output, ready: String::new(), _life: life };
        process.ready = process.wait_until_ready(&lines, ready, patience)?;
        Ok(process)
    }

    fn wait_until_ready(&self, lines: &Receiver<String>, ready: &str, patience: Duration) -> io::Result<String> {
        let deadline = Instant::now() + patience;
        loop {
            match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) if line.contains(ready) => return Ok(line),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => {
                    return Err(io::Error::new(
                        io::ErrorKind::TimedOut,
                        format!("no line with `{ready}` in {patience:?}; it said:\n{}", self.output()),
                    ));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(io::Error::other(format!("it ended before `{ready}`; it said:\n{}", self.output())));
                }
            }
        }
    }

    /// The line that said it was ready.
    pub fn ready_line(&self) -> &str {
        &self.ready
    }

    /// Everything it has said so far, on both outputs.
    pub fn output(&self) -> String {
        self.output.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child().id()
    }

    /// Asks it to reload (`SIGHUP`).
    ///
    /// # Errors
    /// When there is no `kill` program, or the process is gone.
    pub fn reload(&self) -> io::Result<()> {
        self.signal("HUP")
    }

    /// Asks it to end (`SIGTERM`) and waits for it.
    ///
    /// # Errors
    /// When it has not ended within `patience`.
    pub fn end(mut self, patience: Duration) -> io::Result<ExitStatus> {
        self.signal("TERM")?;
        self.wait(patience)
    }

    /// Waits for it to end by itself.
    ///
    /// # Errors
    /// When it has not ended within `patience`.
    pub fn wait(&mut self, patience: Duration) -> io::Result<ExitStatus> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.child().try_wait()? {
                return Ok(status);
            }
            if Instant::now() >= deadline {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "it is still running"));
            }
            thread::sleep(RETRY);
        }
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn signal(&self, name: &str) -> io::Result<()> {
        let status = Command::new("kill").args([&format!("-{name}"), &self.id().to_string()]).status()?;
        if status.success() { Ok(()) } else { Err(io::Error::other(format!("`kill -{name}` failed"))) }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to do.
        let mut child = self.child();
        drop(child.kill());
        drop(child.wait());
    }
}

/// Kills a program after so long, unless what this returns is dropped before.
fn end_after(life: Duration, child: Arc<Mutex<Child>>) -> Sender<()> {
    let (alive, ends) = channel::<()>();
    thread::spawn(move || {
        if ends.recv_timeout(life) == Err(RecvTimeoutError::Timeout) {
            // It may have ended already; then there is nothing to do.
            drop(child.lock().unwrap_or_else(PoisonError::into_inner).kill());
        }
    });
    alive
}

/// Collects one output on a thread of its own, so that the program never waits for the test to read.
fn collect(from: impl Read + Send + 'static, output: Arc<Mutex<String>>, line: Sender<String>) {
    thread::spawn(move || {
        for read in BufReader::new(from).lines().map_while(Result::ok) {
            {
                let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
                output.push_str(&read);
                output.push('\n');
            }
            // Nobody waits for lines once the program was ready.
            drop(line.send(read));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_program_is_ready_when_it_says_so() {
        let script = "echo starting; echo 'ready at 7' >&2; sleep 60";
        let process = Process::start(&mut shell(script), "ready", Duration::from_secs(5)).unwrap();
        assert_eq!(process.ready_line(), "ready at 7");
        assert!(process.output().contains("ready at 7"));
    }

    #[test]
    fn a_program_that_ends_early_is_an_error_that_tells_what_it_said() {
        let error =
            Process::start(&mut shell("echo 'no port'; exit 3"), "ready", Duration::from_secs(5)).err().unwrap();
        assert!(error.to_string().contains("no port"), "{error}");
    }

    #[test]
    fn a_program_that_is_never_ready_is_an_error() {
        let error = Process::start(&mut shell("sleep 60"), "ready", Duration::from_millis(50)).err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn a_program_dies_with_its_value() {
        let process = Process::start(&mut shell("echo ready; exec sleep 60"), "ready", Duration::from_secs(5)).unwrap();
        let id = process.id().to_string();
        drop(process);
        assert!(!Command::new("kill").args(["-0", &id]).stderr(Stdio::null()).status().unwrap().success());
    }

    #[test]
    fn a_program_lives_for_so_long_and_no_longer() {
        let sleeps = || Arc::new(Mutex::new(Command::new("sleep").arg("60").spawn().unwrap()));
        let ended = |child: &Mutex<Child>| child.lock().unwrap().try_wait().unwrap().is_some();
        let (kept, left) = (sleeps(), sleeps());
        drop(end_after(Duration::from_millis(50), Arc::clone(&kept)));
        let _life = end_after(Duration::from_millis(50), Arc::clone(&left));
        let deadline = Instant::now() + Duration::from_secs(10);
        while !ended(&left) {
            assert!(Instant::now() < deadline, "it lives on");
            thread::sleep(RETRY);
        }
        assert!(!ended(&kept));
        kept.lock().unwrap().kill().unwrap();
        kept.lock().unwrap().wait().unwrap();
    }

    #[test]
    fn a_program_can_be_asked_to_end() {
        let process = Process::start(&mut shell("echo ready; exec sleep 60"), "ready", Duration::from_secs(5)).unwrap();
        assert!(!process.end(Duration::from_secs(5)).unwrap().success());
    }
}
