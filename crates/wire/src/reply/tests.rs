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
    let text = listing(&Id::number(1), MODERN, "tools", tools, None, limits::LISTING_TTL_MILLISECONDS);
    let expected = concat!(
        r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","tools":"#,
        r#"[{"name":"a","x":1.0},{"name":"b"}],"ttlMs":30000,"cacheScope":"private"}}"#
    );
    assert_eq!(text, expected);
    let empty = parsed(&listing(&Id::number(1), MODERN, "prompts", [], None, 0));
    assert_eq!(empty["result"]["prompts"], json!([]));
    let more = parsed(&listing(&Id::number(1), MODERN, "tools", tools, Some("a\"b"), 0));
    assert_eq!(more["result"]["nextCursor"], "a\"b");
}

#[test]
fn in_a_session_results_have_no_type_and_listings_no_time() {
    let text = listing(&Id::number(1), IN_SESSION, "tools", [r#"{"name":"a"}"#, "{}"], None, 5);
    assert_eq!(text, r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a"},{}]}}"#);
    let refusal = Refusal::new(Reason::PolicyForbids, "");
    let (_, body) = refused(Some(&Id::number(1)), IN_SESSION, &refusal, None, Answering::ToolCall, None);
    let result = &parsed(&body)["result"];
    assert_eq!((&result["isError"], result.get("resultType")), (&json!(true), None));
}

#[test]
fn a_handshake_is_answered_with_what_is_spoken_from_now_on() {
    let (capabilities, info) = (json!({ "tools": {} }), json!({ "name": "desk", "version": "2" }));
    let answer = parsed(&initialized(&Id::number(0), IN_SESSION, &capabilities, &info, Some("be kind")));
    let expected = json!({
        "protocolVersion": "2025-11-25", "capabilities": { "tools": {} }, "instructions": "be kind",
        "serverInfo": { "name": "desk", "version": "2" },
    });
    assert_eq!(answer, json!({ "jsonrpc": "2.0", "id": 0, "result": expected }));
    let answer = parsed(&initialized(&Id::number(0), IN_SESSION, &capabilities, &Value::Null, None));
    assert_eq!(
        (&answer["result"]["serverInfo"]["name"], answer["result"].get("instructions")),
        (&json!("portcullis"), None)
    );
}

#[test]
fn a_changed_list_is_told_to_a_subscription_or_to_a_session() {
    let method = "notifications/tools/list_changed";
    assert_eq!(list_changed(method, None), r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#);
    let told = parsed(&list_changed(method, Some(&Id::text("s"))));
    assert_eq!(told["params"], json!({ "_meta": { "io.modelcontextprotocol/subscriptionId": "s" } }));
}

#[test]
fn a_missing_resource_has_a_code_of_its_own_in_a_session() {
    let refusal = Refusal::new(Reason::ObjectNotFound, "");
    let code = |revision, method| {
        let (_, body) = refused(Some(&Id::number(1)), revision, &refusal, None, Answering::of(method), None);
        parsed(&body)["error"]["code"].as_i64().unwrap()
    };
    assert_eq!(code(IN_SESSION, "resources/read"), -32002);
    assert_eq!(code(IN_SESSION, "resources/subscribe"), -32002);
    assert_eq!(code(IN_SESSION, "tools/call"), -32602);
    assert_eq!(code(MODERN, "resources/read"), -32602);
}

#[test]
fn in_a_session_only_the_end_of_the_session_is_told_as_not_found() {
    let status = |reason, id: Option<&Id>| {
        refused(id, IN_SESSION, &Refusal::new(reason, ""), None, Answering::Other, None).0.as_u16()
    };
    let id = Id::number(1);
    assert_eq!(status(Reason::MethodUnknown, Some(&id)), 200);
    assert_eq!(status(Reason::OutcomeUnknown, Some(&id)), 200);
    assert_eq!(status(Reason::SessionUnknown, Some(&id)), 404);
    assert_eq!(status(Reason::SessionMissing, Some(&id)), 400);
    assert_eq!(status(Reason::VersionUnsupported, Some(&id)), 400);
    assert_eq!(status(Reason::Unauthenticated, Some(&id)), 401);
    // A notification has no answer that could tell it.
    assert_eq!(status(Reason::MethodUnknown, None), 404);
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

#[test]
fn a_handshake_for_which_no_revision_is_served_is_told_so_in_the_words_of_its_revisions() {
    let refusal = Refusal::new(Reason::VersionUnsupported, "too old");
    let data = json!({ "supported": ["2025-11-25"], "requested": "2024-11-05" });
    let told = |answering| refused(Some(&Id::number(1)), IN_SESSION, &refusal, None, answering, Some(&data));
    let (status, body) = told(Answering::of("initialize"));
    let body = parsed(&body);
    assert_eq!((status, &body["error"]["code"]), (StatusCode::OK, &json!(-32602)));
    assert_eq!(body["error"]["data"]["supported"], json!(["2025-11-25"]));
    let (status, body) = told(Answering::of("tools/list"));
    assert_eq!((status, &parsed(&body)["error"]["code"]), (StatusCode::BAD_REQUEST, &json!(-32022)));
}
