//! The fixture itself: one handler for everything the suite asks.

use std::borrow::Cow;
use std::error::Error;
use std::time::Duration;

use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, ClientCapabilities, CompleteRequestParams,
    CompleteResult, CompletionInfo, ContentBlock, GetPromptRequestParams, GetPromptResponse, GetPromptResult,
    Implementation, JsonObject, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult,
    PaginatedRequestParams, ProgressNotificationParam, Prompt, PromptMessage, ProtocolVersion,
    ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult, ResourceContents, Role, ServerCapabilities,
    ServerConfig, SubscriptionFilter, Tool,
};
use rmcp::service::{RequestContext, SubscriptionContext};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::json;
use tokio::sync::broadcast;

use crate::definitions::{self, ASKING_PROMPT, BINARY_URI, TEXT_URI};
use crate::media::{PNG, WAV};
use crate::questions::{Answers, Script, Turn, internal};
use crate::seal::Seal;

/// Milliseconds a listing may be kept.
const TTL_MILLISECONDS: u64 = 60_000;
/// Pause between two reports of a slow tool: long enough for each to travel alone.
const STEP: Duration = Duration::from_millis(50);
/// Changes that may wait for a slow subscriber.
const CHANGES_PENDING_MAX: usize = 64;

pub(crate) struct Fixture {
    tools: Vec<Tool>,
    prompts: Vec<Prompt>,
    seal: Seal,
    changes: broadcast::Sender<Change>,
}

/// A list of definitions that changed, or is said to have.
#[derive(Clone, Copy)]
enum Change {
    Tools,
    Prompts,
}

impl Fixture {
    pub(crate) fn new() -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Self {
            tools: definitions::tools()?,
            prompts: definitions::prompts()?,
            seal: Seal::new()?,
            changes: broadcast::Sender::new(CHANGES_PENDING_MAX),
        })
    }

    fn tell(&self, change: Change) -> CallToolResult {
        // Without subscribers there is nobody to tell, which is fine.
        let told = self.changes.send(change).unwrap_or(0);
        said(format!("Told {told} subscribers"))
    }
}

fn said(text: impl Into<String>) -> CallToolResult {
    CallToolResult::success(vec![ContentBlock::text(text)])
}

fn embedded(uri: &str, mime_type: &str, text: &str) -> ContentBlock {
    ContentBlock::resource(ResourceContents::text(text, uri).with_mime_type(mime_type))
}

fn declared(context: &RequestContext<RoleServer>) -> ClientCapabilities {
    context.client_capabilities().unwrap_or_default()
}

