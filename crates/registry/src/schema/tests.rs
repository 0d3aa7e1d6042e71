use std::time::{Duration, Instant};

use serde_json::json;

use super::*;

/// Whether the arguments fit, and if not what is told.
fn told(schema: &Value, arguments: &Value) -> Vec<String> {
    let compiled = InputSchema::compile(schema).unwrap_or_else(|error| panic!("{error}"));
    let violations = compiled.check(arguments).err().unwrap_or_default();
    violations.iter().map(ToString::to_string).collect()
}

fn fits(schema: &Value, arguments: &Value) -> bool {
    told(schema, arguments).is_empty()
}

fn refused(schema: &Value) -> String {
    InputSchema::compile(schema).err().map(|error| error.to_string()).unwrap_or_default()
}

fn open(schema: &Value) -> Vec<String> {
    InputSchema::compile(schema).unwrap().accepts_undeclared().to_vec()
}

#[test]
fn what_the_schema_does_not_declare_is_refused_at_every_depth() {
    let schema = json!({
        "type": "object",
        "properties": {
            "order": {
                "type": "object",
                "properties": { "id": { "type": "integer" }, "lines": {
                    "type": "array",
                    "items": { "type": "object", "properties": { "sku": { "type": "string" } } }
                } }
            },
            "pair": { "type": "array", "prefixItems": [{ "type": "object", "properties": { "a": {} } }], "items": false }
        },
        "patternProperties": { "^x-": { "type": "object", "properties": { "note": { "type": "string" } } } }
    });
    assert!(fits(&schema, &json!({ "order": { "id": 1, "lines": [{ "sku": "a" }] }, "x-1": { "note": "n" } })));
    assert_eq!(told(&schema, &json!({ "b": 1 })), ["the arguments: the approved schema does not declare `b`"]);
    assert_eq!(
        told(&schema, &json!({ "order": { "id": 1, "b": 1, "c": 2 } })),
        ["/order: the approved schema does not declare `b`, `c`"]
    );
    assert_eq!(
        told(&schema, &json!({ "order": { "lines": [{ "sku": "a" }, { "b": 1 }] } })),
        ["/order/lines/1: the approved schema does not declare `b`"]
    );
    assert!(!fits(&schema, &json!({ "pair": [{ "b": 1 }] })));
    assert!(!fits(&schema, &json!({ "x-1": { "b": 1 } })));
}

#[test]
fn an_object_without_properties_holds_none() {
    let schema = json!({ "type": "object" });
    assert!(fits(&schema, &json!({})));
    assert!(!fits(&schema, &json!({ "a": 1 })));
    assert!(fits(&json!({}), &json!({})));
    assert!(!fits(&json!({}), &json!({ "a": 1 })));
}

#[test]
fn references_and_combinations_declare_together() {
    let schema = json!({
        "type": "object",
        "properties": { "to": { "$ref": "#/$defs/Address" }, "by": { "anyOf": [{ "$ref": "#/$defs/Address" }, { "type": "null" }] } },
        "allOf": [{ "properties": { "amount": { "type": "number" } } }, { "$ref": "#/$defs/Noted" }],
        "$defs": {
            "Address": { "type": "object", "properties": {
                "city": { "type": "string" },
                "geo": { "type": "object", "properties": { "lat": { "type": "number" } } }
            } },
            "Noted": { "properties": { "note": { "type": "string" } } }
        }
    });
    let good = json!({ "to": { "city": "c", "geo": { "lat": 1.5 } }, "by": null, "amount": 1, "note": "n" });
    assert_eq!(told(&schema, &good), Vec::<String>::new());
    assert!(!fits(&schema, &json!({ "b": 1 })));
    assert!(!fits(&schema, &json!({ "to": { "b": 1 } })));
    assert!(!fits(&schema, &json!({ "to": { "geo": { "b": 1 } } })));
    assert!(!fits(&schema, &json!({ "by": { "city": "c", "b": 1 } })));
    assert!(open(&schema).is_empty());
}

