use super::*;

fn server(more: &str) -> Result<ServerManifest, Mistake> {
    parse("crm.toml", &format!("name = \"crm\"\nowner = \"sales\"\npurpose = \"customers\"\n{more}"))
}

#[test]
fn a_server_is_on_the_internet_unless_it_says_otherwise() {
    let manifest = server("url = \"https://crm.example/mcp\"").unwrap();
    assert_eq!(manifest.zone.as_str(), "internet");
    assert_eq!(manifest.url.as_str(), "https://crm.example/mcp");
}

#[test]
fn a_credential_is_a_bearer_token_unless_it_says_otherwise() {
    let credential = |more: &str| {
        let text = format!("url = \"https://crm.example/\"\n[credential]\nsecret = \"env:CRM\"\n{more}");
        server(&text).unwrap().credential.unwrap()
    };
    let told =
        |credential: &Credential| (credential.header.as_str().to_owned(), credential.scheme().map(str::to_owned));
    assert_eq!(told(&credential("")), ("authorization".into(), Some("Bearer".into())));
    assert_eq!(told(&credential("header = \"X-Api-Key\"")), ("x-api-key".into(), None));
    assert_eq!(told(&credential("scheme = \"Token\"")), ("authorization".into(), Some("Token".into())));
}

#[test]
fn a_url_that_two_readers_could_read_differently_is_refused() {
    for url in [
        "ftp://crm.example/",
        "https://user@crm.example/",
        "https://:pass@crm.example/",
        "https://crm.example/#part",
        "https://crm.example\\\\@evil.example/",
        "https:///path",
        "https:crm.example",
        "http://0x7f.1/",
        "http://2130706433/",
        "https://crm example/",
        "crm.example",
        "https://crm.example/\\tmcp",
    ] {
        assert!(server(&format!("url = \"{url}\"")).is_err(), "{url}");
    }
    for (url, normalised) in [
        ("HTTPS://CRM.example", "https://crm.example/"),
        ("http://127.0.0.1:8080/mcp?x=1", "http://127.0.0.1:8080/mcp?x=1"),
        ("http://[::1]:8080/mcp", "http://[::1]:8080/mcp"),
    ] {
        assert_eq!(server(&format!("url = \"{url}\"")).unwrap().url.as_str(), normalised);
    }
}

#[test]
fn headers_that_mean_something_else_carry_no_credential() {
    for header in ["host", "Content-Length", "mcp-name", "transfer-encoding", "x y", ""] {
        let text =
            format!("url = \"https://c.example/\"\ncredential = {{ secret = \"env:A\", header = \"{header}\" }}");
        assert!(server(&text).is_err(), "{header}");
    }
}

#[test]
fn the_identity_is_the_url_the_zone_and_the_credential() {
    let plain = server("url = \"https://c.example/\"").unwrap();
    let credential = |secret: &str| {
        server(&format!("url = \"https://c.example/\"\ncredential = {{ secret = \"{secret}\" }}")).unwrap().identity()
    };
    let retitled = server("url = \"https://C.example\"\ntitle = \"The CRM\"").unwrap();
    assert_eq!(plain.identity(), retitled.identity());
    let others = [
        server("url = \"https://d.example/\"").unwrap().identity(),
        server("url = \"https://c.example/\"\nzone = \"office\"").unwrap().identity(),
        credential("env:A"),
        credential("env:B"),
    ];
    for other in others {
        assert_ne!(plain.identity(), other);
    }
    assert_ne!(credential("env:A"), credential("env:B"), "another secret must not go to the same server unseen");
}

#[test]
fn the_zone_internet_cannot_be_declared() {
    let zone = |name: &str| {
        let text = format!("name = \"{name}\"\naddresses = [\"127.0.0.0/8\"]\npurpose = \"tests\"");
        parse::<ZoneManifest>("zone.toml", &text)
    };
    assert!(zone("loopback").is_ok());
    let mistake = zone("internet").unwrap_err();
    assert_eq!((mistake.line, mistake.column), (1, 8));
    assert!(parse::<ZoneManifest>("z", "name = \"a\"\naddresses = [\"10.0.0.0/33\"]\npurpose = \"p\"").is_err());
}

#[test]
fn lines_of_prose_are_lines() {
    for owner in ["", " ", "a\\nb", "a\\u001b[31mb"] {
        let text = format!("name = \"c\"\nurl = \"https://c.example/\"\npurpose = \"p\"\nowner = \"{owner}\"");
        assert!(parse::<ServerManifest>("c.toml", &text).is_err(), "{owner:?}");
    }
}

#[test]
fn a_manifest_survives_being_stored() {
    let manifest = server("url = \"https://c.example/\"\ncredential = { secret = \"file:/run/secret\" }").unwrap();
    let stored = serde_json::to_string(&manifest).unwrap();
    assert_eq!(serde_json::from_str::<ServerManifest>(&stored).unwrap(), manifest);
}
