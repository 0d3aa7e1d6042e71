//! Within a watched jail: the process that prepares what is watched, runs it, and tells of what happens.
//!
//! It stands between the walls and the program, with threads that see to the one way out ([`relay`]), to names
//! ([`super::names`]), and to what is started and connected to ([`super::observe`]). What it tells goes over a connection that was
//! made before anything else ran here, and of which there is one.

#![cfg(target_os = "linux")]

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Pid, WaitOptions};

use super::enter::Walls;
use super::names::Names;
use super::note::Note;
use super::observe::{self, Deed, Observed};
use crate::wall::{self, Keeps};

/// Where programs are told that the way out is.
const RELAY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), super::RELAY_PORT);
const NAMES: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 53);
/// Notes that are told.
const NOTES_MAX: usize = 1_000;
/// Connections through the relay at once.
const RELAYED_MAX: usize = 64;

/// What the warden's threads share.
struct Shared {
    notes: Mutex<Notes>,
    names: Mutex<Names>,
}

struct Notes {
    line: UnixStream,
    told: HashSet<String>,
}

/// Prepares and runs what is watched. Returns once that has ended.
pub(super) fn watch(
    walls: &Walls,
    steps: Vec<OsString>,
    mut program: impl Iterator<Item = OsString>,
) -> io::Result<ExitCode> {
    let line = UnixStream::connect(format!("{}/{}", super::OUTSIDE, super::NOTES))?;
    let named = program.next().ok_or_else(|| io::Error::other("no program is named"))?;
    // Both of these need a privilege that nobody has any more afterwards.
    let (names, relay) = (UdpSocket::bind(NAMES)?, TcpListener::bind(RELAY)?);
    super::enter::settle()?;
    fs::write("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")?;
    fs::write("/etc/nsswitch.conf", "hosts: files dns\n")?;
    wall::disarm(Keeps::Nothing)?;
    walls.shut()?;
    // What loses its parent becomes this process's, so that it can be looked into.
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;

    let notes = Mutex::new(Notes { line, told: HashSet::new() });
    let shared = Arc::new(Shared { notes, names: Mutex::default() });
    let (seen, sees) = mpsc::channel::<Observed>();
    for (name, task) in tasks(&shared, names, relay, sees) {
        std::thread::Builder::new().name(name.to_owned()).spawn(task)?;
    }
    match observe::begin() {
        // From here on this thread is asked about, and the others answer.
        Ok(observed) => drop(seen.send(observed)),
        Err(error) => shared.tell(&Note::Blind(error.to_string())),
    }
    shared.tell(&Note::Ready);
    for (number, step) in steps.into_iter().enumerate() {
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(step).stdin(Stdio::null()).stdout(io::stderr());
        let status = run(&mut command)?;
        shared.tell(&Note::Step(number, status));
    }
    let status = run(Command::new(named).args(program))?;
    Ok(ExitCode::from(status.and_then(|status| u8::try_from(status).ok()).unwrap_or(1)))
}

type Task = Box<dyn FnOnce() + Send>;

