use super::*;
use crate::{Inspector, Origin};

fn stripped(text: &str) -> Option<String> {
    let findings = Inspector::standard().unwrap().scan_json(text, Origin::Answer);
    strip(text, &findings.list, |finding| finding.class.as_str() == "personal")
}

#[test]
fn the_block_of_an_answer_goes_and_every_other_byte_stays() {
    let text = r#"{"id":1.50,"result":{"content":[{"type":"text","text":"ask jane@company.org"},{"type":"text","text":"all is well"}],"x":{"b":1,"a":"j@company.org"}}}"#;
    let left = r#"{"id":1.50,"result":{"content":[{"type":"text","text":"all is well"}],"x":{"b":1}}}"#;
    assert_eq!(stripped(text).as_deref(), Some(left));
}

#[test]
fn several_of_one_list_go_and_an_argument_with_its_name() {
    let text = r#"{"params":{"arguments":{"to":["a@company.org","b","c@company.org"],"jane@company.org":[1],"n":2}}}"#;
    assert_eq!(stripped(text).as_deref(), Some(r#"{"params":{"arguments":{"to":["b"],"n":2}}}"#));
}

#[test]
fn an_error_keeps_a_message_and_the_envelope_cannot_be_stripped() {
    let text = r#"{"id":1,"error":{"code":-1,"message":"no jane@company.org here"}}"#;
    assert_eq!(stripped(text).as_deref(), Some(r#"{"id":1,"error":{"code":-1,"message":""}}"#));
    assert_eq!(stripped(r#"{"id":"jane@company.org","result":{}}"#), None);
}
