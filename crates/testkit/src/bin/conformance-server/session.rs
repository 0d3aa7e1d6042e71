//! One client's side of the fixture: in revision 2025-11-25 a session, in revision 2026-07-28 a single request.
#![expect(deprecated, reason = "logging and `resources/subscribe` are of revision 2025-11-25, which this speaks")]

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, CancelTaskParams, ClientCapabilities,
    CompleteRequestParams, CompleteResult, CompletionInfo, GetPromptRequestParams, GetPromptResponse, GetPromptResult,
    GetTaskParams, GetTaskResult, Implementation, InputResponses, ListPromptsResult, ListResourceTemplatesResult,
    ListResourcesResult, ListToolsResult, LoggingLevel, LoggingMessageNotificationParam, PaginatedRequestParams,
    ProgressNotificationParam, PromptMessage, ProtocolVersion, ReadResourceRequestParams, ReadResourceResponse,
    ReadResourceResult, ResourceUpdatedNotificationParam, Role, ServerCapabilities, ServerConfig,
    SetLevelRequestMethod, SetLevelRequestParams, SubscribeRequestParams, SubscriptionFilter, Tool,
    UnsubscribeRequestParams, UpdateTaskParams,
};
use rmcp::service::{NotificationContext, Peer, RequestContext, SubscriptionContext};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::json;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::content::{self, said};
use crate::cut;
use crate::definitions::{self, ASKING_PROMPT, TEXT_URI};
use crate::eras::Era;
use crate::fixture::{Change, Fixture};
use crate::jobs;
use crate::questions::{Answers, Script, Turn, internal};
use crate::requests;

/// Milliseconds a listing may be kept.
const TTL_MILLISECONDS: u64 = 60_000;
/// Pause between two reports of a slow tool: long enough for each to travel alone.
const STEP: Duration = Duration::from_millis(50);
/// How long a client has to come back for an answer: `rmcp` keeps what comes meanwhile, but not a finished answer.
const AWAY: Duration = Duration::from_secs(1);
/// How long `test_wait` waits for somebody to cancel it.
const WAIT_MAX: Duration = Duration::from_secs(60);

pub(crate) struct Session {
    fixture: Arc<Fixture>,
    era: Era,
    /// What the client wants to read of the log; nothing until it says.
    level: Mutex<Option<LoggingLevel>>,
    /// The resources it watches.
    watched: Arc<Mutex<BTreeSet<String>>>,
}

impl Session {
    pub(crate) fn new(fixture: Arc<Fixture>, era: Era) -> Self {
        Self { fixture, era, level: Mutex::default(), watched: Arc::default() }
    }

    fn tell(&self, change: Change) -> CallToolResult {
        said(format!("Told {} subscribers", self.fixture.tell(change)))
    }

    /// Where a call that asks stands. A server of sessions asks by requests, and has everything it needs then.
    async fn turn(
        &self,
        script: &Script,
        responses: Option<InputResponses>,
        state: Option<String>,
        context: &RequestContext<RoleServer>,
    ) -> Result<Turn, ErrorData> {
        let (seal, declared) = (&self.fixture.seal, declared(context));
        let turn = script.turn(seal, responses, state, &declared)?;
        match self.era {
            Era::Both | Era::Newer => Ok(turn),
            Era::Older => requests::converse(script, seal, turn, &declared, &context.peer).await,
        }
    }

    /// Waits for the client to give up.
    async fn wait(&self, context: &RequestContext<RoleServer>) -> CallToolResult {
        tokio::select! {
            () = context.ct.cancelled() => {
                self.fixture.count_cancelled();
                said("Cancelled.")
            }
            () = tokio::time::sleep(WAIT_MAX) => said("Nobody cancelled."),
        }
    }

