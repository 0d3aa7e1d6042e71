use serde_json::json;

use super::*;
use crate::{Inspector, Origin, Rules};

fn key() -> FingerprintKey {
    FingerprintKey::new(99)
}

fn about(kind: Kind, enough: u32) -> About {
    let (rule, class) = ("known.customers".parse().unwrap(), "customer".parse().unwrap());
    About { kind, rule, class, severity: Severity::High, enough }
}

/// What is seen of a set that went through a file.
fn seen(set: &Set, text: &str) -> Vec<String> {
    let set = Set::of_file(&set.to_file(&key()).unwrap(), &key()).unwrap();
    let inspector = Inspector::knowing(Rules::standard().unwrap(), key(), vec![set]).unwrap();
    let findings = inspector.scan_json(&json!({ "text": text }).to_string(), Origin::Answer);
    assert!(findings.complete);
    let own = findings.list.into_iter().filter(|finding| finding.class.as_str() == "customer");
    own.map(|finding| text.get(finding.place.range).unwrap().to_owned()).collect()
}

#[test]
fn words_of_a_dictionary_are_seen_however_they_are_written() {
    let set =
        Set::dictionary(about(Kind::Dictionary, 1), &key(), ["Project Bluebird", "Müller GmbH", "", "X-17"]).unwrap();
    assert_eq!(seen(&set, "about project  BLUEBIRD, and more"), ["project  BLUEBIRD"]);
    assert_eq!(seen(&set, "MÜLLER-gmbh's x17 and X/17"), ["MÜLLER-gmbh", "X/17"]);
    assert_eq!(seen(&set, "project of a bluebird"), Vec::<String>::new());
}

#[test]
fn columns_of_one_row_near_each_other_are_seen_and_those_of_several_are_not() {
    let rows = vec![vec!["Ann Lee", "1980-02-03", "DE-778"], vec!["Bo Ek", "1975-11-30", "SE-113"]];
    let set = Set::exact(about(Kind::Exact, 2), &key(), rows).unwrap();
    assert_eq!(seen(&set, "Ann Lee, born 1980/02/03"), ["Ann Lee", "1980/02/03"]);
    assert_eq!(seen(&set, "Ann Lee has SE-113"), Vec::<String>::new());
    assert_eq!(seen(&set, "Ann Lee and Ann Lee"), Vec::<String>::new());
    let far = format!("Ann Lee {} DE-778", "and so on ".repeat(60));
    assert_eq!(seen(&set, &far), Vec::<String>::new());
}

#[test]
fn a_passage_of_a_document_is_seen_and_words_of_it_are_not() {
    let document = "the terms of this agreement are confidential and bind both parties for a period of seven years from the \
                    day on which the last of them has signed it unless they agree otherwise in writing";
    let set = Set::documents(about(Kind::Documents, 2), &key(), [document]).unwrap();
    let passage = "bind both parties for a period of SEVEN years, from the day on which the last of them";
    assert_eq!(seen(&set, &format!("he wrote: {passage} leaves.")).len(), 1);
    assert_eq!(
        seen(&set, "the terms of an agreement bind both for seven years unless they agree"),
        Vec::<String>::new()
    );
}

#[test]
fn a_file_of_another_key_or_a_broken_one_is_told() {
    let set = Set::dictionary(about(Kind::Dictionary, 1), &key(), ["Project Bluebird"]).unwrap();
    let file = set.to_file(&key()).unwrap();
    assert!(matches!(Set::of_file(&file, &FingerprintKey::new(1)), Err(KnownError::OtherKey)));
    assert!(matches!(Set::of_file(&file[..file.len() - 1], &key()), Err(KnownError::Broken)));
    assert!(matches!(Set::of_file(b"name\nsecond", &key()), Err(KnownError::NotOne)));
    assert!(!String::from_utf8_lossy(&file).to_lowercase().contains("bluebird"));
    assert!(matches!(Set::dictionary(about(Kind::Dictionary, 1), &key(), ["--"]), Err(KnownError::Empty)));
}
