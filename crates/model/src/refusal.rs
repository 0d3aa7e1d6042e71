//! How the gate says no: one table from reason to status, code and words.

use serde::{Deserialize, Serialize};

use crate::PolicyId;

/// The end of a decision that is no. The caller reads [`Refusal::public`]; operators read `detail` in the receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Why, from the closed list.
    pub reason: Reason,
    /// What the operator needs to know. Never shown to the caller.
    pub detail: String,
    /// What the caller may know beyond the reason's own text: a schema violation, a policy's message.
    pub hint: Option<String>,
    /// The policies that decided, by id.
    pub policies: Vec<PolicyId>,
    /// What the caller can prove to be let in, told in the challenge of the answer.
    pub challenge: Option<Box<Challenge>>,
}

/// What a caller is asked to prove (RFC 6750 §3, RFC 8705 §3, RFC 9449 §7.1, RFC 9470 §3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Challenge {
    /// Another token: the one that came is no good.
    Token,
    /// A proof that it holds the token's key: why the one that came is none, and the nonce for the next, if there is one.
    Proof {
        /// The error, in the words of RFC 9449.
        error: &'static str,
        /// What the next proof is to repeat.
        nonce: Option<String>,
    },
    /// A token that is bound to the client's certificate, over a connection with it (RFC 8705 §3).
    Certificate,
    /// A token with these scopes, all of them.
    Scopes(Vec<String>),
    /// A sign-in of one of these classes, no older than that.
    SignIn {
        /// Any of these; as it is, if there are none.
        acr: Vec<String>,
        /// In seconds.
        age_max: Option<u64>,
    },
}

impl Refusal {
    /// A refusal with the operator's text, and nothing for the caller beyond the reason's own words.
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into(), hint: None, policies: Vec::new(), challenge: None }
    }

    /// Adds what the caller may know.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the policies that decided.
    #[must_use]
    pub fn with_policies(mut self, policies: Vec<PolicyId>) -> Self {
        self.policies = policies;
        self
    }

    /// Adds what the caller can prove to be let in.
    #[must_use]
    pub fn with_challenge(mut self, challenge: Challenge) -> Self {
        self.challenge = Some(Box::new(challenge));
        self
    }

    /// The text for the caller.
    pub fn public(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{}: {hint}", self.reason.row().public),
            None => self.reason.row().public.to_owned(),
        }
    }
}

/// How a reason is told in JSON-RPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// A JSON-RPC error with this code.
    Error(i32),
    /// For `tools/call` a result with `isError`, which a model reads and can act on; elsewhere an error with this code.
    ToolError(i32),
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The stable word, in receipts, metrics and documents.
    pub word: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The JSON-RPC code.
    pub code: Code,
    /// The caller's text.
    pub public: &'static str,
    /// What the caller or the operator can do next.
    pub next: &'static str,
}

/// Declares [`Reason`] and its table together, so that neither can miss a row.
macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident $word:literal $status:literal $code:expr, $public:literal, $next:literal;)*) => {
        /// Every reason for which the gate refuses. The console, the documents and the SIEM read this list.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Reason {
            $($(#[$doc])* #[serde(rename = $word)] $name,)*
        }

        impl Reason {
            /// Every reason, in the order of the path.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The reason's row of the table.
            pub fn row(self) -> Row {
                match self {
                    $(Self::$name => Row { word: $word, status: $status, code: $code, public: $public, next: $next },)*
                }
            }
        }
    };
}

use Code::{Error, ToolError};

