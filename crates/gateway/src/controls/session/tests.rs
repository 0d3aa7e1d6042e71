use super::*;

#[test]
fn a_message_is_of_its_sessions_revision_for_as_long_as_that_is_served() {
    let (agreed, newer) = (Revision::V2025_06_18, Revision::V2025_11_25);
    let message = |revision, is_named, served: &[Revision]| {
        let spoken = Spoken { revision, is_named, wished: None };
        as_agreed(agreed, &spoken, served.iter().copied()).map_err(|refusal| refusal.reason)
    };
    assert_eq!(message(agreed, true, &[newer, agreed]), Ok(()));
    assert_eq!(message(newer, false, &[newer, agreed]), Ok(()), "one that names none");
    assert_eq!(message(newer, true, &[newer, agreed]), Err(Reason::HeaderMismatch));
    assert_eq!(message(agreed, true, &[newer]), Err(Reason::SessionUnknown));
    assert_eq!(message(newer, true, &[newer]), Err(Reason::SessionUnknown));
}
