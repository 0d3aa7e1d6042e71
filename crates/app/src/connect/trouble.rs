//! Why there is no answer of the gate: in words for the person who reads the client's log, and for its model.

use http::StatusCode;
use model::Reason;
use serde_json::{Value, json};

/// The member of an error's `data` that explains it.
const EXPLANATION: &str = "dev.portcullis/connect";
const INTERNAL: i32 = -32603;

/// Why a message has no answer of the gate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    /// Nothing left this machine, or nothing was taken.
    #[error("the gate at {host} cannot be reached, and nothing was sent: {why}")]
    Unreachable { host: String, why: String },
    /// It may have been received.
    #[error("the connection to the gate broke off: what became of this is not known")]
    Broken,
    /// A stream ended, or stayed silent, before the answer.
    #[error("the gate's answer ended before it was complete: what became of this is not known")]
    Ended,
    #[error("the gate refused your token (401): it is missing there, expired or withdrawn")]
    Unauthorised { place: String },
    #[error("your token cannot be read: {why}")]
    Token { why: String },
    /// An answer, but not one of MCP.
    #[error("the address answered {status}, and not as an endpoint of a gate does")]
    NotAGate { status: StatusCode },
    /// A notification, or an answer to a question.
    #[error("the gate did not take a message that needs no answer: {status}")]
    NotTaken { status: StatusCode },
    #[error("the gate's answer could not be read")]
    Unreadable,
    #[error("the gate ended the session, and what the client had set up in it cannot be had again")]
    SessionOver,
    #[error("too many messages are under way at once")]
    TooMany,
    #[error("a request with this id is under way already")]
    IdInUse,
}

impl Trouble {
    /// What to do about it.
    pub(super) fn next(&self) -> String {
        match self {
            Self::Unreachable { .. } => {
                "see that the gate runs and that the address is right; the next message is tried anew".to_owned()
            }
            Self::Broken | Self::Ended => {
                "look at what is there now before you repeat it; receipts tell what the gate did".to_owned()
            }
            Self::Unauthorised { place } => {
                format!("put a valid token into {place}; it is read again for the next message")
            }
            Self::Token { .. } => "mend that; it is read again for the next message".to_owned(),
            Self::NotAGate { .. } => "see that the URL is an endpoint's, like https://HOST/NAME/mcp".to_owned(),
            Self::NotTaken { .. } | Self::Unreadable => "tell those who run the gate".to_owned(),
            Self::SessionOver => "restart this server in your client".to_owned(),
            Self::TooMany => "wait for answers, then send more".to_owned(),
            Self::IdInUse => "give each request an id of its own".to_owned(),
        }
    }

    /// The answer to the request `id`.
    pub(super) fn answer(&self, id: &Value) -> Vec<u8> {
        let code = match self {
            Self::Unauthorised { .. } => match Reason::Unauthenticated.row().code {
                model::Code::Error(code) | model::Code::ToolError(code) => code,
            },
            Self::IdInUse => -32600,
            Self::Unreachable { .. }
            | Self::Broken
            | Self::Ended
            | Self::Token { .. }
            | Self::NotAGate { .. }
            | Self::NotTaken { .. }
            | Self::Unreadable
            | Self::SessionOver
            | Self::TooMany => INTERNAL,
        };
        let next = self.next();
        error(id, code, &format!("{self}. Next: {next}."), json!({ EXPLANATION: { "next": next } }))
    }
}

/// An error of this program's own.
pub(super) fn error(id: &Value, code: i32, message: &str, data: Value) -> Vec<u8> {
    let mut error = json!({ "code": code, "message": message });
    if let (false, Some(members)) = (data.is_null(), error.as_object_mut()) {
        members.insert("data".to_owned(), data);
    }
    json!({ "jsonrpc": "2.0", "id": id, "error": error }).to_string().into_bytes()
}
