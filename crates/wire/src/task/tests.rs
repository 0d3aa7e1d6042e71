use super::*;

const BASE: &str =
    r#""taskId":"t-1","createdAt":"2026-11-21T10:00:00Z","lastUpdatedAt":"2026-11-21T10:00:00Z","ttlMs":null"#;

fn task(members: &str) -> Result<Task, String> {
    read(&Bytes::from(format!("{{{BASE},{members}}}"))).map_err(|flaw| flaw.refusal.detail)
}

#[test]
fn each_status_carries_its_own() {
    let read = task(r#""status":"working","resultType":"task","pollIntervalMs":50"#).unwrap();
    assert_eq!(read.id, "t-1");
    assert!(matches!(read.status, Status::Working));
    assert!(matches!(task(r#""status":"cancelled""#).unwrap().status, Status::Cancelled));
    let done = task(r#""status":"completed","result":{"content":[],"isError":true,"resultType":"complete"}"#);
    assert!(matches!(done.unwrap().status, Status::Completed { is_error: true }));
    let failed = task(r#""status":"failed","error":{"code":-32603,"message":"no"},"statusMessage":"no""#);
    assert!(matches!(failed.unwrap().status, Status::Failed { code: -32603 }));
    let asks = r#""status":"input_required","inputRequests":{"a":{"method":"roots/list"}}"#;
    let Status::InputRequired(questions) = task(asks).unwrap().status else { panic!("it asks") };
    assert_eq!((questions[0].key.as_str(), questions[0].method.as_str()), ("a", "roots/list"));
}

#[test]
fn nothing_is_carried_under_another_status() {
    for members in [
        r#""status":"working","result":{"content":[]}"#,
        r#""status":"working","inputRequests":{"a":{"method":"roots/list"}}"#,
        r#""status":"completed""#,
        r#""status":"completed","result":{},"inputRequests":{"a":{"method":"roots/list"}}"#,
        r#""status":"completed","result":{"resultType":"input_required"}"#,
        r#""status":"completed","result":{"resultType":7}"#,
        r#""status":"completed","result":{"IsError":true}"#,
        r#""status":"completed","result":[]"#,
        r#""status":"failed""#,
        r#""status":"failed","error":{"code":"1","message":"no"}"#,
        r#""status":"failed","error":{"code":1}"#,
        r#""status":"failed","error":{"code":1,"message":"no"},"result":{}"#,
        r#""status":"input_required""#,
        r#""status":"input_required","inputRequests":[]"#,
        r#""status":"cancelled","result":{}"#,
        r#""status":"Working""#,
        r#""status":"submitted""#,
        r#""statusMessage":"no status""#,
        r#""status":"working","Status":"completed""#,
        r#""status":"working","InputRequests":{}"#,
        r#""status":"working","status":"working""#,
        r#""status":7"#,
    ] {
        task(members).expect_err(members);
    }
}

#[test]
fn a_task_has_an_id_that_fits() {
    let status = r#""status":"working""#;
    let of = |id: &str| read(&Bytes::from(format!(r#"{{"taskId":{id},{status}}}"#)));
    let long = "x".repeat(limits::TASK_ID_BYTES_MAX);
    assert_eq!(of(&format!("\"{long}\"")).unwrap().id, long);
    for id in [&format!("\"{long}x\""), "\"\"", "7", "null", "[\"a\"]"] {
        of(id).expect_err(id);
    }
    read(&Bytes::from(format!("{{{status}}}"))).expect_err("no id");
    read(&Bytes::from_static(b"[]")).expect_err("no object");
}

#[test]
fn a_task_that_begins_carries_nothing() {
    let begins = |members: &str| begun(&Bytes::from(format!("{{{BASE},{members}}}")));
    for status in ["working", "input_required", "completed", "failed", "cancelled"] {
        assert_eq!(begins(&format!(r#""resultType":"task","status":"{status}""#)).unwrap(), "t-1");
    }
    for members in [
        r#""status":"completed","result":{}"#,
        r#""status":"failed","error":{"code":1,"message":"no"}"#,
        r#""status":"input_required","inputRequests":{}"#,
        r#""status":"working","requestState":"s""#,
        r#""status":"working","TaskId":"t-2""#,
        r#""status":"paused""#,
        r#""statusMessage":"none""#,
    ] {
        begins(members).expect_err(members);
    }
    begun(&Bytes::from_static(br#"{"status":"working"}"#)).expect_err("no id");
}

#[test]
fn a_server_says_of_which_tasks_it_will_tell() {
    let granted = |params: &str| acknowledged(&Bytes::from(params.to_owned())).map_err(|flaw| flaw.refusal.detail);
    assert_eq!(granted(r#"{"notifications":{}}"#).unwrap(), None);
    assert_eq!(granted(r#"{"taskIds":["a"]}"#).unwrap(), None);
    let said = r#"{"_meta":{},"notifications":{"toolsListChanged":true,"taskIds":["a","b"]}}"#;
    assert_eq!(granted(said).unwrap(), Some(vec!["a".to_owned(), "b".to_owned()]));
    for params in [
        r#"{"notifications":{"taskIds":"a"}}"#,
        r#"{"notifications":{"taskIds":[1]}}"#,
        r#"{"notifications":{"taskids":["a"]}}"#,
        r#"{"Notifications":{"taskIds":["a"]}}"#,
    ] {
        granted(params).expect_err(params);
    }
}
