use super::*;
use crate::{Inspector, Origin};

#[test]
fn a_text_is_as_confidential_as_the_gravest_thing_in_it() {
    let inspector = Inspector::standard().unwrap();
    for (text, class) in [
        ("the weather is fine", Confidentiality::Public),
        ("see https://www.company.org/a", Confidentiality::Internal),
        ("ask jane@company.org, or see https://www.company.org/a", Confidentiality::Confidential),
        ("card 4111 1111 1111 1111 of jane@company.org", Confidentiality::Restricted),
    ] {
        assert_eq!(classify(&inspector.scan_text(text, Origin::Text)), class, "`{text}`");
    }
}

#[test]
fn what_was_not_wholly_looked_at_is_restricted() {
    assert_eq!(classify(&Findings { list: Vec::new(), complete: false }), Confidentiality::Restricted);
}
