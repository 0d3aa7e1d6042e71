//! Reads a hostile schema whole before anything compiles it.
//!
//! The schema becomes a graph: a node for each subschema, an edge *in place* where one subschema is checked against
//! the same value as another (`allOf`, `$ref`), and an edge *inward* where it is checked against a part of that value
//! (`properties`, `items`). What the graph says about the work of a check is in [`visits`].

mod visits;

use std::collections::HashMap;

use model::limits;
use serde_json::{Map, Value};

use super::SchemaError;
use super::violation::bounded;

/// What else the survey found.
pub(super) struct Survey {
    /// Whether refusing more in any part can only make the whole refuse more.
    pub(super) monotone: bool,
}

/// Which part of a value an inward edge leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Part<'s> {
    /// A member of this name.
    Member(&'s str),
    /// Any member, whatever its name.
    AnyMember,
    /// The item at this place.
    Item(usize),
    /// Any item.
    AnyItem,
}

/// How a keyword uses the subschemas under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Checked against the same value, all of them: `allOf`, `then`.
    Also,
    /// Checked against the same value, as one of several ways: `anyOf`.
    Either,
    /// Checked against the same value or a part of it only to decide something: `if`, `not`.
    Test,
    /// Checked against members or items: what they declare is what a value may hold.
    Inward,
    /// Not checked by itself, only where something refers to it.
    Definition,
}

/// Where a keyword keeps its subschemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// The keyword's value is a subschema.
    One,
    /// It is a list of them.
    List,
    /// It is an object whose members are subschemas.
    Members,
}

/// Every keyword of draft 2020-12 that holds subschemas, and `definitions`, its older name for `$defs`.
pub(super) const APPLICATORS: [(&str, Shape, Use); 20] = [
    ("$defs", Shape::Members, Use::Definition),
    ("definitions", Shape::Members, Use::Definition),
    ("allOf", Shape::List, Use::Also),
    ("then", Shape::One, Use::Also),
    ("else", Shape::One, Use::Also),
    ("dependentSchemas", Shape::Members, Use::Also),
    ("anyOf", Shape::List, Use::Either),
    ("oneOf", Shape::List, Use::Either),
    ("if", Shape::One, Use::Test),
    ("not", Shape::One, Use::Test),
    ("contains", Shape::One, Use::Test),
    ("propertyNames", Shape::One, Use::Test),
    ("properties", Shape::Members, Use::Inward),
    ("patternProperties", Shape::Members, Use::Inward),
    ("additionalProperties", Shape::One, Use::Inward),
    ("unevaluatedProperties", Shape::One, Use::Inward),
    ("items", Shape::One, Use::Inward),
    ("prefixItems", Shape::List, Use::Inward),
    ("unevaluatedItems", Shape::One, Use::Inward),
    ("contentSchema", Shape::One, Use::Definition),
];

/// Keywords that make the schema mean something else than draft 2020-12 with local references says, and why each is
/// refused instead of ignored.
const REFUSED: [(&str, &str); 7] = [
    ("$dynamicRef", "only plain references are followed"),
    ("$recursiveRef", "only plain references are followed"),
    ("$dynamicAnchor", "only references by JSON pointer are followed"),
    ("$anchor", "only references by JSON pointer are followed"),
    ("$vocabulary", "only the vocabularies of draft 2020-12 are known"),
    ("dependencies", "draft 2020-12 has `dependentRequired` and `dependentSchemas` instead"),
    ("additionalItems", "draft 2020-12 has `items` beside `prefixItems` instead"),
];

/// Keywords under which a stricter part can make a looser whole.
const TURNING: [&str; 6] = ["not", "oneOf", "if", "contains", "maxContains", "propertyNames"];

/// The drafts whose schemas mean the same under 2020-12, once [`REFUSED`] is refused.
const DRAFTS: [&str; 4] = [
    "json-schema.org/draft/2020-12/schema",
    "json-schema.org/draft/2019-09/schema",
    "json-schema.org/draft-07/schema",
    "json-schema.org/draft-06/schema",
];

/// Reads the schema.
///
/// # Errors
/// When it is too big, reaches outside itself, or could be checked endlessly.
pub(super) fn run(schema: &Value) -> Result<Survey, SchemaError> {
    if !is_for_objects(schema) {
        return Err(SchemaError::NotObject);
    }
    let mut graph = Graph::default();
    graph.add(schema, "", 0)?;
    graph.link()?;
    visits::refuse_endless(&graph)?;
    visits::refuse_exponential(&graph)?;
    Ok(Survey { monotone: graph.monotone })
}

/// Whether a schema is an object whose `type`, if it has one, lets objects through.
fn is_for_objects(schema: &Value) -> bool {
    let Some(schema) = schema.as_object() else { return false };
    match schema.get("type") {
        None => true,
        Some(Value::String(kind)) => kind == "object",
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "object"),
        Some(_) => false,
    }
}

/// One subschema.
struct Node<'s> {
    pointer: String,
    in_place: Vec<usize>,
    inward: Vec<(Part<'s>, usize)>,
}

struct Graph<'s> {
    nodes: Vec<Node<'s>>,
    /// Nodes by their JSON pointer, for references.
    by_pointer: HashMap<String, usize>,
    references: Vec<(usize, &'s str)>,
    patterns: usize,
    monotone: bool,
}