fn tasks(
    shared: &Arc<Shared>,
    names: UdpSocket,
    relay: TcpListener,
    sees: mpsc::Receiver<Observed>,
) -> [(&'static str, Task); 3] {
    let (of_names, of_deeds) = (Arc::clone(shared), Arc::clone(shared));
    [
        ("names", Box::new(move || answer(&of_names, &names))),
        ("relay", Box::new(move || self::relay(&relay))),
        ("deeds", Box::new(move || sees.into_iter().for_each(|observed| watch_deeds(&of_deeds, &observed)))),
    ]
}

/// Runs something to its end; its status, if it ended by itself. Whatever else ends meanwhile is taken note of.
fn run(command: &mut Command) -> io::Result<Option<i32>> {
    let child = command.spawn()?;
    let wanted = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    loop {
        match rustix::process::wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if Some(pid) == wanted => return Ok(status.exit_status()),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

impl Shared {
    fn tell(&self, note: &Note) {
        let text = note.to_string();
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        let is_step = matches!(note, Note::Step(..));
        let is_full = notes.told.len() >= NOTES_MAX;
        if !is_step && (is_full || !notes.told.insert(text.clone())) {
            if !is_full || !notes.told.insert(Note::More.to_string()) {
                return;
            }
            let _ = notes.line.write_all(format!("{}\n", Note::More).as_bytes());
            return;
        }
        // If nobody reads, the jail is about to end.
        let _ = notes.line.write_all(format!("{text}\n").as_bytes());
    }
}

/// Answers for names, for as long as the jail stands.
fn answer(shared: &Shared, socket: &UdpSocket) {
    let mut buffer = [0; 1024];
    loop {
        let Ok((count, from)) = socket.recv_from(&mut buffer) else { continue };
        let answered = {
            let mut names = shared.names.lock().unwrap_or_else(PoisonError::into_inner);
            names.answer(buffer.get(..count).unwrap_or_default())
        };
        if let Some((answer, new)) = answered {
            new.into_iter().for_each(|name| shared.tell(&Note::Name(name)));
            let _ = socket.send_to(&answer, from);
        }
    }
}

/// Tells of what is started, and of connections that are tried past the relay.
fn watch_deeds(shared: &Shared, observed: &Observed) {
    while let Ok(deed) = observed.next() {
        match deed {
            Some(Deed::Run(words)) => shared.tell(&Note::Run(words)),
            Some(Deed::Connect(to)) if to != RELAY && to != NAMES => {
                let place = match to.ip() {
                    std::net::IpAddr::V4(address) => {
                        let names = shared.names.lock().unwrap_or_else(PoisonError::into_inner);
                        names.of(address.octets()).map(|name| format!("{name}:{}", to.port()))
                    }
                    std::net::IpAddr::V6(_) => None,
                };
                // Port 0 is how resolvers ask which of their addresses would be used.
                if to.port() != 0 {
                    shared.tell(&Note::Reach(place.unwrap_or_else(|| to.to_string())));
                }
            }
            Some(Deed::ConnectLocal(path)) if !path.starts_with("/var/run/nscd/") => {
                shared.tell(&Note::Reach(format!("unix:{path}")));
            }
            Some(Deed::Connect(_) | Deed::ConnectLocal(_)) | None => {}
        }
    }
}

/// Carries connections to the one way out.
fn relay(listener: &TcpListener) {
    let open = Arc::new(Mutex::new(0_usize));
    for inner in listener.incoming().flatten() {
        {
            let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
            if *open >= RELAYED_MAX {
                continue;
            }
            *open += 1;
        }
        let (ended, open) = (Arc::clone(&open), Arc::clone(&open));
        let carried = std::thread::Builder::new().name("relayed".to_owned()).spawn(move || {
            let _ = carry(&inner);
            let mut open = ended.lock().unwrap_or_else(PoisonError::into_inner);
            *open = open.saturating_sub(1);
        });
        if carried.is_err() {
            let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
            *open = open.saturating_sub(1);
        }
    }
}

fn carry(inner: &TcpStream) -> io::Result<()> {
    let outer = UnixStream::connect(format!("{}/{}", super::OUTSIDE, super::PROXY))?;
    let (mut from_inner, mut to_outer) = (inner.try_clone()?, outer.try_clone()?);
    let forth = std::thread::Builder::new().name("forth".to_owned()).spawn(move || {
        let _ = io::copy(&mut from_inner, &mut to_outer);
        let _ = to_outer.shutdown(Shutdown::Write);
    })?;
    let (mut from_outer, mut to_inner) = (outer, inner.try_clone()?);
    let _ = io::copy(&mut from_outer, &mut to_inner);
    let _ = to_inner.shutdown(Shutdown::Both);
    let _ = forth.join();
    Ok(())
}
