use model::limits;

use super::*;

const MODERN: Revision = Revision::V2026_07_28;
const IN_SESSION: Revision = Revision::V2025_11_25;

fn parsed(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}

#[test]
fn errors_and_results_carry_the_id_as_it_came() {
    assert_eq!(result(&Id::number(7), &json!({})), r#"{"jsonrpc":"2.0","id":7,"result":{}}"#);
    assert_eq!(
        error(Some(&Id::text("a\"b")), -32602, "\"bad\"", None),
        r#"{"jsonrpc":"2.0","id":"a\"b","error":{"code":-32602,"message":"\"bad\""}}"#
    );
    assert_eq!(
        error(None, 1, "x", Some(&json!([1]))),
        r#"{"jsonrpc":"2.0","error":{"code":1,"message":"x","data":[1]}}"#
    );
}

#[test]
fn a_listing_is_private_and_keeps_its_definitions_as_they_are() {
    let tools = [r#"{"name":"a","x":1.0}"#, r#"{"name":"b"}"#];
    let text = listing(&Id::number(1), MODERN, "tools", tools, limits::LISTING_TTL_MILLISECONDS);
    let expected = concat!(
        r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","tools":"#,
        r#"[{"name":"a","x":1.0},{"name":"b"}],"ttlMs":30000,"cacheScope":"private"}}"#
    );
    assert_eq!(text, expected);
    let empty = parsed(&listing(&Id::number(1), MODERN, "prompts", [], 0));
    assert_eq!(empty["result"]["prompts"], json!([]));
}

#[test]
fn a_refused_call_is_a_result_that_its_model_can_read() {
    let receipt = ReceiptId::new(1, 2);
    let refusal = Refusal::new(Reason::PolicyForbids, "operator's text").with_hint("over the limit");
    let (status, body) = refused(Some(&Id::number(1)), MODERN, &refusal, Some(receipt), Answering::ToolCall, None);
    let body = parsed(&body);
    assert_eq!(status, StatusCode::OK);
    let result = &body["result"];
    assert_eq!((&result["isError"], &result["resultType"]), (&json!(true), &json!("complete")));
    let text = result["content"][0]["text"].as_str().unwrap();
    assert!(text.starts_with("refused by policy: over the limit. Next: ask the policy's owner"), "{text}");
    assert!(text.ends_with(&format!("Receipt: {receipt}.")), "{text}");
    assert_eq!(result["_meta"][REFUSAL]["reason"], "policy-forbids");
    assert_eq!(result["_meta"][REFUSAL]["receipt"], receipt.to_string());
    assert!(!body.to_string().contains("operator's text"));
}

#[test]
fn elsewhere_the_same_refusal_is_an_error() {
    let refusal = Refusal::new(Reason::PolicyForbids, "operator's text");
    for (id, answering) in [(Some(Id::number(1)), Answering::Other), (None, Answering::ToolCall)] {
        let (status, body) = refused(id.as_ref(), MODERN, &refusal, None, answering, None);
        let body = parsed(&body);
        assert_eq!((status, &body["error"]["code"]), (StatusCode::OK, &json!(-31017)));
        assert_eq!(body["error"]["data"][REFUSAL]["reason"], "policy-forbids");
        assert_eq!(body.get("id").is_some(), id.is_some());
    }
}

#[test]
fn every_reason_is_told_with_its_status_and_never_with_its_detail() {
    for &reason in Reason::ALL {
        for answering in [Answering::ToolCall, Answering::Other] {
            let refusal = Refusal::new(reason, "operator's text");
            let data = json!({ "supported": ["2026-07-28"] });
            let (status, body) = refused(Some(&Id::number(1)), MODERN, &refusal, None, answering, Some(&data));
            assert_eq!(status.as_u16(), reason.row().status);
            let body = parsed(&body);
            assert!(!body.to_string().contains("operator's text"), "{reason:?}");
            assert!(body.to_string().contains(reason.row().word), "{reason:?}");
            if let Some(error) = body.get("error") {
                assert_eq!(error["data"]["supported"], json!(["2026-07-28"]));
            }
        }
    }
}
