use http::HeaderValue;
use http::header::AUTHORIZATION;

use super::*;

const ANA: &str = "dev-ana-0123456789abcdefghij";

fn token(text: &str, agent: &str, kind: AgentKind, user: Option<&str>) -> DevelopmentToken {
    DevelopmentToken {
        token: Secret::new(text.to_owned()),
        agent: agent.parse().unwrap(),
        kind,
        user: user.map(|user| user.parse().unwrap()),
        groups: Vec::new(),
    }
}

fn ana() -> DevelopmentToken {
    token(ANA, "helpdesk", AgentKind::Delegated, Some("ana"))
}

fn asks(value: &str) -> HeaderMap {
    HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_str(value).unwrap())])
}

#[test]
fn a_known_token_is_its_caller() {
    let tokens = DevelopmentTokens::new(vec![ana()]).unwrap();
    let caller = tokens.authenticate(&asks(&format!("bearer {ANA}"))).unwrap();
    assert_eq!(caller.agent.id.as_str(), "helpdesk");
    assert_eq!(caller.user().unwrap().as_str(), "ana");
}

#[test]
fn anything_else_is_nobody() {
    let tokens = DevelopmentTokens::new(vec![ana()]).unwrap();
    let basic = format!("Basic {ANA}");
    let padded = format!("Bearer {ANA} ");
    for value in ["Bearer", "Bearer ", "Bearer x", &basic, &padded] {
        assert_eq!(tokens.authenticate(&asks(value)).unwrap_err().reason, Reason::Unauthenticated, "{value}");
    }
    assert!(tokens.authenticate(&HeaderMap::new()).is_err());
    let mut twice = asks(&format!("Bearer {ANA}"));
    twice.append(AUTHORIZATION, HeaderValue::from_static("Bearer other"));
    assert!(tokens.authenticate(&twice).is_err());
}

#[test]
fn a_user_that_does_not_fit_the_agents_kind_is_refused() {
    let without = token(ANA, "helpdesk", AgentKind::Delegated, None);
    assert!(matches!(DevelopmentTokens::new(vec![without]), Err(TokenError::UserDoesNotFit { .. })));
    let with = token(ANA, "nightly", AgentKind::Autonomous, Some("ana"));
    assert!(matches!(DevelopmentTokens::new(vec![with]), Err(TokenError::UserDoesNotFit { .. })));
}

#[test]
fn one_agent_is_one_kind_and_one_token_is_one_caller() {
    let other = token("dev-other-0123456789abcdefgh", "helpdesk", AgentKind::Autonomous, None);
    assert!(matches!(DevelopmentTokens::new(vec![ana(), other]), Err(TokenError::TwoKinds { .. })));
    let twin = token(ANA, "twin", AgentKind::Delegated, Some("ana"));
    assert!(matches!(DevelopmentTokens::new(vec![ana(), twin]), Err(TokenError::Shared { index: 1, .. })));
    let short = token("short", "helpdesk", AgentKind::Delegated, Some("ana"));
    assert!(matches!(DevelopmentTokens::new(vec![short]), Err(TokenError::Short { .. })));
}

#[test]
fn a_caller_is_known_for_as_long_as_a_token_stands_for_exactly_them() {
    let tokens = DevelopmentTokens::new(vec![ana()]).unwrap();
    let caller = tokens.authenticate(&asks(&format!("Bearer {ANA}"))).unwrap();
    assert!(tokens.knows(&caller));
    let another = || token("dev-another-0123456789abcdefgh", "helpdesk", AgentKind::Delegated, Some("ana"));
    assert!(DevelopmentTokens::new(vec![another()]).unwrap().knows(&caller), "the token may be another");
    let other_groups = DevelopmentToken { groups: vec!["support".parse().unwrap()], ..another() };
    assert!(!DevelopmentTokens::new(vec![other_groups]).unwrap().knows(&caller));
    assert!(!DevelopmentTokens::new(Vec::new()).unwrap().knows(&caller));
}
