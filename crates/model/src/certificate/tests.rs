use super::*;

#[test]
fn a_spiffe_id_has_one_spelling() {
    for good in ["spiffe://acme.example/agents/desk", "spiffe://a/b", "spiffe://prod_1.acme/ns/Default/sa/x-1"] {
        assert_eq!(good.parse::<SpiffeId>().unwrap().as_str(), good);
    }
    for bad in [
        "spiffe://acme.example",
        "spiffe://acme.example/",
        "spiffe://Acme.example/x",
        "SPIFFE://acme.example/x",
        "spiffe://acme.example:443/x",
        "spiffe://user@acme.example/x",
        "spiffe://acme.example/x/",
        "spiffe://acme.example//x",
        "spiffe://acme.example/../x",
        "spiffe://acme.example/x%2fy",
        "spiffe://acme.example/x?y",
        "spiffe:///x",
        "https://acme.example/x",
        "",
    ] {
        assert_eq!(bad.parse::<SpiffeId>(), Err(CertificateNameError::Spiffe), "{bad}");
    }
    let long = format!("spiffe://acme.example/{}", "x".repeat(limits::SPIFFE_ID_BYTES_MAX));
    assert!(long.parse::<SpiffeId>().is_err());
}

#[test]
fn a_hosts_name_is_one_hosts() {
    assert_eq!("Agent.Example".parse::<DnsName>().unwrap().as_str(), "agent.example");
    for bad in
        ["", "*.example", "agent..example", "-agent.example", "agent-.example", "10.0.0.1", "a b", "agent.example."]
    {
        assert_eq!(bad.parse::<DnsName>(), Err(CertificateNameError::Dns), "{bad}");
    }
}

#[test]
fn a_name_is_written_with_its_kind() {
    let name: CertificateName = serde_json::from_str(r#"{"spiffe":"spiffe://acme.example/desk"}"#).unwrap();
    assert_eq!(name.to_string(), "spiffe://acme.example/desk");
    assert_eq!(serde_json::to_string(&name).unwrap(), r#"{"spiffe":"spiffe://acme.example/desk"}"#);
    for wrong in [r#"{"email":"a@b"}"#, r#"{"dns":"*.example"}"#, r#"{"dns":"a.b","spiffe":"spiffe://a/b"}"#, "{}"] {
        assert!(serde_json::from_str::<CertificateName>(wrong).is_err(), "{wrong}");
    }
}
