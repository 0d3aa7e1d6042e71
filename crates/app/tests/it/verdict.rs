//! What a refusal looks like from outside, written down apart from the product's own table, so that a change of the
//! table is seen.

use drill::mcp::Reply;
use serde_json::Value;

use crate::gate::Gate;

/// A refusal: its HTTP status, its JSON-RPC code, its word, and the control that its receipt names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct No {
    pub(crate) status: u16,
    pub(crate) code: i64,
    pub(crate) reason: &'static str,
    pub(crate) control: &'static str,
}

const fn no(status: u16, code: i64, reason: &'static str, control: &'static str) -> No {
    No { status, code, reason, control }
}

pub(crate) const HOST_UNKNOWN: No = no(403, -31001, "host-unknown", "accept");
pub(crate) const ORIGIN_REFUSED: No = no(403, -31002, "origin-refused", "accept");
pub(crate) const PATH_UNKNOWN: No = no(404, -31003, "path-unknown", "accept");
pub(crate) const METHOD_NOT_ALLOWED: No = no(405, -31004, "method-not-allowed", "accept");
pub(crate) const UNAUTHENTICATED: No = no(401, -31010, "unauthenticated", "authenticate");
pub(crate) const TOO_LARGE: No = no(413, -31006, "too-large", "read");
pub(crate) const NOT_JSON: No = no(400, -32700, "not-json", "read");
pub(crate) const AMBIGUOUS: No = no(400, -32600, "ambiguous", "read");
pub(crate) const NOT_JSON_RPC: No = no(400, -32600, "not-json-rpc", "read");
pub(crate) const VERSION_UNSUPPORTED: No = no(400, -32022, "version-unsupported", "read");
pub(crate) const PARAMS_INVALID: No = no(400, -32602, "params-invalid", "read");
pub(crate) const HEADER_MISMATCH: No = no(400, -32020, "header-mismatch", "read");
pub(crate) const METHOD_UNKNOWN: No = no(404, -32601, "method-unknown", "read");
pub(crate) const ENDPOINT_NOT_FOUND: No = no(404, -31011, "endpoint-not-found", "connect");
pub(crate) const SCOPE_MISSING: No = no(403, -31031, "scope-missing", "connect");
pub(crate) const STEP_UP_REQUIRED: No = no(401, -31032, "step-up-required", "connect");
pub(crate) const SESSION_MISSING: No = no(400, -31026, "session-missing", "session");
pub(crate) const SESSION_UNKNOWN: No = no(404, -31027, "session-unknown", "session");
pub(crate) const OVERLOADED: No = no(503, -31013, "overloaded", "session");
pub(crate) const HALTED: No = no(403, -31012, "halted", "halted");
pub(crate) const TOOL_HALTED: No = no(200, -31015, "tool-halted", "halted");
pub(crate) const OBJECT_NOT_FOUND: No = no(200, -32602, "object-not-found", "visible");
pub(crate) const WITHHELD: No = no(200, -31014, "withheld", "visible");
pub(crate) const ARGUMENTS_INVALID: No = no(200, -31016, "arguments-invalid", "validate");
pub(crate) const POLICY_FORBIDS: No = no(200, -31017, "policy-forbids", "decide");
pub(crate) const OBLIGATION_UNMET: No = no(200, -31019, "obligation-unmet", "decide");
pub(crate) const POLICY_ERROR: No = no(200, -31018, "policy-error", "decide");
pub(crate) const INSPECTION_FAILED: No = no(200, -31035, "inspection-failed", "decide");
pub(crate) const SERVER_BUSY: No = no(503, -31029, "server-busy", "turn");
pub(crate) const SERVER_LEFT_ALONE: No = no(502, -31030, "server-left-alone", "turn");
pub(crate) const JOURNAL_UNAVAILABLE: No = no(503, -31020, "journal-unavailable", "intent");
pub(crate) const CREDENTIAL_UNAVAILABLE: No = no(502, -31021, "credential-unavailable", "credential");
pub(crate) const NOT_CONNECTED: No = no(200, -31034, "not-connected", "credential");
pub(crate) const SERVER_UNREACHABLE: No = no(502, -31022, "server-unreachable", "forward");
pub(crate) const OUTCOME_UNKNOWN: No = no(504, -31023, "outcome-unknown", "forward");
pub(crate) const ANSWER_REFUSED: No = no(502, -31024, "answer-refused", "forward");
pub(crate) const TAKEN_BACK: No = no(200, -31028, "taken-back", "forward");
pub(crate) const CAPABILITY_MISSING: No = no(400, -32021, "capability-missing", "ask");
pub(crate) const RELEASE_REFUSED: No = no(200, -31025, "release-refused", "release");

