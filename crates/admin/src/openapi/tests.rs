use std::collections::BTreeSet;

use super::*;
use crate::table::routes;

/// Every string under a key, anywhere in a value.
fn strings<'v>(value: &'v Value, key: &str, found: &mut Vec<&'v str>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                found.extend(member.as_str().filter(|_| name == key));
                strings(member, key, found);
            }
        }
        Value::Array(list) => list.iter().for_each(|one| strings(one, key, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn the_document_has_every_route_and_says_who_may_use_it() {
    let document = document(&routes());
    assert_eq!(document["openapi"], "3.1.0");
    for route in routes() {
        let operation = &document["paths"][route.path][route.verb.as_str()];
        assert_eq!(operation["summary"], route.summary);
        match route.door {
            Door::Public(_) => assert_eq!(operation["security"], json!([])),
            Door::Plain(roles, _) | Door::Json(roles, _) => {
                assert_eq!(operation["x-roles"].as_array().unwrap().len(), roles.len());
            }
        }
        for parameter in route.path.split('/').filter_map(|segment| segment.strip_prefix('{')) {
            assert_eq!(operation["parameters"][0]["name"], parameter.trim_end_matches('}'), "{}", route.path);
        }
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_operation_has_a_name_of_its_own() {
    let document = document(&routes());
    let mut references = Vec::new();
    strings(&document, "$ref", &mut references);
    assert!(!references.is_empty());
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    let mut ids = Vec::new();
    strings(&document["paths"], "operationId", &mut ids);
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), routes().len());
    assert!(ids.contains(&"postServersByNameApprove"));
}

#[test]
fn what_a_route_takes_is_in_the_document() {
    let document = document(&routes());
    let approve = &document["paths"]["/api/v1/servers/{name}/approve"]["post"];
    let reference = approve["requestBody"]["content"]["application/json"]["schema"]["$ref"].as_str().unwrap();
    let schema = document.pointer(reference.strip_prefix('#').unwrap()).unwrap();
    assert_eq!(schema["required"], json!(["seen"]));
    assert!(document["paths"]["/api/v1/whoami"]["get"].get("requestBody").is_none());
    let search = document["paths"]["/api/v1/receipts"]["get"]["parameters"].as_array().unwrap();
    assert!(search.iter().any(|one| one["name"] == "agent" && one["in"] == "query" && one["required"] == false));
}
