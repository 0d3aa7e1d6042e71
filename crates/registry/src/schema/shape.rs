//! What a schema declares: which members a value may have, and so which it may not.
//!
//! JSON Schema lets an object hold members that no one declared, unless it says otherwise. A gate cannot: what is not
//! declared was not approved, and no policy reads it. Writing `additionalProperties: false` into every object would
//! break schemas whose parts each know some members (`allOf`), and `unevaluatedProperties`, made for that, costs time
//! exponential in the depth of a value. So declared members are worked out here, once, as places: all subschemas that
//! can be checked against one value together make one place, a member is declared in a place if any of them names it,
//! and all of them that name it make the member's place. A check walks places and value side by side, and looks at
//! each member once.
//!
//! With `anyOf` and its like a member counts as declared whichever way is taken: the schema's own check says whether
//! the ways taken fit. Where the server says that anything goes, anything goes, and the approver is shown the place.

use std::collections::{BTreeMap, HashMap};

use jsonschema::Validator;
use model::limits;
use serde_json::{Map, Value, json};

use super::graph::{Graph, Node, Part, Use, is_of, step};
use super::violation::bounded;
use super::{SchemaError, Violation, build};

/// The places of a schema. Place 0 is the arguments as a whole.
pub(super) struct Shape {
    places: Vec<Place>,
    /// JSON pointers of the subschemas that let anything in.
    pub(super) open: Vec<String>,
}

/// What is declared of one value.
#[derive(Default)]
struct Place {
    /// Declared members by name, sorted.
    members: Vec<(Box<str>, Within)>,
    /// Whether a name that is not among them matches a declared pattern. Checks names only.
    patterns: Option<Validator>,
    /// What members of other names may be.
    rest: Within,
    /// The first items.
    first: Vec<Within>,
    /// The others.
    items: Within,
}

/// What lies at a member or an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Within {
    /// Nothing is declared there. For an item, whose array the schema itself must refuse, as for anything.
    #[default]
    Undeclared,
    /// Whatever the schema's own check lets through.
    Anything,
    /// A place of its own.
    Place(usize),
}

/// The subschemas that can be checked against one value together, and whether each must hold.
type Together = BTreeMap<usize, bool>;

/// Keywords by which a subschema says itself what a value may be, beyond words.
const SPEAKING: [&str; 14] = [
    "type",
    "const",
    "enum",
    "properties",
    "patternProperties",
    "additionalProperties",
    "unevaluatedProperties",
    "propertyNames",
    "required",
    "minProperties",
    "maxProperties",
    "dependentRequired",
    "items",
    "prefixItems",
];

impl Shape {
    /// Works the places out. INVARIANT: the graph passed [`super::visits`], so its paths in place end.
    ///
    /// # Errors
    /// When there are too many places, or a pattern is no linear regular expression.
    pub(super) fn of(graph: &Graph<'_>) -> Result<Self, SchemaError> {
        let mut making = Making::new(graph);
        let root = making.together(Together::from([(0, true)]))?;
        making.number(root)?;
        let mut places = Vec::new();
        while let Some(together) = making.waiting.get(places.len()).cloned() {
            places.push(making.place(&together)?);
        }
        making.open.sort();
        making.open.dedup();
        Ok(Self { places, open: making.open })
    }

    /// Whether a value has only declared members.
    pub(super) fn fits(&self, value: &Value) -> bool {
        self.fits_at(Within::Place(0), value)
    }

