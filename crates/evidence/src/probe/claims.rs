//! What it declares, held against what it does.

use serde_json::Value;

use super::asker::{Asker, Said};
use super::hello::{Way, bounds};
use super::notes::Notes;
use crate::Severity;

/// Code of JSON-RPC: there is no such method.
const NO_SUCH_METHOD: i64 = -32601;

pub(super) async fn ask(way: &Way, asker: &mut Asker<'_>, notes: &mut Notes) {
    if let Some(why) = &way.unreached {
        return notes.unknown("claims", why.clone());
    }
    if way.era.is_none() || way.capabilities.is_null() {
        return notes.unknown("claims", "it tells nobody what it declares");
    }
    let mut missed = None;
    for (capability, method) in [("tools", "tools/list"), ("prompts", "prompts/list"), ("resources", "resources/list")]
    {
        let said = match (&way.tools, capability) {
            (Some(said), "tools") => said.clone(),
            _ => {
                let question = way.list(method);
                match asker.ask(&question).await {
                    Ok(heard) => {
                        bounds(&question, &heard, notes);
                        heard.said()
                    }
                    Err(why) => {
                        missed = Some(why.words());
                        continue;
                    }
                }
            }
        };
        judge(way, capability, method, &said, notes);
    }
    match missed {
        Some(why) => notes.unknown("claims", why),
        None => notes.done("claims", "it has what it declares, and nothing else"),
    }
}

fn judge(way: &Way, capability: &str, method: &str, said: &Said, notes: &mut Notes) {
    let is_declared = way.capabilities.get(capability).is_some_and(|declared| !declared.is_null());
    match (is_declared, said) {
        (true, Said::Error(Some(NO_SUCH_METHOD))) => {
            let title = format!("declares {capability}, and knows no method for them");
            notes.found("declares-what-is-not", Severity::Low, &title, method, "there is no such method");
        }
        (false, Said::Result(result)) => {
            let count = result.get(capability).and_then(Value::as_array).map_or(0, Vec::len);
            let severity = if count > 0 { Severity::Medium } else { Severity::Note };
            let title = format!("does not declare {capability}, and has some all the same");
            let title = if count > 0 { title } else { format!("does not declare {capability}, and answers for them") };
            notes.found("has-what-it-does-not-declare", severity, &title, method, &format!("{count} {capability}"));
        }
        (true | false, Said::Result(_) | Said::Error(_) | Said::Refused | Said::Other) => {}
    }
}
