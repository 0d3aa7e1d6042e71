//! Messages of agents and of servers, and what headers say of them.

use std::collections::HashSet;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use model::limits;
use serde_json::{Value, json};
use wire::answer::{self, Incoming, Outcome};
use wire::{Id, ParamHeaders, Revision, Said, Subject, batch, header, outgoing, read, read_head};

use crate::{json_of, line_and_rest};

/// What an agent sends is read or refused, and what was read is read alike by a server that is as strict. The input is
/// header lines, an empty line and the body. In place of the lines, `!` stands for the headers that a message of the
/// newest revision should have, and `@` for those of a session.
pub(crate) fn request(bytes: &[u8]) {
    let (headers, body) = match bytes.split_first() {
        Some((b'!', body)) => {
            let body = json_of(body);
            (fitting(&body), body)
        }
        Some((b'@', body)) => (outgoing::session_headers(Revision::NEWEST_LEGACY, Some("session")), json_of(body)),
        Some(_) | None => {
            let (headers, body) = headers_and_rest(bytes);
            (headers, json_of(body))
        }
    };
    let body = Bytes::from(body.into_owned());
    let request = match read(&headers, &body) {
        Ok(Said::Request(request)) => request,
        Ok(Said::Response(response)) => {
            assert_eq!(response.body, body);
            return;
        }
        Err(_) => return,
    };
    assert_eq!(request.body, body);
    let theirs: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(theirs["method"], *request.method);
    assert_eq!(theirs.get("id").is_some(), request.id.is_some());
    if let Subject::Tool { name, arguments } = &request.subject {
        assert_eq!(theirs["params"]["name"], *name);
        let arguments = arguments.as_deref().map(|raw| serde_json::from_slice::<Value>(raw).unwrap());
        assert_eq!(theirs["params"].get("arguments"), arguments.as_ref());
    }
    assert!(read(&outgoing::mirror(&request, &headers), &body).is_ok(), "what is sent on is taken");
}

/// The headers that the body asks for.
pub(crate) fn fitting(body: &[u8]) -> HeaderMap {
    let said: Value = serde_json::from_slice(body).unwrap_or_default();
    let method = said["method"].as_str().unwrap_or_default();
    let params = said["params"].as_object().cloned().unwrap_or_default();
    let sound = !method.is_empty() && method.len() < 128 && method.bytes().all(|byte| byte.is_ascii_graphic());
    let method = if sound { method } else { "tools/call" };
    outgoing::compose(Revision::V2026_07_28, method, params, &Id::number(1)).headers
}

/// Header lines up to an empty one, and the rest. What is no header is left out.
fn headers_and_rest(bytes: &[u8]) -> (HeaderMap, &[u8]) {
    let mut headers = HeaderMap::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (line, after) = line_and_rest(rest);
        rest = after;
        if line.is_empty() {
            break;
        }
        let colon = line.iter().position(|&byte| byte == b':').unwrap_or(line.len());
        let (name, value) = (&line[..colon], line.get(colon + 1..).unwrap_or_default());
        let value = value.strip_prefix(b" ").unwrap_or(value);
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
    (headers, rest)
}

/// The messages of a batch are the elements of its array, byte for byte; none of them begins a session, and no two requests
/// share an id.
pub(crate) fn batch(bytes: &[u8]) {
    let body = Bytes::from(json_of(bytes).into_owned());
    let Ok(elements) = batch::split(&body) else { return };
    assert!(batch::is_batch(&body) && (1..=limits::BATCH_MESSAGES_MAX).contains(&elements.len()));
    let theirs: Vec<Value> = serde_json::from_slice(&body).expect("a batch is an array");
    let ours: Vec<Value> = elements.iter().map(|element| serde_json::from_slice(&element.body).unwrap()).collect();
    assert_eq!(ours, theirs);
    let requests = || theirs.iter().filter(|message| message.get("method").is_some() && message["id"].is_string());
    let ids: HashSet<&str> = requests().filter_map(|message| message["id"].as_str()).collect();
    let long = requests().filter(|message| message["id"].as_str().unwrap().len() > limits::REQUEST_ID_BYTES_MAX);
    assert!(ids.len() + long.count() >= requests().count(), "two requests with one id");
    assert!(theirs.iter().all(|message| message["method"] != "initialize"));
    let headers = outgoing::session_headers(Revision::V2025_03_26, Some("s"));
    for element in elements {
        // Whoever is read as a request is answered.
        if let Ok(Said::Request(request)) = read(&headers, &element.body) {
            assert_eq!(request.id.is_some(), element.is_answered);
        }
    }
}

