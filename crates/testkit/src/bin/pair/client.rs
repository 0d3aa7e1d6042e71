//! The SDK as a client.

use std::fs;
use std::io;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use rmcp::model::{
    CallToolRequestParams, ClientCapabilities, ClientConfig, ClientRequest, ElicitRequestParams, ElicitResult,
    GetPromptRequestParams, Implementation, ProgressNotificationParam, ProtocolVersion, ReadResourceRequestParams,
    Request,
};
use rmcp::service::{
    ClientLifecycleMode, ClientServiceExt, NotificationContext, PeerRequestOptions, RequestContext, RunningService,
};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientHandler, ErrorData, RoleClient};
use serde_json::{Value, json};

use crate::steps::{self, Client, Failure, row};

/// Takes the tour, and prints a line for each step.
pub(crate) async fn take(url: &str, token_file: &str) -> io::Result<()> {
    let config = StreamableHttpClientTransportConfig::with_uri(url).auth_header(fs::read_to_string(token_file)?.trim());
    let transport = StreamableHttpClientTransport::from_config(config);
    let newest =
        ClientLifecycleMode::Auto { preferred_versions: vec![ProtocolVersion::V_2026_07_28], legacy_version: None };
    let handler = Handler::default();
    let client = match handler.clone().serve_with_lifecycle(transport, newest).await {
        Ok(client) => client,
        Err(error) => return row("connect", &Err(error.into())),
    };
    let server = json!(client.peer_info());
    row("connect", &Ok(server.get("protocolVersion").and_then(Value::as_str).unwrap_or("unknown").to_owned()))?;
    let pair = Pair { client, handler };
    steps::take(&pair).await?;
    row("close", &pair.client.cancel().await.map(|_| String::new()).map_err(Into::into))
}

/// What the client answers whom the server asks, and what it hears of progress.
#[derive(Clone, Default)]
struct Handler {
    reports: Arc<Mutex<Vec<f64>>>,
}

impl ClientHandler for Handler {
    fn get_info(&self) -> ClientConfig {
        let capabilities: ClientCapabilities =
            serde_json::from_value(json!({ "elicitation": { "form": {} } })).unwrap_or_default();
        ClientConfig::new(capabilities, Implementation::new("rust", "1"))
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _context: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let asked = json!(request);
        let fields = asked.pointer("/requestedSchema/properties").and_then(Value::as_object);
        let content: Value = fields.into_iter().flatten().map(|(name, _)| (name.clone(), json!("Ada"))).collect();
        serde_json::from_value(json!({ "action": "accept", "content": content }))
            .map_err(|error| ErrorData::internal_error(error.to_string(), None))
    }

    async fn on_progress(&self, report: ProgressNotificationParam, _context: NotificationContext<RoleClient>) {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner).push(report.progress);
    }
}

struct Pair {
    client: RunningService<RoleClient, Handler>,
    handler: Handler,
}

fn tool_call(tool: &str, arguments: Value) -> Result<CallToolRequestParams, Failure> {
    Ok(CallToolRequestParams::new(tool.to_owned()).with_arguments(serde_json::from_value(arguments)?))
}

impl Client for Pair {
    async fn list(&self, kind: &str) -> Result<Value, Failure> {
        Ok(match kind {
            "tools" => json!(self.client.list_all_tools().await?),
            "prompts" => json!(self.client.list_all_prompts().await?),
            "resources" => json!(self.client.list_all_resources().await?),
            _ => json!(self.client.list_all_resource_templates().await?),
        })
    }

    async fn call(&self, tool: &str, arguments: Value) -> Result<Value, Failure> {
        Ok(json!(self.client.call_tool(tool_call(tool, arguments)?).await?))
    }

    async fn call_and_take_back(
        &self,
        tool: &str,
        arguments: Value,
        when: impl Future<Output = Result<(), Failure>>,
    ) -> Result<(), Failure> {
        let request = ClientRequest::CallToolRequest(Request::new(tool_call(tool, arguments)?));
        let waiting = self.client.send_cancellable_request(request, PeerRequestOptions::no_options()).await?;
        when.await?;
        Ok(waiting.cancel(Some("enough".to_owned())).await?)
    }

    async fn read(&self, uri: &str) -> Result<Value, Failure> {
        Ok(json!(self.client.read_resource(ReadResourceRequestParams::new(uri)).await?))
    }

    async fn prompt(&self, name: &str, arguments: Value) -> Result<Value, Failure> {
        let asked = GetPromptRequestParams::new(name).with_arguments(serde_json::from_value(arguments)?);
        Ok(json!(self.client.get_prompt(asked).await?))
    }

    fn reports(&self) -> Vec<f64> {
        mem::take(&mut self.handler.reports.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
