//! The SDK as a server.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use rmcp::model::{
    CallToolRequestParam, CallToolResult, Content, GetPromptRequestParam, GetPromptResult, ListPromptsResult,
    ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParam,
    ProgressNotificationParam, PromptMessage, PromptMessageRole, ReadResourceRequestParam, ReadResourceResult,
    ResourceContents, ServerCapabilities, ServerInfo, Tool,
};
use rmcp::service::RequestContext;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Pause between two reports of a slow tool.
const STEP: Duration = Duration::from_millis(50);
/// How long `wait` waits for its client to take it back.
const WAIT_MAX: Duration = Duration::from_secs(60);
const REPERTOIRE: &str = include_str!("../../../../crates/testkit/src/bin/pair/repertoire.json");

pub(crate) async fn serve() -> io::Result<()> {
    let waits = Waits::default();
    let session = move || Ok(Server { waits: waits.clone() });
    let sessions = Arc::new(LocalSessionManager::default());
    let service = StreamableHttpService::new(session, sessions, StreamableHttpServerConfig::default());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    writeln!(io::stdout(), "ready: http://{}/mcp", listener.local_addr()?)?;
    axum::serve(listener, Router::new().route_service("/mcp", service)).await
}

/// What became of each call of `wait`, by its key.
#[derive(Clone, Default)]
struct Waits(Arc<Mutex<BTreeMap<String, &'static str>>>);

impl Waits {
    fn locked(&self) -> MutexGuard<'_, BTreeMap<String, &'static str>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Server {
    waits: Waits,
}

/// What the server offers, under the name `kind` alone, as a listing has it.
fn offered<T: serde::de::DeserializeOwned>(kind: &str) -> Result<T, ErrorData> {
    let mut repertoire: Value = serde_json::from_str(REPERTOIRE).map_err(internal)?;
    parsed(json!({ kind: repertoire[kind].take() }))
}

fn parsed<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, ErrorData> {
    serde_json::from_value(value).map_err(internal)
}

fn internal(error: impl ToString) -> ErrorData {
    ErrorData::internal_error(error.to_string(), None)
}

fn said(text: impl Into<String>) -> CallToolResult {
    CallToolResult::success(vec![Content::text(text)])
}

async fn count(to: i64, context: &RequestContext<RoleServer>) -> Result<CallToolResult, ErrorData> {
    for progress in 1..=to {
        if let Some(token) = context.meta.get_progress_token() {
            let report: ProgressNotificationParam =
                parsed(json!({ "progressToken": token, "progress": progress, "total": to }))?;
            context.peer.notify_progress(report).await.map_err(internal)?;
        }
        tokio::time::sleep(STEP).await;
    }
    Ok(said(format!("counted to {to}")))
}

impl Server {
    async fn wait(&self, key: &str, context: &RequestContext<RoleServer>) -> CallToolResult {
        self.waits.locked().insert(key.to_owned(), "waiting");
        tokio::select! {
            () = context.ct.cancelled() => {
                self.waits.locked().insert(key.to_owned(), "cancelled");
            }
            () = tokio::time::sleep(WAIT_MAX) => {}
        }
        said("nobody took it back")
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerInfo {
        let capabilities = ServerCapabilities::builder().enable_tools().enable_prompts().enable_resources().build();
        ServerInfo { capabilities, ..ServerInfo::default() }
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParam>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let mut listing: ListToolsResult = offered("tools")?;
        // A server of 2025-03-26 cannot ask.
        listing.tools.retain(|tool: &Tool| tool.name != "ask");
        Ok(listing)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParam,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResult, ErrorData> {
        let arguments = json!(request.arguments);
        let key = arguments["key"].as_str().unwrap_or_default();
        match request.name.as_ref() {
            "add" => {
                let sum = arguments["a"].as_f64().unwrap_or_default() + arguments["b"].as_f64().unwrap_or_default();
                Ok(said(sum.to_string()))
            }
            "count" => count(arguments["to"].as_i64().unwrap_or_default(), &context).await,
            "wait" => Ok(self.wait(key, &context).await),
            "cancelled" => Ok(said(self.waits.locked().get(key).copied().unwrap_or("unknown"))),
            name => Err(ErrorData::invalid_params(format!("no tool `{name}`"), None)),
        }
    }

    async fn list_prompts(
        &self,
        _request: Option<PaginatedRequestParam>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        offered("prompts")
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParam,
        _context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResult, ErrorData> {
        let arguments = json!(request.arguments);
        let text = format!("Say hello to {}.", arguments["name"].as_str().unwrap_or_default());
        let message = PromptMessage::new_text(PromptMessageRole::User, text);
        Ok(GetPromptResult { description: None, messages: vec![message] })
    }

    async fn list_resources(
        &self,
        _request: Option<PaginatedRequestParam>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        offered("resources")
    }

    async fn list_resource_templates(
        &self,
        _request: Option<PaginatedRequestParam>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        offered("resourceTemplates")
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParam,
        _context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResult, ErrorData> {
        let uri = request.uri;
        let square = uri.strip_prefix("pairs://square/").and_then(|number| number.parse::<i32>().ok()).map(|n| n * n);
        let text = match square {
            Some(square) => square.to_string(),
            None if uri == "pairs://greeting" => "Hello.".to_owned(),
            None => return Err(ErrorData::resource_not_found("resource not found", Some(json!({ "uri": uri })))),
        };
        Ok(ReadResourceResult { contents: vec![ResourceContents::text(text, uri)] })
    }
}
