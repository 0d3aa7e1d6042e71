//! What a server of interceptors answers: untrusted text, of which only what fits is used.

use model::limits;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::payload::Phase;

/// What an interceptor does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// It says whether a message may pass.
    #[serde(alias = "validator")]
    Validation,
    /// It makes another message of one.
    #[serde(alias = "mutator")]
    Mutation,
}

/// How grave it is what a validator says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Level {
    Info,
    Warn,
    Error,
}

/// One interceptor, as its server lists it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Descriptor {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// Whether what it says counts; else it is only tried out.
    pub(crate) acts: bool,
    /// Whether a message may go on where it fails.
    pub(crate) fail_open: bool,
    events: Vec<String>,
    phases: Phases,
    /// In requests and in responses: the lower one is asked first.
    priority: (f64, f64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Phases {
    Request,
    Response,
    Both,
}

/// What a validator says.
#[derive(Debug, Deserialize)]
pub(crate) struct Verdict {
    valid: bool,
    severity: Option<Level>,
    #[serde(default)]
    messages: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listing {
    interceptors: Vec<Value>,
    next_cursor: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    name: String,
    r#type: Kind,
    hook: Hook,
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    fail_open: bool,
    priority_hint: Option<Priority>,
    compat: Option<Compat>,
}

#[derive(Deserialize)]
struct Hook {
    events: Vec<String>,
    phase: Phases,
}

#[derive(Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Mode {
    #[default]
    #[serde(alias = "active")]
    Enforce,
    Audit,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Priority {
    Same(f64),
    Each { request: Option<f64>, response: Option<f64> },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Compat {
    min_protocol: Option<String>,
    max_protocol: Option<String>,
}

/// The revision that interceptors are spoken to in.
const PROTOCOL: &str = "2026-07-28";

/// Those of a listing that are wanted, each of which has to be there as what it is wanted as.
pub(crate) fn listed(result: &[u8], wanted: &[(String, Kind)]) -> Result<Vec<Descriptor>, &'static str> {
    let listing: Listing = serde_json::from_slice(result).map_err(|_| "it is no listing of interceptors")?;
    if listing.interceptors.len() > limits::INTERCEPTORS_LISTED_MAX || listing.next_cursor.is_some() {
        return Err("it lists too many interceptors");
    }
    let named = |name: &str| {
        let is_it = |one: &&Value| one.get("name").and_then(Value::as_str) == Some(name);
        let mut found = listing.interceptors.iter().filter(is_it);
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(one),
            (None, _) => Err("it does not list an interceptor that settings name"),
            (Some(_), Some(_)) => Err("it lists two interceptors of one name"),
        }
    };
    wanted.iter().map(|(name, kind)| descriptor(named(name)?, *kind)).collect()
}

fn descriptor(one: &Value, kind: Kind) -> Result<Descriptor, &'static str> {
    let Listed { name, r#type, hook, mode, fail_open, priority_hint, compat } =
        Listed::deserialize(one).map_err(|_| "it lists an interceptor without what one has")?;
    if r#type != kind {
        return Err("it lists an interceptor as another kind than settings do");
    }
    if hook.events.is_empty() || hook.events.len() > limits::INTERCEPTOR_EVENTS_MAX {
        return Err("it lists an interceptor of no events, or of too many");
    }
    let fits = compat.is_none_or(|Compat { min_protocol, max_protocol }| {
        min_protocol.is_none_or(|least| least.as_str() <= PROTOCOL)
            && max_protocol.is_none_or(|most| most.as_str() >= PROTOCOL)
    });
    if !fits {
        return Err("it lists an interceptor for another revision of MCP");
    }
    let priority = match priority_hint {
        None => (0.0, 0.0),
        Some(Priority::Same(both)) => (both, both),
        Some(Priority::Each { request, response }) => (request.unwrap_or_default(), response.unwrap_or_default()),
    };
    Ok(Descriptor {
        name,
        kind,
        acts: mode == Mode::Enforce,
        fail_open,
        events: hook.events,
        phases: hook.phase,
        priority,
    })
}

impl Descriptor {
    /// Whether it is asked about such a message.
    pub(crate) fn hooks(&self, event: &str, phase: Phase) -> bool {
        let is_phase = match (self.phases, phase) {
            (Phases::Both, _) | (Phases::Request, Phase::Request) | (Phases::Response, Phase::Response) => true,
            (Phases::Request, Phase::Response) | (Phases::Response, Phase::Request) => false,
        };
        let is_event = |hooked: &String| match hooked.strip_suffix('*') {
            // `*`, or all methods of one kind: `tools/*`.
            Some(begin) if begin.is_empty() || begin.ends_with('/') => event.starts_with(begin),
            Some(_) | None => hooked == event,
        };
        is_phase && self.events.iter().any(is_event)
    }

    /// By what those of one phase are put in order: their priority, then their name.
    pub(crate) fn order(&self, phase: Phase) -> impl Ord + use<> {
        let priority = match phase {
            Phase::Request => self.priority.0,
            Phase::Response => self.priority.1,
        };
        // Floats in the order of their values, as integers.
        let bits = priority.to_bits().cast_signed();
        (bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed(), self.name.clone())
    }
}

impl Verdict {
    /// How grave it is; `None` if the message is valid. What says of nothing how grave it is, is.
    pub(crate) fn level(&self) -> Option<Level> {
        (!self.valid).then(|| self.severity.unwrap_or(Level::Error))
    }
}

/// What a validator answers.
pub(crate) fn validated(result: &[u8]) -> Result<Verdict, &'static str> {
    let verdict: Verdict = serde_json::from_slice(result).map_err(|_| "it is no validation")?;
    if verdict.messages.len() > limits::CALLOUT_FINDINGS_MAX {
        return Err("it has too many messages");
    }
    Ok(verdict)
}

/// What a mutator makes of a payload; `None` if it leaves it as it is.
pub(crate) fn mutated(result: &[u8]) -> Result<Option<Map<String, Value>>, &'static str> {
    #[derive(Deserialize)]
    struct Mutated {
        modified: bool,
        payload: Option<Value>,
    }
    let Mutated { modified, payload } = serde_json::from_slice(result).map_err(|_| "it is no mutation")?;
    match (modified, payload) {
        (false, _) => Ok(None),
        (true, Some(Value::Object(members))) => Ok(Some(members)),
        (true, _) => Err("it changes the payload and does not say into what"),
    }
}
