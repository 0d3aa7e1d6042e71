//! A hostile schema as a graph, read whole before anything compiles it.
//!
//! There is a node for each subschema, an edge *in place* where one subschema is checked against the same value as
//! another (`allOf`, `$ref`), and an edge *inward* where it is checked against a part of that value (`properties`,
//! `items`). Building it bounds the schema's size and sees to it that every reference leads to a node.
//! [`super::visits`] then bounds the work of a check, and [`super::shape`] says what the schema declares.

use std::collections::HashMap;

use model::limits;
use serde_json::{Map, Value};

use super::SchemaError;
use super::violation::bounded;

/// A schema, read. Node 0 is the whole of it.
#[derive(Default)]
pub(super) struct Graph<'s> {
    pub(super) nodes: Vec<Node<'s>>,
    /// Nodes by their JSON pointer, for references.
    by_pointer: HashMap<String, usize>,
    references: Vec<(usize, &'s str)>,
    patterns: usize,
}

/// One subschema.
pub(super) struct Node<'s> {
    pub(super) pointer: String,
    /// `None` for `true` and `false`, and for what is no schema at all, which the compiler refuses.
    pub(super) keywords: Option<&'s Map<String, Value>>,
    /// Whether it is `false`, which lets nothing in.
    pub(super) is_false: bool,
    /// The subschemas that are checked against the same value, and how.
    pub(super) in_place: Vec<(Use, usize)>,
    /// The subschemas that are checked against parts of the value.
    pub(super) inward: Vec<Inward<'s>>,
}

/// An edge inward.
pub(super) struct Inward<'s> {
    pub(super) part: Part<'s>,
    pub(super) usage: Use,
    /// The keyword that makes the edge.
    pub(super) keyword: &'static str,
    pub(super) to: usize,
}

/// Which part of a value an edge inward leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Part<'s> {
    /// The member of this name.
    Member(&'s str),
    /// Any member.
    AnyMember,
    /// The item at this place.
    Item(usize),
    /// Any item.
    AnyItem,
}

/// How a keyword uses the subschemas under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Each must hold: `allOf`, `$ref`, `properties`.
    Must,
    /// Some may hold: `anyOf`, `then`.
    May,
    /// It only decides something: `if`, `not`. What it names is not declared by it.
    Test,
    /// Nothing, unless a reference leads there.
    Definition,
}

/// Where a keyword keeps its subschemas.
#[derive(Clone, Copy)]
enum Shape {
    /// The keyword's value is a subschema.
    One,
    /// It is a list of them.
    List,
    /// It is an object whose members are subschemas.
    Members,
}

/// Whether the subschemas under a keyword are checked against the same value or against parts of it.
#[derive(Clone, Copy)]
enum Place {
    Same,
    /// Against the member or item of the subschema's own name or place.
    Own,
    AnyMember,
    AnyItem,
}

/// Every keyword of draft 2020-12 that holds subschemas, and `definitions`, its older name for `$defs`.
const APPLICATORS: [(&str, Shape, Use, Place); 20] = [
    ("$defs", Shape::Members, Use::Definition, Place::Same),
    ("definitions", Shape::Members, Use::Definition, Place::Same),
    ("contentSchema", Shape::One, Use::Definition, Place::Same),
    ("allOf", Shape::List, Use::Must, Place::Same),
    ("anyOf", Shape::List, Use::May, Place::Same),
    ("oneOf", Shape::List, Use::May, Place::Same),
    ("then", Shape::One, Use::May, Place::Same),
    ("else", Shape::One, Use::May, Place::Same),
    ("dependentSchemas", Shape::Members, Use::May, Place::Same),
    ("if", Shape::One, Use::Test, Place::Same),
    ("not", Shape::One, Use::Test, Place::Same),
    ("contains", Shape::One, Use::Test, Place::AnyItem),
    ("propertyNames", Shape::One, Use::Test, Place::AnyMember),
    ("properties", Shape::Members, Use::Must, Place::Own),
    ("patternProperties", Shape::Members, Use::Must, Place::AnyMember),
    ("additionalProperties", Shape::One, Use::Must, Place::AnyMember),
    ("unevaluatedProperties", Shape::One, Use::Must, Place::AnyMember),
    ("prefixItems", Shape::List, Use::Must, Place::Own),
    ("items", Shape::One, Use::Must, Place::AnyItem),
    ("unevaluatedItems", Shape::One, Use::Must, Place::AnyItem),
];

/// Keywords that make the schema mean something else than draft 2020-12 with local references says, and why each is
/// refused instead of ignored. Anchors are not among them: no reference that names one is followed, so they say nothing.
const REFUSED: [(&str, &str); 5] = [
    ("$dynamicRef", "only plain references are followed"),
    ("$recursiveRef", "only plain references are followed"),
    ("$vocabulary", "only the vocabularies of draft 2020-12 are known"),
    ("dependencies", "draft 2020-12 has `dependentRequired` and `dependentSchemas` instead"),
    ("additionalItems", "draft 2020-12 has `items` beside `prefixItems` instead"),
];

