use super::*;
use crate::manifest::parse;

fn credential(lines: &str) -> Result<Credential, String> {
    parse::<Credential>("", lines).map_err(|mistake| mistake.message)
}

#[test]
fn a_grant_is_a_persons_own_unless_it_says_otherwise() {
    let Credential::Grant(grant) = credential("grant = \"authorization-code\"").unwrap() else { panic!("a key") };
    assert_eq!((grant.holder, grant.issuer, grant.client), (GrantHolder::User, None, None));
    let text =
        "grant = \"client-credentials\"\nissuer = \"https://login.example\"\nclient = \"gate\"\nsecret = \"env:A\"\n";
    let Credential::Grant(grant) = credential(text).unwrap() else { panic!("a key") };
    assert_eq!(grant.holder, GrantHolder::Shared);
}

#[test]
fn what_does_not_fit_together_is_told_by_its_key() {
    for (text, key) in [
        ("", "credential"),
        ("secret = \"env:A\"\nscopes = [\"a\"]", "credential.scopes"),
        ("secret = \"env:A\"\nrotate_after_days = 0", "credential.rotate_after_days"),
        ("secret = \"env:A\"\nrotate_after_days = 4000", "credential.rotate_after_days"),
        ("grant = \"authorization-code\"\nrotate_after_days = 30", "credential.rotate_after_days"),
        ("secret = \"env:A\"\nissuer = \"https://l.example\"", "credential.issuer"),
        ("grant = \"authorization-code\"\nheader = \"x-key\"", "credential.header"),
        ("grant = \"authorization-code\"\nsecret = \"env:A\"", "credential.secret"),
        ("grant = \"authorization-code\"\nclient = \"gate\"", "credential.client"),
        ("grant = \"authorization-code\"\nissuer = \"login\"", "credential.issuer"),
        ("grant = \"client-credentials\"", "credential.grant"),
        ("grant = \"client-credentials\"\nholder = \"user\"", "credential.holder"),
        ("secret = \"env:A\"\nsubject = \"gate\"", "credential.subject"),
        ("grant = \"authorization-code\"\nsubject = \"gate\"", "credential.subject"),
        ("grant = \"token-exchange\"", "credential.grant"),
        ("secret = \"env:A\"\nauthentication = \"private-key-jwt\"", "credential.authentication"),
        ("grant = \"authorization-code\"\nauthentication = \"private-key-jwt\"", "credential.authentication"),
        (
            "grant = \"client-credentials\"\nissuer = \"https://l.example\"\nclient = \"a\"\nsecret = \"env:A\"\n\
             authentication = \"private-key-jwt\"",
            "credential.authentication",
        ),
        ("grant = \"identity-assertion\"\nholder = \"shared\"", "credential.holder"),
        ("grant = \"token-exchange\"\nissuer = \"https://l.example\"\nclient = \"gate\"", "credential.client"),
    ] {
        let message = credential(text).unwrap_err();
        assert!(message.starts_with(&format!("`{key}`")), "{text}: {message}");
    }
    assert!(credential("grant = \"password\"").is_err(), "OAuth 2.1 has none");
}

#[test]
fn credentials_survive_being_written() {
    for text in [
        "secret = \"env:A\"\nheader = \"x-key\"\nrotate_after_days = 90\n",
        "grant = \"authorization-code\"\nholder = \"shared\"\nscopes = [\"a:b\", \"c\"]\nzone = \"lab\"\n",
        "grant = \"token-exchange\"\nsubject = \"sign-in\"\nissuer = \"https://l.example\"\nclient = \"a\"\nsecret = \"env:A\"\n",
        "grant = \"client-credentials\"\nissuer = \"https://l.example\"\nclient = \"a\"\nauthentication = \"private-key-jwt\"\n",
        "grant = \"identity-assertion\"\nissuer = \"https://l.example\"\nclient = \"a\"\nsecret = \"env:A\"\n",
    ] {
        let credential = credential(text).unwrap();
        let stored = serde_json::to_string(&credential).unwrap();
        assert_eq!(serde_json::from_str::<Credential>(&stored).unwrap(), credential);
        assert_eq!(parse::<Credential>("", &toml::to_string(&credential).unwrap()).unwrap(), credential);
    }
}
