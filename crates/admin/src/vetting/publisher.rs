//! Whose is the name under which a server is published?
//!
//! A name in a registry begins with its publisher: `io.github.acme/tickets` is of `acme` at GitHub, `com.example/tickets` of who
//! has example.com. A manifest claims one as `published_as`. The first is believed where a build of that owner's made the package,
//! proven by its attestation; the second where the server's host lies in the domain, and the domain shows, at its host or
//! in its DNS, that somebody publishes in its name. What a package says of itself anybody could have written, so it proves nothing.

use std::time::Duration;

use dossier::{Examination, PublisherKey, Severity, publisher_keys};
use egress::ResolveTexts;
use identity::fetch::Fetch;
use model::limits;
use registry::manifest::PublishedName;
use registry::{Place, Server};
use url::Url;

use super::answers::host;
use super::checks::Answer;

/// What a domain shows of who publishes in its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Document {
    /// Keys, and where it shows them.
    Keys(Vec<PublisherKey>, Shown),
    /// Nothing, and why in either place.
    Nothing {
        /// At its host.
        host: String,
        /// In its DNS.
        records: String,
    },
}

/// Where a domain shows who publishes in its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// At a path of the host of that name.
    Host,
    /// In a text of the domain name system.
    Records,
}

/// Who a name says its publisher is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Publisher {
    /// An owner of repositories at GitHub.
    GitHub(String),
    /// Who has a domain.
    Domain(String),
}

impl Publisher {
    fn of(name: &PublishedName) -> Self {
        let namespace = name.namespace().to_ascii_lowercase();
        match namespace.strip_prefix("io.github.") {
            Some(owner) => Self::GitHub(owner.to_owned()),
            None => Self::Domain(namespace.rsplit('.').collect::<Vec<_>>().join(".")),
        }
    }
}

/// Asks the domain of a published name who publishes in it, first its host and then its DNS; none where nobody has to be asked. A
/// server that is elsewhere has nobody asked, so that a manifest cannot have the gate ask any host there is.
pub(crate) async fn document(server: &Server, fetch: &dyn Fetch, records: &dyn ResolveTexts) -> Option<Document> {
    let Publisher::Domain(domain) = Publisher::of(server.manifest.published_as.as_ref()?) else { return None };
    let is_there =
        server.manifest.address()?.url.as_str().starts_with("https://") && is_within(&host(server)?, &domain);
    if !is_there {
        return None;
    }
    let host = match at_host(&domain, fetch).await {
        Ok(keys) => return Some(Document::Keys(keys, Shown::Host)),
        Err(why) => why,
    };
    Some(match in_records(&domain, records).await {
        Ok(keys) => Document::Keys(keys, Shown::Records),
        Err(records) => Document::Nothing { host, records },
    })
}

/// The keys that a domain's host shows; why not.
async fn at_host(domain: &str, fetch: &dyn Fetch) -> Result<Vec<PublisherKey>, String> {
    let path = dossier::PUBLISHER_PATH;
    let url = Url::parse(&format!("https://{domain}{path}")).map_err(|_| format!("{domain} is no host"))?;
    let unread = |why: String| format!("https://{domain}{path} cannot be read ({why})");
    let asked = tokio::time::timeout(patience(), fetch.get(&url, "text/plain")).await;
    let fetched = asked.map_err(|_| unread("it did not answer in time".to_owned()))?;
    let fetched = fetched.map_err(|error| unread(model::with_causes(&error)))?;
    let keys = publisher_keys(&String::from_utf8_lossy(&fetched.body));
    if keys.is_empty() || !fetched.status.is_success() {
        return Err(format!("{path} shows no publisher ({})", fetched.status.as_u16()));
    }
    Ok(keys)
}

