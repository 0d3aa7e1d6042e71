//! Loopback ports.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// How often a port is tried again.
const RETRY: Duration = Duration::from_millis(10);

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
    use std::net::{Ipv4Addr, TcpListener};

    #[test]
    fn a_port_is_waited_for_and_not_forever() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        wait_for_port(listener.local_addr().unwrap(), Duration::from_secs(5)).unwrap();
        // "discard": not a port that the system gives to whoever asks for any, so nobody takes it meanwhile.
        assert!(wait_for_port((Ipv4Addr::LOCALHOST, 9).into(), Duration::from_millis(30)).is_err());
    }
}
