//! The SDK as a client.

use std::sync::{Arc, Mutex, PoisonError};
use std::{fs, io, mem};

use rmcp::model::{
    CallToolRequest, CallToolRequestParam, ClientRequest, GetPromptRequestParam, ProgressNotificationParam,
    ReadResourceRequestParam,
};
use rmcp::service::{NotificationContext, PeerRequestOptions, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientHandler, RoleClient, ServiceExt};
use serde_json::{Value, json};

use crate::steps::{self, Client, Failure, row};

/// Takes the tour, and prints a line for each step.
pub(crate) async fn take(url: &str, token_file: &str) -> io::Result<()> {
    let config = StreamableHttpClientTransportConfig::with_uri(url).auth_header(fs::read_to_string(token_file)?.trim());
    let transport = StreamableHttpClientTransport::from_config(config);
    let handler = Handler::default();
    let client = match handler.clone().serve(transport).await {
        Ok(client) => client,
        Err(error) => return row("connect", &Err(error.into())),
    };
    let server = json!(client.peer_info());
    row("connect", &Ok(server["protocolVersion"].as_str().unwrap_or("unknown").to_owned()))?;
    let pair = Pair { client, handler };
    steps::take(&pair).await?;
    row("close", &pair.client.cancel().await.map(|_| String::new()).map_err(Into::into))
}

/// What the client hears of progress.
#[derive(Clone, Default)]
struct Handler {
    reports: Arc<Mutex<Vec<f64>>>,
}

impl ClientHandler for Handler {
    async fn on_progress(&self, report: ProgressNotificationParam, _context: NotificationContext<RoleClient>) {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner).push(report.progress);
    }
}

struct Pair {
    client: RunningService<RoleClient, Handler>,
    handler: Handler,
}

fn tool_call(tool: &str, arguments: Value) -> Result<CallToolRequestParam, Failure> {
    Ok(CallToolRequestParam { name: tool.to_owned().into(), arguments: serde_json::from_value(arguments)? })
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
        let params = tool_call(tool, arguments)?;
        let request = CallToolRequest { method: Default::default(), params, extensions: Default::default() };
        let request = ClientRequest::CallToolRequest(request);
        let waiting = self.client.send_cancellable_request(request, PeerRequestOptions::no_options()).await?;
        when.await?;
        Ok(waiting.cancel(Some("enough".to_owned())).await?)
    }

    async fn read(&self, uri: &str) -> Result<Value, Failure> {
        Ok(json!(self.client.read_resource(ReadResourceRequestParam { uri: uri.to_owned() }).await?))
    }

    async fn prompt(&self, name: &str, arguments: Value) -> Result<Value, Failure> {
        let asked = GetPromptRequestParam { name: name.to_owned(), arguments: serde_json::from_value(arguments)? };
        Ok(json!(self.client.get_prompt(asked).await?))
    }

    fn reports(&self) -> Vec<f64> {
        mem::take(&mut self.handler.reports.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