/// What a server sends is read or refused, and what was read is JSON of the same meaning.
pub(crate) fn answer(bytes: &[u8]) {
    let text = Bytes::from(json_of(bytes).into_owned());
    let Ok(incoming) = answer::read(&text) else { return };
    let theirs: Value = serde_json::from_slice(&text).unwrap();
    match incoming {
        Incoming::Response { id, outcome } => {
            assert_eq!(id.is_some(), theirs.get("id").is_some_and(|id| !id.is_null()));
            let (member, raw) = match &outcome {
                Outcome::Result { raw, .. } => ("result", raw),
                Outcome::Error { raw, .. } => ("error", raw),
            };
            assert_eq!(serde_json::from_slice::<Value>(raw).unwrap(), theirs[member]);
        }
        Incoming::Request { id, .. } => {
            assert!(theirs["method"].is_string());
            assert_eq!(id.to_string().parse::<Value>().unwrap(), theirs["id"]);
        }
        Incoming::Notification(notification) => assert_eq!(theirs["method"], *notification.method),
    }
}

/// What the head of a request without a body says is read or refused, and means the same when it is said again.
pub(crate) fn head(bytes: &[u8]) {
    let (headers, _) = headers_and_rest(bytes);
    let _ = answer::session(&headers);
    let Ok(head) = read_head(&headers) else { return };
    let again = outgoing::stream_headers(head.revision, Some(&head.session), head.last_event_id.as_deref());
    if head.revision.has_version_header() {
        assert_eq!(read_head(&again).unwrap(), head);
    }
}

/// A schema's annotations compile or are refused, and what is written for arguments passes the check of them. The input
/// is a schema, a line break and arguments.
pub(crate) fn param_headers(bytes: &[u8]) {
    let (schema, arguments) = line_and_rest(bytes);
    let parsed = |bytes: &[u8]| serde_json::from_slice::<Value>(&json_of(bytes)).ok();
    let (Some(schema), Some(arguments)) = (parsed(schema), parsed(arguments)) else { return };
    let Ok(compiled) = ParamHeaders::compile(&schema) else { return };
    let mut headers = HeaderMap::new();
    compiled.write(Some(&arguments), &mut headers);
    if compiled.check(&headers, Some(&arguments)).is_ok() {
        // Said again, it is the same.
        let mut again = headers.clone();
        compiled.write(Some(&arguments), &mut again);
        assert_eq!(again, headers);
    }
    let _ = compiled.check(&HeaderMap::new(), Some(&arguments));
    let _ = compiled.check(&headers, None);
}

/// Whatever a text says, a header can say it, and is read as that; whatever a header says is read or refused.
pub(crate) fn header_values(bytes: &[u8]) {
    let schema = json!({ "properties": { "a": { "type": "string", "x-mcp-header": "A" } } });
    let compiled = ParamHeaders::compile(&schema).unwrap();
    let named = |value: HeaderValue| HeaderMap::from_iter([(HeaderName::from_static("mcp-param-a"), value)]);
    let text = String::from_utf8_lossy(bytes);
    let arguments = json!({ "a": text });
    compiled.check(&named(header::encode(&text)), Some(&arguments)).expect("what was written is read");
    let Ok(value) = HeaderValue::from_bytes(bytes) else { return };
    if compiled.check(&named(value.clone()), Some(&arguments)).is_ok() {
        assert!(header::encode(&text) == value || text.trim_matches([' ', '\t']) == text);
    }
}
