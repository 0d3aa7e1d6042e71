//! What the server hears when it asks, and what the tour hears of the server.

#![expect(deprecated, reason = "sampling is on its way out of the protocol, but servers still ask")]

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rmcp::model::{
    ClientCapabilities, ClientConfig, CreateMessageRequestParams, CreateMessageResult, ElicitRequestParams,
    ElicitResult, Implementation, ProgressNotificationParam, ProtocolVersion, ResourceUpdatedNotificationParam,
};
use rmcp::service::{NotificationContext, RequestContext};
use rmcp::{ClientHandler, ErrorData, RoleClient};
use serde_json::{Map, Value, json};

/// A client's ears. Clones hear the same.
#[derive(Clone, Default)]
pub(crate) struct Handler {
    heard: Arc<Mutex<Heard>>,
}

#[derive(Default)]
pub(crate) struct Heard {
    /// Reports of progress, and when they came.
    pub(crate) reports: Vec<(f64, Instant)>,
    /// The URIs of resources that were said to be updated.
    pub(crate) updated: Vec<String>,
}

impl Handler {
    pub(crate) fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientHandler for Handler {
    fn get_info(&self) -> ClientConfig {
        // What it declares is what it answers below.
        let capabilities: ClientCapabilities =
            serde_json::from_value(json!({ "elicitation": { "form": {} }, "sampling": {} })).unwrap_or_default();
        ClientConfig::new(capabilities, Implementation::new("client-test", "1"))
            .with_protocol_version(ProtocolVersion::V_2025_11_25)
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _context: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let asked = json!(request);
        let fields = asked.pointer("/requestedSchema/properties").and_then(Value::as_object);
        let content: Map<String, Value> =
            fields.into_iter().flatten().map(|(name, _)| (name.clone(), json!("Ada"))).collect();
        answer(json!({ "action": "accept", "content": content }))
    }

    async fn create_message(
        &self,
        _params: CreateMessageRequestParams,
        _context: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        answer(json!({ "role": "assistant", "model": "test", "content": { "type": "text", "text": "Paris" } }))
    }

    async fn on_progress(&self, report: ProgressNotificationParam, _context: NotificationContext<RoleClient>) {
        self.heard().reports.push((report.progress, Instant::now()));
    }

    async fn on_resource_updated(
        &self,
        update: ResourceUpdatedNotificationParam,
        _context: NotificationContext<RoleClient>,
    ) {
        self.heard().updated.push(update.uri);
    }
}

fn answer<T: serde::de::DeserializeOwned>(answer: Value) -> Result<T, ErrorData> {
    serde_json::from_value(answer).map_err(|error| ErrorData::internal_error(error.to_string(), None))
}
