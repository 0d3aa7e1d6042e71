//! Who is answered: whether a stranger is told what there is, and in which way the server speaks.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};
use serde_json::{Value, json};

use super::asker::{Asker, End, Heard, Missed, Question, Said};
use super::notes::Notes;
use super::{Surroundings, Target};
use crate::Severity;

/// The revision that has no sessions.
const MODERN: &str = "2026-07-28";
/// The newest one that has.
const LEGACY: &str = "2025-11-25";

/// Where a session is named.
pub(super) const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");

/// How a server speaks, and who has to be known for it.
#[derive(Debug, Default)]
pub(super) struct Way {
    pub(super) era: Option<Era>,
    /// Whether strangers are told what there is: its tools.
    pub(super) open: Option<bool>,
    /// Whether what follows is asked with the gate's credential.
    pub(super) presents: bool,
    /// Whether the credential was ever presented.
    pub(super) presented: bool,
    /// What it declares.
    pub(super) capabilities: Value,
    /// The session that was opened first.
    pub(super) session: Option<HeaderValue>,
    /// What it said to a stranger whom it refused.
    pub(super) refusal: Option<Heard>,
    /// Where strangers are refused, if that is only where they ask for its tools: the session that they have by then.
    refused_at_tools: Option<Option<HeaderValue>>,
    /// What it answers to whom it answers, when asked for its tools.
    pub(super) tools: Option<Said>,
    /// Why it could not be reached at all.
    pub(super) unreached: Option<String>,
}

/// A way of speaking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Era {
    /// Each request stands for itself.
    Modern,
    /// With a session, or at least a handshake.
    Legacy,
}

impl Way {
    /// In words.
    pub(super) fn speaks(&self) -> Option<String> {
        Some(match self.era? {
            Era::Modern => MODERN.to_owned(),
            Era::Legacy if self.session.is_some() => format!("{LEGACY} with sessions"),
            Era::Legacy => format!("{LEGACY} without sessions"),
        })
    }

    /// The question by which it says what it is: what a stranger is refused at, where they are.
    pub(super) fn hello(&self, shape: &str) -> Question {
        hello(self.era.unwrap_or(Era::Modern), shape, false)
    }

    /// The question at which strangers are refused.
    pub(super) fn door(&self) -> Question {
        match &self.refused_at_tools {
            None => self.hello(""),
            Some(session) => self.within(session.as_ref(), "tools/list", false),
        }
    }

    /// A question for one of its lists, as whoever it answers asks it.
    pub(super) fn list(&self, method: &str) -> Question {
        self.within(self.session.as_ref(), method, self.presents)
    }

    /// A question in a session.
    pub(super) fn within(&self, session: Option<&HeaderValue>, method: &str, presents: bool) -> Question {
        let mut question = message(self.era.unwrap_or(Era::Modern), method, json!({}), presents);
        question.headers.extend(session.map(|session| (SESSION, session.clone())));
        question
    }
}

/// A message of MCP.
pub(super) fn message(era: Era, method: &str, mut params: Value, presents: bool) -> Question {
    let version = match era {
        Era::Modern => MODERN,
        Era::Legacy => LEGACY,
    };
    let mut headers = vec![(HeaderName::from_static("mcp-protocol-version"), HeaderValue::from_static(version))];
    if era == Era::Modern {
        headers.extend(HeaderValue::from_str(method).map(|value| (HeaderName::from_static("mcp-method"), value)));
        if let Some(params) = params.as_object_mut() {
            params.insert("_meta".to_owned(), about());
        }
    }
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let who = if presents { ", with the gate's credential" } else { ", without a credential" };
    Question {
        shape: format!("{method}{who}"),
        method: Method::POST,
        url: None,
        headers,
        body: Bytes::from(message.to_string()),
        presents,
    }
}

/// What each request of a client says of it.
pub(super) fn about() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": { "name": "portcullis-probe", "version": env!("CARGO_PKG_VERSION") },
    })
}

/// The first question of a way of speaking.
pub(super) fn hello(era: Era, shape: &str, presents: bool) -> Question {
    let mut question = match era {
        Era::Modern => message(era, "server/discover", json!({}), presents),
        Era::Legacy => {
            let client = json!({ "name": "portcullis-probe", "version": env!("CARGO_PKG_VERSION") });
            let params = json!({ "protocolVersion": LEGACY, "capabilities": {}, "clientInfo": client });
            let mut question = message(era, "initialize", params, presents);
            question.headers.clear();
            question
        }
    };
    if !shape.is_empty() {
        question.shape = format!("{}, {shape}", question.shape.split(',').next().unwrap_or_default());
    }
    question
}

/// What came of saying hello.
enum Greeted {
    Answered(Era, Heard, Value),
    Refused(Era, Heard),
    Neither(Heard),
    Missed(Missed),
}

