use http::{HeaderName, HeaderValue};
use model::limits;
use serde_json::json;

use super::*;

const META: &str = concat!(
    r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","#,
    r#""io.modelcontextprotocol/clientCapabilities":{},"progressToken":"p"}"#
);

/// A message with these members of `params` beside a right `_meta`.
fn message(method: &str, params: &str) -> String {
    let comma = if params.is_empty() { "" } else { "," };
    format!(r#"{{"jsonrpc":"2.0","id":7,"method":"{method}","params":{{{params}{comma}{META}}}}}"#)
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let all = [("mcp-protocol-version", "2026-07-28")].iter().chain(pairs);
    all.map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())).collect()
}

fn taken(method: &str, name: Option<&str>, params: &str) -> Request {
    let mut headers = headers(&[("mcp-method", method)]);
    if let Some(name) = name {
        headers.insert(header::NAME, header::encode(name));
    }
    request(&headers, &message(method, params))
}

fn request(headers: &HeaderMap, body: &str) -> Request {
    match read(headers, &Bytes::copy_from_slice(body.as_bytes())).unwrap() {
        Said::Request(request) => *request,
        Said::Response(response) => panic!("{response:?}"),
    }
}

fn flaw(headers: &HeaderMap, body: &str) -> Flaw {
    read(headers, &Bytes::copy_from_slice(body.as_bytes())).unwrap_err()
}

fn reason(headers: &HeaderMap, body: &str) -> Reason {
    flaw(headers, body).refusal.reason
}