/// The drafts whose schemas mean the same under 2020-12, once [`REFUSED`] is refused.
const DRAFTS: [&str; 4] = [
    "json-schema.org/draft/2020-12/schema",
    "json-schema.org/draft/2019-09/schema",
    "json-schema.org/draft-07/schema",
    "json-schema.org/draft-06/schema",
];

impl<'s> Graph<'s> {
    /// Reads a schema.
    ///
    /// # Errors
    /// When it is not for objects, too big, or reaches outside itself.
    pub(super) fn read(schema: &'s Value) -> Result<Self, SchemaError> {
        let mut graph = Self::default();
        if !schema.as_object().is_some_and(|keywords| is_of(keywords, "object").unwrap_or(true)) {
            return Err(SchemaError::NotObject);
        }
        graph.add(schema, "", 0)?;
        graph.link()?;
        Ok(graph)
    }

    /// Adds a subschema and everything under it; returns its node.
    fn add(&mut self, schema: &'s Value, pointer: &str, depth: usize) -> Result<usize, SchemaError> {
        if depth > limits::SCHEMA_DEPTH_MAX {
            return Err(SchemaError::TooBig { what: "levels", max: limits::SCHEMA_DEPTH_MAX });
        }
        let node = self.nodes.len();
        if node >= limits::SUBSCHEMAS_MAX {
            return Err(SchemaError::TooBig { what: "subschemas", max: limits::SUBSCHEMAS_MAX });
        }
        self.by_pointer.insert(pointer.to_owned(), node);
        self.nodes.push(Node {
            pointer: pointer.to_owned(),
            keywords: schema.as_object(),
            is_false: *schema == Value::Bool(false),
            in_place: Vec::new(),
            inward: Vec::new(),
        });
        let Some(keywords) = schema.as_object() else { return Ok(node) };
        self.weigh(keywords, pointer, node)?;
        for (keyword, shape, usage, place) in APPLICATORS {
            let Some(value) = keywords.get(keyword) else { continue };
            let mut child = |value, step: &str, own| {
                let to = self.add(value, &format!("{pointer}/{keyword}{step}"), depth + 1)?;
                self.connect(node, to, keyword, usage, place, own);
                Ok(())
            };
            match (shape, value) {
                (Shape::One, value) => child(value, "", None)?,
                (Shape::List, Value::Array(list)) => {
                    for (place, value) in list.iter().enumerate() {
                        child(value, &format!("/{place}"), Some(Part::Item(place)))?;
                    }
                }
                (Shape::Members, Value::Object(members)) => {
                    for (name, value) in members {
                        child(value, &format!("/{}", step(name)), Some(Part::Member(name)))?;
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
        Ok(())
    }

    fn connect(
        &mut self,
        from: usize,
        to: usize,
        keyword: &'static str,
        usage: Use,
        place: Place,
        own: Option<Part<'s>>,
    ) {
        let Some(node) = self.nodes.get_mut(from) else { return };
        let part = match (usage, place) {
            (Use::Definition, _) => return,
            (Use::Must | Use::May | Use::Test, Place::Same) => None,
            (Use::Must | Use::May | Use::Test, Place::Own) => own,
            (Use::Must | Use::May | Use::Test, Place::AnyMember) => Some(Part::AnyMember),
            (Use::Must | Use::May | Use::Test, Place::AnyItem) => Some(Part::AnyItem),
        };
        match part {
            Some(part) => node.inward.push(Inward { part, usage, keyword, to }),
            None => node.in_place.push((usage, to)),
        }
    }

    /// Turns references into edges in place.
    fn link(&mut self) -> Result<(), SchemaError> {
        for (from, reference) in std::mem::take(&mut self.references) {
            // In a URI's fragment a pointer may be percent-encoded. What needs that can be spelled without it.
            let target = self.by_pointer.get(reference).copied();
            let Some(node) = self.nodes.get_mut(from) else { continue };
            node.in_place.push((Use::Must, target.ok_or_else(|| lost(&node.pointer))?));
        }
        Ok(())
    }
}

impl Node<'_> {
    /// The value of a keyword.
    pub(super) fn keyword(&self, keyword: &str) -> Option<&Value> {
        self.keywords?.get(keyword)
    }

    /// Whether any of these keywords is there.
    pub(super) fn has_any(&self, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.keyword(keyword).is_some())
    }
}

/// Whether the `type` of a schema lets values of a type through; `None` if it has no `type`.
pub(super) fn is_of(keywords: &Map<String, Value>, wanted: &str) -> Option<bool> {
    match keywords.get("type")? {
        Value::String(kind) => Some(kind == wanted),
        Value::Array(kinds) => Some(kinds.iter().any(|kind| kind == wanted)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Some(false),
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
