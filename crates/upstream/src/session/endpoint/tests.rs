use http::Uri;

use super::resolve;

#[test]
fn a_server_is_posted_to_where_it_says_within_itself() {
    let base: Uri = "http://crm.example:8080/mcp/sse?key=1".parse().unwrap();
    for (said, at) in [
        ("/messages?session=1", "http://crm.example:8080/messages?session=1"),
        ("/messages/", "http://crm.example:8080/messages/"),
        ("messages", "http://crm.example:8080/mcp/messages"),
        ("./messages", "http://crm.example:8080/mcp/messages"),
        ("../messages?to=a:b", "http://crm.example:8080/messages?to=a:b"),
        ("../../../messages/..", "http://crm.example:8080/"),
        ("?session=1", "http://crm.example:8080/mcp/sse?session=1"),
        ("http://crm.example:8080/x?y=1", "http://crm.example:8080/x?y=1"),
        ("HTTP://CRM.example:8080", "http://crm.example:8080/"),
        ("//crm.example:8080/x", "http://crm.example:8080/x"),
    ] {
        assert_eq!(resolve(&base, said).unwrap().to_string(), at, "{said}");
    }
    let usual: Uri = "https://crm.example/sse".parse().unwrap();
    assert_eq!(resolve(&usual, "https://crm.example:443/x").unwrap().path(), "/x");
}

#[test]
fn a_server_is_posted_to_nowhere_else() {
    let base: Uri = "http://crm.example:8080/sse".parse().unwrap();
    for said in [
        "",
        "http://crm.example/x",
        "https://crm.example:8080/x",
        "http://crm.example:8081/x",
        "http://crm.example.attacker.example:8080/x",
        "http://crm.example:8080@attacker.example/x",
        "http://user@crm.example:8080/x",
        "//attacker.example/x",
        "//169.254.169.254/latest/meta-data",
        "/\\attacker.example/x",
        "\\\\attacker.example\\x",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "crm.example:8080",
        "/x#fragment",
        "/x y",
        "/x\r\nhost: attacker.example",
        "/\u{e4}",
        &format!("/{}", "x".repeat(5000)),
    ] {
        assert!(resolve(&base, said).is_err(), "{said}");
    }
}
