//! Questions as servers ask them in revision 2025-11-25: by a request of their own, while the call is open.
//!
//! In revision 2026-07-28 a server sends no requests; [`crate::questions`] is how it asks there. A client of that
//! revision that calls one of these tools is told so in the result.

#![expect(deprecated, reason = "sampling is of revision 2025-11-25, which this speaks")]

use rmcp::model::{
    CallToolResponse, CallToolResult, ClientCapabilities, ContentBlock, CreateMessageRequestParams,
    ElicitRequestParams, InputRequest, InputRequiredResult, InputResponses,
};
use rmcp::service::{Peer, ServiceError};
use rmcp::{ErrorData, RoleServer};
use serde_json::{Value, json};

use crate::content::said;
use crate::questions::{Script, Turn, internal};
use crate::seal::Seal;

/// Calls one of the tools that ask by request; `None` when `tool` is none of them.
pub(crate) async fn call(tool: &str, arguments: &Value, peer: &Peer<RoleServer>) -> Option<CallToolResult> {
    let text = |name: &str| arguments.get(name).and_then(Value::as_str).unwrap_or_default();
    let answered = match tool {
        "test_sampling" => sample(peer, text("prompt")).await,
        "test_elicitation" => elicit(peer, "User response", text("message"), details()).await,
        "test_elicitation_sep1034_defaults" => {
            elicit(peer, "Elicitation completed", "Please check the defaults", defaults()).await
        }
        "test_elicitation_sep1330_enums" => {
            elicit(peer, "Elicitation completed", "Please choose", enumerations()).await
        }
        _ => return None,
    };
    Some(answered.unwrap_or_else(|error| {
        CallToolResult::error(vec![ContentBlock::text(format!("The client could not be asked: {error}"))])
    }))
}

/// Calls one of the tools that ask by request, as a server of 2026-07-28 alone has them: the question, or what was answered.
pub(crate) fn within(
    tool: &str,
    arguments: &Value,
    responses: Option<&InputResponses>,
) -> Option<Result<CallToolResponse, ErrorData>> {
    const KEY: &str = "asked";
    let text = |name: &str| arguments.get(name).and_then(Value::as_str).unwrap_or_default();
    let form = |message: &str, schema: Value| {
        let params = json!({ "mode": "form", "message": message, "requestedSchema": schema });
        json!({ "method": "elicitation/create", "params": params })
    };
    let message = json!({ "role": "user", "content": { "type": "text", "text": text("prompt") } });
    let sampling = json!({ "messages": [message], "maxTokens": 100 });
    let (heading, question) = match tool {
        "test_sampling" => ("", json!({ "method": "sampling/createMessage", "params": sampling })),
        "test_elicitation" => ("User response", form(text("message"), details())),
        "test_elicitation_sep1034_defaults" => ("Elicitation completed", form("Please check the defaults", defaults())),
        "test_elicitation_sep1330_enums" => ("Elicitation completed", form("Please choose", enumerations())),
        _ => return None,
    };
    Some(match responses.and_then(|responses| responses.get(KEY)) {
        Some(answer) if heading.is_empty() => Ok(said(format!("LLM response: {}", answer["content"])).into()),
        Some(answer) => {
            let action = answer["action"].as_str().unwrap_or_default();
            Ok(said(format!("{heading}: action={action}, content={}", answer["content"])).into())
        }
        None => serde_json::from_value(question).map_err(internal).map(|question| {
            let asked = [(KEY.to_owned(), question)].into_iter().collect();
            InputRequiredResult::new(Some(asked), None).into()
        }),
    })
}

