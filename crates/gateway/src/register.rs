//! The register of methods: what may pass, in which direction, about what, and under which controls.
//!
//! What is not in the table is refused and not advertised. `docs/reference/methods.md` and the attack matrix of the
//! integration tests are generated from it.

use wire::Revision;

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the agent to the server.
    ToServer,
    /// From the server to the agent.
    ToAgent,
}

/// What the message is about: the noun that is looked up, decided on and recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum About {
    /// The server as a whole.
    Server,
    /// The tool that `params.name` names.
    Tool,
    /// The prompt that `params.name` names.
    Prompt,
    /// The resource whose canonical URI is `params.uri`.
    Resource,
    /// Whatever `params.ref` refers to: a prompt or a resource template.
    Reference,
    /// Every resource in `params.notifications.resourceSubscriptions`, and the tool of every task in `taskIds`.
    Subscribed,
    /// The tool whose call became the task of `params.taskId`.
    Task,
}

/// Which of the pipeline's paths the message takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Path {
    /// Answered from the snapshot: pinned definitions, filtered per caller.
    Pinned,
    /// Sent to the server, and its listing filtered per caller.
    Listed,
    /// Sent to the server: intent before, outcome after.
    Called,
    /// Sent to the server, and its stream kept open under the register.
    Streamed,
    /// Accepted and not passed on: the gate itself acts on it.
    Absorbed,
    /// Passed to the agent within the answer or stream it belongs to.
    Relayed,
    /// A question to the user or the model: decided under `ask` before it is passed on.
    Asked,
    /// Heard by the gate, which tells agents itself once people have approved the change.
    Heeded,
}

/// One row of the register.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The method, as JSON-RPC spells it.
    pub method: &'static str,
    /// The revisions that know it.
    pub revisions: &'static [Revision],
    /// Which way it goes.
    pub direction: Direction,
    /// What it is about.
    pub about: About,
    /// The path it takes.
    pub path: Path,
}

/// A control of the path, in the order in which messages meet them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Control {
    /// Host, Origin, path and size.
    Accept,
    /// Who calls.
    Authenticate,
    /// Strict reading; headers agree with the body.
    Read,
    /// May this caller use this endpoint?
    Connect,
    /// The caller's session and its bounds.
    Session,
    /// Is anything of it halted?
    Halted,
    /// Does it exist for this caller, as approved?
    Visible,
    /// Do the arguments fit the pinned schema?
    Validate,
    /// Do the policies permit it, for the agent and the user?
    Decide,
    /// Is it its turn at the server, and is the server tried at all?
    Turn,
    /// Is the intent durable?
    Intent,
    /// Is the server's own credential at hand?
    Credential,
    /// The call itself, with its limits.
    Forward,
    /// May the server ask this?
    Ask,
    /// May the answer leave?
    Release,
}

/// What a control does when it fails itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailMode {
    /// The message is refused before anything happened.
    Refuses,
    /// The call was made; its answer is withheld and the receipt says so.
    Withholds,
}

impl Control {
    /// Every control, in order.
    pub const ALL: [Self; 15] = [
        Self::Accept,
        Self::Authenticate,
        Self::Read,
        Self::Connect,
        Self::Session,
        Self::Halted,
        Self::Visible,
        Self::Validate,
        Self::Decide,
        Self::Turn,
        Self::Intent,
        Self::Credential,
        Self::Forward,
        Self::Ask,
        Self::Release,
    ];

    /// The control's name in receipts and documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Authenticate => "authenticate",
            Self::Read => "read",
            Self::Connect => "connect",
            Self::Session => "session",
            Self::Halted => "halted",
            Self::Visible => "visible",
            Self::Validate => "validate",
            Self::Decide => "decide",
            Self::Turn => "turn",
            Self::Intent => "intent",
            Self::Credential => "credential",
            Self::Forward => "forward",
            Self::Ask => "ask",
            Self::Release => "release",
        }
    }

    /// What happens when the control itself fails. None lets the message pass.
    pub fn fail_mode(self) -> FailMode {
        match self {
            Self::Accept
            | Self::Authenticate
            | Self::Read
            | Self::Connect
            | Self::Session
            | Self::Halted
            | Self::Visible
            | Self::Validate
            | Self::Decide
            | Self::Turn
            | Self::Intent
            | Self::Credential => FailMode::Refuses,
            Self::Forward | Self::Ask | Self::Release => FailMode::Withholds,
        }
    }
}

impl Row {
    /// The controls that a message of this row meets, in order.
    pub fn controls(&self) -> &'static [Control] {
        use Control::{Accept, Ask, Authenticate, Connect, Credential, Decide, Forward, Halted, Intent, Read};
        use Control::{Release, Session, Turn, Validate, Visible};
        match self.path {
            Path::Pinned => &[Accept, Authenticate, Read, Connect, Session, Halted, Visible],
            Path::Listed => &[
                Accept,
                Authenticate,
                Read,
                Connect,
                Session,
                Halted,
                Visible,
                Decide,
                Turn,
                Intent,
                Credential,
                Forward,
                Release,
            ],
            Path::Called | Path::Streamed => &[
                Accept,
                Authenticate,
                Read,
                Connect,
                Session,
                Halted,
                Visible,
                Validate,
                Decide,
                Turn,
                Intent,
                Credential,
                Forward,
                Ask,
                Release,
            ],
            Path::Absorbed => &[Accept, Authenticate, Read, Connect, Session, Halted],
            Path::Relayed => &[Release],
            Path::Asked => &[Ask, Release],
            Path::Heeded => &[],
        }
    }
}

