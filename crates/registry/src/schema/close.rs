//! The variant of a schema that refuses undeclared members.
//!
//! JSON Schema lets an object hold members that no one declared, unless it says otherwise. A gate cannot: what is not
//! declared was not approved, and no policy reads it. So every object that stands where a whole value is described (the
//! arguments, their members and items, and so on inward) is closed, unless it says itself what else may be there.
//!
//! What is only a share of a description stays open: the branches of `allOf` and their like each know some members,
//! and the object around them is closed with `unevaluatedProperties`, which knows what every branch declared. What
//! lies further inward in such a branch cannot be closed without breaking schemas that describe one member in two
//! branches, so it is reported as open.

use model::limits;
use serde_json::{Map, Value};

use super::survey::{APPLICATORS, Shape, Use, step};
use super::violation::bounded;

/// How a subschema is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It describes a whole value: closed.
    Whole,
    /// It describes a whole value as one of several ways, or wherever it is referred to: what is around it closes it.
    Way,
    /// It adds to a description of the same value: left open, and so is what is inward of it.
    Share,
    /// It is inward of a share: left open, though it describes a whole value.
    WithinShare,
}

/// Keywords by which other subschemas speak about the same object.
const COMBINING: [&str; 8] = ["$ref", "allOf", "anyOf", "oneOf", "if", "then", "else", "dependentSchemas"];

/// Keywords that say what else an object may hold.
const REST: [&str; 2] = ["additionalProperties", "unevaluatedProperties"];

/// Keywords that only say something about objects.
const OF_OBJECTS: [&str; 8] = [
    "properties",
    "patternProperties",
    "propertyNames",
    "required",
    "minProperties",
    "maxProperties",
    "dependentRequired",
    "dependentSchemas",
];

/// Keywords that say nothing about a value.
const SILENT: [&str; 10] =
    ["$comment", "$defs", "$id", "$schema", "default", "definitions", "deprecated", "description", "examples", "title"];

/// Closes a schema in place; returns the JSON pointers where undeclared members stay welcome.
/// INVARIANT: the schema passed the survey, which bounds its depth and sees to it that references lead into it.
pub(super) fn run(schema: &mut Value) -> Vec<String> {
    let whole = schema.clone();
    let mut open = Vec::new();
    Closing { whole: &whole, open: &mut open }.visit(schema, Role::Whole, "");
    open
}

struct Closing<'a> {
    whole: &'a Value,
    open: &'a mut Vec<String>,
}

impl Closing<'_> {
    fn visit(&mut self, schema: &mut Value, role: Role, pointer: &str) {
        let Some(keywords) = schema.as_object_mut() else {
            if role == Role::Whole && *schema == Value::Bool(true) {
                self.report(pointer);
            }
            return;
        };
        for (keyword, shape, usage) in APPLICATORS {
            let Some(inner) = inner_role(role, usage) else { continue };
            let Some(value) = keywords.get_mut(keyword) else { continue };
            match shape {
                // "Anything" as the rest of an object is weighed below.
                Shape::One if REST.contains(&keyword) && is_free(value) => {}
                Shape::One => self.visit(value, inner, &format!("{pointer}/{keyword}")),
                Shape::List => {
                    for (place, value) in value.as_array_mut().into_iter().flatten().enumerate() {
                        self.visit(value, inner, &format!("{pointer}/{keyword}/{place}"));
                    }
                }
                Shape::Members => {
                    for (name, value) in value.as_object_mut().into_iter().flatten() {
                        self.visit(value, inner, &format!("{pointer}/{keyword}/{}", step(name)));
                    }
                }
            }
        }
        self.close(keywords, role, pointer);
    }

    fn close(&mut self, keywords: &mut Map<String, Value>, role: Role, pointer: &str) {
        if let Some(rest) = REST.iter().find_map(|keyword| keywords.get(*keyword)) {
            // The server said what else may be there. If it said "anything", people must know.
            if is_free(rest) {
                self.report(pointer);
            }
            return;
        }
        let root = pointer.is_empty();
        let of_objects = is_of(keywords, "object", &OF_OBJECTS);
        let combining = COMBINING.iter().any(|keyword| keywords.contains_key(*keyword));
        match role {
            Role::Whole if self.refers_to_free(keywords) => self.report(pointer),
            Role::Whole if combining => {
                keywords.insert("unevaluatedProperties".to_owned(), Value::Bool(false));
            }
            Role::Whole if root || of_objects => {
                keywords.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            // Neither type nor values are named, so an object may stand here, and anything in it.
            Role::Whole if !["type", "const", "enum"].iter().any(|named| keywords.contains_key(*named)) => {
                self.report(pointer);
            }
            Role::WithinShare if of_objects => self.report(pointer),
            Role::Whole | Role::Way | Role::Share | Role::WithinShare => {}
        }
        let items = ["items", "prefixItems", "unevaluatedItems"];
        let of_items = is_of(keywords, "array", &[]) && !items.iter().any(|keyword| keywords.contains_key(*keyword));
        if of_items && !combining && matches!(role, Role::Whole | Role::WithinShare) {
            self.report(pointer);
        }
    }

    /// Whether the subschema is nothing but a reference, by one or more steps, to one that says "anything".
    fn refers_to_free(&self, keywords: &Map<String, Value>) -> bool {
        let mut at = keywords;
        for _ in 0..limits::SCHEMA_DEPTH_MAX {
            let only_refers = at.keys().all(|keyword| keyword == "$ref" || SILENT.contains(&keyword.as_str()));
            let target = at.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
            let Some(target) = target.filter(|_| only_refers).and_then(|pointer| self.whole.pointer(pointer)) else {
                return false;
            };
            if is_free(target) {
                return true;
            }
            let Some(next) = target.as_object() else { return false };
            at = next;
        }
        false
    }

    fn report(&mut self, pointer: &str) {
        self.open.push(bounded(pointer));
    }
}

/// How a subschema is used that stands under a keyword of a subschema used as `role`; `None` where it only decides
/// something, so that nothing it says declares a member.
fn inner_role(role: Role, usage: Use) -> Option<Role> {
    let within = matches!(role, Role::Share | Role::WithinShare);
    match usage {
        Use::Test => None,
        Use::Definition => Some(Role::Way),
        Use::Inward if within => Some(Role::WithinShare),
        Use::Inward => Some(Role::Whole),
        Use::Also => Some(Role::Share),
        Use::Either if within => Some(Role::Share),
        Use::Either => Some(Role::Way),
    }
}

/// Whether a schema says nothing about a value: `true`, `{}`, or only words.
fn is_free(schema: &Value) -> bool {
    match schema {
        Value::Bool(any) => *any,
        Value::Object(keywords) => keywords.keys().all(|keyword| SILENT.contains(&keyword.as_str())),
        Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) => false,
    }
}

/// Whether a schema describes values of a type: by its `type`, or without one by keywords that say something about
/// that type alone.
fn is_of(keywords: &Map<String, Value>, wanted: &str, telling: &[&str]) -> bool {
    match keywords.get("type") {
        Some(Value::String(kind)) => kind == wanted,
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == wanted),
        Some(_) => false,
        None => telling.iter().any(|keyword| keywords.contains_key(*keyword)),
    }
}
