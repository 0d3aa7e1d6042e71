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
fn what_is_put_makes_no_message_deeper_than_any_may_be() {
    let put = |path: &[&str], value: &str| splice(&Bytes::from_static(b"{}"), &[(path, Change::Put(value))]);
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let deepest = Bounds::MESSAGE.depth;
    let all = vec!["a"; deepest];
    for (path, value) in [(all.as_slice(), "1"), (&["a", "b"], &nested(deepest - 2))] {
        let body = put(path, value).unwrap();
        assert!(json::check(&body, &Bounds::MESSAGE).is_ok(), "{path:?}");
    }
    for (path, value) in [(all.as_slice(), "[]"), (&["a", "b"], &nested(deepest - 1)), (&vec!["a"; deepest + 1], "1")] {
        assert!(put(path, value).is_err(), "{path:?}");
    }
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

fn spliced(body: &'static str, changes: &[(Path<'_>, Change<'_>)]) -> Result<String, Flaw> {
    splice(&Bytes::from_static(body.as_bytes()), changes).map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
}

#[test]
fn members_are_put_in_and_taken_out_and_the_rest_stays() {
    let body = "{ \"id\" : 7 ,\"params\":{\"x\":1.50, \"_meta\": {\"a\":1,\n \"b\":2} , \"y\":[1e0]}}\r\n";
    let cases: [(&[(Path<'_>, Change<'_>)], &str); 8] = [
        (&[], body),
        (
            &[(&["params", "x"], Change::Remove)],
            "{ \"id\" : 7 ,\"params\":{ \"_meta\": {\"a\":1,\n \"b\":2} , \"y\":[1e0]}}\r\n",
        ),
        (
            &[(&["params", "y"], Change::Remove), (&["id"], Change::Put("8"))],
            "{ \"id\" : 8 ,\"params\":{\"x\":1.50, \"_meta\": {\"a\":1,\n \"b\":2}}}\r\n",
        ),
        (
            &[(&["params", "_meta", "c"], Change::Put("{}")), (&["params", "_meta", "b"], Change::Remove)],
            "{ \"id\" : 7 ,\"params\":{\"x\":1.50, \"_meta\": {\"a\":1,\"c\":{}} , \"y\":[1e0]}}\r\n",
        ),
        (
            &[(&["params", "_meta", "b"], Change::Remove), (&["params", "_meta", "a"], Change::Remove)],
            "{ \"id\" : 7 ,\"params\":{\"x\":1.50, \"_meta\": {} , \"y\":[1e0]}}\r\n",
        ),
        (&[(&["id"], Change::Remove), (&["params"], Change::Remove)], "{}\r\n"),
        (
            &[(&["id"], Change::Remove), (&["params"], Change::Put("1")), (&["z", "y", "x"], Change::Put("null"))],
            "{\"params\":1,\"z\":{\"y\":{\"x\":null}}}\r\n",
        ),
        (&[(&["gone"], Change::Remove), (&["no", "where"], Change::Remove)], body),
    ];
    for (changes, expected) in cases {
        assert_eq!(spliced(body, changes).unwrap(), expected, "{changes:?}");
    }
    assert_eq!(spliced("{ }", &[(&["a\"b"], Change::Put("1"))]).unwrap(), "{\"a\\\"b\":1 }");
}

#[test]
fn changes_that_cannot_all_be_made_are_refused() {
    let body = r#"{"id":1,"params":{"name":"a"},"list":[{"x":1}]}"#;
    let cases: [&[(Path<'_>, Change<'_>)]; 6] = [
        &[(&[], Change::Remove)],
        &[(&["id", "x"], Change::Put("1"))],
        &[(&["list", "x"], Change::Remove)],
        &[(&["params"], Change::Remove), (&["params", "name"], Change::Put("1"))],
        &[(&["new"], Change::Put("1")), (&["new"], Change::Remove)],
        &[(&["id"], Change::Put("1,\"method\":\"x\""))],
    ];
    for changes in cases {
        assert_eq!(spliced(body, changes).unwrap_err().refusal.reason, Reason::Internal, "{changes:?}");
    }
    assert_eq!(spliced("[]", &[(&["a"], Change::Remove)]).unwrap_err().refusal.reason, Reason::Internal);
}

/// Whatever is done to an object's members, they are what a tree would hold, in order, and the text is strict JSON.
#[test]
fn splicing_is_what_a_tree_would_do() {
    const KEYS: [&str; 4] = ["a", "b", "c\u{e9}", "d"];
    const SPACES: [&str; 3] = ["", " ", "\r\n\t"];
    bolero::check!().with_type::<(Vec<(u8, u8)>, Vec<(u8, Option<u8>)>)>().for_each(|(members, edits)| {
        let mut body = String::from("{");
        let mut tree = serde_json::Map::new();
        for (place, (key, value)) in members.iter().enumerate() {
            let (key, space) = (KEYS[usize::from(*key) % 4], SPACES[place % 3]);
            if tree.contains_key(key) {
                continue;
            }
            let comma = if tree.is_empty() { "" } else { "," };
            body.push_str(&format!("{space}{comma}{space}\"{key}\"{space}:{value}{space}"));
            tree.insert(key.to_owned(), (*value).into());
        }
        body.push('}');
        let mut seen = Vec::new();
        let mut paths: Vec<([&str; 1], Option<String>)> = Vec::new();
        for (key, value) in edits {
            let key = KEYS[usize::from(*key) % 4];
            if seen.contains(&key) {
                continue;
            }
            seen.push(key);
            match value {
                Some(value) => _ = tree.insert(key.to_owned(), (*value).into()),
                None => _ = tree.shift_remove(key),
            }
            paths.push(([key], value.map(|value| value.to_string())));
        }
        let changes: Vec<(Path<'_>, Change<'_>)> = paths
            .iter()
            .map(|(path, value)| (path.as_slice(), value.as_deref().map_or(Change::Remove, Change::Put)))
            .collect();
        let spliced = splice(&body.clone().into(), &changes).unwrap();
        assert!(json::check(&spliced, &Bounds::MESSAGE).is_ok(), "{body} {changes:?} {spliced:?}");
        let read: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&spliced).unwrap();
        assert_eq!(read.iter().collect::<Vec<_>>(), tree.iter().collect::<Vec<_>>(), "{body} {changes:?}");
    });
}