// Codes: the specification's own where it has one (MCP 2026-07-28, basic); ours lie outside -32768..-32000.
reasons! {
    /// The Host header names no host of this listener: DNS rebinding looks like this.
    HostUnknown "host-unknown" 403 Error(-31001), "this host is not served here", "use the gate's own host name; operators set `hosts` on the listener";
    /// The Origin header is of a page that may not call the gate.
    OriginRefused "origin-refused" 403 Error(-31002), "requests from this origin are not accepted", "call from an agent, not from a web page; operators set `origins` on the listener";
    /// There is nothing at this path.
    PathUnknown "path-unknown" 404 Error(-31003), "there is nothing here", "agents post to /{endpoint}/mcp";
    /// Only POST is served.
    MethodNotAllowed "method-not-allowed" 405 Error(-31004), "this method is not served here", "post messages; GET and DELETE are for sessions of 2025-11-25, with their `Mcp-Session-Id`";
    /// A page beside the path of messages did not do what was asked of it; the page said why.
    VisitRefused "visit-refused" 400 Error(-31033), "this is not done here", "read what the page says; a sign-in is begun again from the application";
    /// The body is not declared as JSON, or the caller will not take the answers MCP gives.
    MediaTypeRefused "media-type-refused" 415 Error(-31005), "send `Content-Type: application/json` and accept application/json and text/event-stream", "set both headers";
    /// The body or the headers are larger than the limit.
    TooLarge "too-large" 413 Error(-31006), "the message is larger than the gate accepts", "send less in one message";
    /// The body did not arrive in time.
    TooSlow "too-slow" 408 Error(-31007), "the request did not arrive in time", "send headers and body without pauses";
    /// The body is not JSON.
    NotJson "not-json" 400 Error(-32700), "the body is not valid JSON", "send one UTF-8 JSON object";
    /// The body is JSON that two readers could read differently.
    Ambiguous "ambiguous" 400 Error(-32600), "the body could be read in two ways", "no repeated keys, no known key in another case, no number beyond 64 bits";
    /// The body is no JSON-RPC request.
    NotJsonRpc "not-json-rpc" 400 Error(-32600), "the body is no JSON-RPC 2.0 request", "see the specification's message format";
    /// The protocol version is none the gate speaks.
    VersionUnsupported "version-unsupported" 400 Error(-32022), "this protocol version is not supported", "use one of `data.supported`";
    /// A required member of `_meta` or `params` is missing or of the wrong type.
    ParamsInvalid "params-invalid" 400 Error(-32602), "the parameters are not valid", "see the specification of the method";
    /// A header is missing, malformed, or says other than the body.
    HeaderMismatch "header-mismatch" 400 Error(-32020), "headers and body do not agree", "mirror the body in MCP-Protocol-Version, Mcp-Method, Mcp-Name and Mcp-Param-*";
    /// The method is not in the register.
    MethodUnknown "method-unknown" 404 Error(-32601), "this method is not known", "see docs/reference/methods.md";
    /// The credential is missing, unknown or expired.
    Unauthenticated "unauthenticated" 401 Error(-31010), "sign in first", "send a valid bearer token";
    /// The endpoint does not exist, or the caller may not connect to it: the two look the same.
    EndpointNotFound "endpoint-not-found" 404 Error(-31011), "there is no such endpoint", "check the URL, or ask for access to the endpoint";
    /// The token is not good for what this endpoint is for.
    ScopeMissing "scope-missing" 403 Error(-31031), "the token's scopes do not cover this", "ask the authorization server for the scopes of the challenge";
    /// The endpoint or a policy asks for a better or fresher sign-in, or for proof of possession.
    StepUpRequired "step-up-required" 401 Error(-31032), "a stronger or fresher sign-in is needed", "sign in as the challenge says, and call again";
    /// A request of 2025-11-25 names no session, and is not the one that begins it.
    SessionMissing "session-missing" 400 Error(-31026), "this request needs a session", "send `initialize` first, and the `Mcp-Session-Id` it returns with everything after it";
    /// The session is over, or was never this caller's: the two look the same.
    SessionUnknown "session-unknown" 404 Error(-31027), "there is no such session", "begin another one with `initialize`";
    /// A halt applies to the caller, the endpoint or everything.
    Halted "halted" 403 Error(-31012), "stopped by the operators", "ask those who run the gate";
    /// Too much is open or waiting.
    Overloaded "overloaded" 503 Error(-31013), "too much at once", "retry later, with fewer calls or streams at a time";
    /// The tool, prompt or resource does not exist, is not approved, or is hidden: the three look the same.
    ObjectNotFound "object-not-found" 200 Error(-32602), "not found", "list again; what is not listed cannot be used";
    /// The definition differs from what people approved.
    Withheld "withheld" 200 ToolError(-31014), "withheld: its definition changed and awaits approval", "a reviewer runs `portcullis server diff` and `portcullis server approve`";
    /// The tool or its server is halted.
    ToolHalted "tool-halted" 200 ToolError(-31015), "stopped by the operators", "ask those who run the gate";
    /// The arguments do not fit the approved schema.
    ArgumentsInvalid "arguments-invalid" 200 ToolError(-31016), "the arguments do not fit the approved schema", "mend the arguments and call again";
    /// No policy permits it, or one forbids it.
    PolicyForbids "policy-forbids" 200 ToolError(-31017), "refused by policy", "ask the policy's owner for access";
    /// A policy could not be evaluated.
    PolicyError "policy-error" 200 ToolError(-31018), "refused: a policy could not be evaluated", "operators find the policy and its error in the receipt";
    /// A policy asks for something that cannot be met.
    ObligationUnmet "obligation-unmet" 200 ToolError(-31019), "refused: a condition of the policy is not met", "the policy's message says what is asked for";
    /// A detector that has to look at the message has not.
    InspectionFailed "inspection-failed" 200 ToolError(-31035), "not carried out: it could not be inspected", "retry later; operators find in the receipt which detector did not answer";
    /// Others' calls have the server's places, and the call's turn does not come.
    ServerBusy "server-busy" 503 Error(-31029), "not carried out: the server is busy with other calls", "retry later, with fewer calls at a time";
    /// The server failed, and is not tried for a while.
    ServerLeftAlone "server-left-alone" 502 Error(-31030), "not carried out: the server failed and is left alone for a while", "retry later";
    /// The server asks for a capability that the client did not declare.
    CapabilityMissing "capability-missing" 400 Error(-32021), "a required client capability was not declared", "declare `data.requiredCapabilities`";
    /// The intent could not be made durable, so the call was not made.
    JournalUnavailable "journal-unavailable" 503 Error(-31020), "not carried out: the audit journal cannot be written", "operators: see `portcullis status` and the disk";
    /// The server's credential cannot be had.
    CredentialUnavailable "credential-unavailable" 502 Error(-31021), "not carried out: the server's credential is not available", "operators: see the receipt";
    /// The server has a credential for each person, and this one has not connected it yet.
    NotConnected "not-connected" 200 ToolError(-31034), "not carried out: its server is not connected for you", "connect it at the address that is told, and call again";
    /// The server could not be reached; nothing was sent.
    ServerUnreachable "server-unreachable" 502 Error(-31022), "not carried out: the server cannot be reached", "retry later";
    /// The call was sent and no complete answer came back. It is not repeated.
    OutcomeUnknown "outcome-unknown" 504 Error(-31023), "outcome unknown: the call was sent and no complete answer came back", "find out at the server before calling again";
    /// The call was carried out, but its answer broke the protocol or a limit.
    AnswerRefused "answer-refused" 502 Error(-31024), "executed, result withheld: the server's answer was not acceptable", "operators: see the receipt";
    /// The call was carried out, but policy does not release its answer.
    ReleaseRefused "release-refused" 200 ToolError(-31025), "executed, result withheld", "operators find in the receipt why";
    /// The client took the request back.
    TakenBack "taken-back" 200 Error(-31028), "taken back by the client", "nothing needs to be done";
    /// Something in the gate failed; it fails closed.
    Internal "internal" 500 Error(-32603), "the gate failed", "operators: see the log";
}

#[cfg(test)]
mod tests;
