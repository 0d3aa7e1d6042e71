//! How it is reached: TLS, whom its certificate names, and where it would lead somebody who follows.

use std::net::IpAddr;

use bytes::Bytes;
use http::{Method, Uri};

use super::asker::{Asker, Question};
use super::hello::Way;
use super::metadata::same_origin;
use super::notes::Notes;
use super::{Surroundings, Target, Tls};
use crate::Severity;

/// The only port that a plain request is sent to beside the server's own: where browsers would.
const PLAIN: u16 = 80;
const TLS: u16 = 443;

pub(super) async fn ask(target: &Target<'_>, way: &Way, asker: &mut Asker<'_>, notes: &mut Notes) -> Option<Tls> {
    if target.url.scheme_str() != Some("https") {
        let severity = match target.surroundings {
            Surroundings::Internet => Severity::High,
            Surroundings::Inside => Severity::Low,
        };
        let title = "is reached without TLS: whoever is on the way reads and changes everything";
        notes.found("without-tls", severity, title, "its url", target.url.scheme_str().unwrap_or_default());
        notes.done("channel", "");
        return None;
    }
    let secured = match target.lane.secured(target.url).await {
        Ok(secured) => secured,
        Err(error) => {
            let why = model::with_causes(&error);
            if matches!(error, egress::NotSent::Tls { .. }) {
                let title = "cannot prove that it is the host of its url";
                notes.found("certificate-unproven", Severity::Critical, title, "a TLS handshake", &why);
            }
            notes.unknown("channel", why);
            return None;
        }
    };
    let tls = Tls { version: secured.version.to_owned(), suite: secured.suite };
    if secured.version == "1.2" {
        let title = "speaks TLS 1.2 with whoever offers 1.3";
        notes.found("old-tls", Severity::Note, title, "a TLS handshake", &tls.suite);
    }
    match way.unreached.is_none().then(|| plain(target.url)).flatten() {
        None => notes.done("channel", format!("TLS {}, and a certificate that holds", tls.version)),
        Some(url) => unprotected(url, asker, notes, &tls).await,
    }
    Some(tls)
}

/// Whether the same is to be had without TLS.
async fn unprotected(url: Uri, asker: &mut Asker<'_>, notes: &mut Notes, tls: &Tls) {
    let question = Question {
        shape: "GET over plain HTTP, without a credential".to_owned(),
        method: Method::GET,
        url: Some(url),
        headers: Vec::new(),
        body: Bytes::new(),
        presents: false,
    };
    let note = format!("TLS {}, and a certificate that holds", tls.version);
    let Ok(heard) = asker.ask(&question).await else {
        // Nobody is there without TLS, which is as good as it gets.
        return notes.done("channel", note);
    };
    let leads = heard.header("location").unwrap_or_default().starts_with("https://");
    let redirects = (300..400).contains(&heard.status);
    if redirects && !leads || (200..300).contains(&heard.status) {
        let title = "answers without TLS, too, instead of leading to where there is some";
        notes.found("also-without-tls", Severity::Medium, title, &question.shape, &heard.words());
    }
    notes.done("channel", note);
}

/// The same place over plain HTTP, for servers at the usual port.
fn plain(url: &Uri) -> Option<Uri> {
    let is_usual = url.port_u16().is_none_or(|port| port == TLS);
    let host = url.host().filter(|_| is_usual)?;
    Uri::builder().scheme("http").authority(format!("{host}:{PLAIN}")).path_and_query(url.path()).build().ok()
}

/// Where it would have led somebody who follows. Nothing here does.
pub(super) fn redirects(target: &Target<'_>, asker: &Asker<'_>, notes: &mut Notes) {
    for (shape, to) in &asker.redirects {
        let place = to.parse::<Uri>().unwrap_or_default();
        let Some(host) = place.host() else { continue };
        let to_tls = place.scheme_str() == Some("https") && Some(host) == target.url.host();
        if same_origin(&place, target.url) || to_tls {
            continue;
        }
        let came = format!("{}://{}", place.scheme_str().unwrap_or_default(), host);
        match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(address) if is_within(address) => {
                let title = "leads whoever follows to an address within: it was not followed";
                notes.found("leads-within", Severity::High, title, shape, &came);
            }
            Ok(_) | Err(_) => {
                let title = "leads whoever follows to another host: it was not followed";
                notes.found("leads-elsewhere", Severity::Medium, title, shape, &came);
            }
        }
    }
}

fn is_within(address: IpAddr) -> bool {
    egress::Reach::internet().allows(address).is_err()
}
