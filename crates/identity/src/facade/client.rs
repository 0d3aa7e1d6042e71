//! OAuth clients, as the façade sees them: who they are, how they prove it and where their codes may go.

use std::sync::Arc;

use model::{AgentId, AgentKind, CertificateName, EndpointName};
use url::{Host, Url};

use crate::keys::KeySet;
use crate::port::Grant;
use crate::relying::is_safe;

/// A client: an agent that people registered, or one that stands in for all clients of a kind.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its client id.
    pub id: String,
    /// The client id under which people registered it, or the one that it stands in for.
    pub registration: String,
    /// The agent that it is.
    pub agent: AgentId,
    /// Whether that works for people.
    pub kind: AgentKind,
    /// What people read that it is called.
    pub name: String,
    /// What says so: people of the enterprise, or the client itself.
    pub vouched: bool,
    /// The endpoints where it may act.
    pub endpoints: Vec<EndpointName>,
    /// Where its codes may go.
    pub redirects: Redirects,
    /// How it proves that it is this client.
    pub proof: Proof,
    /// What its agent's certificate calls it, if that has one: then it comes with that, whatever else it proves.
    pub certificate: Option<CertificateName>,
}

impl Client {
    /// What it is given at an endpoint, for nobody yet and bound to no key: whoever makes it adds what it is for.
    pub(super) fn granted(&self, endpoint: EndpointName, scopes: Vec<String>) -> Grant {
        Grant {
            client: self.id.clone(),
            registration: self.registration.clone(),
            agent: self.agent.clone(),
            person: None,
            endpoint,
            scopes,
            redirect: String::new(),
            challenge: String::new(),
            key: None,
            certificate: None,
            attested: false,
            upstream: None,
        }
    }
}

/// How a client proves that it is one.
#[derive(Debug, Clone)]
pub enum Proof {
    /// It cannot: a public client. PKCE protects what it asks for.
    Public,
    /// With its certificate alone (`tls_client_auth`, RFC 8705 §2.1).
    Certificate,
    /// With an assertion signed by one of its keys (`private_key_jwt`).
    Keys(Keys),
    /// With the word of somebody who vouches for its software (`attest_jwt_client_auth`).
    Attested(Attester),
}

/// The keys by which somebody is believed.
#[derive(Debug, Clone)]
pub enum Keys {
    /// These.
    Here(Arc<KeySet>),
    /// Those that are published there.
    At(Url),
}

/// Who vouches for a client's software.
#[derive(Debug, Clone)]
pub struct Attester {
    /// What it calls itself.
    pub issuer: String,
    /// How it signs.
    pub keys: Keys,
}

/// What the façade must know of an endpoint.
#[derive(Debug, Clone)]
pub struct Doorway {
    /// What people read that it is for.
    pub purpose: String,
    /// The scopes it knows; what else a client asks for is not given.
    pub scopes: Vec<String>,
}

/// Where a client's codes may go.
#[derive(Debug, Clone, Default)]
pub struct Redirects(Vec<String>);

/// Why a text can be no redirect URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RedirectError {
    /// It is no URI, or has a fragment, a user or a password.
    #[error("a redirect URI is absolute, without fragment, user and password")]
    Shape,
    /// It is neither `https`, nor this machine's, nor of an application's own scheme.
    #[error(
        "a redirect URI is `https`, `http` on loopback, or of a scheme with a dot in it that is the application's own"
    )]
    Scheme,
}

impl Redirects {
    /// Takes a client's redirect URIs.
    ///
    /// # Errors
    /// The first that can be none.
    pub fn new(listed: Vec<String>) -> Result<Self, RedirectError> {
        listed.iter().try_for_each(|redirect| check(redirect))?;
        Ok(Self(listed))
    }