#[test]
fn an_explicit_anything_is_kept_and_reported() {
    let schema = json!({
        "type": "object",
        "properties": {
            "meta": { "type": "object", "additionalProperties": true },
            "any": true,
            "also": { "description": "whatever" },
            "json": { "$ref": "#/$defs/Json" },
            "bag": { "type": "object", "patternProperties": { ".*": {} } },
            "list": { "type": "array" },
            "typed": { "type": "object", "additionalProperties": { "type": "string" } }
        },
        "$defs": { "Json": { "title": "any JSON" } }
    });
    assert!(fits(&schema, &json!({ "meta": { "b": 1 }, "any": { "b": 1 }, "also": { "b": 1 }, "json": { "b": 1 } })));
    assert!(fits(&schema, &json!({ "typed": { "b": "c" } })));
    assert!(!fits(&schema, &json!({ "typed": { "b": 1 } })));
    let mut open = open(&schema);
    open.sort();
    assert_eq!(
        open,
        [
            "/properties/also",
            "/properties/any",
            "/properties/bag/patternProperties/.*",
            "/properties/json",
            "/properties/list",
            "/properties/meta/additionalProperties"
        ]
    );
}

#[test]
fn parts_that_describe_one_member_declare_it_together() {
    let schema = json!({
        "type": "object",
        "allOf": [
            { "properties": { "a": { "type": "object", "properties": { "x": { "type": "integer" } } } } },
            { "properties": { "a": { "description": "the same", "properties": { "y": { "type": "integer" } } } } },
            { "properties": { "a": { "description": "only words" } } }
        ],
        "if": { "properties": { "kind": { "const": "big" } } },
        "then": { "properties": { "size": { "type": "integer" } }, "required": ["size"] }
    });
    assert!(fits(&schema, &json!({ "a": { "x": 1, "y": 2 }, "size": 1 })));
    assert!(!fits(&schema, &json!({ "a": { "x": 1, "y": 2, "z": 3 }, "size": 1 })));
    assert!(!fits(&schema, &json!({ "size": 1, "b": 1 })));
    assert!(!fits(&schema, &json!({ "size": 1, "kind": "big" })), "what is only asked about is not declared");
    assert!(open(&schema).is_empty());
}

#[test]
fn each_way_declares_its_members_and_a_way_that_takes_anything_is_reported() {
    let schema = json!({
        "type": "object",
        "properties": {
            "by": { "anyOf": [
                { "type": "object", "properties": { "id": { "type": "integer" } }, "required": ["id"] },
                { "type": "object", "properties": { "name": { "type": "string" } }, "required": ["name"] }
            ] },
            "with": { "oneOf": [{ "type": "string" }, true] }
        }
    });
    assert!(fits(&schema, &json!({ "by": { "id": 1 } })));
    assert!(fits(&schema, &json!({ "by": { "name": "a" } })));
    assert!(!fits(&schema, &json!({ "by": { "id": 1, "b": 2 } })));
    assert!(!fits(&schema, &json!({ "by": {} })));
    assert!(fits(&schema, &json!({ "with": { "b": 1 } })));
    assert_eq!(open(&schema), ["/properties/with"]);
}

#[test]
fn the_schema_itself_is_always_checked_too() {
    let schema = json!({
        "type": "object",
        "properties": { "a": { "type": "object", "additionalProperties": true } },
        "not": { "required": ["a"], "properties": { "a": { "required": ["evil"] } } },
        "unevaluatedProperties": false
    });
    assert!(fits(&schema, &json!({ "a": { "good": 1 } })));
    assert!(!fits(&schema, &json!({ "a": { "evil": true, "more": 1 } })));
    let constant = json!({ "type": "object", "properties": { "a": { "enum": [{ "x": 1 }, "y"] } } });
    assert!(fits(&constant, &json!({ "a": { "x": 1 } })));
    assert!(!fits(&constant, &json!({ "a": { "x": 1, "y": 1 } })));
}