/// The keys in the texts of a domain; why not.
async fn in_records(domain: &str, records: &dyn ResolveTexts) -> Result<Vec<PublisherKey>, String> {
    let texts = tokio::time::timeout(patience(), records.texts(domain)).await;
    let texts = texts.map_err(|_| "its DNS did not answer in time".to_owned())?;
    let texts = texts.map_err(|error| format!("its DNS cannot be asked ({error})"))?;
    let mut keys = Vec::new();
    // Each text is one line of the document; what breaks within one is none.
    for text in texts.iter().filter(|text| !text.contains(['\n', '\r'])).take(limits::PUBLISHER_KEYS_MAX) {
        keys.extend(publisher_keys(text));
    }
    if keys.is_empty() { Err("its DNS has no record of a publisher".to_owned()) } else { Ok(keys) }
}

fn patience() -> Duration {
    Duration::from_millis(limits::PUBLISHER_MILLISECONDS_MAX)
}

fn is_within(host: &str, domain: &str) -> bool {
    host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

/// Whether a published name is its publisher's.
pub(crate) fn answer(server: &Server, found: Option<&Examination>, document: Option<&Document>) -> Answer {
    let Some(name) = &server.manifest.published_as else {
        return Answer::nothing("its manifest claims no published name");
    };
    let answer = match Publisher::of(name) {
        Publisher::GitHub(owner) => of_github(&owner, found),
        Publisher::Domain(domain) => of_domain(&domain, server, document),
    };
    answer.with([name.as_str().to_owned()])
}

fn of_github(owner: &str, found: Option<&Examination>) -> Answer {
    let Some(found) = found else {
        return Answer::could_not_look(format!("nobody had a package examined that {owner} at GitHub could have made"));
    };
    let owned = |repository: &str| {
        dossier::repository_place(repository).map(|place| place.starts_with(&format!("github.com/{owner}/")))
    };
    let proven: Vec<&str> =
        found.provenance.proven.iter().filter_map(|proof| proof.signer.repository.as_deref()).collect();
    if let Some(repository) = proven.iter().find(|repository| owned(repository) == Some(true)) {
        return Answer::passed(format!("its package is proven to come from {repository}"))
            .with([(*repository).to_owned()]);
    }
    if let Some(other) = proven.first() {
        let says = format!("its package comes from {other}, which is not {owner}'s at GitHub");
        return Answer::found(Severity::High, says).with([(*other).to_owned()]);
    }
    match found.metadata.repository.as_deref() {
        Some(said) if owned(said) == Some(true) => {
            Answer::could_not_look(format!("its package says {said}, and nothing proves that")).with([said.to_owned()])
        }
        Some(said) => {
            let says = format!("its package says {said}, which is not {owner}'s at GitHub");
            Answer::found(Severity::High, says).with([said.to_owned()])
        }
        None => Answer::could_not_look("its package does not say where its source is"),
    }
}

fn of_domain(domain: &str, server: &Server, document: Option<&Document>) -> Answer {
    let place = match &server.manifest.place {
        Place::Started(_) => return Answer::could_not_look(format!("nothing ties a package to {domain}")),
        Place::At(address) => address.url.as_str(),
    };
    let host = host(server).unwrap_or_default();
    if !is_within(&host, domain) {
        return Answer::found(Severity::High, format!("its host {host} is not in {domain}")).with([host]);
    }
    if !place.starts_with("https://") {
        let says = format!("its host is in {domain}, and without TLS nobody knows that it is that host");
        return Answer::found(Severity::High, says).with([host]);
    }
    match document {
        Some(Document::Keys(keys, shown)) => {
            let place = match shown {
                Shown::Host => "",
                Shown::Records => " in its DNS",
            };
            let says = format!("its host is in {domain}, which shows{place} who publishes in its name");
            Answer::passed(says).with([host]).with(keys.iter().map(|key| format!("{} {}", key.algorithm, key.key)))
        }
        Some(Document::Nothing { host: at_host, records }) => {
            Answer::could_not_look(format!("its host is in {domain}, where {at_host}, and {records}")).with([host])
        }
        None => Answer::could_not_look(format!("its host is in {domain}, and that was not asked")).with([host]),
    }
}

#[cfg(test)]
mod tests;
