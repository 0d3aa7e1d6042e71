//! The one type each argument of a tool has, read from its JSON Schema.
//!
//! Only what is certain counts: a property whose schema leaves room for two types, or for a type Cedar does not have,
//! is not given one. Policies cannot read it, and say so when they are loaded, rather than find it absent at a call.

use std::collections::BTreeMap;

use model::limits;
use serde_json::{Map, Value, json};

/// The type of one value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Shape {
    /// `string`.
    Text,
    /// `integer`: Cedar's Long, 64 bits.
    Whole,
    /// `number`: Cedar's decimal, four places.
    Decimal,
    /// `boolean`.
    Truth,
    /// `array` of one scalar: Cedar's Set.
    Many(Box<Self>),
    /// `object`: Cedar's record.
    Record(Fields),
}

/// The members of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Fields {
    pub(crate) known: BTreeMap<String, Field>,
    /// Members that are declared and have no one type, with the reason.
    pub(crate) unreadable: BTreeMap<String, &'static str>,
}

/// One member with a type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Field {
    pub(crate) shape: Shape,
    /// Whether every valid value has it, and not as `null`.
    pub(crate) required: bool,
}

/// What a path of names leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// To a value with a type.
    Known,
    /// To a member without one, for this reason.
    Unreadable(&'static str),
    /// To nothing the schema declares.
    Undeclared,
}

impl Fields {
    /// The arguments that a tool's input schema declares.
    pub(crate) fn read(input_schema: &Value) -> Self {
        let mut reader = Reader { root: input_schema, following: Vec::new(), remaining: limits::SUBSCHEMAS_MAX };
        input_schema.as_object().map_or_else(Self::default, |schema| reader.fields(schema, 0))
    }

    /// Where a path of names leads.
    pub(crate) fn find<'a>(&self, mut path: impl Iterator<Item = &'a str>) -> Found {
        let Some(name) = path.next() else { return Found::Known };
        if let Some(why) = self.unreadable.get(name) {
            return Found::Unreadable(why);
        }
        match self.known.get(name).map(|field| &field.shape) {
            Some(Shape::Record(fields)) => fields.find(path),
            Some(Shape::Text | Shape::Whole | Shape::Decimal | Shape::Truth | Shape::Many(_)) => Found::Known,
            None => Found::Undeclared,
        }
    }

    /// The first member anywhere inside that has no type.
    pub(crate) fn first_unreadable(&self) -> Option<(&str, &'static str)> {
        let own = self.unreadable.iter().next().map(|(name, why)| (name.as_str(), *why));
        own.or_else(|| {
            self.known.values().find_map(|field| match &field.shape {
                Shape::Record(fields) => fields.first_unreadable(),
                Shape::Text | Shape::Whole | Shape::Decimal | Shape::Truth | Shape::Many(_) => None,
            })
        })
    }

    /// The type as Cedar's JSON schema format writes it.
    pub(crate) fn to_cedar(&self) -> Value {
        let attributes: Map<String, Value> =
            self.known.iter().map(|(name, field)| (name.clone(), field.to_cedar())).collect();
        json!({ "type": "Record", "attributes": attributes })
    }
}

impl Field {
    fn to_cedar(&self) -> Value {
        let mut form = self.shape.to_cedar();
        if let Some(members) = form.as_object_mut() {
            members.insert("required".to_owned(), json!(self.required));
        }
        form
    }
}

impl Shape {
    fn to_cedar(&self) -> Value {
        match self {
            Self::Text => json!({ "type": "String" }),
            Self::Whole => json!({ "type": "Long" }),
            Self::Decimal => json!({ "type": "Extension", "name": "decimal" }),
            Self::Truth => json!({ "type": "Boolean" }),
            Self::Many(of) => json!({ "type": "Set", "element": of.to_cedar() }),
            Self::Record(fields) => fields.to_cedar(),
        }
    }

    fn is_scalar(&self) -> bool {
        match self {
            Self::Text | Self::Whole | Self::Decimal | Self::Truth => true,
            Self::Many(_) | Self::Record(_) => false,
        }
    }
}

/// A type, and whether `null` may stand in its place.
struct Read {
    shape: Shape,
    nullable: bool,
}

const NO_TYPE: &str = "its schema does not say its type";
const TWO_TYPES: &str = "its schema allows more than one type";
const LIST: &str = "it is a list of something other than texts, numbers or truth values";
const TOO_DEEP: &str = "its schema is too large, too deep, or refers to itself";
const OUTSIDE: &str = "its schema refers to something that is not in it";

struct Reader<'a> {
    root: &'a Value,
    /// The references being followed, so that a schema that refers to itself ends.
    following: Vec<&'a str>,
    /// Subschemas that may still be read, so that one that branches at every reference ends soon.
    remaining: usize,
}

