//! Seeing what is started and connected to in a watched jail: the kernel asks about each such call before it makes it, and is told
//! to go on.
//!
//! What is seen is what stood in the caller's memory when it was asked. A program that changes that in between is seen wrongly;
//! it gets no further by that, because nothing is decided here: what may be reached decides the network that the jail has not.

#![cfg(target_os = "linux")]

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::fs::FileExt as _;

use libc::{c_long, c_ulong, sock_filter, sock_fprog};

use super::filter::{ALLOW, ANSWER, EQUAL, LOAD, MACHINE, MACHINE_AT, NUMBER_AT, jump, step};

/// The low half of the fifth argument in `struct seccomp_data`: where `sendto` is told whereto.
const FIFTH_AT: u32 = 48;
const NOTIFY: u32 = 0x7fc0_0000;
/// `SECCOMP_SET_MODE_FILTER`, and the flag by which the caller is given what the questions come by.
const SET_MODE_FILTER: c_long = 1;
const NEW_LISTENER: c_long = 8;
/// `SECCOMP_IOCTL_NOTIF_RECV`, `SECCOMP_IOCTL_NOTIF_SEND`, and the flag of an answer that lets the call go on.
const RECEIVE: c_ulong = 0xc050_2100;
const SEND: c_ulong = 0xc018_2101;
const GO_ON: u32 = 1;
/// Bytes of a text of a caller's that are read, and words of its arguments.
const TEXT_BYTES: usize = 512;
const WORDS_MAX: u64 = 12;

/// What the kernel asks about, as `linux/seccomp.h` lays it out.
#[repr(C)]
#[derive(Default)]
struct Question {
    id: u64,
    pid: u32,
    flags: u32,
    number: i32,
    machine: u32,
    pointer: u64,
    arguments: [u64; 6],
}

#[repr(C)]
#[derive(Default)]
struct Answer {
    id: u64,
    value: i64,
    error: i32,
    flags: u32,
}

/// Something that was about to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Run(Vec<String>),
    Connect(SocketAddr),
    ConnectLocal(String),
}

/// Where the kernel's questions come by.
pub(super) struct Observed {
    questions: OwnedFd,
}

/// Has the kernel ask about what this thread, and all that it starts, is about to do from now on.
pub(super) fn begin() -> io::Result<Observed> {
    let mut steps = steps();
    let len = u16::try_from(steps.len()).map_err(io::Error::other)?;
    let program = sock_fprog { len, filter: steps.as_mut_ptr() };
    #[expect(unsafe_code, reason = "no safe function installs a filter that asks")]
    // SAFETY: the kernel copies the program, which lives until the call is over, and keeps no pointer to it.
    let result = unsafe { libc::syscall(libc::SYS_seccomp, SET_MODE_FILTER, NEW_LISTENER, &raw const program) };
    let number = i32::try_from(result).map_err(io::Error::other)?;
    if number < 0 {
        return Err(io::Error::last_os_error());
    }
    #[expect(unsafe_code, reason = "the kernel made a file, and nobody owns it yet")]
    // SAFETY: the number is that of a file that was opened just now for this caller.
    let questions = unsafe { OwnedFd::from_raw_fd(number) };
    Ok(Observed { questions })
}

fn steps() -> Vec<sock_filter> {
    let number = |call: c_long| u32::try_from(call).unwrap_or(u32::MAX);
    vec![
        step(LOAD, MACHINE_AT),
        jump(EQUAL, MACHINE, 0, 7),
        step(LOAD, NUMBER_AT),
        jump(EQUAL, number(libc::SYS_connect), 6, 0),
        jump(EQUAL, number(libc::SYS_execve), 5, 0),
        jump(EQUAL, number(libc::SYS_execveat), 4, 0),
        jump(EQUAL, number(libc::SYS_sendto), 0, 2),
        step(LOAD, FIFTH_AT),
        jump(EQUAL, 0, 0, 1),
        step(ANSWER, ALLOW),
        step(ANSWER, NOTIFY),
    ]
}

impl Observed {
    /// Waits for the next question, lets the call go on, and tells what it is about; none if that is nothing, or is over.
    ///
    /// # Errors
    /// When there is nobody left to ask.
    pub(super) fn next(&self) -> io::Result<Option<Deed>> {
        let mut question = Question::default();
        #[expect(unsafe_code, reason = "no safe function takes such questions")]
        // SAFETY: the kernel writes a question into memory of exactly its size that is empty, as it wants it to be.
        let result = unsafe { libc::ioctl(self.questions.as_raw_fd(), RECEIVE, &raw mut question) };
        if result != 0 {
            let error = io::Error::last_os_error();
            // Whoever was asked about is gone, or a signal came.
            let is_over = matches!(error.raw_os_error(), Some(libc::ENOENT | libc::EINTR));
            return if is_over { Ok(None) } else { Err(error) };
        }
        let deed = deed(&question);
        let answer = Answer { id: question.id, flags: GO_ON, ..Answer::default() };
        #[expect(unsafe_code, reason = "no safe function answers such questions")]
        // SAFETY: the kernel reads an answer of exactly its size. If whoever was asked about is gone, it says so, and that is all.
        let _gone = unsafe { libc::ioctl(self.questions.as_raw_fd(), SEND, &raw const answer) };
        Ok(deed)
    }
}

