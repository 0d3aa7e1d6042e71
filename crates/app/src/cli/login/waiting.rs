//! Waiting for a browser of this machine at a port of loopback (RFC 8252 §7.3): one code, for one `state`, from one gate.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use super::PATIENCE;
use crate::cli::failure::Failure;

/// Bytes of a request's head that are read.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// How long one connection may take to say what it wants.
const HEAD_PATIENCE: Duration = Duration::from_secs(5);
/// Where the gate sends the browser.
const PATH: &str = "/signed-in";

/// The open port.
pub(super) struct Waiting {
    listener: TcpListener,
    port: u16,
}

/// What a browser brought.
enum Brought {
    Code(String),
    Refused,
    /// Something that is not for us: a page that looks at ports, a browser's favicon.
    Nothing,
}

impl Waiting {
    pub(super) async fn begin() -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure::of(&error).with_next("portcullis login --device needs no port");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        Ok(Self { listener, port })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// The code that the gate sends for this `state`. Whatever else comes is answered and not heeded.
    pub(super) async fn code(self, state: &str, gate: &str) -> Result<String, Failure> {
        let brought = tokio::time::timeout(PATIENCE, async {
            loop {
                // A connection that cannot be taken is one that brought nothing.
                let Ok((stream, _)) = self.listener.accept().await else { continue };
                match tokio::time::timeout(HEAD_PATIENCE, hear(stream, state, gate)).await {
                    Ok(Brought::Code(code)) => return Ok(code),
                    Ok(Brought::Refused) => return Err(Failure::new("you said no, or were not signed in")),
                    Ok(Brought::Nothing) | Err(_) => {}
                }
            }
        });
        let late = || Failure::new("nobody signed in in time").with_next("run `portcullis login` again");
        brought.await.unwrap_or_else(|_| Err(late()))
    }
}

/// Hears one request and answers it.
async fn hear(mut stream: TcpStream, state: &str, gate: &str) -> Brought {
    let mut head = Vec::new();
    let mut part = [0; 1024];
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        match stream.read(&mut part).await {
            Ok(read) if read > 0 && head.len() < HEAD_BYTES_MAX => {
                head.extend_from_slice(part.get(..read).unwrap_or_default());
            }
            Ok(_) | Err(_) => return Brought::Nothing,
        }
    }
    let brought = read(&head, state, gate);
    let (status, text) = match brought {
        Brought::Code(_) => ("200 OK", "You are signed in. Go on at the command line; this page can be closed."),
        Brought::Refused => ("200 OK", "You are not signed in. This page can be closed."),
        Brought::Nothing => ("404 Not Found", "There is nothing here."),
    };
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\ncache-control: no-store\r\n\
         x-content-type-options: nosniff\r\nreferrer-policy: no-referrer\r\nconnection: close\r\n\r\n{text}",
        text.len()
    );
    // Whether the browser still listens changes nothing.
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
    brought
}

/// What a request's head brings.
fn read(head: &[u8], state: &str, gate: &str) -> Brought {
    let target = std::str::from_utf8(head).ok().and_then(|head| head.strip_prefix("GET ")?.split(' ').next());
    let url = target.and_then(|target| Url::parse("http://127.0.0.1").ok()?.join(target).ok());
    let Some(url) = url.filter(|url| url.path() == PATH) else { return Brought::Nothing };
    let only = |name: &str| {
        let mut values = url.query_pairs().filter(|(other, _)| other == name).map(|(_, value)| value.into_owned());
        values.next().filter(|_| values.next().is_none())
    };
    // Another sign-in's, or another gate's (RFC 9207).
    if only("state").as_deref() != Some(state) || only("iss").as_deref() != Some(gate) {
        return Brought::Nothing;
    }
    only("code").map_or(Brought::Refused, Brought::Code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(target: &str) -> Option<String> {
        match read(format!("GET {target} HTTP/1.1\r\n\r\n").as_bytes(), "s1", "https://gate.example") {
            Brought::Code(code) => Some(code),
            Brought::Refused => Some("refused".to_owned()),
            Brought::Nothing => None,
        }
    }

    #[test]
    fn only_what_the_gate_sends_for_this_sign_in_is_heeded() {
        let gate = "iss=https%3A%2F%2Fgate.example";
        assert_eq!(code(&format!("/signed-in?code=c1&state=s1&{gate}")).as_deref(), Some("c1"));
        assert_eq!(code(&format!("/signed-in?error=access_denied&state=s1&{gate}")).as_deref(), Some("refused"));
        for wrong in [
            format!("/signed-in?code=c1&state=s2&{gate}"),
            format!("/signed-in?code=c1&{gate}"),
            "/signed-in?code=c1&state=s1".to_owned(),
            "/signed-in?code=c1&state=s1&iss=https%3A%2F%2Fevil.example".to_owned(),
            format!("/signed-in?code=c1&state=s1&state=s1&{gate}"),
            format!("/other?code=c1&state=s1&{gate}"),
            "/favicon.ico".to_owned(),
        ] {
            assert_eq!(code(&wrong), None, "{wrong}");
        }
    }
}
