//! What the fixture's tools, prompts and resources hold, where nothing needs to be asked or awaited.

use rmcp::ErrorData;
use rmcp::model::{CallToolResult, ContentBlock, JsonObject, PromptMessage, ResourceContents, Role};
use serde_json::json;

use crate::definitions::{BINARY_URI, TEXT_URI};
use crate::media::{PNG, WAV};

pub(crate) fn said(text: impl Into<String>) -> CallToolResult {
    CallToolResult::success(vec![ContentBlock::text(text)])
}

fn embedded(uri: &str, mime_type: &str, text: &str) -> ContentBlock {
    ContentBlock::resource(ResourceContents::text(text, uri).with_mime_type(mime_type))
}

/// What a tool returns that does nothing else.
pub(crate) fn tool(tool: &str) -> CallToolResult {
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

/// The messages of a prompt.
pub(crate) fn prompt(name: &str, arguments: &JsonObject) -> Result<Vec<PromptMessage>, ErrorData> {
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

/// The contents of a resource; `None` if there is none.
pub(crate) fn resource(uri: &str) -> Option<ResourceContents> {
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
