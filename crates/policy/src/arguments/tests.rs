use serde_json::json;

use super::*;

fn fields() -> Fields {
    Fields::read(&json!({"type": "object", "properties": {
        "amount": {"type": "integer"}, "rate": {"type": "number"}, "path": {"type": "string"},
        "sure": {"type": "boolean"}, "tags": {"type": "array", "items": {"type": "string"}},
        "customer": {"type": "object", "properties": {"email": {"type": "string"}, "notes": {}}},
        "odd": {},
    }}))
}

fn build_all(arguments: &Value) -> Result<String, &'static str> {
    let built = build(&fields(), Some(arguments), |_| true).map_err(|inexact| inexact.why)?;
    let context = cedar_policy::Context::from_pairs([("arguments".to_owned(), built)]).expect("context");
    Ok(context.to_string())
}

fn is(arguments: &Value, same: &Value) {
    assert_eq!(build_all(arguments).expect("built"), build_all(same).expect("built"));
}

#[test]
fn one_amount_in_three_spellings_is_one_whole_number() {
    is(&json!({"amount": 100.0}), &json!({"amount": 100}));
    is(&serde_json::from_str(r#"{"amount": 1e2}"#).expect("json"), &json!({"amount": 100}));
    is(&json!({"rate": 100}), &json!({"rate": 100.0}));
}

#[test]
fn null_is_absent() {
    is(&json!({"amount": null, "path": null}), &json!({}));
}

#[test]
fn a_number_that_a_decimal_cannot_hold_is_an_error_and_never_absent() {
    assert!(build_all(&json!({"rate": 0.1234})).is_ok());
    assert_eq!(build_all(&json!({"rate": 0.12345})), Err(TOO_FINE));
    assert_eq!(build_all(&json!({"rate": 1e-9})), Err(TOO_FINE));
    assert_eq!(build_all(&json!({"rate": 922_337_203_685_478_i64})), Err(TOO_LARGE));
    assert_eq!(build_all(&json!({"rate": 100_000_000_000.5})), Err(TOO_LARGE));
    assert_eq!(build_all(&json!({"rate": 1e300})), Err(TOO_LARGE));
}

#[test]
fn a_whole_number_beyond_64_bits_or_beyond_a_floats_exactness_is_an_error() {
    assert!(build_all(&json!({"amount": i64::MAX})).is_ok());
    assert_eq!(build_all(&json!({"amount": u64::MAX})), Err(TOO_LARGE));
    assert_eq!(build_all(&json!({"amount": 9_007_199_254_740_992.0})), Err(TOO_LARGE));
    assert_eq!(build_all(&json!({"amount": 1.5})), Err(NOT_OF_TYPE));
}

#[test]
fn a_value_of_another_type_is_an_error() {
    assert_eq!(build_all(&json!({"path": ["/etc/shadow"]})), Err(NOT_OF_TYPE));
    assert_eq!(build_all(&json!({"amount": "100"})), Err(NOT_OF_TYPE));
    assert_eq!(build_all(&json!({"tags": "a"})), Err(NOT_OF_TYPE));
    assert_eq!(build_all(&json!({"tags": ["a", null]})), Err(NOT_OF_TYPE));
    assert_eq!(build_all(&json!({"odd": 1})), Err(NO_TYPE));
    assert_eq!(build_all(&json!({"unheard_of": 1})), Err(UNDECLARED));
    assert_eq!(build_all(&json!({"customer": {"phone": "1"}})), Err(UNDECLARED));
    assert!(build_all(&json!({"customer": {"email": "a@b", "notes": [1]}})).is_ok());
    assert!(build_all(&json!([1])).is_err());
}

#[test]
fn cedars_json_escapes_are_plain_values_of_the_wrong_type() {
    assert_eq!(build_all(&json!({"path": {"__entity": {"type": "User", "id": "admin"}}})), Err(NOT_OF_TYPE));
    assert_eq!(build_all(&json!({"rate": {"__extn": {"fn": "decimal", "arg": "1.0"}}})), Err(NOT_OF_TYPE));
    assert_eq!(build_all(&json!({"customer": {"__entity": {"type": "User", "id": "admin"}}})), Err(UNDECLARED));
}

#[test]
fn what_no_policy_wants_is_not_built() {
    let built = build(&fields(), Some(&json!({"amount": "nonsense", "path": "a"})), |name| name == "path");
    assert!(built.is_ok());
}
