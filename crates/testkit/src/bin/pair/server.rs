//! The SDK as a server.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ElicitRequest, ElicitRequestParams,
    GetPromptRequestParams, GetPromptResponse, GetPromptResult, InputRequest, InputRequests, InputRequiredResult,
    ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
    ProgressNotificationParam, PromptMessage, ProtocolVersion, ReadResourceRequestParams, ReadResourceResponse,
    ReadResourceResult, ResourceContents, Role, ServerCapabilities, ServerConfig,
};
use rmcp::service::RequestContext;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Pause between two reports of a slow tool.
const STEP: Duration = Duration::from_millis(50);
/// How long `wait` waits for its client to take it back.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// The key of the one question.
const NAME: &str = "name";

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

/// Everything of a kind that the server offers.
fn offered<T: DeserializeOwned>(kind: &str) -> Result<Vec<T>, ErrorData> {
    let mut repertoire: Value = serde_json::from_str(include_str!("repertoire.json")).map_err(internal)?;
    parsed(repertoire.get_mut(kind).map(Value::take).unwrap_or_default())
}

fn parsed<T: DeserializeOwned>(value: Value) -> Result<T, ErrorData> {
    serde_json::from_value(value).map_err(internal)
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` wants")]
fn internal(error: impl ToString) -> ErrorData {
    ErrorData::internal_error(error.to_string(), None)
}

fn said(text: impl Into<String>) -> CallToolResult {
    CallToolResult::success(vec![ContentBlock::text(text)])
}

/// In 2026-07-28 the question is an answer, and the call is made again; before, it is a request while the call is open.
async fn ask(
    request: &CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    if context.client_capabilities().is_none_or(|declared| declared.elicitation.is_none()) {
        return Ok(CallToolResult::error(vec![ContentBlock::text("the client cannot be asked")]).into());
    }
    let question: ElicitRequestParams = parsed(json!({
        "mode": "form",
        "message": "Who are you?",
        "requestedSchema": { "type": "object", "properties": { NAME: { "type": "string" } }, "required": [NAME] },
    }))?;
    let asks_in_answers = context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28);
    let answer = if !asks_in_answers {
        json!(context.peer.create_elicitation(question).await.map_err(internal)?)
    } else if let Some(answer) = request.input_responses.as_ref().and_then(|responses| responses.get(NAME)) {
        json!(answer)
    } else {
        let mut questions = InputRequests::new();
        questions.insert(NAME.to_owned(), InputRequest::Elicitation(ElicitRequest::new(question)));
        return Ok(InputRequiredResult::new(Some(questions), None).into());
    };
    let name = answer.pointer("/content/name").and_then(Value::as_str).unwrap_or("stranger");
    Ok(said(format!("Hello, {name}.")).into())
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
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().enable_prompts().enable_resources().build();
        ServerConfig::new(capabilities)
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        offered("tools").map(ListToolsResult::with_all_items)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = json!(request.arguments);
        let number = |name: &str| arguments.get(name).and_then(Value::as_f64).unwrap_or_default();
        let key = arguments.get("key").and_then(Value::as_str).unwrap_or_default();
        match request.name.as_ref() {
            "add" => Ok(said((number("a") + number("b")).to_string()).into()),
            "count" => {
                let to = arguments.get("to").and_then(Value::as_i64).unwrap_or_default();
                Ok(count(to, &context).await?.into())
            }
            "wait" => Ok(self.wait(key, &context).await.into()),
            "cancelled" => Ok(said(self.waits.locked().get(key).copied().unwrap_or("unknown")).into()),
            "ask" => ask(&request, &context).await,
            name => Err(ErrorData::invalid_params(format!("no tool `{name}`"), None)),
        }
    }

    async fn list_prompts(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        offered("prompts").map(ListPromptsResult::with_all_items)
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let arguments = json!(request.arguments);
        let name = arguments.get("name").and_then(Value::as_str).unwrap_or_default();
        let message = PromptMessage::new_text(Role::User, format!("Say hello to {name}."));
        Ok(GetPromptResult::new(vec![message]).into())
    }

    async fn list_resources(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        offered("resources").map(ListResourcesResult::with_all_items)
    }

    async fn list_resource_templates(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        offered("resourceTemplates").map(ListResourceTemplatesResult::with_all_items)
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let uri = request.uri;
        let square = uri.strip_prefix("pairs://square/").and_then(|number| number.parse::<i32>().ok()).map(|n| n * n);
        let text = match square {
            Some(square) => square.to_string(),
            None if uri == "pairs://greeting" => "Hello.".to_owned(),
            None => return Err(ErrorData::resource_not_found("resource not found", Some(json!({ "uri": uri })))),
        };
        Ok(ReadResourceResult::new(vec![ResourceContents::text(text, uri)]).into())
    }
}
