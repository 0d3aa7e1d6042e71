//! How a lying server is spoken to: its lies are the same in every revision, and look different on the wire.

use bytes::Bytes;
use serde_json::{Value, json};

use super::mode::{self, Mode, Step, chunk, document, event, report, send, stream_head};
use super::request::Heard;

/// How a server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Manner {
    /// As 2026-07-28 has it: every message stands for itself.
    Stateless,
    /// As 2025-11-25 has it: a session, and every message a request of its own.
    Sessions,
    /// As 2024-11-05 has it: a session is one stream, and messages are posted beside it.
    Events,
}

/// What a server does when it has heard something.
#[derive(Default)]
pub(super) struct Reaction {
    /// To the connection on which it was heard.
    pub(super) here: Vec<Step>,
    /// To the stream of the session, where that is another one.
    pub(super) on_stream: Vec<Step>,
}

/// The session's id, where it has one.
const SESSION: &str = "a-session";

impl Manner {
    /// Every manner, the newest first.
    pub const ALL: [Self; 3] = [Self::Stateless, Self::Sessions, Self::Events];

    /// The revision of the protocol.
    pub fn revision(self) -> &'static str {
        match self {
            Self::Stateless => "2026-07-28",
            Self::Sessions => "2025-11-25",
            Self::Events => "2024-11-05",
        }
    }

    /// Where it is found.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Stateless | Self::Sessions => "/mcp",
            Self::Events => "/sse",
        }
    }

    /// What it does about this, in the session that it came in. A stream that begins is that of `session`.
    pub(super) fn react(self, heard: &Heard, session: Option<u64>, mode: Mode) -> Reaction {
        match self {
            Self::Stateless => Reaction::here(stateless(heard, mode)),
            Self::Sessions => Reaction::here(self.in_session(heard, mode)),
            Self::Events => match session {
                Some(session) => self.beside_stream(heard, session, mode),
                // Where its streams begin, nothing can be posted.
                None => Reaction::here(mode::nothing_here()),
            },
        }
    }

    fn in_session(self, heard: &Heard, mode: Mode) -> Vec<Step> {
        match heard {
            Heard::Greet { id } => {
                let body = answer(id, &self.greeting()).to_string();
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nmcp-session-id: ";
                vec![send(format!("{head}{SESSION}\r\ncontent-length: {}\r\n\r\n{body}", body.len()))]
            }
            Heard::Told => vec![nothing("202 Accepted")],
            Heard::Leave => vec![nothing("204 No Content")],
            Heard::Listen => vec![nothing("405 Method Not Allowed")],
            Heard::Discover { id } => vec![document("400 Bad Request", refusal(id, -32000).to_string().as_bytes())],
            Heard::Other { id } => vec![document("200 OK", refusal(id, -32601).to_string().as_bytes())],
            Heard::ListTools { .. } | Heard::CallTool { .. } | Heard::Redirected => stateless(heard, mode),
        }
    }

    fn beside_stream(self, heard: &Heard, session: u64, mode: Mode) -> Reaction {
        let says = |message: &Value| Reaction::on_stream(vec![said(message)]);
        match heard {
            // That is how the stream begins, on the connection it came on.
            Heard::Listen => {
                let endpoint = format!("event: endpoint\ndata: /messages?session={session}\n\n");
                Reaction::here(vec![stream_head(), chunk(endpoint.as_bytes())])
            }
            Heard::Greet { id } => says(&answer(id, &self.greeting())),
            Heard::ListTools { id } => says(&answer(id, &mode::listing("One report by its id."))),
            Heard::CallTool { id } => beside(mode, id),
            Heard::Other { id } => says(&refusal(id, -32601)),
            Heard::Told => Reaction::on_stream(Vec::new()),
            Heard::Discover { .. } | Heard::Leave | Heard::Redirected => Reaction::here(mode::nothing_here()),
        }
    }

    fn greeting(self) -> Value {
        json!({
            "protocolVersion": self.revision(),
            "capabilities": { "tools": {} },
            "serverInfo": { "name": "reports", "version": "1.0.0" },
            "instructions": "Reports, one at a time.",
        })
    }
}

