use model::Reason;
use serde_json::json;

use super::*;

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "region": { "type": "string", "x-mcp-header": "Region" },
            "count": { "type": "integer", "x-mcp-header": "Count" },
            "where": { "type": "object", "properties": { "dry": { "type": "boolean", "x-mcp-header": "Dry-Run" } } },
            "x-mcp-header": { "type": "string" },
            "free": { "type": "string", "default": { "x-mcp-header": "data" } },
        },
    })
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs.iter().map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())).collect()
}

fn agrees(pairs: &[(&'static str, &str)], arguments: &Value) -> bool {
    let compiled = ParamHeaders::compile(&schema()).unwrap();
    match compiled.check(&headers(pairs), Some(arguments)) {
        Ok(()) => true,
        Err(flaw) => {
            assert_eq!(flaw.refusal.reason, Reason::HeaderMismatch);
            false
        }
    }
}

#[test]
fn headers_that_mirror_their_arguments_agree() {
    let arguments = json!({ "region": "eu", "count": 42, "where": { "dry": true } });
    let mirrored = [("mcp-param-region", "eu"), ("mcp-param-count", "42"), ("mcp-param-dry-run", "true")];
    assert!(agrees(&mirrored, &arguments));
    assert!(agrees(&[], &json!({})));
    assert!(agrees(&[], &json!({ "region": null, "count": null, "where": null })));
    assert!(agrees(&[("mcp-param-unknown", "x")], &json!({ "free": "y" })));
    assert!(agrees(&[("mcp-param-region", "=?base64?w6Q=?=")], &json!({ "region": "ä" })));
    assert!(agrees(&[("mcp-param-region", "=?base64?ZXU=?=")], &json!({ "region": "eu" })));
    assert!(agrees(&[("mcp-param-region", "")], &json!({ "region": "" })));
}

#[test]
fn integers_are_compared_as_numbers() {
    for (said, argument) in [("42.0", json!(42)), ("42", json!(42.0)), ("-7", json!(-7)), ("0", json!(0))] {
        assert!(agrees(&[("mcp-param-count", said)], &json!({ "count": argument })), "{said}");
    }
    for said in ["042", "+42", "42.5", "4.2e1", "42.", ".0", "", "-", "0x2a", "42 ", "43", "4 2"] {
        let trimmed = said.trim() == "42";
        assert_eq!(agrees(&[("mcp-param-count", said)], &json!({ "count": 42 })), trimmed, "{said}");
    }
    // Beyond 2^53 - 1 a JavaScript reader would see another number.
    let large = 9_007_199_254_740_992_i64;
    assert!(agrees(&[("mcp-param-count", "9007199254740991")], &json!({ "count": large - 1 })));
    assert!(!agrees(&[("mcp-param-count", "9007199254740992")], &json!({ "count": large })));
    for (said, argument) in [("-9223372036854775808", json!(i64::MIN)), ("18446744073709551615", json!(u64::MAX))] {
        assert!(!agrees(&[("mcp-param-count", said)], &json!({ "count": argument })), "{said}");
    }
}

#[test]
fn headers_that_do_not_mirror_are_refused() {
    let all = json!({ "region": "eu", "where": { "dry": false } });
    for pairs in [
        &[][..],
        &[("mcp-param-region", "eu")],
        &[("mcp-param-dry-run", "false")],
        &[("mcp-param-region", "EU"), ("mcp-param-dry-run", "false")],
        &[("mcp-param-region", "eu"), ("mcp-param-dry-run", "False")],
        &[("mcp-param-region", "eu"), ("mcp-param-dry-run", "0")],
        &[("mcp-param-region", "eu"), ("mcp-param-region", "eu"), ("mcp-param-dry-run", "false")],
        &[("mcp-param-region", "=?base64?ZXU?="), ("mcp-param-dry-run", "false")],
        &[("mcp-param-region", "eu"), ("mcp-param-dry-run", "false"), ("mcp-param-count", "1")],
    ] {
        assert!(!agrees(pairs, &all), "{pairs:?}");
    }
    assert!(!agrees(&[("mcp-param-region", "null")], &json!({ "region": null })));
    assert!(!agrees(&[("mcp-param-region", "[]")], &json!({ "region": [] })));
    assert!(!agrees(&[("mcp-param-count", "1.5")], &json!({ "count": 1.5 })));
    let compiled = ParamHeaders::compile(&schema()).unwrap();
    assert!(compiled.check(&headers(&[("mcp-param-region", "eu")]), None).is_err());
}

#[test]
fn written_headers_pass_the_check() {
    let compiled = ParamHeaders::compile(&schema()).unwrap();
    for arguments in [
        json!({ "region": " ä\n", "count": -3, "where": { "dry": true } }),
        json!({ "region": "=?base64?x?=", "count": 7.0 }),
        json!({ "region": null }),
    ] {
        let mut headers =
            headers(&[("mcp-param-region", "stale"), ("mcp-param-count", "1"), ("mcp-param-other", "kept")]);
        compiled.write(Some(&arguments), &mut headers);
        assert!(compiled.check(&headers, Some(&arguments)).is_ok(), "{arguments}");
        assert!(headers.contains_key("mcp-param-other"));
    }
}

#[test]
fn annotations_that_break_the_rules_are_named() {
    let string = |header: Value| json!({ "type": "string", "x-mcp-header": header });
    let property = |schema: Value| json!({ "properties": { "a": schema } });
    let token = AnnotationError::NotAToken { property: "a".to_owned() };
    let primitive = AnnotationError::NotPrimitive { property: "a".to_owned() };
    for (schema, error) in [
        (property(string(json!(""))), token.clone()),
        (property(string(json!("a b"))), token.clone()),
        (property(string(json!("a\r\nb"))), token.clone()),
        (property(string(json!("ä"))), token.clone()),
        (property(string(json!("a:"))), token.clone()),
        (property(string(json!(5))), token),
        (property(json!({ "type": "number", "x-mcp-header": "A" })), primitive.clone()),
        (property(json!({ "type": "object", "x-mcp-header": "A" })), primitive.clone()),
        (property(json!({ "type": ["string", "null"], "x-mcp-header": "A" })), primitive.clone()),
        (property(json!({ "x-mcp-header": "A" })), primitive),
        (string(json!("A")), AnnotationError::Unreachable),
        (property(json!({ "type": "array", "items": string(json!("A")) })), AnnotationError::Unreachable),
        (property(json!({ "anyOf": [string(json!("A"))] })), AnnotationError::Unreachable),
        (property(json!({ "items": { "properties": { "b": string(json!("A")) } } })), AnnotationError::Unreachable),
        (json!({ "allOf": [{ "properties": { "b": string(json!("A")) } }] }), AnnotationError::Unreachable),
        (json!({ "$defs": { "b": string(json!("A")) } }), AnnotationError::Unreachable),
        (json!({ "if": { "properties": { "b": string(json!("A")) } } }), AnnotationError::Unreachable),
        (json!({ "additionalProperties": string(json!("A")) }), AnnotationError::Unreachable),
        (json!({ "unheard-of": { "deep": [string(json!("A"))] } }), AnnotationError::Unreachable),
        (
            json!({ "properties": { "a": string(json!("Same")), "b": string(json!("sAME")) } }),
            AnnotationError::Repeated { property: "b".to_owned() },
        ),
    ] {
        assert_eq!(ParamHeaders::compile(&schema), Err(error), "{schema}");
    }
}

#[test]
fn annotations_are_bounded() {
    let many = |count: usize| {
        let property =
            |place: usize| (format!("p{place}"), json!({ "type": "string", "x-mcp-header": format!("H{place}") }));
        json!({ "properties": (0..count).map(property).collect::<Map<_, _>>() })
    };
    assert!(ParamHeaders::compile(&many(limits::PARAM_HEADERS_MAX)).is_ok());
    assert_eq!(ParamHeaders::compile(&many(limits::PARAM_HEADERS_MAX + 1)), Err(AnnotationError::TooMany));
    let deep = (0..200).fold(json!({}), |inner, _| json!({ "not": inner }));
    assert_eq!(ParamHeaders::compile(&deep), Err(AnnotationError::TooDeep));
    assert!(ParamHeaders::compile(&json!(true)).unwrap().is_empty());
}
