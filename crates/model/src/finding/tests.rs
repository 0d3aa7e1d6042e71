use super::*;

#[test]
fn ids_of_rules_are_dotted_words() {
    assert!("secret.github.personal-token".parse::<RuleId>().is_ok());
    for refused in ["", "Secret", "1secret", "secret token", "secret/token", &"a".repeat(129)] {
        assert!(refused.parse::<RuleId>().is_err(), "`{refused}` was taken");
    }
}

#[test]
fn a_finding_is_read_back_as_it_was_written() {
    let finding = Finding {
        rule: "secret.example".parse().unwrap(),
        class: "secret".parse().unwrap(),
        severity: Severity::Critical,
        confidence: Confidence::High,
        place: Place {
            pointer: "/params/arguments/note".to_owned(),
            part: Part::Value,
            range: 3..9,
            decodings: vec![Decoding::Base64],
        },
    };
    let text = serde_json::to_string(&finding).unwrap();
    assert_eq!(serde_json::from_str::<Finding>(&text).unwrap(), finding);
}

#[test]
fn the_graver_is_the_greater() {
    assert!(Severity::Critical > Severity::High && Severity::High > Severity::Medium);
    assert!(Confidence::High > Confidence::Low);
    assert!(Confidentiality::Restricted > Confidentiality::Public);
}