#[test]
fn a_call_is_read_whole() {
    let params = r#""name":"refund","arguments":{"amount":100.0},"inputResponses":{"a":{}},"requestState":"s\n""#;
    let request = taken("tools/call", Some("refund"), params);
    assert_eq!(request.revision, Revision::V2026_07_28);
    assert_eq!(request.id, Some(Id::number(7)));
    assert_eq!(request.method, "tools/call");
    let arguments = Some(Bytes::from_static(br#"{"amount":100.0}"#));
    assert_eq!(request.subject, Subject::Tool { name: "refund".to_owned(), arguments });
    assert_eq!(request.name(), Some("refund"));
    assert_eq!(request.input_responses.as_deref(), Some(br#"{"a":{}}"#.as_slice()));
    assert_eq!(request.request_state.as_deref(), Some("s\n"));
    assert_eq!(request.meta.progress_token, Some(Id::text("p")));
    assert_eq!(request.body, message("tools/call", params));
}

#[test]
fn parts_are_slices_of_the_body() {
    let request = taken("tools/call", Some("t"), r#""name":"t","arguments":{"a":1}"#);
    let Subject::Tool { arguments: Some(arguments), .. } = &request.subject else { panic!("no arguments") };
    let body = request.body.as_ptr_range();
    assert!(body.contains(&arguments.as_ptr()));
}

#[test]
fn every_method_has_its_subject() {
    let prompt = Subject::Prompt { name: "p".to_owned(), arguments: None };
    assert_eq!(taken("prompts/get", Some("p"), r#""name":"p""#).subject, prompt);
    let resource = Subject::Resource { uri: "file:///ä".to_owned() };
    assert_eq!(taken("resources/read", Some("file:///ä"), r#""uri":"file:///ä""#).subject, resource);
    let reference = |text: &str| taken("completion/complete", None, text).subject;
    assert_eq!(
        reference(r#""ref":{"type":"ref/prompt","name":"p"},"argument":{"name":"a","value":""}"#),
        Subject::Completion { reference: Reference::Prompt { name: "p".to_owned() } }
    );
    assert_eq!(
        reference(r#""ref":{"type":"ref/resource","uri":"file:///{x}"}"#),
        Subject::Completion { reference: Reference::Template { uri: "file:///{x}".to_owned() } }
    );
    let filter = r#""notifications":{"toolsListChanged":true,"resourceSubscriptions":["a:b","c:d"],"x":1}"#;
    assert_eq!(
        taken("subscriptions/listen", None, filter).subject,
        Subject::Subscription {
            tools_list_changed: true,
            prompts_list_changed: false,
            resources_list_changed: false,
            resource_uris: vec!["a:b".to_owned(), "c:d".to_owned()],
            task_ids: Vec::new(),
        }
    );
    let listing = taken("tools/list", None, r#""cursor":"next""#);
    assert_eq!((listing.subject, listing.cursor.as_deref()), (Subject::None, Some("next")));
    assert_eq!(taken("server/discover", None, "").subject, Subject::None);
    assert_eq!(taken("tasks/unheard", None, r#""name":5"#).subject, Subject::None);
}

#[test]
fn a_notification_needs_neither_id_nor_metadata() {
    let body = r#"{"jsonrpc":"2.0","method":"notifications/x"}"#;
    let request = request(&headers(&[]), body);
    assert_eq!((request.id, request.method.as_str()), (None, "notifications/x"));
    assert_eq!(reason(&headers(&[("mcp-method", "notifications/y")]), body), Reason::HeaderMismatch);
    assert_eq!(reason(&HeaderMap::new(), body), Reason::HeaderMismatch);
}

#[test]
fn what_is_no_json_rpc_request_is_refused() {
    let modern = headers(&[("mcp-method", "tools/list")]);
    for body in [
        "[]",
        r#"[{"jsonrpc":"2.0","id":1,"method":"tools/list"}]"#,
        "\"x\"",
        r#"{"id":7,"method":"tools/list"}"#,
        r#"{"jsonrpc":"1.0","id":7,"method":"tools/list"}"#,
        r#"{"jsonrpc":2.0,"id":7,"method":"tools/list"}"#,
        r#"{"jsonrpc":"2.0","id":7}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":42}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":""}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/list "}"#,
        r#"{"jsonrpc":"2.0","method":"tööls/list"}"#,
        r#"{"jsonrpc":"2.0","id":7,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":""}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/list","result":{}}"#,
        r#"{"jsonrpc":"2.0","id":null,"method":"tools/list"}"#,
        r#"{"jsonrpc":"2.0","id":1.5,"method":"tools/list"}"#,
        r#"{"jsonrpc":"2.0","id":{},"method":"tools/list"}"#,
    ] {
        assert_eq!(reason(&modern, body), Reason::NotJsonRpc, "{body}");
    }
    assert_eq!(reason(&modern, "{"), Reason::NotJson);
    assert_eq!(reason(&modern, r#"{"id":99999999999999999999}"#), Reason::Ambiguous);
    assert_eq!(reason(&modern, &format!("{{{}", " ".repeat(limits::MESSAGE_BYTES_MAX))), Reason::TooLarge);
}

#[test]
fn known_keys_in_another_case_are_refused_where_other_readers_would_match_them() {
    let modern = headers(&[("mcp-method", "tools/call"), ("mcp-name", "t")]);
    for body in [
        message("tools/call", r#""name":"t""#).replace("\"id\"", "\"ID\""),
        message("tools/call", r#""name":"t""#).replace(r#""id":7"#, r#""id":7,"Method":"tools/list""#),
        message("tools/call", r#""name":"t","Name":"u""#),
        message("tools/call", r#""name":"t","argument\u017f":{}"#),
        message("tools/call", r#""name":"t","reque\u017ftState":"x""#),
        message("tools/call", r#""name":"t""#).replace("progressToken", "ProgressToken"),
        message("tools/call", r#""name":"t""#).replace("clientCapabilities", "clientcapabilities"),
        message("completion/complete", r#""ref":{"type":"ref/prompt","name":"p","NAME":"q"}"#),
    ] {
        let headers = if body.contains("completion") {
            headers(&[("mcp-method", "completion/complete")])
        } else {
            modern.clone()
        };
        assert_eq!(reason(&headers, &body), Reason::Ambiguous, "{body}");
    }
    // Arguments are the tool's own: their keys are no one else's to know.
    assert!(read(&modern, &message("tools/call", r#""name":"t","arguments":{"NAME":1,"name":2}"#).into()).is_ok());
}

#[test]
fn missing_or_ill_typed_metadata_is_refused_with_the_requests_id() {
    let modern = headers(&[("mcp-method", "tools/list")]);
    let with = |params: &str| format!(r#"{{"jsonrpc":"2.0","id":"q","method":"tools/list"{params}}}"#);
    let version = r#""io.modelcontextprotocol/protocolVersion":"2026-07-28""#;
    let capabilities = r#""io.modelcontextprotocol/clientCapabilities":{}"#;
    for params in [
        String::new(),
        r#","params":{}"#.to_owned(),
        r#","params":[]"#.to_owned(),
        r#","params":null"#.to_owned(),
        r#","params":{"_meta":[]}"#.to_owned(),
        r#","params":{"_meta":{}}"#.to_owned(),
        format!(r#","params":{{"_meta":{{{version}}}}}"#),
        format!(r#","params":{{"_meta":{{{capabilities}}}}}"#),
        format!(r#","params":{{"_meta":{{{version},"io.modelcontextprotocol/clientCapabilities":true}}}}"#),
        format!(r#","params":{{"_meta":{{{capabilities},"io.modelcontextprotocol/protocolVersion":20260728}}}}"#),
        format!(r#","params":{{"_meta":{{{version},{capabilities},"progressToken":{{}}}}}}"#),
        format!(r#","params":{{"_meta":{{{version},{capabilities},"traceparent":1}}}}"#),
    ] {
        let flaw = flaw(&modern, &with(&params));
        assert_eq!((flaw.refusal.reason, flaw.id), (Reason::ParamsInvalid, Some(Id::text("q"))), "{params}");
    }
}

#[test]
fn ill_typed_parameters_are_refused() {
    for (method, params) in [
        ("tools/call", ""),
        ("tools/call", r#""name":42"#),
        ("tools/call", r#""name":["t"]"#),
        ("tools/call", r#""name":"""#),
        ("tools/call", r#""name":"t","arguments":[]"#),
        ("tools/call", r#""name":"t","arguments":null"#),
        ("tools/call", r#""name":"t","inputResponses":"x""#),
        ("tools/call", r#""name":"t","requestState":{}"#),
        ("prompts/get", r#""name":null"#),
        ("resources/read", r#""name":"a:b""#),
        ("resources/read", r#""uri":{"a":"b"}"#),
        ("tools/list", r#""cursor":5"#),
        ("completion/complete", ""),
        ("completion/complete", r#""ref":{"type":"ref/tool","name":"t"}"#),
        ("completion/complete", r#""ref":{"type":"ref/prompt","uri":"a:b"}"#),
        ("subscriptions/listen", ""),
        ("subscriptions/listen", r#""notifications":true"#),
        ("subscriptions/listen", r#""notifications":{"toolsListChanged":1}"#),
        ("subscriptions/listen", r#""notifications":{"resourceSubscriptions":"a:b"}"#),
        ("subscriptions/listen", r#""notifications":{"resourceSubscriptions":[1]}"#),
    ] {
        let headers = headers(&[("mcp-method", method), ("mcp-name", "t")]);
        let flaw = flaw(&headers, &message(method, params));
        assert_eq!((flaw.refusal.reason, flaw.id), (Reason::ParamsInvalid, Some(Id::number(7))), "{method} {params}");
    }
    let many = vec!["\"a:b\""; limits::SUBSCRIPTION_URIS_MAX + 1].join(",");
    let params = format!(r#""notifications":{{"resourceSubscriptions":[{many}]}}"#);
    let listen = headers(&[("mcp-method", "subscriptions/listen")]);
    assert_eq!(reason(&listen, &message("subscriptions/listen", &params)), Reason::ParamsInvalid);
}

#[test]
fn headers_must_say_what_the_body_says() {
    let body = message("tools/call", r#""name":"refund""#);
    let version = ("mcp-protocol-version", "2026-07-28");
    let method = ("mcp-method", "tools/call");
    let name = ("mcp-name", "refund");
    for pairs in [
        &[method, name][..],
        &[version, name],
        &[version, method],
        &[("mcp-protocol-version", "2025-11-25"), method, name],
        &[version, version, method, name],
        &[version, method, method, name],
        &[version, method, name, name],
        &[version, ("mcp-method", "TOOLS/CALL"), name],
        &[version, ("mcp-method", "tools/list"), name],
        &[version, ("mcp-method", "=?base64?dG9vbHMvY2FsbA==?="), name],
        &[version, method, ("mcp-name", "Refund")],
        &[version, method, ("mcp-name", "")],
        &[version, method, ("mcp-name", "=?base64?cmVmdW5k")],
        &[version, method, ("mcp-name", "=?base64?cmVmdW5=?=")],
        &[version, method, ("mcp-name", "=?base64?b3RoZXI=?=")],
    ] {
        let headers = pairs
            .iter()
            .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
            .collect::<HeaderMap>();
        let flaw = flaw(&headers, &body);
        assert_eq!((flaw.refusal.reason, flaw.id), (Reason::HeaderMismatch, Some(Id::number(7))), "{pairs:?}");
    }
    for said in ["refund", " refund\t", "=?base64?cmVmdW5k?="] {
        let mut headers = headers(&[method]);
        headers.insert(header::NAME, HeaderValue::from_str(said).unwrap());
        assert!(read(&headers, &body.clone().into()).is_ok(), "{said}");
    }
}

#[test]
fn an_unknown_version_is_refused_with_the_versions_spoken_here() {
    let body = message("server/discover", "").replace("2026-07-28", "v999.0.0");
    let mut headers = headers(&[]);
    headers.insert(header::PROTOCOL_VERSION, HeaderValue::from_static("v999.0.0"));
    let flaw = flaw(&headers, &body);
    assert_eq!((flaw.refusal.reason, flaw.id), (Reason::VersionUnsupported, Some(Id::number(7))));
    let supported: Vec<_> = Revision::SUPPORTED.iter().map(|revision| revision.as_str()).collect();
    assert_eq!(flaw.data, Some(Box::new(json!({ "supported": supported, "requested": "v999.0.0" }))));
}

#[test]
fn metadata_and_capabilities_are_read() {
    let capabilities = r#"{"elicitation":{"url":{}},"sampling":{},"extensions":{"x.y/z":{}},"roots":false}"#;
    let meta = META.replace(r#"clientCapabilities":{}"#, &format!(r#"clientCapabilities":{capabilities}"#)).replace(
        r#""progressToken":"p""#,
        r#""traceparent":"00-a","io.modelcontextprotocol/clientInfo":{"name":"c"},"io.modelcontextprotocol/logLevel":"info""#,
    );
    let body = message("tools/list", "").replace(META, &meta);
    let request = request(&headers(&[("mcp-method", "tools/list")]), &body);
    let said = request.meta;
    assert_eq!(said.client_info.as_deref(), Some(br#"{"name":"c"}"#.as_slice()));
    assert_eq!((said.log_level.as_deref(), said.traceparent.as_deref()), (Some("info"), Some("00-a")));
    let capabilities = said.client_capabilities;
    assert_eq!(capabilities.elicitation, Some(Elicitation { form: false, url: true }));
    assert!(capabilities.sampling && !capabilities.roots);
    assert_eq!(capabilities.extensions, ["x.y/z"]);
}

#[test]
fn a_flaws_words_never_quote_the_message() {
    let body = message("tools/call", r#""name":"hunter2","Name":"hunter2""#);
    let flaw = flaw(&headers(&[("mcp-method", "tools/call"), ("mcp-name", "x")]), &body);
    assert!(!format!("{flaw:?}").contains("hunter2"));
    let body = message("tools/call", r#""name":"hunter2""#);
    let flaw = read(&headers(&[("mcp-method", "tools/call"), ("mcp-name", "x")]), &body.into()).unwrap_err();
    assert!(!format!("{flaw:?}").contains("hunter2"));
}
