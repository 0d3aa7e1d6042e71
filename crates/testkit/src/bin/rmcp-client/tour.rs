//! Every step, in order.

use std::error::Error;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use rmcp::RoleClient;
use rmcp::model::{
    CallToolRequestParams, CallToolResult, ClientRequest, ErrorData, GetPromptRequestParams, JsonObject,
    ReadResourceRequestParams, Request, ServerNotification, SubscribeRequestParams, SubscriptionFilter,
    UnsubscribeRequestParams,
};
use rmcp::service::{PeerRequestOptions, RunningService, ServiceError};
use serde_json::{Value, json};

use crate::handler::Handler;

/// The resource that is read and watched.
const WATCHED: &str = "test://static-text";
/// How long a step waits for what must come.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a step may take as a whole.
const STEP_MAX: Duration = Duration::from_secs(20);
const RETRY: Duration = Duration::from_millis(20);

/// What a step saw, in a few words.
pub(crate) type Seen = Result<String, Box<dyn Error + Send + Sync>>;

pub(crate) struct Tour {
    client: RunningService<RoleClient, Handler>,
    handler: Handler,
    revision: String,
}

/// Prints a step's row; true when it passed.
pub(crate) fn row(revision: &str, step: &str, begun: Instant, seen: &Seen) -> io::Result<bool> {
    let took = format!("{} ms", begun.elapsed().as_millis());
    let (verdict, told) = match seen {
        Ok(told) => ("pass", told.clone()),
        Err(error) => ("FAIL", error.to_string().lines().next().unwrap_or_default().to_owned()),
    };
    let row = format!("{verdict}  {:18}  {revision}  {step:9}  {took:>8}  {told}", "rust rmcp");
    writeln!(io::stdout(), "{}", row.trim_end())?;
    Ok(seen.is_ok())
}

fn check(condition: bool, told: impl Into<String>) -> Result<(), Box<dyn Error + Send + Sync>> {
    if condition { Ok(()) } else { Err(told.into().into()) }
}

fn said(result: &CallToolResult) -> String {
    let first = json!(result.content.first());
    first.get("text").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn params(tool: &str, arguments: Value) -> CallToolRequestParams {
    let arguments: JsonObject = serde_json::from_value(arguments).unwrap_or_default();
    CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments)
}

impl Tour {
    pub(crate) fn new(client: RunningService<RoleClient, Handler>, handler: Handler, revision: &str) -> Self {
        Self { client, handler, revision: revision.to_owned() }
    }

    /// Takes every step; true when all passed. `begun` is when connecting began.
    pub(crate) async fn take(self, begun: Instant) -> io::Result<bool> {
        let mut passed = row(&self.revision, "connect", begun, &self.connected())?;
        passed &= self.step("list", self.list()).await?;
        passed &= self.step("call", self.call_tools()).await?;
        passed &= self.step("read", self.read()).await?;
        passed &= self.step("progress", self.progress()).await?;
        passed &= self.step("elicit", self.elicit()).await?;
        passed &= self.step("sample", self.sample()).await?;
        passed &= self.step("cancel", self.cancel()).await?;
        passed &= self.step("resume", self.resume()).await?;
        passed &= self.step("subscribe", self.subscribe()).await?;
        let begun = Instant::now();
        let closed = self.client.cancel().await.map(|_| String::new()).map_err(Into::into);
        passed &= row(&self.revision, "close", begun, &closed)?;
        Ok(passed)
    }

    async fn step(&self, name: &str, step: impl Future<Output = Seen>) -> io::Result<bool> {
        let begun = Instant::now();
        let seen = tokio::time::timeout(STEP_MAX, step).await.unwrap_or_else(|_| Err("it did not end".into()));
        row(&self.revision, name, begun, &seen)
    }

    fn sessions(&self) -> bool {
        self.revision == "2025-11-25"
    }

    async fn call(&self, tool: &str, arguments: Value) -> Result<CallToolResult, ServiceError> {
        self.client.call_tool(params(tool, arguments)).await
    }

    fn connected(&self) -> Seen {
        let server = json!(self.client.peer_info());
        if self.sessions() {
            let negotiated = server.get("protocolVersion").and_then(Value::as_str).unwrap_or("unknown");
            check(negotiated == self.revision, format!("it is {negotiated}"))?;
            return Ok("initialized".to_owned());
        }
        Ok("discovered".to_owned())
    }

    async fn list(&self) -> Seen {
        let tools = self.client.list_all_tools().await?.len();
        let prompts = self.client.list_all_prompts().await?.len();
        let resources = self.client.list_all_resources().await?.len();
        let templates = self.client.list_all_resource_templates().await?.len();
        check(tools > 10 && prompts > 3, "too few")?;
        check(resources == 2 && templates == 1, "resources are missing")?;
        Ok(format!("{tools} tools, {prompts} prompts"))
    }

