use super::*;

#[test]
fn every_form_of_the_schema_is_one_that_cedar_takes() {
    let schemas = Schemas::new().expect("the schema parses");
    schemas.whole().expect("the whole");
    schemas.without_tools().expect("without tools");
    let fields = Fields::read(&json!({"type": "object", "properties": {
        "amount": {"type": "integer"}, "rate": {"type": "number"}, "odd \" name": {"type": "string"},
        "lines": {"type": "array", "items": {"type": "string"}},
        "customer": {"type": "object", "properties": {"vip": {"type": "boolean"}}},
    }}));
    schemas.for_tool(&fields).expect("for a tool");
}