async fn greet(asker: &mut Asker<'_>, notes: &mut Notes, presents: bool) -> Greeted {
    let mut last = Greeted::Missed(Missed::Silent);
    for era in [Era::Modern, Era::Legacy] {
        let question = hello(era, "", presents);
        let heard = match asker.ask(&question).await {
            Ok(heard) => heard,
            Err(missed) => return Greeted::Missed(missed),
        };
        bounds(&question, &heard, notes);
        match heard.said() {
            Said::Result(result) => return Greeted::Answered(era, heard, result),
            Said::Refused => return Greeted::Refused(era, heard),
            Said::Error(_) | Said::Other => last = Greeted::Neither(heard),
        }
    }
    last
}

/// An answer that does not end, or is larger than any such answer has to be.
pub(super) fn bounds(question: &Question, heard: &Heard, notes: &mut Notes) {
    let (rule, title) = match heard.end {
        End::Whole => return,
        End::TooLarge => ("answers-too-much", "answers with more than anybody needs"),
        End::Endless => ("never-ends", "does not end its answer in time"),
        End::Broken => ("breaks-off", "breaks off its answer"),
    };
    notes.found(rule, Severity::Medium, title, &question.shape, &heard.words());
}

/// Asks as a stranger; and where strangers are refused, as the gate.
pub(super) async fn ask(target: &Target<'_>, asker: &mut Asker<'_>, notes: &mut Notes) -> Way {
    let mut way = Way::default();
    match greet(asker, notes, false).await {
        Greeted::Answered(era, heard, result) => {
            take(&mut way, era, &heard, &result);
            opened(&way, asker).await;
            as_stranger(target, &mut way, asker, notes).await;
        }
        Greeted::Refused(era, heard) => {
            way.open = Some(false);
            way.era = Some(era);
            way.refusal = Some(heard);
            known(target, &mut way, asker, notes).await;
            notes.done("strangers", "it answers nobody without a credential");
        }
        Greeted::Neither(heard) => {
            way.unreached = Some(format!("it does not answer as a server of MCP does: {}", heard.words()));
            notes.unknown("strangers", way.unreached.clone().unwrap_or_default());
        }
        Greeted::Missed(missed) => {
            way.unreached = Some(missed.words());
            notes.unknown("strangers", missed.words());
        }
    }
    way
}

/// Whether a stranger, who was answered once, gets to know its tools.
async fn as_stranger(target: &Target<'_>, way: &mut Way, asker: &mut Asker<'_>, notes: &mut Notes) {
    let question = way.list("tools/list");
    match asker.ask(&question).await {
        Ok(heard) => {
            bounds(&question, &heard, notes);
            let said = heard.said();
            way.open = Some(said.is_result());
            if said.is_result() {
                open_to_all(target, &question, &heard, notes);
            } else if said == Said::Refused {
                way.refusal = Some(heard);
                way.refused_at_tools = Some(way.session.clone());
                known(target, way, asker, notes).await;
            }
            way.tools.get_or_insert(said);
            notes.done("strangers", "it tells strangers what it is, and not what it has");
        }
        Err(missed) => notes.unknown("strangers", missed.words()),
    }
}

fn open_to_all(target: &Target<'_>, question: &Question, heard: &Heard, notes: &mut Notes) {
    let (severity, title) = match (target.wants_credential, target.surroundings) {
        (true, _) => (Severity::High, "is said to want a credential, and answers without one"),
        (false, Surroundings::Internet) => (Severity::Medium, "answers everybody on the internet"),
        (false, Surroundings::Inside) => (Severity::Low, "answers everybody in its network"),
    };
    notes.found("answers-strangers", severity, title, &question.shape, &heard.words());
}

/// Asks with the gate's credential, where there is one.
async fn known(target: &Target<'_>, way: &mut Way, asker: &mut Asker<'_>, notes: &mut Notes) {
    if target.presents.is_none() {
        return;
    }
    way.presented = true;
    match greet(asker, notes, true).await {
        Greeted::Answered(era, heard, result) => {
            way.presents = true;
            take(way, era, &heard, &result);
            opened(way, asker).await;
            if let Ok(heard) = asker.ask(&way.list("tools/list")).await {
                way.tools = Some(heard.said());
            }
        }
        Greeted::Refused(..) => {
            let title = "refuses the gate's own credential";
            notes.found("refuses-the-gate", Severity::Low, title, "hello, with the gate's credential", "");
        }
        Greeted::Neither(_) | Greeted::Missed(_) => {}
    }
}

fn take(way: &mut Way, era: Era, heard: &Heard, result: &Value) {
    way.era = Some(era);
    way.capabilities = result.get("capabilities").cloned().unwrap_or_default();
    way.session = heard.headers.get(SESSION).cloned();
}

/// Ends the handshake, where there is one.
async fn opened(way: &Way, asker: &mut Asker<'_>) {
    if way.era != Some(Era::Legacy) {
        return;
    }
    let mut question = way.list("notifications/initialized");
    question.body = Bytes::from_static(br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
    // What it answers to that is nobody's concern.
    let _ = asker.ask(&question).await;
}
