//! The Cedar schema, in the three forms that checking needs.
//!
//! Cedar gives one action one type of context, while arguments differ from tool to tool. So a policy that reads
//! arguments is checked once for everything that has none, and once for each different set of arguments.

use cedar_policy::{Schema, SchemaError, SchemaFragment};
use serde_json::{Value, json};

use crate::shape::Fields;

/// The schema as people read it, in Cedar's own syntax.
pub const SCHEMA: &str = include_str!("schema.cedarschema");

/// Why the schema above cannot be used. A test proves that it can.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SchemaFault {
    #[error("the schema is not Cedar: {0}")]
    Text(String),
    #[error("the schema has no JSON form: {0}")]
    Form(String),
    #[error("the schema has nothing at `{0}`")]
    Place(&'static str),
}

/// The schema, ready to be narrowed.
pub(crate) struct Schemas {
    form: Value,
}

const CALL: &str = "//actions/call/appliesTo";

impl Schemas {
    pub(crate) fn new() -> Result<Self, SchemaFault> {
        let (fragment, _warnings) =
            SchemaFragment::from_cedarschema_str(SCHEMA).map_err(|error| SchemaFault::Text(error.to_string()))?;
        Ok(Self { form: fragment.to_json_value().map_err(form_fault)? })
    }

    /// For policies that read no arguments: everything at once.
    pub(crate) fn whole(&self) -> Result<Schema, SchemaFault> {
        Schema::from_json_value(self.form.clone()).map_err(form_fault)
    }

    /// For policies that read arguments: everything but the call of a tool, where there are none.
    pub(crate) fn without_tools(&self) -> Result<Schema, SchemaFault> {
        let mut form = self.form.clone();
        *place(&mut form, "//actions/call/appliesTo/resourceTypes")? = json!(["Prompt", "Resource", "Template"]);
        let context = place(&mut form, "//actions/call/appliesTo/context/attributes")?;
        context.as_object_mut().ok_or(SchemaFault::Place(CALL))?.remove("arguments");
        Schema::from_json_value(form).map_err(form_fault)
    }

    /// For policies that read arguments: the call of a tool with these, and nothing else.
    pub(crate) fn for_tool(&self, fields: &Fields) -> Result<Schema, SchemaFault> {
        let mut form = self.form.clone();
        let actions = place(&mut form, "//actions")?.as_object_mut().ok_or(SchemaFault::Place("//actions"))?;
        for (_, action) in actions.iter_mut().filter(|(name, _)| *name != "call") {
            action.as_object_mut().ok_or(SchemaFault::Place("//actions"))?.remove("appliesTo");
        }
        *place(&mut form, "//actions/call/appliesTo/resourceTypes")? = json!(["Tool"]);
        *place(&mut form, "//actions/call/appliesTo/context/attributes/arguments/required")? = json!(true);
        *place(&mut form, "//commonTypes/Arguments")? = fields.to_cedar();
        Schema::from_json_value(form).map_err(form_fault)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn form_fault(error: SchemaError) -> SchemaFault {
    SchemaFault::Form(error.to_string())
}

fn place<'a>(form: &'a mut Value, pointer: &'static str) -> Result<&'a mut Value, SchemaFault> {
    form.pointer_mut(pointer).ok_or(SchemaFault::Place(pointer))
}

#[cfg(test)]
mod tests;
