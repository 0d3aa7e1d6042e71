//! What it makes of messages that are wrong, and what its errors tell of its inside.

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use serde_json::json;

use super::Target;
use super::asker::{Asker, Question};
use super::hello::{Era, Way, bounds, message};
use super::leaks::Leaks;
use super::notes::Notes;
use crate::Severity;

/// Bytes of an id that is longer than any.
const LONG: usize = 64 * 1024;
/// A revision that never was.
const NEVER: &str = "1999-01-01";

pub(super) async fn ask(target: &Target<'_>, way: &Way, asker: &mut Asker<'_>, notes: &mut Notes) {
    if let (Some(why), None) = (&way.unreached, way.era)
        && asker.asked < 2
    {
        return notes.unknown("errors", why.clone());
    }
    let leaks = Leaks::new(target);
    let mut missed = None;
    for (question, accepted) in questions(way) {
        match asker.ask(&question).await {
            Ok(heard) => {
                bounds(&question, &heard, notes);
                leaks.look(&question.shape, &heard, notes);
                if heard.status >= 500 {
                    let title = "fails over a message that is wrong, instead of refusing it";
                    notes.found("breaks-on-mistakes", Severity::Low, title, &question.shape, &heard.words());
                } else if heard.said().is_result() && !accepted.is_empty() {
                    notes.found("takes-mistakes", Severity::Low, accepted, &question.shape, &heard.words());
                }
            }
            Err(why) => missed = Some(why.words()),
        }
    }
    match missed {
        Some(why) => notes.unknown("errors", why),
        None => notes.done("errors", "errors tell nothing of its inside"),
    }
}

/// Messages that are wrong, and what it means if they are answered all the same.
fn questions(way: &Way) -> Vec<(Question, &'static str)> {
    let era = way.era.unwrap_or(Era::Modern);
    let mut malformed = way.list("tools/list");
    malformed.shape = shape("JSON that is none", way);
    malformed.body = Bytes::from_static(br#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"#);

    let mut unknown = way.list("portcullis/none");
    unknown.shape = shape("a method that does not exist", way);

    let mut revision = way.list("tools/list");
    revision.shape = shape("a revision that never was", way);
    let version = HeaderName::from_static("mcp-protocol-version");
    revision.headers.retain(|(name, _)| *name != version);
    revision.headers.push((version, HeaderValue::from_static(NEVER)));

    let mut long = way.list("tools/list");
    long.shape = shape(&format!("an id of {LONG} characters"), way);
    let params = match era {
        Era::Modern => json!({ "_meta": super::hello::about() }),
        Era::Legacy => json!({}),
    };
    let text = json!({ "jsonrpc": "2.0", "id": "x".repeat(LONG), "method": "tools/list", "params": params });
    long.body = Bytes::from(text.to_string());

    // A name with what breaks out of a text, of a path and of a statement; what it names is nowhere.
    let odd = json!({ "name": "portcullis-none'\"; ../../ %00 ${7*7}" });
    let mut prompt = message(era, "prompts/get", odd, way.presents);
    prompt.headers.extend(way.session.iter().map(|session| (super::hello::SESSION, session.clone())));
    let name = HeaderValue::from_static("portcullis-none'\"; ../../ %00 ${7*7}");
    if era == Era::Modern {
        prompt.headers.push((HeaderName::from_static("mcp-name"), name));
    }
    prompt.shape = shape("a prompt with a name that breaks out of texts", way);
    vec![
        (malformed, "answers what is no JSON"),
        (unknown, "answers methods that do not exist"),
        (revision, "answers in revisions that never were"),
        (long, ""),
        (prompt, "has prompts of any name"),
    ]
}

fn shape(what: &str, way: &Way) -> String {
    let who = if way.presents { "with the gate's credential" } else { "without a credential" };
    format!("{what}, {who}")
}
