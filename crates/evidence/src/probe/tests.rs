use http::Uri;

use super::metadata::{parameter, same_origin};

#[test]
fn parameters_of_challenges_are_read_quoted_or_not() {
    let challenge =
        r#"Bearer realm="a, b=c", error=invalid_token, resource_metadata="https://x.example/.well-known/y""#;
    assert_eq!(parameter(challenge, "resource_metadata").as_deref(), Some("https://x.example/.well-known/y"));
    assert_eq!(parameter(challenge, "ERROR").as_deref(), Some("invalid_token"));
    assert_eq!(parameter(challenge, "realm").as_deref(), Some("a, b=c"));
    assert_eq!(parameter(challenge, "b"), None, "what is quoted is no parameter");
    assert_eq!(parameter("Bearer resource_metadata=\"open", "resource_metadata"), None);
    assert_eq!(parameter("", "x"), None);
}

#[test]
fn one_origin_is_told_from_another() {
    let same = |one: &str, other: &str| same_origin(&one.parse::<Uri>().unwrap(), &other.parse::<Uri>().unwrap());
    assert!(same("https://x.example/a", "https://X.example:443/b"));
    assert!(!same("http://x.example/a", "https://x.example/a"));
    assert!(!same("https://x.example:8443/a", "https://x.example/a"));
    assert!(!same("https://y@x.example/a", "https://x.example/a"));
    assert!(!same("/a", "/a"), "a path is of no server");
}
