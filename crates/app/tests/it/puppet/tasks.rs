//! Calls that the desk goes on with by itself, as tasks.

use serde_json::{Value, json};

/// What a client has to declare for its calls to become tasks.
pub(crate) const EXTENSION: &str = "io.modelcontextprotocol/tasks";

/// The desk's own id of its task: there is one, whoever asks.
pub(crate) const TASK: &str = "desk-task-1";

/// Capabilities of a client that takes tasks, beside these.
pub(crate) fn taking(mut capabilities: Value) -> Value {
    capabilities["extensions"] = json!({ EXTENSION: {} });
    capabilities
}

/// A task with these members, besides those that all have.
pub(crate) fn task(members: &Value) -> Value {
    let mut task = json!({
        "taskId": TASK,
        "status": "working",
        "createdAt": "2026-11-21T10:00:00Z",
        "lastUpdatedAt": "2026-11-21T10:00:00Z",
        "ttlMs": null,
        "pollIntervalMs": 50,
    });
    for (name, value) in members.as_object().into_iter().flatten() {
        task[name] = value.clone();
    }
    task
}

/// The same, as what becomes of a call.
pub(super) fn begun(members: &Value) -> Value {
    let mut begun = task(members);
    begun["resultType"] = "task".into();
    begun
}

/// A task that has its result.
pub(crate) fn completed(text: &str) -> Value {
    json!({ "status": "completed", "result": { "content": [{ "type": "text", "text": text }] } })
}

/// A task that asks its user.
pub(crate) fn asking() -> Value {
    let form = json!({ "mode": "form", "message": "Which one?", "requestedSchema": { "type": "object" } });
    json!({ "status": "input_required", "inputRequests": { "q1": { "method": "elicitation/create", "params": form } } })
}