/// Asks by requests, one after another, what a script of [`crate::questions`] asks within its answers, until it asks no more.
pub(crate) async fn converse(
    script: &Script,
    seal: &Seal,
    mut turn: Turn,
    declared: &ClientCapabilities,
    peer: &Peer<RoleServer>,
) -> Result<Turn, ErrorData> {
    while let Turn::Ask(asked) = turn {
        let mut responses = InputResponses::new();
        for (key, question) in asked.input_requests.unwrap_or_default() {
            let answer = match question {
                InputRequest::CreateMessage(question) => {
                    json!(peer.create_message(question.params).await.map_err(internal)?)
                }
                InputRequest::Elicitation(question) => {
                    json!(peer.create_elicitation(question.params).await.map_err(internal)?)
                }
                // There is no other kind, but the type says that there may be.
                InputRequest::ListRoots(_) | _ => json!(peer.list_roots().await.map_err(internal)?),
            };
            responses.insert(key, answer);
        }
        turn = script.turn(seal, Some(responses), asked.request_state, declared)?;
    }
    Ok(turn)
}

async fn sample(peer: &Peer<RoleServer>, prompt: &str) -> Result<CallToolResult, ServiceError> {
    let question: CreateMessageRequestParams = parsed(json!({
        "messages": [{ "role": "user", "content": { "type": "text", "text": prompt } }],
        "maxTokens": 100,
    }))?;
    let answer = peer.create_message(question).await?;
    Ok(said(format!("LLM response: {}", json!(answer.message.content))))
}

async fn elicit(
    peer: &Peer<RoleServer>,
    heading: &str,
    message: &str,
    schema: Value,
) -> Result<CallToolResult, ServiceError> {
    let question: ElicitRequestParams =
        parsed(json!({ "mode": "form", "message": message, "requestedSchema": schema }))?;
    let answer = peer.create_elicitation(question).await?;
    let (action, content) = (json!(answer.action), json!(answer.content));
    Ok(said(format!("{heading}: action={}, content={content}", action.as_str().unwrap_or_default())))
}

fn parsed<T: serde::de::DeserializeOwned>(question: Value) -> Result<T, ServiceError> {
    serde_json::from_value(question).map_err(|error| ServiceError::McpError(internal(error)))
}

fn details() -> Value {
    json!({
        "type": "object",
        "properties": {
            "username": { "type": "string", "description": "User's response" },
            "email": { "type": "string", "description": "User's email address" },
        },
        "required": ["username", "email"],
    })
}

/// Every simple type, each with a default (SEP-1034).
fn defaults() -> Value {
    json!({
        "type": "object",
        "properties": {
            "name": { "type": "string", "default": "John Doe" },
            "age": { "type": "integer", "default": 30 },
            "score": { "type": "number", "default": 95.5 },
            "status": { "type": "string", "enum": ["active", "inactive", "pending"], "default": "active" },
            "verified": { "type": "boolean", "default": true },
        },
        "required": [],
    })
}

/// Every way to write a choice (SEP-1330).
fn enumerations() -> Value {
    let titled = |first: &str, second: &str, third: &str| {
        json!([
            { "const": "value1", "title": first },
            { "const": "value2", "title": second },
            { "const": "value3", "title": third },
        ])
    };
    let options = json!(["option1", "option2", "option3"]);
    json!({
        "type": "object",
        "properties": {
            "untitledSingle": { "type": "string", "enum": options },
            "titledSingle": { "type": "string", "oneOf": titled("First Option", "Second Option", "Third Option") },
            "legacyEnum": {
                "type": "string",
                "enum": ["opt1", "opt2", "opt3"],
                "enumNames": ["Option One", "Option Two", "Option Three"],
            },
            "untitledMulti": { "type": "array", "items": { "type": "string", "enum": options } },
            "titledMulti": {
                "type": "array",
                "items": { "anyOf": titled("First Choice", "Second Choice", "Third Choice") },
            },
        },
        "required": [],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_says_what_it_was_written_to_say() {
        for schema in [details(), defaults(), enumerations()] {
            let asked = json!({ "mode": "form", "message": "m", "requestedSchema": schema });
            let parsed: ElicitRequestParams = parsed(asked.clone()).unwrap();
            let again = serde_json::to_value(parsed).unwrap();
            assert_eq!(again["requestedSchema"]["properties"], asked["requestedSchema"]["properties"]);
        }
    }
}
