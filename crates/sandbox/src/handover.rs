//! How a plan and three pipes get from the gate to the supervisor: over a socket, which alone the supervisor inherits.

use std::io::{self, IoSlice, IoSliceMut, Read as _};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
};
use zeroize::Zeroizing;

use crate::plan::{self, PLAN_BYTES_MAX, Plan};

/// Standard input, output and error of a program.
pub(crate) type Pipes = [OwnedFd; 3];

const LENGTH_BYTES: usize = 8;

/// Sends the pipes, and how long the plan is that follows. The socket is new, so that this does not wait.
pub(crate) fn send_pipes(socket: &UnixStream, pipes: &Pipes, plan_bytes: usize) -> io::Result<()> {
    let length = (plan_bytes as u64).to_le_bytes();
    let descriptors: [BorrowedFd<'_>; 3] = pipes.each_ref().map(AsFd::as_fd);
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(&descriptors)) {
        return Err(io::ErrorKind::StorageFull.into());
    }
    let sent = rustix::net::sendmsg(socket, &[IoSlice::new(&length)], &mut control, SendFlags::empty())?;
    if sent == LENGTH_BYTES { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
}

/// Receives what [`send_pipes`] sent, and the plan.
pub(crate) fn receive(socket: &mut UnixStream) -> io::Result<(Plan, Pipes)> {
    let (pipes, length) = receive_pipes(socket)?;
    let length = usize::try_from(length).ok().filter(|&length| length <= PLAN_BYTES_MAX).ok_or_else(malformed)?;
    let mut bytes = Zeroizing::new(vec![0; length]);
    socket.read_exact(&mut bytes)?;
    Ok((plan::decode(&bytes).ok_or_else(malformed)?, pipes))
}

fn receive_pipes(socket: &UnixStream) -> io::Result<(Pipes, u64)> {
    let mut length = [0; LENGTH_BYTES];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = rustix::net::recvmsg(socket, &mut [IoSliceMut::new(&mut length)], &mut control, receive_flags())?;
    if received.bytes != LENGTH_BYTES {
        return Err(malformed());
    }
    let mut descriptors = Vec::with_capacity(3);
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            descriptors.extend(rights);
        }
    }
    let pipes: Pipes = descriptors.try_into().map_err(|_| malformed())?;
    for pipe in &pipes {
        rustix::io::fcntl_setfd(pipe, rustix::io::FdFlags::CLOEXEC)?;
    }
    Ok((pipes, u64::from_le_bytes(length)))
}

/// No program is to inherit what is received, not for a moment, where the system can promise that.
fn receive_flags() -> RecvFlags {
    #[cfg(target_os = "linux")]
    return RecvFlags::CMSG_CLOEXEC;
    #[cfg(not(target_os = "linux"))]
    RecvFlags::empty()
}

fn malformed() -> io::Error {
    io::ErrorKind::InvalidData.into()
}
