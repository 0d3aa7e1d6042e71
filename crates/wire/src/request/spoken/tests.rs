use http::{HeaderName, HeaderValue};
use model::Reason;
use serde_json::json;

use super::*;

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs.iter().map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
}

const VERSION: &str = "mcp-protocol-version";
const SESSION: (&str, &str) = ("mcp-session-id", "s");
const MODERN: &str = "2026-07-28";
const OLDER: &str = "2025-11-25";

#[test]
fn a_message_speaks_the_revision_that_header_and_body_say() {
    let modern = Ok(Some(Revision::V2026_07_28));
    let in_session = Ok(Some(Revision::V2025_11_25));
    assert_eq!(spoken(&headers(&[(VERSION, MODERN)]), Some(MODERN)), modern);
    assert_eq!(spoken(&headers(&[(VERSION, MODERN)]), None), modern);
    assert_eq!(spoken(&headers(&[(VERSION, MODERN), SESSION]), None), modern);
    assert_eq!(spoken(&headers(&[(VERSION, OLDER)]), None), in_session);
    assert_eq!(spoken(&headers(&[(VERSION, OLDER), SESSION]), Some(OLDER)), in_session);
    assert_eq!(spoken(&headers(&[SESSION]), None), in_session);
    assert_eq!(spoken(&headers(&[]), None), Ok(None));
}

#[test]
fn header_and_body_that_differ_are_refused() {
    for (said, version) in [
        (&[(VERSION, MODERN)][..], OLDER),
        (&[(VERSION, OLDER)], MODERN),
        (&[(VERSION, OLDER), SESSION], MODERN),
        (&[SESSION], MODERN),
        (&[SESSION], OLDER),
        (&[], MODERN),
        (&[(VERSION, MODERN), (VERSION, MODERN)], MODERN),
        (&[(VERSION, MODERN), (VERSION, OLDER)], MODERN),
    ] {
        let flaw = spoken(&headers(said), Some(version)).unwrap_err();
        assert_eq!(flaw.refusal.reason, Reason::HeaderMismatch, "{said:?} {version}");
    }
}

#[test]
fn revisions_that_are_not_spoken_are_refused_with_those_that_are() {
    for version in ["2025-06-19", "2024-10-07", "2099-01-01", "", "2025-11-25, 2026-07-28"] {
        let mut said = headers(&[SESSION]);
        said.insert(VERSION, HeaderValue::from_str(version).unwrap());
        let flaw = spoken(&said, None).unwrap_err();
        assert_eq!(flaw.refusal.reason, Reason::VersionUnsupported, "{version}");
        let every = [MODERN, OLDER, "2025-06-18", "2025-03-26", "2024-11-05"];
        let supported = json!({ "supported": every, "requested": version });
        assert_eq!(flaw.data.as_deref(), Some(&supported));
        let told = flaw.with_id(Some(crate::Id::number(1))).at(&[Revision::V2026_07_28]);
        assert_eq!(told.data.as_deref(), Some(&json!({ "supported": [MODERN], "requested": version })));
        assert_eq!((told.refusal.public().contains(OLDER), told.id), (false, Some(crate::Id::number(1))));
    }
    let other = header::mismatch("x");
    assert_eq!(other.clone().at(&[]), other);
}

#[test]
fn a_handshake_is_one_whatever_its_header_says() {
    let in_session = Ok(Some(Revision::V2025_11_25));
    for said in [&[][..], &[(VERSION, "2025-06-18")], &[(VERSION, MODERN)], &[SESSION]] {
        assert_eq!(by_method(&headers(said), "initialize", None), in_session, "{said:?}");
    }
    // With a version in its own metadata it is a message of that revision, which has no such method.
    assert_eq!(by_method(&headers(&[(VERSION, MODERN)]), "initialize", Some(MODERN)), Ok(Some(Revision::V2026_07_28)));
    assert!(by_method(&headers(&[]), "initialize", Some(MODERN)).is_err());
    assert_eq!(by_method(&headers(&[]), "notifications/initialized", None), Ok(None));
}
