//! The `OpenAPI` 3.1 document, from the table of routes.

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::fault::{Code, Fault};
use crate::route::{Desk, Door, Route};

/// The document for these routes.
pub(crate) fn document(routes: &[Route]) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let fault = generator.subschema_for::<Fault>();
    let mut paths = Map::new();
    for route in routes {
        let operation = operation(route, &fault, &mut generator);
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Value::Object(verbs) = path {
            verbs.insert(route.verb.as_str().to_owned(), operation);
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Portcullis admin API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The control plane of the gate. Every change is audited, and answers once it is in effect.",
        },
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
        },
    })
}

fn operation(route: &Route, fault: &Schema, generator: &mut SchemaGenerator) -> Value {
    let mut operation = Map::new();
    operation.insert("operationId".to_owned(), operation_id(route).into());
    let (desk, roles) = match &route.door {
        Door::Public(_) => (None, None),
        Door::Plain(roles, _) => (None, Some(*roles)),
        Door::Json(roles, desk) => (Some(desk), Some(*roles)),
    };
    operation.insert("summary".to_owned(), route.summary.into());
    let security = roles.map_or_else(|| json!([]), |_| json!([{ "token": [] }]));
    operation.insert("security".to_owned(), security);
    if let Some(roles) = roles {
        let words: Vec<_> = roles.iter().map(|role| role.as_str()).collect();
        operation.insert("x-roles".to_owned(), json!(words));
    }
    let content = match desk {
        Some(desk) => {
            take(desk, &mut operation, generator);
            json!({ "application/json": { "schema": (desk.answer)(generator) } })
        }
        None => json!({ "text/plain": { "schema": { "type": "string" } } }),
    };
    let refusal = json!({ "description": refusals(), "content": { "application/json": { "schema": fault } } });
    let answer = json!({ "description": "Done.", "content": content });
    operation.insert("responses".to_owned(), json!({ "200": answer, "default": refusal }));
    Value::Object(operation)
}

/// What a route takes: parameters of the path and the query, and a body where it asks for one.
fn take(desk: &Desk, operation: &mut Map<String, Value>, generator: &mut SchemaGenerator) {
    let mut parameters = Vec::new();
    for (place, shape) in [("path", desk.path), ("query", desk.query)] {
        let schema = shape(generator);
        let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
        for (name, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let is_required = required.iter().any(|one| one == name);
            let mut schema = schema.clone();
            // The words about a parameter belong to the parameter.
            let words = schema.as_object_mut().and_then(|schema| schema.remove("description"));
            parameters.push(json!({
                "name": name, "in": place, "required": is_required, "schema": schema, "description": words,
            }));
        }
    }
    if !parameters.is_empty() {
        operation.insert("parameters".to_owned(), Value::Array(parameters));
    }
    if let Some(schema) = desk.body {
        let schema = schema(generator);
        let body = json!({ "required": true, "content": { "application/json": { "schema": schema } } });
        operation.insert("requestBody".to_owned(), body);
    }
}

/// `getServersByName` for `GET /api/v1/servers/{name}`.
fn operation_id(route: &Route) -> String {
    let mut id = route.verb.as_str().to_owned();
    let path = route.path.strip_prefix("/api/v1").unwrap_or(route.path);
    for segment in path.split(['/', '.']).filter(|segment| !segment.is_empty()) {
        let (joint, word) = match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(parameter) => ("By", parameter),
            None => ("", segment),
        };
        id.push_str(joint);
        let mut letters = word.chars();
        id.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        id.push_str(letters.as_str());
    }
    id
}

fn refusals() -> String {
    let row = |code: &Code| format!("`{}` ({})", code.word(), code.status().as_u16());
    let rows: Vec<_> = Code::ALL.iter().map(row).collect();
    format!("Refused. The codes are {}.", rows.join(", "))
}

#[cfg(test)]
mod tests;
