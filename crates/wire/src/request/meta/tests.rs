use http::HeaderMap;
use model::Reason;

use super::*;
use crate::{Request, Said, read};

fn handshake(params: &str) -> Result<Request, Flaw> {
    let params = format!(r#"{{"protocolVersion":"2025-11-25",{params}}}"#);
    let body = format!(r#"{{"jsonrpc":"2.0","id":0,"method":"initialize","params":{params}}}"#);
    match read(&HeaderMap::new(), &body.into())? {
        Said::Request(request) => Ok(*request),
        Said::Response(response) => panic!("{response:?}"),
    }
}

#[test]
fn a_handshake_says_who_the_client_is_and_what_it_can_be_asked() {
    let said = r#"{"elicitation":{},"roots":{"listChanged":true},"tasks":{"list":{}}, "experimental":{"x":{}}}"#;
    let request = handshake(&format!(r#""capabilities":{said},"clientInfo":{{"name":"c","version":"1"}}"#)).unwrap();
    assert_eq!(request.meta.client_info.as_deref(), Some(br#"{"name":"c","version":"1"}"#.as_slice()));
    let capabilities = &request.meta.client_capabilities;
    assert_eq!(capabilities.elicitation, Some(Elicitation { form: true, url: false }));
    assert!(capabilities.roots && !capabilities.sampling);
    let raw = capabilities.raw.as_deref().unwrap();
    assert_eq!(raw, said.as_bytes());
    assert!(!request.body.as_ptr_range().contains(&raw.as_ptr()), "a session must not keep the whole body");
}

#[test]
fn a_handshake_that_says_too_little_or_too_much_is_refused() {
    let large = |bytes: usize| {
        let filler = "x".repeat(bytes - r#"{"x":""}"#.len());
        handshake(&format!(r#""capabilities":{{"x":"{filler}"}}"#))
    };
    assert!(large(limits::CLIENT_CAPABILITIES_BYTES_MAX).is_ok());
    let flaws = [
        large(limits::CLIENT_CAPABILITIES_BYTES_MAX + 1),
        handshake(r#""clientInfo":{}"#),
        handshake(r#""capabilities":[]"#),
        handshake(r#""capabilities":null"#),
        handshake(r#""capabilities":{},"clientInfo":"c""#),
    ];
    for flaw in flaws {
        let flaw = flaw.unwrap_err();
        assert_eq!((flaw.refusal.reason, flaw.id), (Reason::ParamsInvalid, Some(Id::number(0))));
        assert_eq!(flaw.revision, Some(Revision::V2025_11_25));
    }
}

#[test]
fn within_a_session_a_message_declares_nothing_of_its_own() {
    let meta = r#""_meta":{"io.modelcontextprotocol/clientCapabilities":{"sampling":{}},"traceparent":"00-a"}"#;
    let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{{{meta}}}}}"#);
    let mut headers = HeaderMap::new();
    headers.insert(crate::header::SESSION_ID, http::HeaderValue::from_static("s"));
    let Ok(Said::Request(request)) = read(&headers, &body.into()) else { panic!("no request") };
    assert_eq!(request.meta.client_capabilities, Capabilities::default());
    assert_eq!(request.meta.traceparent.as_deref(), Some("00-a"));
}

#[test]
fn what_is_declared_with_each_request_can_be_sent_on_as_it_came() {
    let raw = r#"{"sampling":{ "tools":{}}}"#;
    let body = Bytes::from(raw.to_owned());
    let strict = crate::json::check(&body, &crate::json::Bounds::MESSAGE).unwrap();
    assert_eq!(Capabilities::read(strict.top(), &body).raw.as_deref(), Some(raw.as_bytes()));
}

#[test]
fn in_an_older_session_a_client_cannot_be_asked_what_its_revision_does_not_know() {
    let said = r#"{"elicitation":{"url":{}},"sampling":{"tools":{}},"roots":{"listChanged":true}}"#;
    let body = Bytes::from(said.to_owned());
    let strict = crate::json::check(&body, &crate::json::Bounds::MESSAGE).unwrap();
    let all = Capabilities::read(strict.top(), &body);
    for newest in [Revision::V2026_07_28, Revision::V2025_11_25] {
        assert_eq!(all.clone().within(newest), all);
    }
    let told =
        |capabilities: &Capabilities| -> Value { serde_json::from_slice(capabilities.raw.as_ref().unwrap()).unwrap() };
    let forms = all.clone().within(Revision::V2025_06_18);
    assert_eq!(forms.elicitation, Some(Elicitation { form: true, url: false }));
    assert_eq!(told(&forms), json!({ "elicitation": {}, "sampling": {}, "roots": { "listChanged": true } }));
    for oldest in [Revision::V2025_03_26, Revision::V2024_11_05] {
        let kept = all.clone().within(oldest);
        assert_eq!((kept.elicitation, kept.sampling, kept.roots), (None, true, true));
        assert_eq!(told(&kept), json!({ "sampling": {}, "roots": { "listChanged": true } }));
    }
    assert_eq!(Capabilities::default().within(Revision::V2024_11_05), Capabilities::default());
}
