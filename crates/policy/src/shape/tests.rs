use super::*;

fn shape_of(property: &Value) -> Result<(Shape, bool), &'static str> {
    let fields = Fields::read(&json!({
        "type": "object", "properties": { "x": property }, "required": ["x"],
        "$defs": { "Name": { "type": "string" }, "Loop": { "$ref": "#/$defs/Loop" } },
    }));
    match fields.known.get("x") {
        Some(field) => Ok((field.shape.clone(), field.required)),
        None => Err(fields.unreadable["x"]),
    }
}

#[test]
fn each_json_type_has_one_cedar_type() {
    assert_eq!(shape_of(&json!({"type": "string"})), Ok((Shape::Text, true)));
    assert_eq!(shape_of(&json!({"type": "integer"})), Ok((Shape::Whole, true)));
    assert_eq!(shape_of(&json!({"type": "number"})), Ok((Shape::Decimal, true)));
    assert_eq!(shape_of(&json!({"type": "boolean"})), Ok((Shape::Truth, true)));
    let texts = Shape::Many(Box::new(Shape::Text));
    assert_eq!(shape_of(&json!({"type": "array", "items": {"type": "string"}})), Ok((texts, true)));
    assert_eq!(shape_of(&json!({"$ref": "#/$defs/Name"})), Ok((Shape::Text, true)));
    assert_eq!(shape_of(&json!({"enum": ["eur", "usd"]})), Ok((Shape::Text, true)));
    assert_eq!(shape_of(&json!({"allOf": [{"$ref": "#/$defs/Name"}]})), Ok((Shape::Text, true)));
}

#[test]
fn what_may_be_null_is_not_required() {
    assert_eq!(shape_of(&json!({"type": ["string", "null"]})), Ok((Shape::Text, false)));
    assert_eq!(shape_of(&json!({"anyOf": [{"type": "integer"}, {"type": "null"}]})), Ok((Shape::Whole, false)));
    assert_eq!(shape_of(&json!({"enum": ["a", null]})), Ok((Shape::Text, false)));
}

#[test]
fn what_has_no_one_type_is_unreadable_and_says_why() {
    assert_eq!(shape_of(&json!(true)), Err(NO_TYPE));
    assert_eq!(shape_of(&json!({})), Err(NO_TYPE));
    assert_eq!(shape_of(&json!({"type": ["string", "integer"]})), Err(TWO_TYPES));
    assert_eq!(shape_of(&json!({"oneOf": [{"type": "string"}, {"type": "boolean"}]})), Err(TWO_TYPES));
    assert_eq!(shape_of(&json!({"type": "array"})), Err(LIST));
    assert_eq!(shape_of(&json!({"type": "array", "items": {"type": "object"}})), Err(LIST));
    assert_eq!(shape_of(&json!({"$ref": "#/$defs/Loop"})), Err(TOO_DEEP));
    assert_eq!(shape_of(&json!({"$ref": "https://example.com/x"})), Err(OUTSIDE));
}

#[test]
fn a_path_leads_into_records() {
    let fields = Fields::read(&json!({"type": "object", "properties": {
        "customer": {"type": "object", "properties": {"email": {"type": "string"}, "extra": {}}},
    }}));
    assert_eq!(fields.find(["customer", "email"].into_iter()), Found::Known);
    assert_eq!(fields.find(["customer", "phone"].into_iter()), Found::Undeclared);
    assert_eq!(fields.find(["customer", "extra"].into_iter()), Found::Unreadable(NO_TYPE));
}
