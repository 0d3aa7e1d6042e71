//! What a request says of itself, in `params._meta`; in 2025-11-25 the handshake says it for all of its session.

use bytes::Bytes;
use model::limits;
use serde_json::{Map, Value, json};

use super::params_invalid;
use super::subject::{Subject, object};
use crate::answer::Question;
use crate::json::Json;
use crate::{Flaw, Id, Revision};

pub(crate) const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
pub(crate) const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
pub(crate) const CLIENT_INFO: &str = "io.modelcontextprotocol/clientInfo";
pub(crate) const SUBSCRIPTION_ID: &str = "io.modelcontextprotocol/subscriptionId";
pub(crate) const PROGRESS_TOKEN: &str = "progressToken";
pub(crate) const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";
const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";
const BAGGAGE: &str = "baggage";

const META: &[&str] = &[
    PROTOCOL_VERSION,
    CLIENT_CAPABILITIES,
    CLIENT_INFO,
    SUBSCRIPTION_ID,
    LOG_LEVEL,
    PROGRESS_TOKEN,
    TRACEPARENT,
    TRACESTATE,
    BAGGAGE,
];

/// What a request says of itself. All of it is the client's own word: good for display and for the protocol's own
/// rules, never for deciding who asks.
#[derive(Debug, Clone, Default)]
pub struct Meta {
    /// What the client can be asked.
    pub client_capabilities: Capabilities,
    /// The client's name and version: a JSON object.
    pub client_info: Option<Bytes>,
    /// The least severe log message the client wants; without it, it wants none.
    pub log_level: Option<String>,
    /// The token that progress notifications of this request carry.
    pub progress_token: Option<Id>,
    /// W3C trace context.
    pub traceparent: Option<String>,
    /// W3C trace context, vendors' part.
    pub tracestate: Option<String>,
    /// W3C baggage.
    pub baggage: Option<String>,
}

/// What a client said it can be asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Questions to its user.
    pub elicitation: Option<Elicitation>,
    /// Questions to its model.
    pub sampling: bool,
    /// Its root directories.
    pub roots: bool,
    /// The extensions it speaks, by their ids.
    pub extensions: Vec<String>,
    /// All that it said, to be sent on: a JSON object.
    pub raw: Option<Bytes>,
}

/// How a client can put a server's question to its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elicitation {
    /// As a form that it shows itself. A client that names no mode means this one.
    pub form: bool,
    /// By opening a page.
    pub url: bool,
}

impl Capabilities {
    /// The capability that this question needs and the client did not declare, in the shape of
    /// `data.requiredCapabilities`; none if the question may be asked.
    pub fn missing_for(&self, question: &Question) -> Option<Value> {
        match question.method.as_str() {
            "elicitation/create" if question.mode.as_deref() == Some("url") => {
                let covered = self.elicitation.is_some_and(|elicitation| elicitation.url);
                (!covered).then(|| json!({ "elicitation": { "url": {} } }))
            }
            "elicitation/create" => {
                let covered = self.elicitation.is_some_and(|elicitation| elicitation.form);
                (!covered).then(|| json!({ "elicitation": { "form": {} } }))
            }
            "sampling/createMessage" => (!self.sampling).then(|| json!({ "sampling": {} })),
            "roots/list" => (!self.roots).then(|| json!({ "roots": {} })),
            // A question of a kind nobody declared: nothing can cover it.
            other => Some(json!({ other: {} })),
        }
    }

    /// What is left of them in a session of this revision: a client cannot be asked what its revision does not know,
    /// whatever it said.
    #[must_use]
    pub fn within(self, revision: Revision) -> Self {
        if revision.elicits_by_url() {
            return self;
        }
        let said: Option<Map<String, Value>> = self.raw.as_ref().and_then(|raw| serde_json::from_slice(raw).ok());
        let mut said = said.unwrap_or_default();
        // What these two can be asked in particular is newer than they are.
        for name in ["elicitation", "sampling"] {
            if let Some(detail) = said.get_mut(name).filter(|detail| detail.is_object()) {
                *detail = json!({});
            }
        }
        if !revision.elicits() {
            said.remove("elicitation");
        }
        let form = Elicitation { form: true, url: false };
        let elicitation = self.elicitation.filter(|_| revision.elicits()).map(|_| form);
        let raw = self.raw.is_some().then(|| Value::Object(said).to_string().into());
        Self { elicitation, raw, ..self }
    }

