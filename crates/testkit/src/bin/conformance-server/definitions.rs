//! What the fixture offers, as the suite's scenarios name it.

use rmcp::model::{Prompt, Resource, ResourceTemplate, Tool};
use serde_json::{Value, json};

use crate::cut;
use crate::questions::SCRIPTS;

/// The prompt that asks before it answers; it stands among the scripts, but is no tool.
pub(crate) const ASKING_PROMPT: &str = "test_input_required_result_prompt";

pub(crate) const TEXT_URI: &str = "test://static-text";
pub(crate) const BINARY_URI: &str = "test://static-binary";
pub(crate) const TEMPLATE_URI: &str = "test://template/{id}/data";

/// All tools, in the order they are listed. The first one takes no arguments: a scenario calls it as it finds it.
pub(crate) fn tools() -> Result<Vec<Tool>, serde_json::Error> {
    let mut tools = vec![
        plain("test_simple_text", "Returns one text"),
        plain("test_image_content", "Returns one image"),
        plain("test_audio_content", "Returns one piece of audio"),
        plain("test_embedded_resource", "Returns one embedded resource"),
        plain("test_multiple_content_types", "Returns a text, an image and a resource"),
        plain("test_error_handling", "Fails, and says so in its result"),
        plain("test_tool_with_progress", "Reports its progress three times"),
        plain("test_tool_with_logging", "Logs three messages, to clients that asked for them"),
        plain("test_logging_tool", "Logs one message, to clients that asked for it"),
        plain("test_missing_capability", "Needs a client that can be asked to sample"),
        plain("test_trigger_tool_change", "Tells subscribers that the tools changed"),
        plain("test_trigger_prompt_change", "Tells subscribers that the prompts changed"),
        plain("test_trigger_resource_change", "Tells subscribers that the static text changed"),
        plain(cut::TOOL, "Ends the stream of its answer before it answers, where there are sessions"),
        plain("test_wait", "Waits until its client cancels it, a minute at most"),
        plain("test_cancelled_calls", "Says how many calls of test_wait were cancelled so far"),
        texted("test_sampling", "Has the client's model complete a prompt", "prompt"),
        texted("test_elicitation", "Asks the user for a name and an address", "message"),
        plain("test_elicitation_sep1034_defaults", "Asks the user with a form full of defaults"),
        plain("test_elicitation_sep1330_enums", "Asks the user to choose, in every way a form can"),
        mirrored(),
        json_schema_2020_12(),
        texted("greet", "Greets somebody", "name"),
        slow_compute(),
        plain("failing_job", "Fails, as a task"),
        plain("protocol_error_job", "Breaks, as a task"),
        texted("confirm_delete", "Asks before it goes on, as a task", "filename"),
        plain("multi_input", "Asks two things at once, as a task"),
    ];
    let asking = SCRIPTS.iter().filter(|script| script.name != ASKING_PROMPT);
    tools.extend(asking.map(|script| plain(script.name, "Asks the client before it answers")));
    serde_json::from_value(Value::Array(tools))
}

/// A tool without arguments.
fn plain(name: &str, description: &str) -> Value {
    json!({
        "name": name,
        "description": description,
        "inputSchema": { "type": "object", "properties": {}, "additionalProperties": false },
    })
}

/// A tool that takes its time.
fn slow_compute() -> Value {
    json!({
        "name": "slow_compute",
        "description": "Takes some seconds: as a task, for clients that take them",
        "inputSchema": {
            "type": "object",
            "properties": { "seconds": { "type": "integer", "minimum": 0 }, "label": { "type": "string" } },
        },
    })
}

/// A tool with one text to give.
fn texted(name: &str, description: &str, argument: &str) -> Value {
    json!({
        "name": name,
        "description": description,
        "inputSchema": {
            "type": "object",
            "properties": { argument: { "type": "string" } },
            "required": [argument],
            "additionalProperties": false,
        },
    })
}

/// A tool one of whose arguments is repeated in a header.
fn mirrored() -> Value {
    json!({
        "name": "test_mirrored_argument",
        "description": "Returns its argument, which the client repeats in a header",
        "inputSchema": {
            "type": "object",
            "properties": { "region": { "type": "string", "x-mcp-header": "Region" } },
            "required": ["region"],
            "additionalProperties": false,
        },
    })
}

/// A tool whose schema uses what only JSON Schema 2020-12 has.
fn json_schema_2020_12() -> Value {
    json!({
        "name": "json_schema_2020_12_tool",
        "description": "Tool with JSON Schema 2020-12 features",
        "inputSchema": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "$defs": {
                "address": {
                    "$anchor": "addressDef",
                    "type": "object",
                    "properties": { "street": { "type": "string" }, "city": { "type": "string" } },
                },
            },
            "properties": {
                "name": { "type": "string" },
                "address": { "$ref": "#/$defs/address" },
                "contactMethod": { "type": "string", "enum": ["phone", "email"] },
                "phone": { "type": "string" },
                "email": { "type": "string" },
            },
            "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
            "if": { "properties": { "contactMethod": { "const": "phone" } }, "required": ["contactMethod"] },
            "then": { "required": ["phone"] },
            "else": { "required": ["email"] },
            "additionalProperties": false,
        },
    })
}

pub(crate) fn prompts() -> Result<Vec<Prompt>, serde_json::Error> {
    serde_json::from_value(json!([
        { "name": "test_simple_prompt", "description": "A prompt without arguments" },
        {
            "name": "test_prompt_with_arguments",
            "description": "A prompt that repeats its two arguments",
            "arguments": [
                { "name": "arg1", "description": "First test argument", "required": true },
                { "name": "arg2", "description": "Second test argument", "required": true },
            ],
        },
        {
            "name": "test_prompt_with_embedded_resource",
            "description": "A prompt with a resource in it",
            "arguments": [{ "name": "resourceUri", "description": "The resource to embed", "required": true }],
        },
        { "name": "test_prompt_with_image", "description": "A prompt with an image in it" },
        { "name": ASKING_PROMPT, "description": "A prompt that asks the client before it answers" },
    ]))
}

pub(crate) fn resources() -> Vec<Resource> {
    vec![
        Resource::new(TEXT_URI, "static-text").with_description("A text").with_mime_type("text/plain"),
        Resource::new(BINARY_URI, "static-binary").with_description("An image").with_mime_type("image/png"),
    ]
}

pub(crate) fn templates() -> Vec<ResourceTemplate> {
    vec![
        ResourceTemplate::new(TEMPLATE_URI, "template")
            .with_description("A document that repeats the id in its URI")
            .with_mime_type("application/json"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_definition_is_one_and_names_are_unique() {
        let tools = tools().unwrap();
        let mut names: Vec<_> = tools.iter().map(|tool| tool.name.clone()).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), tools.len());
        assert_eq!(prompts().unwrap().len(), 5);
    }
}