#[test]
fn references_lead_into_the_schema_or_nowhere() {
    for reference in [
        "http://127.0.0.1:1/schema.json",
        "https://example.com/s#/$defs/A",
        "file:///etc/passwd",
        "other.json",
        "#/$defs/Missing",
        "#anchor",
        "urn:uuid:1",
    ] {
        let schema = json!({ "type": "object", "properties": { "a": { "$ref": reference } } });
        assert_eq!(
            refused(&schema),
            "the `$ref` at `/properties/a` does not lead to a part of this schema, and nothing is fetched",
            "{reference}"
        );
    }
    for keyword in ["$dynamicRef", "$recursiveRef", "$id", "dependencies"] {
        let schema = json!({ "type": "object", "properties": { "a": { keyword: "#/a" } } });
        assert!(refused(&schema).starts_with(&format!("`{keyword}` at `/properties/a` cannot be used")), "{keyword}");
    }
}

#[test]
fn an_anchor_that_nothing_names_changes_nothing() {
    let address = json!({ "$anchor": "address", "type": "object", "properties": { "city": { "type": "string" } } });
    let schema = json!({
        "type": "object",
        "$defs": { "address": address },
        "properties": { "a": { "$ref": "#/$defs/address" } },
    });
    assert!(fits(&schema, &json!({ "a": { "city": "Ulm" } })));
    assert!(!fits(&schema, &json!({ "a": { "town": "Ulm" } })));
}

#[test]
fn a_pattern_that_looks_around_is_matched_within_bounds() {
    // What widely used schema builders emit for a mail address.
    let mail = r"^(?!\.)(?!.*\.\.)([A-Za-z0-9_'+\-\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\-]*\.)+[A-Za-z]{2,}$";
    let schema = json!({ "type": "object", "properties": { "a": { "type": "string", "pattern": mail } } });
    assert!(fits(&schema, &json!({ "a": "ana.brandt@mail.example.com" })));
    assert!(!fits(&schema, &json!({ "a": "ana..brandt@example.com" })));

    // One that would take for ever is given up, and what was not matched does not fit.
    let bomb =
        json!({ "type": "object", "properties": { "a": { "type": "string", "pattern": r"^(?=(a+)+$)(a+)+$" } } });
    let text = "a".repeat(5_000) + "!";
    assert!(!fits(&bomb, &json!({ "a": text })));
}

#[test]
fn only_drafts_that_mean_the_same_are_taken() {
    for draft in ["https://json-schema.org/draft/2020-12/schema", "http://json-schema.org/draft-07/schema#"] {
        assert!(fits(&json!({ "$schema": draft, "$id": "https://example.com/a", "type": "object" }), &json!({})));
    }
    for draft in ["http://json-schema.org/draft-04/schema#", "https://example.com/mine"] {
        assert!(refused(&json!({ "$schema": draft, "type": "object" })).starts_with("`$schema`"));
    }
    // A tuple of draft 7 would mean something else.
    let tuple = json!({ "type": "object", "properties": { "a": { "type": "array", "items": [{}, {}] } } });
    assert!(refused(&tuple).contains("does not compile"));
}

#[test]
fn a_schema_that_is_not_for_objects_is_refused() {
    for schema in
        [json!(null), json!(true), json!([]), json!({ "type": "string" }), json!({ "type": ["array", "null"] })]
    {
        assert_eq!(refused(&schema), "the input schema is not a schema for objects");
    }
}

