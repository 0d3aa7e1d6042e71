use super::*;

fn secret() -> Secret<String> {
    Secret::new("s3cret".to_owned())
}

#[test]
fn a_credential_replaces_what_stood_there_and_prints_nothing() {
    let credential = Credential::new("Authorization", Some("Bearer"), &secret()).unwrap();
    let mut headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static("Bearer callers"))]);
    credential.write(&mut headers);
    assert_eq!(headers.get_all(AUTHORIZATION).iter().count(), 1);
    assert_eq!(headers[AUTHORIZATION], "Bearer s3cret");
    assert!(!format!("{headers:?}").contains("s3cret"));
}

#[test]
fn a_credential_in_another_header_leaves_no_authorization() {
    let credential = Credential::new("x-api-key", None, &secret()).unwrap();
    let mut headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static("Bearer callers"))]);
    credential.write(&mut headers);
    assert!(!headers.contains_key(AUTHORIZATION));
    assert_eq!(headers["x-api-key"], "s3cret");
}

#[test]
fn headers_of_the_protocol_carry_no_credential() {
    for header in ["Host", "content-length", "Mcp-Name", "mcp-param-x", "a b", ""] {
        assert!(Credential::new(header, None, &secret()).is_err(), "{header}");
    }
}