fn deed(question: &Question) -> Option<Deed> {
    let memory = File::open(format!("/proc/{}/mem", question.pid)).ok()?;
    let [first, second, third, _fourth, fifth, sixth] = question.arguments;
    match c_long::from(question.number) {
        libc::SYS_connect => connected(&read(&memory, second, third)?),
        libc::SYS_sendto => connected(&read(&memory, fifth, sixth)?),
        libc::SYS_execve => Some(Deed::Run(words(&memory, first, second)?)),
        libc::SYS_execveat => Some(Deed::Run(words(&memory, second, third)?)),
        _ => None,
    }
}

/// Bytes of a caller's memory; fewer where it has no more.
fn read(memory: &File, at: u64, count: u64) -> Option<Vec<u8>> {
    let count = usize::try_from(count).ok()?.min(TEXT_BYTES);
    let mut bytes = vec![0; count];
    let read = memory.read_at(&mut bytes, at).ok()?;
    bytes.truncate(read);
    Some(bytes)
}

fn text(memory: &File, at: u64) -> Option<String> {
    let bytes = read(memory, at, TEXT_BYTES as u64)?;
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    Some(String::from_utf8_lossy(bytes.get(..end)?).into_owned())
}

/// The program and its arguments.
fn words(memory: &File, program: u64, arguments: u64) -> Option<Vec<String>> {
    let mut words = vec![text(memory, program)?];
    let pointers = read(memory, arguments, (WORDS_MAX + 1) * 8).unwrap_or_default();
    let pointers = pointers.chunks_exact(8).filter_map(|bytes| Some(u64::from_ne_bytes(bytes.try_into().ok()?)));
    words.extend(pointers.take_while(|at| *at != 0).skip(1).map_while(|at| text(memory, at)));
    Some(words)
}

/// Whom an address names; none for what names nobody.
fn connected(address: &[u8]) -> Option<Deed> {
    let (family, rest) = address.split_first_chunk::<2>()?;
    let family = i32::from(u16::from_ne_bytes(*family));
    let port = || Some(u16::from_be_bytes(*rest.first_chunk::<2>()?));
    match family {
        libc::AF_INET => {
            let ip: [u8; 4] = rest.get(2..6)?.try_into().ok()?;
            Some(Deed::Connect(SocketAddr::new(Ipv4Addr::from(ip).into(), port()?)))
        }
        libc::AF_INET6 => {
            let ip: [u8; 16] = rest.get(6..22)?.try_into().ok()?;
            Some(Deed::Connect(SocketAddr::new(Ipv6Addr::from(ip).to_canonical(), port()?)))
        }
        libc::AF_UNIX => {
            let end = rest.iter().skip(1).position(|byte| *byte == 0).map_or(rest.len(), |end| end + 1);
            let path = String::from_utf8_lossy(rest.get(..end)?).replace('\0', "@");
            (!path.is_empty()).then_some(Deed::ConnectLocal(path))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_the_kernel_lays_them_out() {
        let family = |family: i32| u16::try_from(family).unwrap().to_ne_bytes().to_vec();
        let v4 = [family(libc::AF_INET), vec![1, 187, 192, 0, 2, 7]].concat();
        assert_eq!(connected(&v4), Some(Deed::Connect("192.0.2.7:443".parse().unwrap())));
        let mut v6 = [family(libc::AF_INET6), vec![0, 25, 0, 0, 0, 0]].concat();
        v6.extend("2001:db8::1".parse::<Ipv6Addr>().unwrap().octets());
        assert_eq!(connected(&v6), Some(Deed::Connect("[2001:db8::1]:25".parse().unwrap())));
        let unix = [family(libc::AF_UNIX), b"/run/docker.sock\0\0".to_vec()].concat();
        assert_eq!(connected(&unix), Some(Deed::ConnectLocal("/run/docker.sock".to_owned())));
        let hidden = [family(libc::AF_UNIX), b"\0hidden".to_vec()].concat();
        assert_eq!(connected(&hidden), Some(Deed::ConnectLocal("@hidden".to_owned())));
        assert_eq!(connected(&family(libc::AF_UNSPEC)), None);
        assert_eq!(connected(&[1]), None);
    }
}
