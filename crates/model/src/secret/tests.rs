use super::*;

#[test]
fn a_secret_is_named_never_written_out() {
    for good in ["env:ERP_TOKEN", "file:/run/secrets/erp", "file:erp.token"] {
        assert_eq!(good.parse::<SecretReference>().unwrap().to_string(), good);
    }
    let error = "sk-live-1234".parse::<SecretReference>().unwrap_err().to_string();
    assert!(!error.contains("1234"));
    assert!("env:A B".parse::<SecretReference>().is_err());
    assert!("file:".parse::<SecretReference>().is_err());
}

#[test]
fn a_secret_matches_only_itself() {
    let secret = Secret::new(String::from("abc"));
    assert!(secret.matches(b"abc"));
    assert!(!secret.matches(b"abd"));
    assert!(!secret.matches(b"ab"));
}
