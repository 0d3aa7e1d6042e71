//! What clients are told of tokens: the challenge of a refusal, and the resource's metadata (RFC 9728).

use bytes::Bytes;
use http::{Method, Uri};
use serde_json::Value;

use super::Target;
use super::asker::{Asker, Question};
use super::hello::{Way, bounds};
use super::notes::Notes;
use crate::Severity;

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

pub(super) async fn ask(target: &Target<'_>, way: &Way, asker: &mut Asker<'_>, notes: &mut Notes) {
    if let Some(why) = &way.unreached {
        return notes.unknown("metadata", why.clone());
    }
    let Some(refusal) = &way.refusal else {
        return notes.unknown("metadata", "it asks nobody for a token");
    };
    let sent = "hello, without a credential";
    let challenge = refusal.header("www-authenticate").unwrap_or_default();
    let named = parameter(challenge, "resource_metadata");
    if challenge.is_empty() {
        let title = "refuses without a challenge, so that clients cannot find out whom to ask for a token";
        notes.found("no-challenge", Severity::Low, title, sent, &refusal.words());
    } else if named.is_none() {
        let title = "its challenge does not name its metadata";
        notes.found("metadata-unnamed", Severity::Low, title, sent, challenge);
    }
    let places = match named.map(|named| (named.parse::<Uri>(), named)) {
        None => well_known(target.url),
        Some((Ok(place), _)) if same_origin(&place, target.url) => vec![place],
        Some((_, named)) => {
            let title = "its challenge names metadata at another host, which was not asked";
            notes.found("metadata-elsewhere", Severity::Medium, title, sent, &named);
            return notes.done("metadata", "");
        }
    };
    for place in places {
        let shape = format!("GET {}", place.path());
        let question = Question {
            shape,
            method: Method::GET,
            url: Some(place),
            headers: Vec::new(),
            body: Bytes::new(),
            presents: false,
        };
        match asker.ask(&question).await {
            Ok(heard) => {
                bounds(&question, &heard, notes);
                if heard.status == 200
                    && let Ok(Value::Object(document)) = serde_json::from_slice(&heard.body)
                {
                    judge(target, &question, &Value::Object(document), notes);
                    return notes.done("metadata", "it names itself, and who gives out tokens for it");
                }
            }
            Err(missed) => return notes.unknown("metadata", missed.words()),
        }
    }
    let title = "has no metadata, so that clients cannot find out whom to ask for a token";
    notes.found("no-metadata", Severity::Low, title, sent, "");
    notes.done("metadata", "");
}

fn judge(target: &Target<'_>, question: &Question, document: &Value, notes: &mut Notes) {
    let resource = document.get("resource").and_then(Value::as_str).unwrap_or_default();
    let named = resource.parse::<Uri>().ok();
    if !named.as_ref().is_some_and(|named| same_origin(named, target.url)) {
        let title = "its metadata names another server than itself: tokens for that one would be taken here";
        notes.found(
            "metadata-names-another",
            Severity::High,
            title,
            &question.shape,
            &format!("resource {resource:?}"),
        );
    } else if named.is_some_and(|named| !within(named.path(), target.url.path())) {
        let title = "its metadata names another path than its own";
        notes.found("metadata-names-another", Severity::Low, title, &question.shape, &format!("resource {resource:?}"));
    }
    let servers = document.get("authorization_servers").and_then(Value::as_array).cloned().unwrap_or_default();
    if servers.is_empty() {
        let title = "its metadata names nobody who gives out tokens";
        notes.found("no-authorization-server", Severity::Low, title, &question.shape, "no authorization_servers");
    }
    for server in servers.iter().filter_map(Value::as_str) {
        let host = server.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned)).unwrap_or_default();
        let is_here = matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]");
        if server.starts_with("http://") && !is_here {
            let title = "has tokens given out by somebody who is reached without TLS";
            notes.found("authorization-without-tls", Severity::High, title, &question.shape, server);
        }
    }
}

/// Whether a resource's path is the server's own, or holds it.
fn within(resource: &str, own: &str) -> bool {
    let resource = resource.trim_end_matches('/');
    own.strip_prefix(resource).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Where the metadata of a server without a challenge is: for its path, and for all of its host.
fn well_known(url: &Uri) -> Vec<Uri> {
    let path = url.path().trim_end_matches('/');
    let mut paths = vec![format!("{WELL_KNOWN}{path}"), WELL_KNOWN.to_owned()];
    paths.dedup();
    paths.into_iter().filter_map(|path| at(url, &path)).collect()
}

/// Another path of the same host.
fn at(url: &Uri, path: &str) -> Option<Uri> {
    let (scheme, authority) = (url.scheme()?.clone(), url.authority()?.clone());
    Uri::builder().scheme(scheme).authority(authority).path_and_query(path).build().ok()
}

/// Whether two addresses are of one server: scheme, host and port.
pub(super) fn same_origin(one: &Uri, other: &Uri) -> bool {
    let origin = |uri: &Uri| {
        let default = if uri.scheme_str() == Some("https") { 443 } else { 80 };
        let authority = uri.authority()?;
        let has_user = authority.as_str().contains('@');
        let host = uri.host()?.to_ascii_lowercase();
        (!has_user).then(|| (uri.scheme_str().map(str::to_owned), host, uri.port_u16().unwrap_or(default)))
    };
    origin(one).is_some() && origin(one) == origin(other)
}

/// A parameter of a challenge, quoted or not.
pub fn parameter(challenge: &str, name: &str) -> Option<String> {
    let mut rest = challenge;
    // The scheme, and then pairs; what is quoted may hold commas.
    while let Some((before, after)) = rest.split_once('=') {
        let key = before.rsplit([' ', ',', '\t']).next().unwrap_or_default();
        let after = after.trim_start();
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_once([',', ' ']).unwrap_or((after, "")),
        };
        if key.eq_ignore_ascii_case(name) {
            return Some(value.to_owned());
        }
        rest = next;
    }
    None
}