impl No {
    /// The same where a client that keeps a session asked: 404 would tell it that its session is over, and other errors
    /// that the connection failed, so that a request which was understood is answered in the body alone.
    pub(crate) const fn in_body(self) -> Self {
        Self { status: 200, ..self }
    }

    /// The same where a resource is not there, for which older revisions have a code of their own.
    pub(crate) const fn of_resource(self) -> Self {
        Self { code: -32002, ..self }
    }
}

const REFUSAL: &str = "dev.portcullis/refusal";
const RECEIPT: &str = "portcullis-receipt";

impl Gate {
    /// The reply says no in exactly these words, has a receipt that names the control and the reason, and gives nothing
    /// away. Returns the receipt's event.
    pub(crate) async fn refuses(&self, reply: &Reply, no: No) -> Value {
        let told = self.says(reply, no);
        let id = reply.headers.get(RECEIPT).expect("the answer names its receipt").to_str().unwrap();
        assert_eq!(told["receipt"], id, "header and body name one receipt");
        let receipt = self.receipt(id).await;
        assert_eq!(receipt["record"]["kind"], "refused", "{receipt:#}");
        let event = &receipt["record"]["event"];
        assert_eq!((&event["control"], &event["reason"]), (&no.control.into(), &no.reason.into()), "{event:#}");
        event.clone()
    }

    /// The same for a call that had an intent: its outcome says how it ended.
    pub(crate) async fn ends(&self, reply: &Reply, no: No, end: &str) -> Value {
        self.says(reply, no);
        let outcome = self.outcome(receipt_id(reply)).await;
        assert_eq!(outcome["end"]["type"], end, "{outcome:#}");
        outcome
    }

    /// The same for somebody who was not authenticated: no receipt, only a count.
    pub(crate) async fn turns_away(&self, reply: &Reply, no: No) {
        let told = self.says(reply, no);
        assert_eq!(told.get("receipt"), None, "strangers are given no receipt");
        assert!(!reply.headers.contains_key(RECEIPT), "strangers are given no receipt");
        self.counted(no.reason).await;
    }

    /// Compares a reply with a refusal, and returns what the refusal says of itself.
    pub(crate) fn says(&self, reply: &Reply, no: No) -> Value {
        let shown = String::from_utf8_lossy(&reply.body).into_owned();
        assert_eq!(reply.status.as_u16(), no.status, "{no:?}: {shown}");
        assert_eq!(reply.headers.get("content-type").expect("a content type"), "application/json", "{shown}");
        self.leaks_nothing(reply);
        words(&reply.json, no)
    }
}

/// Compares a message with a refusal, and returns what the refusal says of itself.
pub(crate) fn words(message: &Value, no: No) -> Value {
    assert_eq!(message["jsonrpc"], "2.0", "{message:#}");
    let told = match message.get("error") {
        Some(error) => {
            assert_eq!(error["code"], no.code, "{message:#}");
            &error["data"][REFUSAL]
        }
        None => {
            assert!(
                (-31019..=-31014).contains(&no.code) || [-31025, -31034, -31035].contains(&no.code),
                "{no:?} is no tool's: {message:#}"
            );
            assert_eq!(message["result"]["isError"], true, "{message:#}");
            &message["result"]["_meta"][REFUSAL]
        }
    };
    assert_eq!(told["reason"], no.reason, "{message:#}");
    told.clone()
}

/// The receipt that a reply names.
pub(crate) fn receipt_id(reply: &Reply) -> &str {
    reply.headers.get(RECEIPT).expect("the answer names its receipt").to_str().unwrap()
}

/// The reply is a result that a server gave.
pub(crate) fn passes(reply: &Reply) {
    let shown = String::from_utf8_lossy(&reply.body);
    assert_eq!(reply.status, 200, "{shown}");
    assert!(reply.result().is_some() && !reply.is_tool_error(), "{shown}");
}
