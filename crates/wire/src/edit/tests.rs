use super::*;

fn edited(body: &'static str, edits: &[(&[&str], &str)]) -> Result<String, Flaw> {
    replace(&Bytes::from_static(body.as_bytes()), edits).map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
}

#[test]
fn only_what_is_named_changes() {
    let body = concat!(
        "{ \"jsonrpc\":\"2.0\",\"id\" : 7 ,\"params\":{\"n\\u0061me\":\"a\",\"x\":1.50,",
        "\"_meta\":\n{\"progressToken\":\"p\"}}}\r\n"
    );
    let edits: [(&[&str], &str); 3] =
        [(&["params", "_meta", "progressToken"], "12"), (&["id"], r#""seven""#), (&["params", "name"], r#""crm_a""#)];
    let expected = concat!(
        "{ \"jsonrpc\":\"2.0\",\"id\" : \"seven\" ,\"params\":{\"n\\u0061me\":\"crm_a\",\"x\":1.50,",
        "\"_meta\":\n{\"progressToken\":12}}}\r\n"
    );
    assert_eq!(edited(body, &edits).unwrap(), expected);
    assert_eq!(edited(body, &[]).unwrap(), body);
}

#[test]
fn members_of_the_same_name_elsewhere_stay() {
    let body = r#"{"params":{"id":1,"a":{"id":2},"b":[{"id":3}]},"id":4}"#;
    assert_eq!(edited(body, &[(&["id"], "0")]).unwrap(), body.replace('4', "0"));
    assert_eq!(edited(body, &[(&["params", "a", "id"], "0")]).unwrap(), body.replace('2', "0"));
    assert_eq!(
        edited(body, &[(&["params", "a"], "{}")]).unwrap(),
        r#"{"params":{"id":1,"a":{},"b":[{"id":3}]},"id":4}"#
    );
}

#[test]
fn a_path_that_leads_nowhere_is_refused() {
    let body = r#"{"id":1,"params":{"name":"a","list":[{"x":1}]}}"#;
    let nowhere: [&[&str]; 8] = [
        &[],
        &["method"],
        &["ID"],
        &["id", "x"],
        &["params", "uri"],
        &["params", "name", "a"],
        &["params", "list", "x"],
        &["params", "list", "0"],
    ];
    for path in nowhere {
        let flaw = edited(body, &[(path, "0")]).unwrap_err();
        assert_eq!(flaw.refusal.reason, Reason::Internal, "{path:?}");
    }
}

#[test]
fn one_edit_within_another_is_refused() {
    let body = r#"{"id":1,"params":{"name":"a"}}"#;
    for edits in [
        [(["params"].as_slice(), "{}"), (["params", "name"].as_slice(), "0")],
        [(["params", "name"].as_slice(), "0"), (["params"].as_slice(), "{}")],
        [(["id"].as_slice(), "0"), (["id"].as_slice(), "1")],
    ] {
        assert_eq!(edited(body, &edits).unwrap_err().refusal.reason, Reason::Internal, "{edits:?}");
    }
}

#[test]
fn what_is_put_in_is_one_strict_value() {
    let body = r#"{"id":1}"#;
    for text in ["", "1,\"method\":\"x\"", "1}", "{\"a\":1,\"a\":2}", "nul", "\"a"] {
        assert_eq!(edited(body, &[(&["id"], text)]).unwrap_err().refusal.reason, Reason::Internal, "{text}");
    }
    assert_eq!(edited(r#"{"id":1,"id":2}"#, &[(&["id"], "0")]).unwrap_err().refusal.reason, Reason::Ambiguous);
}
