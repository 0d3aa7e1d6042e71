//! What became of messages: the intent and the outcome of a call, and the one record that everything else has.

use model::{Actor, Class, EndpointName, Object, PolicyId, Reason, ReceiptId, Revision, RuleId, ServerName, Severity};
use serde::{Deserialize, Serialize};

use super::Who;
use crate::commitments::Commitment;

/// What inspection saw in a message: by which rules, and where. Never a word of what was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saw {
    /// The first of them, in the order of the message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub list: Vec<Sight>,
    /// How many there are besides.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: u32,
    /// Whether everything was looked at.
    pub complete: bool,
    /// How many were not told, because somebody answers for their being none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub suppressed: u32,
    /// What was done to the message because of it, such as `redact personal`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub done: Vec<String>,
}

/// One thing that inspection saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sight {
    /// The rule that saw it.
    pub rule: RuleId,
    /// What kind of thing it is.
    pub class: Class,
    /// How much harm it does.
    pub severity: Severity,
    /// The JSON pointer of where it stands; keys in which something was found are `*`.
    pub place: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// A call that is about to leave. Durable before the first byte is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// Who asked.
    pub who: Who,
    /// The gate's session, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The endpoint it came to.
    pub endpoint: EndpointName,
    /// The server it goes to.
    pub server: ServerName,
    /// The method.
    pub method: String,
    /// The request's JSON-RPC id, as JSON text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Object>,
    /// The call that became the task which this is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<ReceiptId>,
    /// The approved definition's digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<model::Digest>,
    /// What was sent, as a commitment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Commitment>,
    /// Bytes of the request's body.
    pub request_bytes: u64,
    /// What was seen in it, if a policy asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub findings: Option<Box<Saw>>,
    /// The policies that permitted it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<PolicyId>,
    /// The revision of the state it was decided on.
    pub revision: Revision,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// The intent this closes.
    pub intent: ReceiptId,
    /// How.
    pub end: End,
    /// Milliseconds from the intent to this.
    pub milliseconds: u64,
    /// What came back, as a commitment whose salt belongs to the intent's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Commitment>,
    /// What was seen in what came back, if a policy asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub findings: Option<Box<Saw>>,
    /// What the operator needs to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// The ways a call can end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "why", rename_all = "kebab-case", deny_unknown_fields)]
pub enum End {
    /// A result came back and was released.
    Completed,
    /// The tool said that it failed.
    ToolError,
    /// The server answered with this JSON-RPC error.
    ServerError(i64),
    /// The server asks for more before it goes on.
    InputRequired,
    /// The server goes on with it by itself: it became a task, which is asked for later.
    BecameTask,
    /// It was executed, and the result was withheld.
    ResultWithheld(Reason),
    /// A stream was cut by the gate; what came before had been released.
    Cut(Reason),
    /// It was sent, and nobody can tell what became of it.
    Unknown(String),
    /// The caller went away or took it back.
    Cancelled,
    /// It never left.
    NotSent(Reason),
}

impl End {
    /// The word for the end, as receipts show it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::ToolError => "tool-error",
            Self::ServerError(_) => "server-error",
            Self::InputRequired => "input-required",
            Self::BecameTask => "became-task",
            Self::ResultWithheld(_) => "result-withheld",
            Self::Cut(_) => "cut",
            Self::Unknown(_) => "unknown",
            Self::Cancelled => "cancelled",
            Self::NotSent(_) => "not-sent",
        }
    }
}

/// A message that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// Who asked, if that was known already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<Who>,
    /// The endpoint it came to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<EndpointName>,
    /// The method, if it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The request's JSON-RPC id, as JSON text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// What it was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Object>,
    /// The control that refused.
    pub control: String,
    /// Why.
    pub reason: Reason,
    /// What the operator needs to know.
    pub detail: String,
    /// What was seen in it, if a policy asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub findings: Option<Box<Saw>>,
    /// The policies that refused it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<PolicyId>,
    /// The revision of the state it was decided on.
    pub revision: Revision,
}

/// A listing that was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// Who asked.
    pub who: Who,
    /// The endpoint it came to.
    pub endpoint: EndpointName,
    /// The method.
    pub method: String,
    /// Definitions shown.
    pub shown: u32,
    /// Definitions hidden from this caller.
    pub hidden: u32,
    /// The revision of the state it was decided on.
    pub revision: Revision,
}

/// A notification of an agent that was taken and has nothing left to do, such as a cancellation over HTTP, which closing the
/// stream has told already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Taken {
    /// Who sent it.
    pub who: Who,
    /// The endpoint it came to.
    pub endpoint: EndpointName,
    /// The method.
    pub method: String,
    /// The revision of the state it was decided on.
    pub revision: Revision,
}

/// A server's question that was put to the client, as a request of its own (MCP 2025-11-25). The answer is a call of its
/// own, with an intent and an outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Who is asked.
    pub who: Who,
    /// The endpoint at which it is asked.
    pub endpoint: EndpointName,
    /// The server that asks.
    pub server: ServerName,
    /// How: `elicitation/create`, `sampling/createMessage`, `roots/list`.
    pub method: String,
    /// The call in which the question came up, if it came up in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<ReceiptId>,
    /// What was seen in it, if a policy asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub findings: Option<Box<Saw>>,
    /// The revision of the state it was decided on.
    pub revision: Revision,
}

/// What a person says of what inspection saw in a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feedback {
    /// Who says it.
    pub actor: Actor,
    /// The receipt of the message.
    pub receipt: ReceiptId,
    /// What they say.
    pub verdict: FeedbackVerdict,
    /// The rule that it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleId>,
    /// Why, in their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What can be said of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeedbackVerdict {
    /// What was seen is none.
    FalsePositive,
    /// Something that is there was not seen.
    Missed,
}