impl ServerHandler for Fixture {
    #[expect(deprecated, reason = "logging is on its way out of the protocol, but the suite still looks at it")]
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_tool_list_changed()
            .enable_prompts()
            .enable_prompts_list_changed()
            .enable_resources()
            .enable_completions()
            .enable_logging()
            .build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("conformance-server", env!("CARGO_PKG_VERSION")))
            .with_instructions("A fixture for the MCP conformance suite.")
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(&[ProtocolVersion::V_2026_07_28])
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let listing = ListToolsResult::with_all_items(self.tools.clone());
        Ok(listing.with_ttl_ms(TTL_MILLISECONDS).with_cache_scope(CacheScope::Public))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.tools.iter().find(|tool| tool.name == name).cloned()
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if self.get_tool(&request.name).is_none() {
            return Err(ErrorData::invalid_params(format!("no tool `{}`", request.name), None));
        }
        if let Some(script) = Script::find(&request.name) {
            let turn = script.turn(&self.seal, request.input_responses, request.request_state, &declared(&context))?;
            return Ok(match turn {
                Turn::Ask(asked) => asked.into(),
                Turn::Done(answers) => said(concluded(script, &answers)).into(),
            });
        }
        let result = match request.name.as_ref() {
            "test_tool_with_progress" => report_progress(&context).await?,
            "test_tool_with_logging" => {
                log(&context, &["Tool execution started", "Tool processing data", "Tool execution completed"]).await?
            }
            "test_logging_tool" => log(&context, &["One message"]).await?,
            "test_missing_capability" if declared(&context).sampling.is_none() => {
                let needed = json!({ "sampling": {} });
                let needed = serde_json::from_value(needed).map_err(internal)?;
                return Err(ErrorData::missing_required_client_capability(needed));
            }
            "test_trigger_tool_change" => self.tell(Change::Tools),
            "test_trigger_prompt_change" => self.tell(Change::Prompts),
            name => content(name),
        };
        Ok(result.into())
    }

    async fn list_prompts(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let listing = ListPromptsResult::with_all_items(self.prompts.clone());
        Ok(listing.with_ttl_ms(TTL_MILLISECONDS).with_cache_scope(CacheScope::Public))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        if let Some(script) = Script::find(&request.name).filter(|script| script.name == ASKING_PROMPT) {
            let turn = script.turn(&self.seal, request.input_responses, request.request_state, &declared(&context))?;
            return Ok(match turn {
                Turn::Ask(asked) => asked.into(),
                Turn::Done(answers) => {
                    GetPromptResult::new(vec![PromptMessage::new_text(Role::User, concluded(script, &answers))]).into()
                }
            });
        }
        prompt(&request.name, &request.arguments.unwrap_or_default())
            .map(|messages| GetPromptResult::new(messages).into())
    }

    async fn list_resources(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let listing = ListResourcesResult::with_all_items(definitions::resources());
        Ok(listing.with_ttl_ms(TTL_MILLISECONDS).with_cache_scope(CacheScope::Public))
    }

    async fn list_resource_templates(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let listing = ListResourceTemplatesResult::with_all_items(definitions::templates());
        Ok(listing.with_ttl_ms(TTL_MILLISECONDS).with_cache_scope(CacheScope::Public))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let contents = resource(&request.uri)
            .ok_or_else(|| ErrorData::resource_not_found("resource not found", Some(json!({ "uri": request.uri }))))?;
        let result = ReadResourceResult::new(vec![contents]);
        Ok(result.with_ttl_ms(TTL_MILLISECONDS).with_cache_scope(CacheScope::Public).into())
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let begun = request.argument.value;
        let values = ["paris", "park", "party"].into_iter().filter(|value| value.starts_with(&begun));
        CompletionInfo::new(values.map(str::to_owned).collect()).map(CompleteResult::new).map_err(internal)
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(requested.clone())
    }

    async fn listen(&self, subscription: SubscriptionContext) -> Result<(), ErrorData> {
        let mut changes = self.changes.subscribe();
        loop {
            let change = tokio::select! {
                () = subscription.cancelled() => return Ok(()),
                change = changes.recv() => change,
            };
            let told = match change {
                Ok(Change::Tools) if subscription.accepted().tools_list_changed == Some(true) => {
                    subscription.sink().notify_tool_list_changed().await
                }
                Ok(Change::Prompts) if subscription.accepted().prompts_list_changed == Some(true) => {
                    subscription.sink().notify_prompt_list_changed().await
                }
                Ok(Change::Tools | Change::Prompts) | Err(broadcast::error::RecvError::Lagged(_)) => Ok(()),
                Err(broadcast::error::RecvError::Closed) => return Ok(()),
            };
            if told.is_err() {
                return Ok(());
            }
        }
    }
}

