//! Foreign pages and foreign names: what a browser would send that somebody made call the server.

use http::HeaderValue;
use http::header::{HOST, ORIGIN};

use super::asker::{Asker, Heard, Missed};
use super::hello::{Way, bounds};
use super::notes::Notes;
use super::{Surroundings, Target};
use crate::Severity;

/// A page that nobody knows (RFC 6761).
const PAGE: &str = "https://portcullis-probe.invalid";
const NAME: &str = "portcullis-probe.invalid";

pub(super) async fn ask(target: &Target<'_>, way: &Way, asker: &mut Asker<'_>, notes: &mut Notes) {
    if let Some(why) = &way.unreached {
        return notes.unknown("pages", why.clone());
    }
    let mut unknown = Vec::new();
    match origin(target, way, asker, notes).await {
        Ok(None) => {}
        Ok(Some(why)) => unknown.push(why.to_owned()),
        Err(missed) => unknown.push(missed.words()),
    }
    match host(target, way, asker, notes).await {
        Ok(None) => {}
        Ok(Some(why)) => unknown.push(why.to_owned()),
        Err(missed) => unknown.push(missed.words()),
    }
    match unknown.is_empty() {
        true => notes.done("pages", "pages and names that it does not know are refused"),
        false => notes.unknown("pages", unknown.join("; ")),
    }
}

/// A page of somebody else's. Asked as whoever the server answers, because it may refuse strangers first.
async fn origin(
    target: &Target<'_>,
    way: &Way,
    asker: &mut Asker<'_>,
    notes: &mut Notes,
) -> Result<Option<&'static str>, Missed> {
    let mut question = way.hello("from a page of somebody else's");
    question.presents = way.presents;
    question.headers.push((ORIGIN, HeaderValue::from_static(PAGE)));
    let heard = asker.ask(&question).await?;
    bounds(&question, &heard, notes);
    shares(&question.shape, &heard, notes);
    let open = way.open == Some(true) || way.presents;
    if heard.said().is_result() {
        let severity = match target.surroundings {
            Surroundings::Internet => Severity::Low,
            Surroundings::Inside => Severity::Medium,
        };
        let title = "answers pages of anybody (a foreign Origin): whoever opens one lets it in";
        notes.found("answers-foreign-pages", severity, title, &question.shape, &heard.words());
        return Ok(None);
    }
    let refused_before = !open && heard.status == 401;
    Ok(refused_before.then_some("a stranger is refused before it is seen what becomes of foreign pages"))
}

/// What pages may read of its answers.
fn shares(shape: &str, heard: &Heard, notes: &mut Notes) {
    let allowed = heard.header("access-control-allow-origin").unwrap_or_default();
    let with_cookies = heard.header("access-control-allow-credentials").is_some_and(|said| said == "true");
    let came = format!("Access-Control-Allow-Origin: {allowed}");
    if allowed == PAGE && with_cookies {
        let title = "lets pages of anybody read its answers, as whoever opened them";
        notes.found("shares-with-any-page", Severity::High, title, shape, &came);
    } else if allowed == PAGE || allowed == "*" {
        let title = "lets pages of anybody read its answers";
        notes.found("shares-with-any-page", Severity::Low, title, shape, &came);
    }
}

/// A name that leads to it and is not its own, as by DNS rebinding. Without a credential, whoever asks: what is sent to another
/// name may end up with somebody else.
async fn host(
    target: &Target<'_>,
    way: &Way,
    asker: &mut Asker<'_>,
    notes: &mut Notes,
) -> Result<Option<&'static str>, Missed> {
    let mut question = way.hello("by a name that is not its own, without a credential");
    question.headers.push((HOST, HeaderValue::from_static(NAME)));
    let heard = asker.ask(&question).await?;
    bounds(&question, &heard, notes);
    if heard.said().is_result() {
        // Over TLS a browser would have missed the certificate of the other name.
        let severity = match (target.url.scheme_str(), target.surroundings) {
            (Some("https"), _) => Severity::Note,
            (_, Surroundings::Internet) => Severity::Low,
            (_, Surroundings::Inside) => Severity::Medium,
        };
        let title = "answers to any name (a foreign Host): DNS rebinding leads to it";
        notes.found("answers-to-any-name", severity, title, &question.shape, &heard.words());
        return Ok(None);
    }
    let refused_before = way.open != Some(true) && heard.status == 401;
    Ok(refused_before.then_some("a stranger is refused before it is seen what becomes of foreign names"))
}