impl Default for Graph<'_> {
    fn default() -> Self {
        Self { nodes: Vec::new(), by_pointer: HashMap::new(), references: Vec::new(), patterns: 0, monotone: true }
    }
}

impl<'s> Graph<'s> {
    /// Adds a subschema and everything under it; returns its node. The root is node 0.
    fn add(&mut self, schema: &'s Value, pointer: &str, depth: usize) -> Result<usize, SchemaError> {
        if depth > limits::SCHEMA_DEPTH_MAX {
            return Err(SchemaError::TooBig { what: "levels", max: limits::SCHEMA_DEPTH_MAX });
        }
        if self.nodes.len() >= limits::SUBSCHEMAS_MAX {
            return Err(SchemaError::TooBig { what: "subschemas", max: limits::SUBSCHEMAS_MAX });
        }
        let node = self.nodes.len();
        self.by_pointer.insert(pointer.to_owned(), node);
        self.nodes.push(Node { pointer: pointer.to_owned(), in_place: Vec::new(), inward: Vec::new() });
        let Some(keywords) = schema.as_object() else { return Ok(node) };
        self.weigh(keywords, pointer, node)?;
        for (keyword, shape, usage) in APPLICATORS {
            let Some(value) = keywords.get(keyword) else { continue };
            match (shape, value) {
                (Shape::One, value) => {
                    let child = self.add(value, &format!("{pointer}/{keyword}"), depth + 1)?;
                    self.connect(node, child, keyword, usage, None);
                }
                (Shape::List, Value::Array(list)) => {
                    for (place, value) in list.iter().enumerate() {
                        let child = self.add(value, &format!("{pointer}/{keyword}/{place}"), depth + 1)?;
                        self.connect(node, child, keyword, usage, Some(Part::Item(place)));
                    }
                }
                (Shape::Members, Value::Object(members)) => {
                    for (name, value) in members {
                        let child = self.add(value, &format!("{pointer}/{keyword}/{}", step(name)), depth + 1)?;
                        self.connect(node, child, keyword, usage, Some(Part::Member(name)));
                    }
                }
                (Shape::List | Shape::Members, _) => {
                    return Err(refused(keyword, pointer, "its value has another form in draft 2020-12"));
                }
            }
        }
        Ok(node)
    }

    /// The keywords of one subschema that hold no others.
    fn weigh(&mut self, keywords: &'s Map<String, Value>, pointer: &str, node: usize) -> Result<(), SchemaError> {
        for (keyword, why) in REFUSED {
            if keywords.contains_key(keyword) {
                return Err(refused(keyword, pointer, why));
            }
        }
        if let Some(draft) = keywords.get("$schema") {
            let named = draft.as_str().unwrap_or_default().trim_end_matches('#');
            let bare = named.strip_prefix("https://").or_else(|| named.strip_prefix("http://")).unwrap_or(named);
            if node != 0 || !DRAFTS.contains(&bare) {
                return Err(refused("$schema", pointer, "only draft 2020-12, and what means the same in it, is known"));
            }
        }
        if node != 0 && keywords.contains_key("$id") {
            return Err(refused("$id", pointer, "a part with an identifier of its own changes what references mean"));
        }
        if let Some(reference) = keywords.get("$ref") {
            let local = reference.as_str().and_then(|reference| reference.strip_prefix('#'));
            self.references.push((node, local.ok_or_else(|| lost(pointer))?));
        }
        let members = |keyword| keywords.get(keyword).and_then(Value::as_object).map_or(0, Map::len);
        self.patterns += usize::from(keywords.contains_key("pattern")) + members("patternProperties");
        if self.patterns > limits::SCHEMA_PATTERNS_MAX {
            return Err(SchemaError::TooBig { what: "patterns", max: limits::SCHEMA_PATTERNS_MAX });
        }
        self.monotone &= !TURNING.iter().any(|keyword| keywords.contains_key(*keyword));
        Ok(())
    }

    fn connect(&mut self, from: usize, to: usize, keyword: &str, usage: Use, part: Option<Part<'s>>) {
        let part = match (usage, keyword) {
            (Use::Definition, _) => return,
            (Use::Inward, "properties" | "prefixItems") => part,
            (Use::Inward, "items" | "unevaluatedItems") | (Use::Test, "contains") => Some(Part::AnyItem),
            (Use::Inward, _) | (Use::Test, "propertyNames") => Some(Part::AnyMember),
            (Use::Also | Use::Either | Use::Test, _) => None,
        };
        let Some(node) = self.nodes.get_mut(from) else { return };
        match part {
            Some(part) => node.inward.push((part, to)),
            None => node.in_place.push(to),
        }
    }

    /// Turns references into edges in place.
    fn link(&mut self) -> Result<(), SchemaError> {
        for (from, reference) in std::mem::take(&mut self.references) {
            // In a URI's fragment a pointer may be percent-encoded. What needs that can be spelled without it.
            let target = self.by_pointer.get(reference).copied();
            let Some(node) = self.nodes.get_mut(from) else { continue };
            node.in_place.push(target.ok_or_else(|| lost(&node.pointer))?);
        }
        Ok(())
    }
}

/// A member's name as one step of a JSON pointer.
pub(super) fn step(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn refused(keyword: &str, pointer: &str, why: &'static str) -> SchemaError {
    SchemaError::Keyword { keyword: keyword.to_owned(), at: bounded(pointer), why }
}

fn lost(pointer: &str) -> SchemaError {
    SchemaError::Reference { at: bounded(pointer) }
}