/// What a tool returns that does nothing else.
fn content(tool: &str) -> CallToolResult {
    match tool {
        "test_image_content" => CallToolResult::success(vec![ContentBlock::image(PNG, "image/png")]),
        "test_audio_content" => CallToolResult::success(vec![ContentBlock::audio(WAV, "audio/wav")]),
        "test_embedded_resource" => CallToolResult::success(vec![embedded(
            "test://embedded-resource",
            "text/plain",
            "This is an embedded resource content.",
        )]),
        "test_multiple_content_types" => CallToolResult::success(vec![
            ContentBlock::text("Multiple content types test:"),
            ContentBlock::image(PNG, "image/png"),
            embedded("test://mixed-content-resource", "application/json", r#"{"test":"data","value":123}"#),
        ]),
        "test_error_handling" => {
            CallToolResult::error(vec![ContentBlock::text("This tool intentionally returns an error for testing")])
        }
        _ => said("This is a simple text response for testing."),
    }
}

/// What a script says when everything was answered.
fn concluded(script: &Script, answers: &Answers) -> String {
    match script.name {
        "test_input_required_result_elicitation" | "test_streaming_elicitation" => {
            let name = answers.get("user_name").and_then(|answer| answer.get("content")?.get("name")?.as_str());
            format!("Hello, {}!", name.unwrap_or("stranger"))
        }
        "test_input_required_result_request_state" => "state-ok".to_owned(),
        _ => format!("Answered: {}", json!(answers)),
    }
}

async fn report_progress(context: &RequestContext<RoleServer>) -> Result<CallToolResult, ErrorData> {
    for progress in [0.0, 50.0, 100.0] {
        if let Some(token) = context.meta.get_progress_token() {
            let report = ProgressNotificationParam::new(token, progress).with_total(100.0);
            context.peer.notify_progress(report).await.map_err(internal)?;
        }
        tokio::time::sleep(STEP).await;
    }
    Ok(said("Reported progress three times."))
}

#[expect(deprecated, reason = "logging is on its way out of the protocol, but the suite still looks at it")]
async fn log(context: &RequestContext<RoleServer>, messages: &[&str]) -> Result<CallToolResult, ErrorData> {
    use rmcp::model::{LoggingLevel, LoggingMessageNotificationParam};
    let wanted = matches!(context.meta.log_level(), Some(LoggingLevel::Debug | LoggingLevel::Info));
    for message in messages {
        if wanted {
            let record = LoggingMessageNotificationParam::new(LoggingLevel::Info, json!(message));
            context.peer.notify_logging_message(record).await.map_err(internal)?;
        }
        tokio::time::sleep(STEP).await;
    }
    Ok(said("Logged what was wanted."))
}

fn prompt(name: &str, arguments: &JsonObject) -> Result<Vec<PromptMessage>, ErrorData> {
    let argument = |name: &str| {
        arguments
            .get(name)
            .and_then(|value| value.as_str())
            .ok_or_else(|| ErrorData::invalid_params(format!("argument `{name}` is missing"), None))
    };
    let text = |text: String| PromptMessage::new_text(Role::User, text);
    Ok(match name {
        "test_simple_prompt" => vec![text("This is a simple prompt for testing.".to_owned())],
        "test_prompt_with_arguments" => {
            vec![text(format!("Prompt with arguments: arg1='{}', arg2='{}'", argument("arg1")?, argument("arg2")?))]
        }
        "test_prompt_with_embedded_resource" => {
            let resource = embedded(argument("resourceUri")?, "text/plain", "Embedded resource content for testing.");
            let request = text("Please process the embedded resource above.".to_owned());
            vec![PromptMessage::new(Role::User, resource), request]
        }
        "test_prompt_with_image" => {
            let image = ContentBlock::image(PNG, "image/png");
            vec![PromptMessage::new(Role::User, image), text("Please analyze the image above.".to_owned())]
        }
        _ => return Err(ErrorData::invalid_params(format!("no prompt `{name}`"), None)),
    })
}

fn resource(uri: &str) -> Option<ResourceContents> {
    match uri {
        TEXT_URI => Some(
            ResourceContents::text("This is the content of the static text resource.", uri)
                .with_mime_type("text/plain"),
        ),
        BINARY_URI => Some(ResourceContents::blob(PNG, uri).with_mime_type("image/png")),
        _ => {
            let id = uri.strip_prefix("test://template/")?.strip_suffix("/data")?;
            let document = json!({ "id": id, "templateTest": true, "data": format!("Data for ID: {id}") });
            Some(ResourceContents::text(document.to_string(), uri).with_mime_type("application/json"))
        }
    }
}
