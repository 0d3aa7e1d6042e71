//! A person's browser, as far as connecting a server needs one.

use http::{HeaderMap, header};

use super::authorization::Authorization;
use crate::gate::{Gate, Heard, name, value};

/// A browser with the gate's cookie, once it was given one.
#[derive(Default)]
pub(crate) struct Browser {
    cookie: Option<String>,
}

impl Browser {
    /// Opens something of the gate's.
    pub(crate) async fn open(&self, gate: &Gate, target: &str) -> Heard {
        let cookie = self.cookie.iter().map(|cookie| (header::COOKIE, value(cookie)));
        gate.send(gate.agents(), "GET", target, cookie.collect(), "").await
    }

    /// Opens an invitation and goes on: where the browser is sent.
    pub(crate) async fn accept(&mut self, gate: &Gate, invitation: &str) -> String {
        let page = self.open(gate, target(invitation)).await;
        assert_eq!(page.status, 200, "{}", page.text());
        let ticket = between(&page.text(), "name=\"ticket\" value=\"", "\"");
        let answer = self.post(gate, &ticket, &format!("http://{}", gate.agents())).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
        for wanted in ["__Host-", "Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(cookie.contains(wanted), "{wanted}");
        }
        self.cookie = Some(cookie.split(';').next().unwrap().to_owned());
        between(&answer.text(), "href=\"http", "\"").replace("&amp;", "&").replacen("", "http", 1)
    }

    /// Posts the form of the invitation, as a page of this origin.
    pub(crate) async fn post(&self, gate: &Gate, ticket: &str, origin: &str) -> Heard {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, value("application/x-www-form-urlencoded"));
        headers.insert(name("origin"), value(origin));
        gate.send(gate.agents(), "POST", "/connect/begin", headers, format!("ticket={ticket}")).await
    }

    /// Signs in and agrees: where the browser is sent back to, at the gate.
    pub(crate) async fn agree(&self, gate: &Gate, issuer: &Authorization, url: &str) -> String {
        let answer = gate.send(issuer.address(), "GET", target(url), HeaderMap::new(), "").await;
        assert_eq!(answer.status, 302, "{}", answer.text());
        target(answer.headers[header::LOCATION].to_str().unwrap()).to_owned()
    }

    /// All of it: the last page.
    pub(crate) async fn connect(&mut self, gate: &Gate, issuer: &Authorization, invitation: &str) -> Heard {
        let url = self.accept(gate, invitation).await;
        let back = self.agree(gate, issuer, &url).await;
        self.open(gate, &back).await
    }
}

/// A URL without its scheme and authority.
pub(crate) fn target(url: &str) -> &str {
    let after = url.trim().split_once("://").unwrap().1;
    after.split_at(after.find('/').unwrap()).1
}

fn between(text: &str, before: &str, after: &str) -> String {
    text.split_once(before).unwrap().1.split(after).next().unwrap().to_owned()
}
