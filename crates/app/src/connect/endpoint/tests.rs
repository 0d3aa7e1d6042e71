use super::*;

#[test]
fn a_token_travels_encrypted_or_not_at_all() {
    for url in [
        "https://gate.example.com/desk/mcp",
        "https://10.0.0.7/desk/mcp",
        "http://127.0.0.1:8080/desk/mcp",
        "http://127.3.2.1/desk/mcp",
        "http://localhost:8080/desk/mcp",
        "http://[::1]:8080/desk/mcp",
    ] {
        assert!(Endpoint::read(url).is_ok(), "{url}");
    }
    for url in [
        "http://gate.example.com/desk/mcp",
        "http://10.0.0.7/desk/mcp",
        "http://localhost.example.com/desk/mcp",
        "http://127.0.0.1.example.com/desk/mcp",
        "http://0.0.0.0/desk/mcp",
        "ftp://127.0.0.1/desk/mcp",
        "/desk/mcp",
        "gate",
        "",
    ] {
        assert!(Endpoint::read(url).is_err(), "{url}");
    }
}

#[test]
fn a_token_in_a_url_is_refused() {
    for url in ["https://me:secret@gate/desk/mcp", "https://gate/desk/mcp?token=secret", "https://gate/desk/mcp#secret"]
    {
        let failure = Endpoint::read(url).unwrap_err().to_string();
        assert!(!failure.contains("secret"), "{failure}");
    }
}

#[test]
fn an_endpoint_has_the_name_that_its_path_has() {
    let name = |url: &str| Endpoint::read(url).unwrap().name().map(str::to_owned);
    assert_eq!(name("https://gate/desk/mcp").as_deref(), Some("desk"));
    assert_eq!(name("https://gate/behind/desk/mcp/").as_deref(), Some("desk"));
    assert_eq!(name("https://gate/desk"), None);
    assert_eq!(name("https://gate/mcp"), None);
}