impl Reaction {
    fn here(here: Vec<Step>) -> Self {
        Self { here, on_stream: Vec::new() }
    }

    fn on_stream(on_stream: Vec<Step>) -> Self {
        Self { here: vec![nothing("202 Accepted")], on_stream }
    }
}

fn stateless(heard: &Heard, mode: Mode) -> Vec<Step> {
    match heard {
        Heard::Discover { id } => mode::discover(id),
        Heard::ListTools { id } => mode::tools(id),
        Heard::CallTool { id } => mode::script(mode, id),
        Heard::Greet { id } | Heard::Other { id } => mode::unknown_method(id),
        Heard::Told | Heard::Listen | Heard::Leave => mode::unknown_method(&Value::Null),
        Heard::Redirected => mode::nothing_here(),
    }
}

/// What a mode does with a call where the answer comes on the stream of the session.
fn beside(mode: Mode, id: &Value) -> Reaction {
    let honest = report(id, "All quiet.");
    let text = honest.to_string();
    match mode {
        // These lie about HTTP, and so on the connection of the call.
        Mode::Redirects | Mode::Breaks => Reaction::here(mode::script(mode, id)),
        Mode::PromisesMore | Mode::PromisesLess | Mode::AnswersAhead | Mode::Compressed => {
            Reaction { here: mode::script(mode, id), on_stream: vec![said(&honest)] }
        }
        Mode::Honest => Reaction::on_stream(vec![said(&honest)]),
        Mode::ClosesBeforeAnswer => Reaction::on_stream(vec![Step::Close]),
        Mode::ClosesMidEvent => {
            let half: String = text.chars().take(text.chars().count() / 2).collect();
            Reaction::on_stream(vec![chunk(format!("data: {half}").as_bytes()), Step::Close])
        }
        Mode::NeverAnswers => Reaction::on_stream(Vec::new()),
        Mode::Drips => Reaction::on_stream(mode::drops(&event(&honest))),
        Mode::Floods => {
            let progress = json!({ "progressToken": id, "progress": 1 });
            let progress = json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": progress });
            Reaction::on_stream(vec![Step::Repeat(mode::chunk_bytes(event(&progress).as_bytes()))])
        }
        Mode::AnswersAnotherId => Reaction::on_stream(vec![said(&report(&json!("nobody-asked"), "All quiet."))]),
        Mode::AnswersTwice => Reaction::on_stream(vec![said(&honest), said(&report(id, "Everything is on fire."))]),
        Mode::ErrorAndResult => {
            let mut both = honest;
            if let Some(members) = both.as_object_mut() {
                members.insert("error".to_owned(), json!({ "code": -32603, "message": "and yet" }));
            }
            Reaction::on_stream(vec![said(&both)])
        }
        Mode::Asks => Reaction::on_stream(vec![said(&mode::question()), said(&honest)]),
        Mode::Oversized => {
            let long = "x".repeat(model::limits::MESSAGE_BYTES_MAX);
            Reaction::on_stream(vec![said(&report(id, &long))])
        }
        Mode::NotJson => Reaction::on_stream(vec![chunk(b"data: <html><body>All quiet.</body></html>\n\n")]),
        Mode::DuplicateKeys => {
            Reaction::on_stream(vec![chunk(format!("data: {}\n\n", mode::duplicate_keys(id)).as_bytes())])
        }
    }
}

fn said(message: &Value) -> Step {
    chunk(event(message).as_bytes())
}

fn answer(id: &Value, result: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "result": result })
}

fn refusal(id: &Value, code: i64) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": "no" } })
}

fn nothing(status: &str) -> Step {
    let length = if status.starts_with("204") { "" } else { "content-length: 0\r\n" };
    Step::Send(Bytes::from(format!("HTTP/1.1 {status}\r\n{length}\r\n")))
}