const MODERN: &[Revision] = &[Revision::V2026_07_28];
const LEGACY: &[Revision] = Revision::LEGACY;
const BOTH: &[Revision] = Revision::SUPPORTED;
/// Those in which servers may ask the client's user.
const ELICITING: &[Revision] = &[Revision::V2026_07_28, Revision::V2025_11_25, Revision::V2025_06_18];
/// The one in which a question to the user has an end of its own.
const ELICITING_BY_URL: &[Revision] = &[Revision::V2025_11_25];

/// Every method that may pass, of every revision.
pub const METHODS: &[Row] = &[
    to_server("server/discover", MODERN, About::Server, Path::Pinned),
    to_server("initialize", LEGACY, About::Server, Path::Pinned),
    to_server("notifications/initialized", LEGACY, About::Server, Path::Absorbed),
    to_server("ping", LEGACY, About::Server, Path::Pinned),
    to_server("tools/list", BOTH, About::Server, Path::Pinned),
    to_server("tools/call", BOTH, About::Tool, Path::Called),
    to_server("prompts/list", BOTH, About::Server, Path::Pinned),
    to_server("prompts/get", BOTH, About::Prompt, Path::Called),
    to_server("resources/list", BOTH, About::Server, Path::Listed),
    to_server("resources/templates/list", BOTH, About::Server, Path::Pinned),
    to_server("resources/read", BOTH, About::Resource, Path::Called),
    to_server("resources/subscribe", LEGACY, About::Resource, Path::Called),
    to_server("resources/unsubscribe", LEGACY, About::Resource, Path::Called),
    to_server("completion/complete", BOTH, About::Reference, Path::Called),
    to_server("subscriptions/listen", MODERN, About::Subscribed, Path::Streamed),
    to_server("tasks/get", MODERN, About::Task, Path::Called),
    to_server("tasks/update", MODERN, About::Task, Path::Called),
    to_server("tasks/cancel", MODERN, About::Task, Path::Called),
    // Kept with the session, and told to each server of it.
    to_server("logging/setLevel", LEGACY, About::Server, Path::Absorbed),
    // Over HTTP a request of 2026-07-28 is cancelled by closing its stream, and the notification has nothing left to do.
    to_server("notifications/cancelled", BOTH, About::Server, Path::Absorbed),
    to_server("notifications/roots/list_changed", LEGACY, About::Server, Path::Absorbed),
    to_server("notifications/progress", LEGACY, About::Server, Path::Absorbed),
    to_agent("notifications/progress", BOTH, About::Server, Path::Relayed),
    to_agent("notifications/message", BOTH, About::Server, Path::Relayed),
    to_agent("notifications/subscriptions/acknowledged", MODERN, About::Subscribed, Path::Relayed),
    to_agent("notifications/resources/updated", BOTH, About::Resource, Path::Relayed),
    to_agent("notifications/tasks", MODERN, About::Task, Path::Relayed),
    // A server's word that its lists changed starts a check of its pins. Agents hear of it when people approved it.
    to_agent("notifications/tools/list_changed", BOTH, About::Server, Path::Heeded),
    to_agent("notifications/prompts/list_changed", BOTH, About::Server, Path::Heeded),
    to_agent("notifications/resources/list_changed", BOTH, About::Server, Path::Relayed),
    // A server takes its question back, or tells that what it asked at a page of its own is done.
    to_agent("notifications/cancelled", LEGACY, About::Server, Path::Relayed),
    to_agent("notifications/elicitation/complete", ELICITING_BY_URL, About::Server, Path::Relayed),
    to_agent("elicitation/create", ELICITING, About::Server, Path::Asked),
    to_agent("sampling/createMessage", BOTH, About::Server, Path::Asked),
    to_agent("roots/list", BOTH, About::Server, Path::Asked),
];

const fn to_server(method: &'static str, revisions: &'static [Revision], about: About, path: Path) -> Row {
    Row { method, revisions, direction: Direction::ToServer, about, path }
}

const fn to_agent(method: &'static str, revisions: &'static [Revision], about: About, path: Path) -> Row {
    Row { method, revisions, direction: Direction::ToAgent, about, path }
}

/// The row of a method in one direction and revision; `None` is a refusal.
pub fn find(method: &str, direction: Direction, revision: Revision) -> Option<&'static Row> {
    METHODS.iter().find(|row| row.method == method && row.direction == direction && row.revisions.contains(&revision))
}

#[cfg(test)]
mod tests;