    fn fits_at(&self, within: Within, value: &Value) -> bool {
        let place = match within {
            Within::Anything => return true,
            Within::Undeclared => return false,
            Within::Place(number) => self.places.get(number),
        };
        match (place, value) {
            (Some(place), Value::Object(members)) => {
                place.fits_patterns(value)
                    && members.iter().all(|(name, value)| self.fits_at(place.member(name), value))
            }
            (Some(place), Value::Array(items)) => {
                items.iter().enumerate().all(|(number, item)| self.fits_at(place.item(number), item))
            }
            (Some(_), Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => true,
            (None, _) => false,
        }
    }

    /// What is not declared, told place by place; at most [`limits::VIOLATIONS_MAX`].
    pub(super) fn violations(&self, value: &Value) -> Vec<Violation> {
        let mut told = Vec::new();
        self.tell(Within::Place(0), value, "", &mut told);
        told
    }

    fn tell(&self, within: Within, value: &Value, pointer: &str, told: &mut Vec<Violation>) {
        let Within::Place(number) = within else { return };
        let Some(place) = self.places.get(number) else { return };
        match value {
            Value::Object(members) => {
                let undeclared: Vec<_> = members
                    .keys()
                    .map(String::as_str)
                    .filter(|name| place.member(name) == Within::Undeclared || !place.fits_pattern(name))
                    .collect();
                if !undeclared.is_empty() && told.len() < limits::VIOLATIONS_MAX {
                    told.push(Violation::undeclared(pointer, &undeclared));
                }
                for (name, value) in members {
                    if told.len() < limits::VIOLATIONS_MAX {
                        self.tell(place.member(name), value, &format!("{pointer}/{}", step(name)), told);
                    }
                }
            }
            Value::Array(items) => {
                for (number, item) in items.iter().enumerate() {
                    if told.len() < limits::VIOLATIONS_MAX {
                        self.tell(place.item(number), item, &format!("{pointer}/{number}"), told);
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

impl Place {
    fn member(&self, name: &str) -> Within {
        let found = self.members.binary_search_by(|(declared, _)| declared.as_ref().cmp(name));
        found.ok().and_then(|place| self.members.get(place)).map_or(self.rest, |(_, within)| *within)
    }

    fn item(&self, number: usize) -> Within {
        self.first.get(number).copied().unwrap_or(self.items)
    }

    fn fits_patterns(&self, object: &Value) -> bool {
        self.patterns.as_ref().is_none_or(|patterns| patterns.is_valid(object))
    }

    /// As [`Place::fits_patterns`], for one name.
    fn fits_pattern(&self, name: &str) -> bool {
        let alone = || Value::Object(Map::from_iter([(name.to_owned(), Value::Null)]));
        self.patterns.as_ref().is_none_or(|patterns| patterns.is_valid(&alone()))
    }
}

/// Places being worked out.
struct Making<'g, 's> {
    graph: &'g Graph<'s>,
    /// Whether each subschema lets anything in.
    free: Vec<bool>,
    numbers: HashMap<Together, usize>,
    /// The subschemas of each place, by its number.
    waiting: Vec<Together>,
    open: Vec<String>,
    steps: usize,
}

/// What the subschemas of one place declare, part by part.
#[derive(Default)]
struct Declared<'s> {
    members: BTreeMap<&'s str, Together>,
    patterned: Together,
    rest: Together,
    first: BTreeMap<usize, Together>,
    items: Together,
}

impl<'s> Declared<'s> {
    fn by<'g>(nodes: &[(&'g Node<'s>, bool)]) -> Self {
        let mut declared = Self::default();
        for (node, must) in nodes {
            for edge in &node.inward {
                let of = match (edge.usage, edge.part) {
                    (Use::Test | Use::Definition, _) => continue,
                    (Use::Must | Use::May, Part::Member(name)) => declared.members.entry(name).or_default(),
                    (Use::Must | Use::May, Part::AnyMember) if edge.keyword == "patternProperties" => {
                        &mut declared.patterned
                    }
                    (Use::Must | Use::May, Part::AnyMember) => &mut declared.rest,
                    (Use::Must | Use::May, Part::Item(number)) => declared.first.entry(number).or_default(),
                    (Use::Must | Use::May, Part::AnyItem) => &mut declared.items,
                };
                *of.entry(edge.to).or_default() |= must;
            }
        }
        declared
    }
}

impl<'g, 's> Making<'g, 's> {
    fn new(graph: &'g Graph<'s>) -> Self {
        let mut known = vec![None; graph.nodes.len()];
        let free = (0..graph.nodes.len()).map(|node| is_free(graph, node, &mut known)).collect();
        Self { graph, free, numbers: HashMap::new(), waiting: Vec::new(), open: Vec::new(), steps: 0 }
    }

    /// The number of a place, new or known.
    fn number(&mut self, together: Together) -> Result<usize, SchemaError> {
        if let Some(number) = self.numbers.get(&together) {
            return Ok(*number);
        }
        let number = self.waiting.len();
        if number >= limits::SCHEMA_PLACES_MAX {
            return Err(SchemaError::TooBig { what: "combinations of subschemas", max: limits::SCHEMA_PLACES_MAX });
        }
        self.numbers.insert(together.clone(), number);
        self.waiting.push(together);
        Ok(number)
    }

    /// Adds the subschemas that speak about the same value: those that must hold and those that may.
    fn together(&mut self, heads: Together) -> Result<Together, SchemaError> {
        let mut all = Together::new();
        let mut waiting: Vec<_> = heads.into_iter().collect();
        while let Some((node, must)) = waiting.pop() {
            self.steps += 1;
            if self.steps > limits::SCHEMA_STEPS_MAX {
                let max = limits::SCHEMA_STEPS_MAX;
                return Err(SchemaError::TooBig { what: "combinations of subschemas", max });
            }
            // Known already, and as firmly.
            if all.get(&node).is_some_and(|known| *known || !must) {
                continue;
            }
            all.insert(node, must);
            for (usage, to) in self.graph.nodes.get(node).into_iter().flat_map(|node| &node.in_place) {
                match usage {
                    Use::Must => waiting.push((*to, must)),
                    Use::May => waiting.push((*to, false)),
                    Use::Test | Use::Definition => {}
                }
            }
        }
        Ok(all)
    }

    /// One place, with whatever places lie within it numbered.
    fn place(&mut self, together: &Together) -> Result<Place, SchemaError> {
        let graph = self.graph;
        let nodes: Vec<_> = together.iter().filter_map(|(node, must)| Some((graph.nodes.get(*node)?, *must))).collect();
        let declared = Declared::by(&nodes);
        let mut place = Place { rest: self.rest(&nodes, declared.rest)?, ..Place::default() };
        if place.rest == Within::Undeclared && !declared.patterned.is_empty() {
            place.patterns = Some(names_only(&nodes, declared.members.keys())?);
            place.rest = self.within(declared.patterned)?;
        }
        for (name, heads) in declared.members {
            place.members.push((name.into(), self.within(heads)?));
        }
        let listing = nodes.iter().map(|(node, _)| *node).filter(|node| is_listing(node));
        place.items = if declared.items.is_empty() {
            self.open.extend(listing.map(|node| bounded(&node.pointer)));
            Within::Anything
        } else {
            self.within(declared.items)?
        };
        // Lists of subschemas have no gaps, so neither have the numbers of items.
        for (_, heads) in declared.first {
            place.first.push(self.within(heads)?);
        }
        Ok(place)
    }

    /// What members of undeclared names may be: what the schema says of them, if it says anything.
    fn rest(&mut self, nodes: &[(&Node<'s>, bool)], mut heads: Together) -> Result<Within, SchemaError> {
        let is_false = |node: &usize| self.graph.nodes.get(*node).is_some_and(|node| node.is_false);
        heads.retain(|node, _| !is_false(node));
        let spelled = nodes.iter().map(|(node, _)| *node).find(|node| is_spelled_out(node));
        let open = heads.keys().find(|node| self.is_free(**node)).and_then(|node| self.graph.nodes.get(*node));
        if let Some(open) = open.or(spelled) {
            self.open.push(bounded(&open.pointer));
            return Ok(Within::Anything);
        }
        if heads.is_empty() { Ok(Within::Undeclared) } else { self.within(heads) }
    }

    /// What lies at a member or item that these subschemas describe.
    fn within(&mut self, heads: Together) -> Result<Within, SchemaError> {
        // What must hold says more than what may: only where all of it lets anything in does anything go.
        let mut must = heads.iter().filter(|(_, must)| **must).map(|(node, _)| *node).peekable();
        let open = match must.peek() {
            Some(_) => must.all(|node| self.is_free(node)),
            None => heads.keys().any(|node| self.is_free(*node)),
        };
        if open {
            let free = heads.keys().filter(|node| self.is_free(**node));
            let pointers: Vec<_> =
                free.filter_map(|node| self.graph.nodes.get(*node)).map(|node| bounded(&node.pointer)).collect();
            self.open.extend(pointers);
            return Ok(Within::Anything);
        }
        let together = self.together(heads)?;
        self.number(together).map(Within::Place)
    }

    fn is_free(&self, node: usize) -> bool {
        self.free.get(node).copied().unwrap_or_default()
    }
}

/// Whether a subschema lets in an object with any members: it says nothing, or leaves it to others that let it in.
fn is_free(graph: &Graph<'_>, node: usize, known: &mut [Option<bool>]) -> bool {
    if let Some(known) = known.get(node).copied().flatten() {
        return known;
    }
    let Some(found) = graph.nodes.get(node) else { return false };
    let free = match found.keywords {
        None => !found.is_false,
        Some(keywords) if keywords.keys().any(|keyword| SPEAKING.contains(&keyword.as_str())) => false,
        Some(_) => {
            let mut of = |wanted: Use| -> Vec<bool> {
                let to = found.in_place.iter().filter(|(usage, _)| *usage == wanted);
                to.map(|(_, to)| is_free(graph, *to, known)).collect()
            };
            let (must, may) = (of(Use::Must), of(Use::May));
            must.into_iter().all(|free| free) && (may.is_empty() || may.into_iter().any(|free| free))
        }
    };
    if let Some(place) = known.get_mut(node) {
        *place = Some(free);
    }
    free
}

/// Whether a subschema is for lists.
fn is_listing(node: &Node<'_>) -> bool {
    let declared = node.keywords.and_then(|keywords| is_of(keywords, "array"));
    declared == Some(true) || node.keyword("prefixItems").is_some()
}

/// Whether a subschema spells out objects or lists as constants, which its own check alone can tell.
fn is_spelled_out(node: &Node<'_>) -> bool {
    let nested = |value: &Value| value.is_object() || value.is_array();
    node.keyword("const").is_some_and(nested)
        || node.keyword("enum").and_then(Value::as_array).is_some_and(|all| all.iter().any(nested))
}

/// A check of nothing but members' names, by the same regular expressions as the schema's own.
fn names_only<'n>(
    nodes: &[(&Node<'_>, bool)],
    named: impl Iterator<Item = &'n &'n str>,
) -> Result<Validator, SchemaError> {
    let any = |name: &str| (name.to_owned(), Value::Bool(true));
    let patterned = nodes.iter().filter_map(|(node, _)| node.keyword("patternProperties")?.as_object());
    let patterns: Map<_, _> = patterned.flatten().map(|(pattern, _)| any(pattern)).collect();
    let names: Map<_, _> = named.map(|name| any(name)).collect();
    build(&json!({ "properties": names, "patternProperties": patterns, "additionalProperties": false }))
}
