//! What headers say on their own, and what they say of arguments.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use wire::{ParamHeaders, header, outgoing, read_head};

use crate::TEST_TIME;
use crate::grower::Grower;

#[test]
fn whatever_heads_say_is_read_or_refused() {
    bolero::check!().with_test_time(TEST_TIME).with_type::<(Vec<u8>, Vec<u8>, u8)>().for_each(
        |(session, event, version)| {
            let mut headers = HeaderMap::new();
            for (name, value) in [(header::SESSION_ID, session), (header::LAST_EVENT_ID, event)] {
                if let Ok(value) = HeaderValue::from_bytes(value) {
                    headers.append(name, value);
                }
            }
            let versions = ["2025-11-25", "2026-07-28", "2025-06-18"];
            if let Some(version) = versions.get(usize::from(version % 4)) {
                headers.insert(header::PROTOCOL_VERSION, HeaderValue::from_static(version));
            }
            let Ok(head) = read_head(&headers) else { return };
            // What is sent on in the same words means the same.
            let again = outgoing::stream_headers(head.revision, Some(&head.session), head.last_event_id.as_deref());
            assert_eq!(read_head(&again).unwrap(), head);
        },
    );
}

#[test]
fn annotations_compile_or_are_refused_and_what_is_written_passes_the_check() {
    bolero::check!().with_test_time(TEST_TIME).with_type::<(Vec<u8>, Vec<u8>)>().for_each(|(schema, arguments)| {
        let parsed = |bytes: &[u8]| serde_json::from_slice::<Value>(&Grower::grow(bytes)).unwrap_or(Value::Null);
        let (schema, arguments) = (parsed(schema), parsed(arguments));
        let wrapped = serde_json::json!({
            "properties": { "a": { "type": "string", "x-mcp-header": "A" }, "b": { "type": "integer", "x-mcp-header": "B" } },
        });
        let _ = ParamHeaders::compile(&schema);
        let compiled = ParamHeaders::compile(&wrapped).unwrap();
        let mut headers = HeaderMap::from_iter([(HeaderName::from_static("mcp-param-a"), HeaderValue::from_static("x"))]);
        compiled.write(Some(&arguments), &mut headers);
        let mirrored = |name: &str| {
            let value = arguments.get(name).unwrap_or(&Value::Null);
            let whole = value.as_f64().is_some_and(|number| number.fract() == 0.0 && number.abs() < 9e15);
            value.is_null() || value.is_string() || value.is_boolean() || whole
        };
        if mirrored("a") && mirrored("b") {
            compiled.check(&headers, Some(&arguments)).unwrap();
        }
    });
}