impl<'a> Reader<'a> {
    fn fields(&mut self, schema: &'a Map<String, Value>, depth: usize) -> Fields {
        let names = schema.get("required").and_then(Value::as_array);
        let required = |name: &str| names.is_some_and(|names| names.iter().any(|one| one.as_str() == Some(name)));
        let mut fields = Fields::default();
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            match self.read(property, depth + 1) {
                Ok(Read { shape, nullable }) => {
                    fields.known.insert(name.clone(), Field { shape, required: required(name) && !nullable });
                }
                Err(why) => {
                    fields.unreadable.insert(name.clone(), why);
                }
            }
        }
        fields
    }

    fn read(&mut self, schema: &'a Value, depth: usize) -> Result<Read, &'static str> {
        if depth > limits::SCHEMA_DEPTH_MAX || self.remaining == 0 {
            return Err(TOO_DEEP);
        }
        self.remaining -= 1;
        let schema = schema.as_object().ok_or(NO_TYPE)?;
        // All keywords of a schema hold together, so the first that settles the type settles it.
        if let Some(word) = schema.get("type") {
            return self.read_type(word, schema, depth);
        }
        if let Some(reference) = schema.get("$ref") {
            let pointer = reference.as_str().and_then(|text| text.strip_prefix('#')).ok_or(OUTSIDE)?;
            let target = self.root.pointer(pointer).ok_or(OUTSIDE)?;
            if self.following.contains(&pointer) {
                return Err(TOO_DEEP);
            }
            self.following.push(pointer);
            let read = self.read(target, depth + 1);
            self.following.pop();
            return read;
        }
        if let Some(value) = schema.get("const") {
            return read_values(std::slice::from_ref(value));
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            return read_values(values);
        }
        let choices = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array);
        if let Some(choices) = choices {
            return agree(choices.iter().map(|choice| match is_null(choice) {
                true => Ok(None),
                false => self.read(choice, depth + 1).map(Some),
            }));
        }
        match schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
            Some([only]) => self.read(only, depth + 1),
            Some(_) | None => Err(NO_TYPE),
        }
    }

    fn read_type(
        &mut self,
        word: &'a Value,
        schema: &'a Map<String, Value>,
        depth: usize,
    ) -> Result<Read, &'static str> {
        if let Some(words) = word.as_array() {
            let nullable = words.iter().any(|word| word.as_str() == Some("null"));
            let mut others = words.iter().filter(|word| word.as_str() != Some("null"));
            return match (others.next(), others.next()) {
                (Some(only), None) => Ok(Read { nullable, ..self.read_type(only, schema, depth)? }),
                (Some(_), Some(_)) => Err(TWO_TYPES),
                (None, _) => Err(NO_TYPE),
            };
        }
        let shape = match word.as_str().unwrap_or_default() {
            "string" => Shape::Text,
            "integer" => Shape::Whole,
            "number" => Shape::Decimal,
            "boolean" => Shape::Truth,
            "array" => self.read_list(schema, depth)?,
            "object" => Shape::Record(self.fields(schema, depth)),
            _ => return Err(NO_TYPE),
        };
        Ok(Read { shape, nullable: false })
    }

    fn read_list(&mut self, schema: &'a Map<String, Value>, depth: usize) -> Result<Shape, &'static str> {
        if schema.contains_key("prefixItems") {
            return Err(LIST);
        }
        let Read { shape, nullable } = self.read(schema.get("items").ok_or(LIST)?, depth + 1)?;
        if nullable || !shape.is_scalar() {
            return Err(LIST);
        }
        Ok(Shape::Many(Box::new(shape)))
    }
}

/// The one type that every alternative has; `None` stands for `null`.
fn agree(alternatives: impl Iterator<Item = Result<Option<Read>, &'static str>>) -> Result<Read, &'static str> {
    let mut agreed: Option<Shape> = None;
    let mut nullable = false;
    for alternative in alternatives {
        let Some(read) = alternative? else {
            nullable = true;
            continue;
        };
        nullable |= read.nullable;
        match &agreed {
            None => agreed = Some(read.shape),
            Some(shape) if *shape == read.shape => {}
            Some(_) => return Err(TWO_TYPES),
        }
    }
    agreed.map(|shape| Read { shape, nullable }).ok_or(NO_TYPE)
}

/// The type that every one of these constants has.
fn read_values(values: &[Value]) -> Result<Read, &'static str> {
    agree(values.iter().map(|value| {
        let shape = match value {
            Value::Null => return Ok(None),
            Value::String(_) => Shape::Text,
            Value::Bool(_) => Shape::Truth,
            Value::Number(number) if number.is_i64() => Shape::Whole,
            Value::Number(_) => Shape::Decimal,
            Value::Array(_) | Value::Object(_) => return Err(NO_TYPE),
        };
        Ok(Some(Read { shape, nullable: false }))
    }))
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("null")
}

#[cfg(test)]
mod tests;