    async fn log(&self, context: &RequestContext<RoleServer>, messages: &[&str]) -> Result<CallToolResult, ErrorData> {
        let wanted = {
            let level = context.meta.log_level().or(*locked(&self.level));
            matches!(level, Some(LoggingLevel::Debug | LoggingLevel::Info))
        };
        for message in messages {
            if wanted {
                let record = LoggingMessageNotificationParam::new(LoggingLevel::Info, json!(message));
                context.peer.notify_logging_message(record).await.map_err(internal)?;
            }
            tokio::time::sleep(STEP).await;
        }
        Ok(said("Logged what was wanted."))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn declared(context: &RequestContext<RoleServer>) -> ClientCapabilities {
    context.client_capabilities().unwrap_or_default()
}

impl ServerHandler for Session {
    fn get_info(&self) -> ServerConfig {
        let mut capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_tool_list_changed()
            .enable_prompts()
            .enable_prompts_list_changed()
            .enable_resources()
            .enable_resources_subscribe()
            .enable_completions()
            .enable_logging()
            .build();
        if self.era != Era::Older {
            capabilities.extensions = ServerCapabilities::builder().enable_tasks().build().extensions;
        }
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("conformance-server", env!("CARGO_PKG_VERSION")))
            .with_instructions("A fixture for the MCP conformance suite.")
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(match self.era {
            Era::Both => &[ProtocolVersion::V_2026_07_28, ProtocolVersion::V_2025_11_25],
            Era::Older => &[ProtocolVersion::V_2025_11_25],
            Era::Newer => &[ProtocolVersion::V_2026_07_28],
        })
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        self.fixture.tasks.get_task(&request.task_id).map(GetTaskResult::new)
    }

    async fn update_task(
        &self,
        request: UpdateTaskParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.fixture.tasks.update_task(&request.task_id, request.input_responses)
    }

    async fn cancel_task(
        &self,
        request: CancelTaskParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.fixture.tasks.cancel_task(&request.task_id)
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let listing = ListToolsResult::with_all_items(self.fixture.tools.clone());
        Ok(listing.with_ttl_ms(TTL_MILLISECONDS).with_cache_scope(CacheScope::Public))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.fixture.tools.iter().find(|tool| tool.name == name).cloned()
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
            let turn = self.turn(script, request.input_responses, request.request_state, &context).await?;
            return Ok(match turn {
                Turn::Ask(asked) => asked.into(),
                Turn::Done(answers) if script.name == jobs::ASKING && self.era != Era::Older => {
                    jobs::later(&self.fixture.tasks, said(concluded(script, &answers)), &declared(&context))?
                }
                Turn::Done(answers) => said(concluded(script, &answers)).into(),
            });
        }
        let arguments = json!(request.arguments.unwrap_or_default());
        if let Some(answer) = jobs::call(&self.fixture.tasks, &request.name, &arguments, &declared(&context)).await {
            return answer;
        }
        if self.era == Era::Newer
            && let Some(turn) = requests::within(&request.name, &arguments, request.input_responses.as_ref())
        {
            return turn;
        }
        if let Some(result) = requests::call(&request.name, &arguments, &context.peer).await {
            return Ok(result.into());
        }
        let result = match request.name.as_ref() {
            "test_tool_with_progress" => report_progress(&context).await?,
            "test_tool_with_logging" => {
                self.log(&context, &["Tool execution started", "Tool processing data", "Tool execution completed"])
                    .await?
            }
            "test_logging_tool" => self.log(&context, &["One message"]).await?,
            "test_missing_capability" if declared(&context).sampling.is_none() => {
                let needed = json!({ "sampling": {} });
                let needed = serde_json::from_value(needed).map_err(internal)?;
                return Err(ErrorData::missing_required_client_capability(needed));
            }
            "test_trigger_tool_change" => self.tell(Change::Tools),
            "test_trigger_prompt_change" => self.tell(Change::Prompts),
            "test_trigger_resource_change" => self.tell(Change::Resource(TEXT_URI)),
            cut::TOOL => {
                tokio::time::sleep(AWAY).await;
                said("You came back.")
            }
            "test_wait" => self.wait(&context).await,
            "test_cancelled_calls" => said(self.fixture.cancelled().to_string()),
            name => content::tool(name),
        };
        Ok(result.into())
    }

    async fn list_prompts(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let listing = ListPromptsResult::with_all_items(self.fixture.prompts.clone());
        Ok(listing.with_ttl_ms(TTL_MILLISECONDS).with_cache_scope(CacheScope::Public))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        if let Some(script) = Script::find(&request.name).filter(|script| script.name == ASKING_PROMPT) {
            let turn = self.turn(script, request.input_responses, request.request_state, &context).await?;
            return Ok(match turn {
                Turn::Ask(asked) => asked.into(),
                Turn::Done(answers) => {
                    GetPromptResult::new(vec![PromptMessage::new_text(Role::User, concluded(script, &answers))]).into()
                }
            });
        }
        content::prompt(&request.name, &request.arguments.unwrap_or_default())
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
        let contents = content::resource(&request.uri)
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
        let mut changes = self.fixture.changes();
        let accepted = subscription.accepted().clone();
        loop {
            let change = tokio::select! {
                () = subscription.cancelled() => return Ok(()),
                change = changes.recv() => change,
            };
            let told = match change {
                Ok(Change::Tools) if accepted.tools_list_changed == Some(true) => {
                    subscription.sink().notify_tool_list_changed().await
                }
                Ok(Change::Prompts) if accepted.prompts_list_changed == Some(true) => {
                    subscription.sink().notify_prompt_list_changed().await
                }
                Ok(Change::Resource(uri)) if accepted.resource_subscriptions.iter().flatten().any(|one| one == uri) => {
                    subscription.sink().notify_resource_updated(uri).await
                }
                Ok(Change::Tools | Change::Prompts | Change::Resource(_)) | Err(RecvError::Lagged(_)) => Ok(()),
                Err(RecvError::Closed) => return Ok(()),
            };
            if told.is_err() {
                return Ok(());
            }
        }
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        let (changes, watched) = (self.fixture.changes(), Arc::clone(&self.watched));
        tokio::spawn(tell_session(changes, watched, context.peer));
    }

    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        locked(&self.watched).insert(request.uri);
        Ok(())
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        locked(&self.watched).remove(&request.uri);
        Ok(())
    }

    async fn set_level(
        &self,
        request: SetLevelRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        if context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28) {
            return Err(ErrorData::method_not_found::<SetLevelRequestMethod>());
        }
        *locked(&self.level) = Some(request.level);
        Ok(())
    }
}

/// Tells one session of changes, until it is over.
async fn tell_session(
    mut changes: broadcast::Receiver<Change>,
    watched: Arc<Mutex<BTreeSet<String>>>,
    peer: Peer<RoleServer>,
) {
    loop {
        let told = match changes.recv().await {
            Ok(Change::Tools) => peer.notify_tool_list_changed().await,
            Ok(Change::Prompts) => peer.notify_prompt_list_changed().await,
            Ok(Change::Resource(uri)) if locked(&watched).contains(uri) => {
                peer.notify_resource_updated(ResourceUpdatedNotificationParam::new(uri)).await
            }
            Ok(Change::Resource(_)) | Err(RecvError::Lagged(_)) => Ok(()),
            Err(RecvError::Closed) => return,
        };
        if told.is_err() {
            return;
        }
    }
}

/// What a script says when everything was answered.
fn concluded(script: &Script, answers: &Answers) -> String {
    match script.name {
        "test_input_required_result_elicitation" | "test_streaming_elicitation" | jobs::ASKING => {
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