    fn read(value: Json<'_>, body: &Bytes) -> Self {
        let mut capabilities = Self { raw: Some(body.slice_ref(value.text().as_bytes())), ..Self::default() };
        for (key, value) in value.members().filter(|(_, value)| value.is_object()) {
            match key.as_ref() {
                "elicitation" => capabilities.elicitation = Some(Elicitation::read(value)),
                "sampling" => capabilities.sampling = true,
                "roots" => capabilities.roots = true,
                "extensions" => {
                    capabilities.extensions = value.members().map(|(extension, _)| extension.into_owned()).collect();
                }
                _ => {}
            }
        }
        capabilities
    }
}

impl Elicitation {
    fn read(value: Json<'_>) -> Self {
        let mut named = Self { form: false, url: false };
        for (mode, _) in value.members().filter(|(_, value)| value.is_object()) {
            named.form |= mode == "form";
            named.url |= mode == "url";
        }
        if named.url { named } else { Self { form: true, url: false } }
    }
}

/// `_meta` as far as it was read; what is required is asked for once the version is known.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) version: Option<String>,
    pub(super) client_capabilities: Option<Capabilities>,
    rest: Meta,
}

impl Draft {
    pub(super) fn read(value: Json<'_>, body: &Bytes) -> Result<Self, Flaw> {
        if !value.is_object() {
            return Err(params_invalid("`_meta` must be an object"));
        }
        let mut draft = Self::default();
        for (key, value) in value.members() {
            Flaw::other_case("`_meta`", std::iter::once(key.as_ref()), META)?;
            let text = || value.string().map(|text| Some(text.into_owned())).ok_or_else(|| wrong(&key, "a string"));
            let object = || value.is_object().then_some(value).ok_or_else(|| wrong(&key, "an object"));
            match key.as_ref() {
                PROTOCOL_VERSION => draft.version = text()?,
                CLIENT_CAPABILITIES => draft.client_capabilities = Some(Capabilities::read(object()?, body)),
                CLIENT_INFO => draft.rest.client_info = Some(body.slice_ref(object()?.text().as_bytes())),
                LOG_LEVEL => draft.rest.log_level = text()?,
                PROGRESS_TOKEN => {
                    let token = Id::from_json(value).ok_or_else(|| wrong(&key, "a whole number or a short string"))?;
                    draft.rest.progress_token = Some(token);
                }
                TRACEPARENT => draft.rest.traceparent = text()?,
                TRACESTATE => draft.rest.tracestate = text()?,
                BAGGAGE => draft.rest.baggage = text()?,
                _ => {}
            }
        }
        Ok(draft)
    }

    /// Is everything there that a request of 2026-07-28 has to say?
    pub(super) fn complete(&self) -> Result<(), Flaw> {
        for (is_there, name) in
            [(self.version.is_some(), PROTOCOL_VERSION), (self.client_capabilities.is_some(), CLIENT_CAPABILITIES)]
        {
            if !is_there {
                return Err(params_invalid(format!("`{name}` is missing")));
            }
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Meta {
        Meta { client_capabilities: self.client_capabilities.unwrap_or_default(), ..self.rest }
    }

    /// In a session the client says once, in the handshake, who it is and what it can be asked.
    pub(super) fn in_session<'a>(
        self,
        subject: &Subject,
        param: &impl Fn(&str) -> Option<Json<'a>>,
        body: &Bytes,
    ) -> Result<Meta, Flaw> {
        let Subject::Initialize { .. } = subject else {
            return Ok(Meta { client_info: None, ..self.rest });
        };
        let said = param("capabilities").filter(|value| value.is_object());
        let said = said.ok_or_else(|| params_invalid("`capabilities` must be an object"))?;
        if said.text().len() > limits::CLIENT_CAPABILITIES_BYTES_MAX {
            return Err(params_invalid("`capabilities` are larger than the gate remembers"));
        }
        // A copy: a session keeps them for longer than the body they came in.
        let kept = Bytes::copy_from_slice(said.text().as_bytes());
        let client_capabilities = Capabilities { raw: Some(kept), ..Capabilities::read(said, body) };
        Ok(Meta { client_capabilities, client_info: object(param, "clientInfo", body)?, ..self.rest })
    }
}

/// The key is one of ours, so it may be repeated.
fn wrong(key: &str, what: &str) -> Flaw {
    params_invalid(format!("`{key}` must be {what}"))
}

#[cfg(test)]
mod tests;
