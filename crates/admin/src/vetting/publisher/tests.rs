use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use identity::fetch::{Asked, FetchError, Fetched};
use model::{Actor, Change, Expected, Timestamp};
use serde_json::json;

use super::*;
use crate::vetting::checks::Verdict;

const KEY: &str = "v=MCPv1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

/// A host that answers this, and remembers what it was asked.
struct Answering(u16, &'static str, Mutex<Vec<String>>);

#[async_trait]
impl Fetch for Answering {
    async fn send(&self, asked: Asked<'_>) -> Result<Fetched, FetchError> {
        self.2.lock().unwrap().push(asked.url.to_string());
        let status = StatusCode::from_u16(self.0).unwrap();
        Ok(Fetched { status, headers: HeaderMap::new(), body: Bytes::from_static(self.1.as_bytes()) })
    }
}

/// A domain with these texts in its DNS; none if nobody answers for it.
struct Telling(Option<&'static [&'static str]>);

impl ResolveTexts for Telling {
    fn texts<'a>(&'a self, name: &'a str) -> egress::Texts<'a> {
        assert_eq!(name, "example.com");
        let texts = self.0.map(|texts| texts.iter().map(|text| (*text).to_owned()).collect());
        Box::pin(async { texts.ok_or_else(|| std::io::Error::other("nobody answers")) })
    }
}

fn server(published_as: &str, url: &str) -> Server {
    let manifest = json!({ "name": "desk", "url": url, "owner": "o", "purpose": "p", "published_as": published_as });
    let (actor, expected) = (Actor::Gate, Expected::Any);
    let change = Change { actor, expected, at: Timestamp(1), reason: None };
    Server::submit(serde_json::from_value(manifest).unwrap(), &change)
}

fn examined(said: Option<&str>, proven: Option<&str>) -> Examination {
    let mut found: Examination = serde_json::from_value(json!({
        "name": "x.tgz", "metadata": { "form": "npm" }, "files": 1, "bytes": 1, "sources": 0, "findings": [], "score": [],
    }))
    .unwrap();
    found.metadata.repository = said.map(str::to_owned);
    if let Some(repository) = proven {
        let proof = json!({ "strength": "built", "signer": { "repository": repository } });
        found.provenance.proven.push(serde_json::from_value(proof).unwrap());
    }
    found
}

async fn asked(published_as: &str, url: &str, status: u16, body: &'static str) -> (Verdict, Vec<String>) {
    let (server, host) = (server(published_as, url), Answering(status, body, Mutex::default()));
    let document = document(&server, &host, &Telling(Some(&[]))).await;
    let verdict = answer(&server, None, document.as_ref()).verdict;
    (verdict, host.2.into_inner().unwrap())
}

#[tokio::test]
async fn a_domain_s_name_is_its_own_where_its_host_lies_in_it_and_it_shows_a_publisher() {
    let (verdict, urls) = asked("com.example/desk", "https://mcp.example.com/mcp", 200, KEY).await;
    assert_eq!(verdict, Verdict::Passed);
    assert_eq!(urls, ["https://example.com/.well-known/mcp-registry-auth"]);
    for (name, url, status, body, verdict) in [
        ("com.example/desk", "https://example.com/mcp", 200, KEY, Verdict::Passed),
        ("com.example/desk", "https://example.com.evil.test/mcp", 200, KEY, Verdict::Found),
        ("com.example/desk", "https://notexample.com/mcp", 200, KEY, Verdict::Found),
        ("com.example/desk", "http://mcp.example.com/mcp", 200, KEY, Verdict::Found),
        ("com.example/desk", "https://mcp.example.com/mcp", 404, KEY, Verdict::CouldNotLook),
        ("com.example/desk", "https://mcp.example.com/mcp", 302, KEY, Verdict::CouldNotLook),
        ("com.example/desk", "https://mcp.example.com/mcp", 200, "<html>", Verdict::CouldNotLook),
    ] {
        assert_eq!(asked(name, url, status, body).await.0, verdict, "{name} {url} {status} {body}");
    }
}

#[tokio::test]
async fn a_domain_may_show_it_in_its_dns_where_its_host_does_not() {
    let server = server("com.example/desk", "https://mcp.example.com/mcp");
    let silent = Answering(404, "", Mutex::default());
    for (texts, verdict, says) in [
        (Some(&["v=spf1 -all", KEY][..]), Verdict::Passed, "shows in its DNS who publishes"),
        (Some(&["v=spf1 -all"][..]), Verdict::CouldNotLook, "its DNS has no record of a publisher"),
        (
            Some(&["x\nv=MCPv1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="][..]),
            Verdict::CouldNotLook,
            "no record",
        ),
        (None, Verdict::CouldNotLook, "its DNS cannot be asked (nobody answers)"),
    ] {
        let document = document(&server, &silent, &Telling(texts)).await;
        let answer = answer(&server, None, document.as_ref());
        assert_eq!(answer.verdict, verdict, "{texts:?}");
        assert!(answer.says.contains(says), "{}", answer.says);
    }
    let elsewhere = self::server("com.example/desk", "https://desk.test/mcp");
    assert_eq!(document(&elsewhere, &silent, &Telling(Some(&[KEY]))).await, None);
}

#[test]
fn an_owner_s_name_is_theirs_where_a_build_of_theirs_is_proven() {
    let server = server("io.github.acme/desk", "https://desk.example/mcp");
    let of = |said: Option<&str>, proven: Option<&str>| answer(&server, Some(&examined(said, proven)), None).verdict;
    assert_eq!(of(None, Some("https://github.com/Acme/desk")), Verdict::Passed);
    assert_eq!(of(Some("github:acme/desk"), Some("https://github.com/mallory/desk")), Verdict::Found);
    assert_eq!(of(None, Some("https://gitlab.com/acme/desk")), Verdict::Found);
    assert_eq!(of(Some("github:acme/desk"), None), Verdict::CouldNotLook, "anybody can say that");
    assert_eq!(of(Some("github:acme-2/desk"), None), Verdict::Found);
    assert_eq!(of(None, None), Verdict::CouldNotLook);
    assert_eq!(answer(&server, None, None).verdict, Verdict::CouldNotLook);
}

#[tokio::test]
async fn nobody_is_asked_where_nothing_is_claimed_or_an_owner_is() {
    assert_eq!(asked("io.github.acme/desk", "https://desk.example/mcp", 200, KEY).await.1, [""; 0]);
    assert_eq!(
        asked("com.example/desk", "https://desk.test/mcp", 200, KEY).await.1,
        [""; 0],
        "nor a host of somebody's choice"
    );
    for bad in
        ["desk", "example/desk", "com.example/", "com..example/x", "1.0.0.127/x", "com.ex ample/x", "com.example/a/b"]
    {
        assert!(bad.parse::<PublishedName>().is_err(), "{bad}");
    }
}
