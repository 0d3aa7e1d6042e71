use super::*;

#[test]
fn a_stream_is_read_on_when_its_server_wants_and_later_each_time_it_is_in_vain() {
    let said = Place { last: None, retry: Some(200) };
    assert_eq!([0, 1, 2, 5].map(|fruitless| pause(&said, fruitless).as_millis()), [200, 200, 400, 3_200]);
    assert_eq!(pause(&Place::default(), 0).as_millis(), 1_000);
    assert_eq!(pause(&Place { last: None, retry: Some(u64::MAX) }, 40).as_millis(), 30_000);
}

#[test]
fn a_404_is_the_end_of_the_session_unless_it_says_otherwise() {
    let headers = HeaderMap::from_iter([(SESSION_ID, HeaderValue::from_static("s"))]);
    let answer = |status, said| Answer { status, headers: HeaderMap::new(), said };
    let error = |code: i64| {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": code, "message": "no" } });
        Said::Whole(body.to_string().into())
    };
    assert!(is_over(&headers, &answer(StatusCode::NOT_FOUND, Said::Nothing)));
    assert!(is_over(&headers, &answer(StatusCode::NOT_FOUND, error(-32001))));
    assert!(is_over(&headers, &answer(StatusCode::NOT_FOUND, error(-31027))));
    assert!(!is_over(&headers, &answer(StatusCode::NOT_FOUND, error(-32601))), "an unknown method");
    assert!(!is_over(&headers, &answer(StatusCode::NOT_FOUND, error(-31011))), "an unknown endpoint");
    assert!(!is_over(&headers, &answer(StatusCode::BAD_REQUEST, Said::Nothing)));
    assert!(!is_over(&HeaderMap::new(), &answer(StatusCode::NOT_FOUND, Said::Nothing)));
}
