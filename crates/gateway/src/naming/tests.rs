use http::{HeaderMap, HeaderValue};
use serde_json::json;

use super::*;

/// A request of 2025-11-25 with these parameters, spelled exactly so.
fn request(method: &str, params: &str) -> Request {
    let body = format!("{{ \"params\" : {params} , \"method\":{}, \"id\":1,\"jsonrpc\":\"2.0\"}}", json!(method));
    let headers = [("mcp-protocol-version", "2025-11-25"), ("mcp-session-id", "s")];
    let headers = headers.map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
    match wire::read(&HeaderMap::from_iter(headers), &Bytes::from(body)) {
        Ok(wire::Said::Request(request)) => *request,
        Ok(wire::Said::Response(_)) => panic!("a response"),
        Err(flaw) => panic!("{}", flaw.refusal.detail),
    }
}

/// The parameters that a server is told.
fn told(wording: &Wording, method: &str, params: &str) -> String {
    let body = wording.body(&request(method, params)).map_err(|refusal| refusal.detail).unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap();
    let (_, rest) = text.split_once(" : ").unwrap();
    rest.rsplit_once(" , \"method\"").unwrap().0.to_owned()
}

#[test]
fn a_name_is_replaced_and_every_other_byte_stays() {
    let own = Wording::Own("re\"ad".to_owned());
    let called = told(&own, "tools/call", r#"{"arguments":{ "name":1.50 },  "na\u006de":"crm_read"}"#);
    assert_eq!(called, r#"{"arguments":{ "name":1.50 },  "na\u006de":"re\"ad"}"#);
    let reference = r#"{"ref":{"type":"ref/prompt","name":"crm_x"},"argument":{"name":"a","value":"v"}}"#;
    assert_eq!(told(&own, "completion/complete", reference), reference.replace("crm_x", "re\\\"ad"));
    let called = request("tools/call", r#"{"name":"crm_read"}"#);
    assert_eq!(own.header(&called), Some("re\"ad"));
    assert_eq!(Wording::AsSaid.header(&called), None);
    assert_eq!(Wording::AsSaid.body(&called).unwrap(), called.body);
}

#[test]
fn a_cursor_of_the_gates_becomes_the_servers_or_none() {
    let params = r#"{"_meta":{"a":1.50},"cursor":"crm:x"}"#;
    let theirs = Wording::Cursor(Some("x".to_owned()));
    assert_eq!(told(&theirs, "resources/list", params), r#"{"_meta":{"a":1.50},"cursor":"x"}"#);
    assert_eq!(told(&Wording::Cursor(None), "resources/list", params), r#"{"_meta":{"a":1.50}}"#);
    let escaped = r#"{"curs\u006fr":"crm","b":[1e2]}"#;
    assert_eq!(told(&Wording::Cursor(None), "resources/list", escaped), r#"{"b":[1e2]}"#);
    assert_eq!(told(&Wording::Cursor(None), "resources/list", "{\"b\" : 1}"), "{\"b\" : 1}");
    assert!(theirs.body(&request("resources/list", "{}")).is_err(), "a server's cursor comes from nowhere else");
}