#[test]
fn big_and_deep_schemas_are_refused() {
    let wide: serde_json::Map<_, _> =
        (0..limits::SUBSCHEMAS_MAX).map(|number| (format!("p{number}"), json!({ "type": "string" }))).collect();
    assert_eq!(refused(&json!({ "type": "object", "properties": wide })), "the schema has more than 2000 subschemas");
    let mut deep = json!({ "type": "string" });
    for _ in 0..=limits::SCHEMA_DEPTH_MAX {
        deep = json!({ "type": "object", "properties": { "a": deep } });
    }
    assert_eq!(refused(&deep), "the schema has more than 32 levels");
    let patterns: serde_json::Map<_, _> =
        (0..=limits::SCHEMA_PATTERNS_MAX).map(|number| (format!("p{number}"), json!({ "pattern": "a" }))).collect();
    assert_eq!(refused(&json!({ "properties": patterns })), "the schema has more than 100 patterns");
}

#[test]
fn a_schema_that_is_checked_against_itself_without_end_is_refused() {
    for schema in [
        json!({ "$ref": "#" }),
        json!({ "allOf": [{ "$ref": "#" }] }),
        json!({ "properties": { "a": { "$ref": "#/$defs/A" } },
                "$defs": { "A": { "anyOf": [{ "$ref": "#/$defs/B" }] }, "B": { "not": { "$ref": "#/$defs/A" } } } }),
    ] {
        assert!(refused(&schema).contains("endlessly"), "{schema}");
    }
}

#[test]
fn a_schema_that_doubles_the_work_with_each_step_is_refused() {
    // By references on one level: ten doublings of the same check.
    let mut definitions = serde_json::Map::new();
    for step in 0..7 {
        let next = format!("#/$defs/s{}", step + 1);
        definitions.insert(format!("s{step}"), json!({ "allOf": [{ "$ref": next }, { "$ref": next }] }));
    }
    definitions.insert("s7".into(), json!({ "type": "object" }));
    let flat = json!({ "$ref": "#/$defs/s0", "$defs": definitions });
    assert!(refused(&flat).contains("more than 64 times"), "{}", refused(&flat));

    // By the depth of the arguments: each level is checked twice as often as the one around it.
    let member = json!({ "properties": { "x": { "$ref": "#/$defs/N" } } });
    let deep = json!({ "$ref": "#/$defs/N", "$defs": { "N": { "anyOf": [member, member] } } });
    assert!(refused(&deep).contains("more than 64 times"));

    // By asking at each level what was left unevaluated.
    let asking = json!({
        "$ref": "#/$defs/N",
        "$defs": { "N": {
            "anyOf": [{ "properties": { "x": { "$ref": "#/$defs/N" } } }, { "type": "null" }],
            "unevaluatedProperties": false
        } }
    });
    assert!(refused(&asking).contains("more than 64 times"));
}

#[test]
fn a_long_row_of_references_is_refused() {
    let row = |steps: usize| {
        let mut definitions = serde_json::Map::new();
        for step in 0..steps {
            definitions.insert(format!("s{step}"), json!({ "$ref": format!("#/$defs/s{}", step + 1) }));
        }
        definitions.insert(format!("s{steps}"), json!({ "type": "object" }));
        json!({ "$ref": "#/$defs/s0", "$defs": definitions })
    };
    assert!(fits(&row(limits::SCHEMA_PATH_MAX - 1), &json!({})));
    assert_eq!(refused(&row(limits::SCHEMA_PATH_MAX)), "the schema has more than 16 references in a row");
}