    /// Whether codes may go there: exactly a listed one, letter by letter; only the port of one that is a number of loopback
    /// may differ, because applications take any that is free (RFC 8252 §7.3).
    pub fn allow(&self, redirect: &str) -> bool {
        self.0.iter().any(|listed| listed == redirect)
            || without_port(redirect).is_some_and(|plain| {
                check(redirect).is_ok() && self.0.iter().any(|listed| without_port(listed).as_ref() == Some(&plain))
            })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether all of them are this machine's: whoever runs anything on it can be this client.
    pub fn are_local(&self) -> bool {
        self.0.iter().all(|redirect| Url::parse(redirect).is_ok_and(|url| is_loopback(&url)))
    }
}

fn check(redirect: &str) -> Result<(), RedirectError> {
    let visible = redirect.bytes().all(|byte| byte.is_ascii_graphic());
    let url = Url::parse(redirect).ok().filter(|_| visible).ok_or(RedirectError::Shape)?;
    if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err(RedirectError::Shape);
    }
    match url.scheme() {
        "https" | "http" if is_safe(&url) => Ok(()),
        // RFC 8252 §7.1: a scheme of the application's own is a domain of its maker, read backwards. `javascript`, `data` and
        // the like have no dot.
        scheme if scheme.contains('.') && !scheme.starts_with("http") => Ok(()),
        _ => Err(RedirectError::Scheme),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// A plain URI of a loopback address without its port; `None` for any other. It is cut and not rebuilt, so that nothing but
/// the port can differ.
fn without_port(redirect: &str) -> Option<(&str, &str)> {
    let rest = redirect.strip_prefix("http://")?;
    let host = ["127.0.0.1", "[::1]", "localhost"].into_iter().find(|host| rest.starts_with(host))?;
    let after = rest.strip_prefix(host)?;
    let path = match after.strip_prefix(':') {
        None => after,
        Some(with_port) => {
            let digits = with_port.bytes().take_while(u8::is_ascii_digit).count();
            let (port, path) = with_port.split_at_checked(digits)?;
            port.parse::<u16>().ok()?;
            path
        }
    };
    (path.is_empty() || path.starts_with('/')).then_some((host, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redirects(listed: &[&str]) -> Redirects {
        Redirects::new(listed.iter().map(|&redirect| redirect.to_owned()).collect()).unwrap()
    }

    #[test]
    fn a_redirect_is_matched_letter_by_letter() {
        let listed = redirects(&["https://client.example/cb?tenant=a"]);
        assert!(listed.allow("https://client.example/cb?tenant=a"));
        for other in [
            "https://client.example/cb",
            "https://client.example/cb?tenant=b",
            "https://client.example/cb?tenant=a&x=1",
            "https://client.example/cb/?tenant=a",
            "https://client.example/CB?tenant=a",
            "https://CLIENT.example/cb?tenant=a",
            "https://client.example:443/cb?tenant=a",
            "https://client.example:8443/cb?tenant=a",
            "http://client.example/cb?tenant=a",
            "https://client.example/x/../cb?tenant=a",
            "https://client.example/cb?tenant=%61",
            "https://client.example.evil.example/cb?tenant=a",
            "https://client.example@evil.example/cb?tenant=a",
            "",
        ] {
            assert!(!listed.allow(other), "{other}");
        }
    }

    #[test]
    fn only_the_port_of_loopback_may_differ() {
        let listed = redirects(&["http://127.0.0.1/cb", "http://[::1]:1234/cb", "http://localhost:3000/x"]);
        for good in ["http://127.0.0.1:51004/cb", "http://[::1]:9/cb", "http://localhost:3001/x", "http://localhost/x"]
        {
            assert!(listed.allow(good), "{good}");
        }
        for other in [
            "http://127.0.0.1:51004/other",
            "http://127.0.0.1:51004/cb?x=1",
            "https://127.0.0.1:51004/cb",
            "http://127.0.0.2:51004/cb",
            "http://localhost:51004/cb",
            "http://127.0.0.1:99999/cb",
            "http://127.0.0.1:51004@evil.example/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://127.0.0.1evil.example/cb",
            "http://localhost:3000.evil.example/x",
            "http://localhost:/x@evil.example/x",
        ] {
            assert!(!listed.allow(other), "{other}");
        }
        assert!(!redirects(&["https://client.example/cb"]).allow("https://client.example:8443/cb"));
    }

    #[test]
    fn what_runs_in_a_browser_or_leaves_it_unencrypted_is_no_redirect() {
        for bad in [
            "javascript:alert(1)",
            "data:text/html,x",
            "http://client.example/cb",
            "file:///etc/passwd",
            "ms-settings:x",
            "/relative",
        ] {
            assert!(Redirects::new(vec![bad.to_owned()]).is_err(), "{bad}");
        }
        for odd in ["https://client.example/cb#x", "https://user@client.example/cb", "https://client.example/ cb"] {
            assert_eq!(Redirects::new(vec![odd.to_owned()]).err(), Some(RedirectError::Shape), "{odd}");
        }
        for good in ["https://client.example/cb", "http://127.0.0.1/cb", "com.example.app:/cb"] {
            assert!(Redirects::new(vec![good.to_owned()]).is_ok(), "{good}");
        }
    }

    #[test]
    fn clients_of_this_machine_alone_are_told_apart() {
        assert!(redirects(&["http://127.0.0.1/cb", "http://localhost:1/cb"]).are_local());
        assert!(!redirects(&["http://127.0.0.1/cb", "https://client.example/cb"]).are_local());
    }
}