    async fn call_tools(&self) -> Seen {
        let simple = self.call("test_simple_text", json!({})).await?;
        check(said(&simple).starts_with("This is a simple text"), "another text")?;
        check(self.call("test_error_handling", json!({})).await?.is_error == Some(true), "no error")?;
        match self.call("test_no_such_tool", json!({})).await {
            Err(ServiceError::McpError(ErrorData { code, .. })) => Ok(format!("an unknown tool is {}", code.0)),
            Err(error) => Err(error.into()),
            Ok(_) => Err("a tool that is not there answered".into()),
        }
    }

    async fn read(&self) -> Seen {
        let resource = json!(self.client.read_resource(ReadResourceRequestParams::new(WATCHED)).await?);
        let text = resource.pointer("/contents/0/text").and_then(Value::as_str).unwrap_or_default();
        check(text.contains("static text"), "another text")?;
        let arguments = serde_json::from_value(json!({ "arg1": "a", "arg2": "b" }))?;
        let asked = GetPromptRequestParams::new("test_prompt_with_arguments").with_arguments(arguments);
        let prompt = json!(self.client.get_prompt(asked).await?);
        let text = prompt.pointer("/messages/0/content/text").and_then(Value::as_str).unwrap_or_default();
        check(text.contains("arg1='a'"), "another prompt")?;
        Ok(String::new())
    }

    async fn progress(&self) -> Seen {
        self.call("test_tool_with_progress", json!({})).await?;
        let end = Instant::now();
        let reports = std::mem::take(&mut self.handler.heard().reports);
        let values: Vec<f64> = reports.iter().map(|(progress, _)| *progress).collect();
        check(values == [0.0, 50.0, 100.0], format!("the reports were {values:?}"))?;
        // The tool waits 50 ms after each of its three reports.
        let ahead = reports.first().map_or(Duration::ZERO, |(_, at)| end - *at).as_millis();
        check(ahead > 80, "the reports came with the answer")?;
        Ok(format!("the first report came {ahead} ms before the answer"))
    }

    async fn elicit(&self) -> Seen {
        let answer = if self.sessions() {
            self.call("test_elicitation", json!({ "message": "Who are you?" })).await?
        } else {
            self.call("test_input_required_result_elicitation", json!({})).await?
        };
        check(said(&answer).contains("Ada"), said(&answer))?;
        Ok(said(&answer).chars().take(40).collect())
    }

    async fn sample(&self) -> Seen {
        let answer = if self.sessions() {
            self.call("test_sampling", json!({ "prompt": "The capital of France?" })).await?
        } else {
            self.call("test_input_required_result_sampling", json!({})).await?
        };
        check(said(&answer).contains("Paris"), said(&answer))?;
        Ok(String::new())
    }

    async fn cancel(&self) -> Seen {
        let before = self.cancelled().await?;
        let request = ClientRequest::CallToolRequest(Request::new(params("test_wait", json!({}))));
        let waiting = self.client.send_cancellable_request(request, PeerRequestOptions::no_options()).await?;
        tokio::time::sleep(Duration::from_millis(300)).await;
        waiting.cancel(Some("enough".to_owned())).await?;
        let asked = Instant::now();
        while self.cancelled().await? <= before {
            check(asked.elapsed() < PATIENCE, "the server was not told")?;
            tokio::time::sleep(RETRY).await;
        }
        Ok("the server was told".to_owned())
    }

    async fn resume(&self) -> Seen {
        // The server ends the stream of the answer; where there are sessions, the client has to come back for it.
        let answer = self.call("test_reconnection", json!({})).await?;
        check(said(&answer) == "You came back.", said(&answer))?;
        Ok(String::new())
    }

    async fn cancelled(&self) -> Result<u64, Box<dyn Error + Send + Sync>> {
        Ok(said(&self.call("test_cancelled_calls", json!({})).await?).parse()?)
    }

    #[expect(deprecated, reason = "`resources/subscribe` is of revision 2025-11-25, which this speaks")]
    async fn subscribe(&self) -> Seen {
        if !self.sessions() {
            return self.listen().await;
        }
        self.client.subscribe(SubscribeRequestParams::new(WATCHED)).await?;
        let asked = Instant::now();
        while !self.handler.heard().updated.iter().any(|uri| uri == WATCHED) {
            check(asked.elapsed() < PATIENCE, "no update came")?;
            self.call("test_trigger_resource_change", json!({})).await?;
            tokio::time::sleep(RETRY).await;
        }
        self.client.unsubscribe(UnsubscribeRequestParams::new(WATCHED)).await?;
        Ok(format!("updates: {}", self.handler.heard().updated.len()))
    }

    async fn listen(&self) -> Seen {
        let filter = SubscriptionFilter::builder().resource_subscriptions([WATCHED.to_owned()]).build();
        let mut subscription = self.client.listen(filter).await?;
        let asked = Instant::now();
        loop {
            check(asked.elapsed() < PATIENCE, "no update came")?;
            self.call("test_trigger_resource_change", json!({})).await?;
            let Ok(heard) = tokio::time::timeout(RETRY * 10, subscription.next()).await else { continue };
            if let Some(ServerNotification::ResourceUpdatedNotification(update)) = heard?
                && update.params.uri == WATCHED
            {
                break;
            }
        }
        subscription.cancel().await?;
        Ok("updates: 1".to_owned())
    }
}