#[test]
fn the_deepest_schema_on_the_deepest_arguments_needs_no_more_stack_and_time_than_there_is() {
    // As many references in a row as there may be, ways to take among them, once for each level of the arguments.
    let steps = limits::SCHEMA_PATH_MAX / 2 - 1;
    let mut definitions = serde_json::Map::new();
    for step in 0..steps {
        let next = json!({ "$ref": format!("#/$defs/s{}", step + 1) });
        definitions.insert(format!("s{step}"), json!({ "anyOf": [next, { "type": "null" }] }));
    }
    let again = json!({ "type": "object", "properties": { "a": { "$ref": "#/$defs/s0" } } });
    definitions.insert(format!("s{steps}"), again);
    let schema = json!({ "properties": { "a": { "$ref": "#/$defs/s0" } }, "$defs": definitions });
    let (mut good, mut bad, mut ill) = (json!({}), json!({ "b": 1 }), json!({ "a": 1 }));
    for _ in 0..limits::JSON_DEPTH_MAX {
        (good, bad, ill) = (json!({ "a": good }), json!({ "a": bad }), json!({ "a": ill }));
    }
    // The stack of a worker thread of the runtime.
    let check = std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(move || {
        let compiled = InputSchema::compile(&schema).unwrap();
        let began = Instant::now();
        let results = (compiled.check(&good), compiled.check(&bad), compiled.check(&ill));
        (results, began.elapsed())
    });
    let ((good, bad, ill), took) = check.unwrap().join().unwrap();
    assert!(good.is_ok() && bad.is_err() && ill.is_err());
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn recursive_and_shared_definitions_that_stay_linear_are_taken_and_fast() {
    let tree = json!({
        "type": "object",
        "properties": { "root": { "$ref": "#/$defs/Node" } },
        "$defs": { "Node": { "type": "object", "properties": {
            "left": { "$ref": "#/$defs/Node" }, "right": { "$ref": "#/$defs/Node" }, "name": { "$ref": "#/$defs/Name" },
            "children": { "type": "array", "items": { "$ref": "#/$defs/Node" } }
        } }, "Name": { "type": "string" } }
    });
    let mut value = json!({ "name": "leaf" });
    for _ in 0..50 {
        value = json!({ "left": value, "children": [] });
    }
    assert!(fits(&tree, &json!({ "root": value })));

    // As data classes say "none or another of my kind".
    let optional = json!({
        "type": "object",
        "properties": { "node": { "$ref": "#/$defs/Node" } },
        "$defs": { "Node": { "type": "object", "properties": {
            "next": { "anyOf": [{ "$ref": "#/$defs/Node" }, { "type": "null" }], "default": null },
            "name": { "type": "string" }
        }, "required": ["name"] } }
    });
    let (mut good, mut bad) = (json!({ "name": "leaf", "next": null }), json!({ "name": "leaf", "b": 1 }));
    for _ in 0..60 {
        (good, bad) = (json!({ "name": "n", "next": good }), json!({ "name": "n", "next": bad }));
    }
    let began = Instant::now();
    assert!(fits(&optional, &json!({ "node": good })));
    assert!(!fits(&optional, &json!({ "node": bad })));
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());

    // Twenty-five levels of two members each, shared: small as written, huge if it were unfolded.
    let mut definitions = serde_json::Map::new();
    for step in 0..25 {
        let next = json!({ "$ref": format!("#/$defs/s{}", step + 1) });
        definitions.insert(format!("s{step}"), json!({ "type": "object", "properties": { "l": next, "r": next } }));
    }
    definitions.insert("s25".into(), json!({ "type": "string" }));
    let began = Instant::now();
    let shared = json!({ "type": "object", "properties": { "a": { "$ref": "#/$defs/s0" } }, "$defs": definitions });
    assert!(fits(&shared, &json!({ "a": { "l": {}, "r": { "l": {} } } })));
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[test]
fn patterns_are_linear_and_not_too_big() {
    let schema = json!({ "type": "object", "properties": { "a": { "type": "string", "pattern": "^(a+)+$" } } });
    let compiled = InputSchema::compile(&schema).unwrap();
    let began = Instant::now();
    assert!(compiled.check(&json!({ "a": format!("{}!", "a".repeat(100_000)) })).is_err());
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    for pattern in [r"(a)\1", "a{1000}{1000}{1000}"] {
        let schema = json!({ "type": "object", "properties": { "a": { "pattern": pattern } } });
        assert!(refused(&schema).contains("does not compile"), "{pattern}");
    }
    let huge = json!({ "type": "object", "properties": { "a": { "pattern": "(?=a)a{1000}{1000}{1000}" } } });
    assert!(!fits(&huge, &json!({ "a": "aaaa" })), "what cannot be matched does not fit");
}

#[test]
fn a_violation_never_repeats_a_value() {
    let secret = "hunter2-hunter2";
    let schema = json!({
        "type": "object",
        "properties": {
            "type": { "type": "integer" }, "enum": { "enum": ["a", "b"] }, "const": { "const": 1 },
            "pattern": { "pattern": "^x$" }, "length": { "maxLength": 3 }, "any": { "anyOf": [{ "type": "null" }] },
            "one": { "oneOf": [{ "type": "null" }] }, "not": { "not": { "type": "string" } },
            "items": { "type": "array", "uniqueItems": true }, "contains": { "contains": { "const": 1 } },
            "tuple": { "prefixItems": [{}], "unevaluatedItems": false }, "false": false,
            "deep": { "type": "object", "properties": { "a": { "type": "null" } } }
        },
        "required": ["type", "missing"]
    });
    let compiled = InputSchema::compile(&schema).unwrap();
    for member in ["type", "enum", "const", "pattern", "length", "any", "one", "not", "false"] {
        let violations = compiled.check(&json!({ member: secret, "type": secret })).unwrap_err();
        assert!(!violations.is_empty());
        assert!(!format!("{violations:?}").contains("hunter2"), "{member}: {violations:?}");
    }
    for value in [
        json!({ "items": [secret, secret] }),
        json!({ "contains": [secret] }),
        json!({ "tuple": [1, secret] }),
        json!({ "deep": { "a": secret } }),
    ] {
        assert!(!format!("{:?}", compiled.check(&value).unwrap_err()).contains("hunter2"), "{value}");
    }
}

#[test]
fn violations_are_few_and_short() {
    let schema = json!({ "type": "object", "additionalProperties": { "type": "integer" } });
    let long = "k".repeat(600);
    let arguments: serde_json::Map<_, _> = (0..40).map(|number| (format!("{number}{long}"), json!("v"))).collect();
    let violations = InputSchema::compile(&schema).unwrap().check(&Value::Object(arguments)).unwrap_err();
    assert_eq!(violations.len(), limits::VIOLATIONS_MAX);
    assert!(violations.iter().all(|one| one.pointer.len() <= limits::VIOLATION_BYTES_MAX));
}

#[test]
fn big_arguments_are_refused_without_telling_where() {
    let schema = json!({ "type": "object", "properties": { "a": { "type": "string" } } });
    let compiled = InputSchema::compile(&schema).unwrap();
    let big: Vec<_> = (0..limits::VIOLATION_ARGUMENTS_BYTES_MAX).collect();
    let told = compiled.check(&json!({ "a": big })).unwrap_err();
    assert_eq!(told.first().map(|one| one.message.as_str()), Some("too big to tell what does not fit"));
    assert!(compiled.check(&json!({ "a": "s".repeat(limits::VIOLATION_ARGUMENTS_BYTES_MAX) })).is_ok());
}

#[test]
fn formats_are_annotations() {
    let schema = json!({ "type": "object", "properties": { "mail": { "type": "string", "format": "email" } } });
    assert!(fits(&schema, &json!({ "mail": "no mail" })));
}

#[test]
fn a_check_of_fitting_arguments_is_cheap() {
    let members: serde_json::Map<_, _> = ["a", "b", "c", "d", "e"]
        .iter()
        .map(|name| ((*name).to_owned(), json!({ "type": "string", "maxLength": 100 })))
        .collect();
    let compiled = InputSchema::compile(&json!({ "type": "object", "properties": members })).unwrap();
    let arguments = json!({ "a": "1", "b": "2", "c": "3", "d": "4", "e": "5" });
    let rounds: u32 = 10_000;
    let began = Instant::now();
    for _ in 0..rounds {
        assert!(compiled.check(&arguments).is_ok());
    }
    // Well below a microsecond when optimised; the bound only catches a change of kind.
    println!("{:?} per check", began.elapsed() / rounds);
    assert!(began.elapsed() / rounds < Duration::from_micros(100));
}
