//! Tools whose calls become tasks (extension `io.modelcontextprotocol/tasks`, 2026-07-28), for clients that take them.

use std::time::Duration;

use rmcp::ErrorData;
use rmcp::model::{CallToolResponse, CallToolResult, ClientCapabilities, ContentBlock, CreateTaskResult, InputRequest};
use rmcp::task_manager::{TaskContext, TaskExit, TaskFuture, TaskManager, TaskOptions};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::content::said;
use crate::questions::internal;

/// The tool that asks before its call becomes a task; what it asks stands among the scripts.
pub(crate) const ASKING: &str = "test_tool_with_task";

/// How long a job takes that has nothing to do.
const SHORT: Duration = Duration::from_millis(300);
/// The longest that `slow_compute` takes.
const SECONDS_MAX: u64 = 120;
/// Milliseconds after which clients may ask again.
const POLL_MILLISECONDS: u64 = 100;

/// A tool whose call may become a task.
enum Job {
    /// Takes some seconds.
    Compute(u64),
    /// Its tool fails.
    Fails,
    /// Its request fails.
    Breaks,
    /// Asks these questions, all at once.
    Asks(&'static [&'static str]),
}

impl Job {
    fn find(name: &str, arguments: &Value) -> Option<Self> {
        match name {
            "slow_compute" => {
                let seconds = arguments.get("seconds").and_then(Value::as_u64).unwrap_or_default();
                Some(Self::Compute(seconds.min(SECONDS_MAX)))
            }
            "failing_job" => Some(Self::Fails),
            "protocol_error_job" => Some(Self::Breaks),
            "confirm_delete" => Some(Self::Asks(&["confirm"])),
            "multi_input" => Some(Self::Asks(&["first", "second"])),
            _ => None,
        }
    }

    /// Whether it can be done while its client waits.
    fn is_quick(&self) -> bool {
        match self {
            Self::Compute(_) => true,
            Self::Fails | Self::Breaks | Self::Asks(_) => false,
        }
    }

    async fn run(self, context: TaskContext) -> Result<CallToolResult, TaskExit> {
        match self {
            Self::Compute(seconds) => tokio::select! {
                () = context.cancelled() => Err(TaskExit::Cancelled),
                () = tokio::time::sleep(Duration::from_secs(seconds)) => Ok(computed(seconds)),
            },
            Self::Fails => {
                tokio::time::sleep(SHORT).await;
                Ok(CallToolResult::error(vec![ContentBlock::text("The job failed, as it always does.")]))
            }
            Self::Breaks => {
                tokio::time::sleep(SHORT).await;
                Err(TaskExit::Error(ErrorData::internal_error("the job broke, as it always does", None)))
            }
            Self::Asks(keys) => {
                let (mut open, mut answers) = (JoinSet::new(), Vec::new());
                for key in keys {
                    open.spawn(asked(context.clone(), key));
                }
                while let Some(answer) = open.join_next().await {
                    answers.push(answer.map_err(internal)??);
                }
                Ok(said(format!("Answered: {}", json!(answers))))
            }
        }
    }
}

fn computed(seconds: u64) -> CallToolResult {
    said(format!("Computed for {seconds} seconds."))
}

async fn asked(context: TaskContext, key: &'static str) -> Result<Value, TaskExit> {
    let form =
        json!({ "type": "object", "properties": { "confirm": { "type": "boolean" }, "name": { "type": "string" } } });
    let params = json!({ "mode": "form", "message": format!("Please answer `{key}`"), "requestedSchema": form });
    let request: InputRequest =
        serde_json::from_value(json!({ "method": "elicitation/create", "params": params })).map_err(internal)?;
    context.request_input(key, request).await
}

/// Calls a tool of these, if it is one.
pub(crate) async fn call(
    tasks: &TaskManager,
    name: &str,
    arguments: &Value,
    declared: &ClientCapabilities,
) -> Option<Result<CallToolResponse, ErrorData>> {
    if name == "greet" {
        let name = arguments.get("name").and_then(Value::as_str).unwrap_or("stranger");
        return Some(Ok(said(format!("Hello, {name}!")).into()));
    }
    let job = Job::find(name, arguments)?;
    if let (Job::Compute(seconds), false) = (&job, declared.supports_tasks()) {
        tokio::time::sleep(Duration::from_secs(*seconds)).await;
        return Some(Ok(computed(*seconds).into()));
    }
    if !declared.supports_tasks() && !job.is_quick() {
        return Some(Err(required()));
    }
    Some(Ok(begun(tasks, |context| Box::pin(job.run(context)))))
}

/// The result of a call that asked first, as a task.
pub(crate) fn later(
    tasks: &TaskManager,
    result: CallToolResult,
    declared: &ClientCapabilities,
) -> Result<CallToolResponse, ErrorData> {
    if !declared.supports_tasks() {
        return Err(required());
    }
    Ok(begun(tasks, |_| {
        Box::pin(async move {
            tokio::time::sleep(SHORT).await;
            Ok(result)
        })
    }))
}

fn begun(tasks: &TaskManager, work: impl FnOnce(TaskContext) -> TaskFuture) -> CallToolResponse {
    let options = TaskOptions::new().with_poll_interval_ms(POLL_MILLISECONDS);
    CreateTaskResult::new(tasks.spawn(options, work)).into()
}

fn required() -> ErrorData {
    ErrorData::missing_required_client_capability(ClientCapabilities::builder().enable_tasks().build())
}
