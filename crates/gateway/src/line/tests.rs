use super::*;

#[test]
fn a_glance_tells_where_an_answer_goes() {
    let glance = |text: &str| {
        let glance = Glance::at(text.as_bytes());
        (glance.is_answered, glance.begins)
    };
    assert_eq!(glance(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#), (true, false));
    assert_eq!(glance(r#"{"id":0,"method":"initialize"}"#), (true, true));
    assert_eq!(glance(r#"{"id":"a","method":"initi\u0061lize"}"#), (true, true));
    assert_eq!(glance(r#"[{"id":1,"method":"initialize"}]"#), (true, false));
    for status in [
        r#"{"method":"notifications/initialized"}"#,
        r#"{"method":"initialize"}"#,
        r#"{"id":1,"result":{}}"#,
        r#"{"id":null,"method":"ping"}"#,
        r#"{"id":1,"id":2,"method":"ping"}"#,
        r#"{"id":1,"method":7}"#,
        "nothing",
        "",
    ] {
        assert_eq!(glance(status), (false, false), "{status}");
    }
}
