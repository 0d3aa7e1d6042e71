//! Loopback ports.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// How often a port is tried again.
const RETRY: Duration = Duration::from_millis(10);

/// A loopback port that was free a moment ago. Prefer port 0 where a program can say what it got.
///
/// # Errors
/// When the system has no free port.
pub fn free_port() -> io::Result<u16> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr().map(|address| address.port())
}

/// Waits until something listens at `address`.
///
/// # Errors
/// When nothing did within `patience`.
#[expect(clippy::disallowed_methods, reason = "a test looks at a program from outside")]
pub fn wait_for_port(address: SocketAddr, patience: Duration) -> io::Result<()> {
    let deadline = Instant::now() + patience;
    loop {
        match TcpStream::connect_timeout(&address, patience) {
            Ok(_) => return Ok(()),
            Err(error) if Instant::now() >= deadline => return Err(error),
            Err(_) => thread::sleep(RETRY),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_waited_for_and_not_forever() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        wait_for_port(address, Duration::from_secs(5)).unwrap();
        drop(listener);
        assert!(wait_for_port(address, Duration::from_millis(30)).is_err());
    }

    #[test]
    fn a_free_port_can_be_bound() {
        TcpListener::bind((Ipv4Addr::LOCALHOST, free_port().unwrap())).unwrap();
    }
}
