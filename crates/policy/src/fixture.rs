//! A small company for the tests: an ERP with two tools that move money and one that reads, and a CRM.

use std::sync::Arc;

use model::{Agent, AgentKind, Assurance, Caller, EndpointName, Object, Refusal, ServerName, Timestamp};
use serde_json::value::to_raw_value;
use serde_json::{Value, json};

use crate::{
    Action, LoadError, Permit, Policies, Question, ServerVocabulary, Source, Target, ToolVocabulary, Vocabulary,
};

pub(crate) fn vocabulary() -> Vocabulary {
    let erp = [
        (
            "refund_order",
            json!({"type": "object", "required": ["order", "amount"], "additionalProperties": false, "properties": {
                "order": {"type": "string"}, "amount": {"type": "integer"}, "rate": {"type": "number"},
                "path": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string"}},
                "note": {"type": ["string", "integer"]}, "comment": {"type": ["string", "null"]},
                "customer": {"type": "object", "required": ["email"], "properties": {"email": {"type": "string"}}},
            }}),
        ),
        (
            "pay_invoice",
            json!({"type": "object", "required": ["amount"], "properties": {"amount": {"type": "integer"}}}),
        ),
        ("get_order", json!({"type": "object", "required": ["order"], "properties": {"order": {"type": "string"}}})),
    ];
    let crm = [("find_customer", json!({"type": "object", "properties": {"name": {"type": "string"}}}))];
    Vocabulary { endpoints: vec![endpoint()], servers: vec![server("erp", &erp), server("crm", &crm)] }
}

fn server(name: &str, tools: &[(&str, Value)]) -> Arc<ServerVocabulary> {
    let tool = |(name, schema): &(&str, Value)| {
        let definition = to_raw_value(&json!({"name": name, "inputSchema": schema})).expect("a definition");
        let classes = if *name == "find_customer" { vec!["memory"] } else { Vec::new() };
        ToolVocabulary::new(name.parse().expect("tool name"), definition.into(), classes)
    };
    let name = name.parse().expect("server name");
    Arc::new(ServerVocabulary { name, tools: tools.iter().map(tool).collect() })
}

pub(crate) fn compile(text: &str) -> Result<Policies, Vec<LoadError>> {
    let source = Source { file: "test.cedar".to_owned(), text: text.to_owned() };
    Policies::compile(&[source], &vocabulary())
}

pub(crate) fn endpoint() -> EndpointName {
    "finance".parse().expect("endpoint name")
}

/// An agent that works for `user`, who is in `groups`.
pub(crate) fn delegated(agent: &str, user: &str, groups: &[&str]) -> Caller {
    let groups = groups.iter().map(|group| group.parse().expect("group name")).collect();
    caller(agent, AgentKind::Delegated, Some(user), groups)
}

pub(crate) fn autonomous(agent: &str) -> Caller {
    caller(agent, AgentKind::Autonomous, None, Vec::new())
}

fn caller(agent: &str, kind: AgentKind, user: Option<&str>, groups: Vec<model::GroupName>) -> Caller {
    let agent = Agent { id: agent.parse().expect("agent id"), kind };
    let user = user.map(|user| user.parse().expect("user id"));
    Caller::new(agent, user, groups, Assurance::Development).expect("a caller that fits its kind")
}

/// `tool("erp/refund_order")`.
pub(crate) fn tool(id: &str) -> Object {
    let (server, name) = id.split_once('/').expect("server/name");
    Object::Tool { server: server.parse::<ServerName>().expect("server name"), name: name.parse().expect("tool name") }
}

pub(crate) fn ask(
    policies: &Policies,
    caller: &Caller,
    action: Action,
    object: &Object,
    arguments: Option<&Value>,
) -> Result<Permit, Refusal> {
    let endpoint = endpoint();
    let now = Timestamp(1_795_000_000_000);
    let target = Target::Object(object);
    policies.decide(&Question { action, caller, endpoint: &endpoint, target, arguments, findings: None, now })
}
