//! Whoever connects a server lends the gate an account. Nobody may be made to lend theirs for what somebody else began, and
//! nobody may put theirs in the place of the one that was meant.

use crate::identity::browser::{Browser, target};
use crate::identity::connecting::{invitation, unconnected};

#[tokio::test]
async fn what_one_browser_began_another_cannot_end() {
    let (gate, issuer) = unconnected("").await;
    let mut honest = Browser::default();
    let url = honest.accept(&gate, &invitation(&gate).await).await;
    // The victim is sent the way to the authorization server, agrees there, and comes back.
    let back = Browser::default().agree(&gate, &issuer, &url).await;
    let page = Browser::default().open(&gate, &back).await;
    assert_eq!(page.status, 400, "{}", page.text());
    assert_eq!(issuer.given(), 0, "the code was not spent");
    // The one who began it still can, and only once.
    assert_eq!(honest.open(&gate, &back).await.status, 200);
    assert_eq!(honest.open(&gate, &back).await.status, 400, "it comes back once");
    assert_eq!(issuer.given(), 1);
    issuer.found_no_fault();
}

#[tokio::test]
async fn an_answer_of_another_authorization_server_is_not_taken() {
    let (gate, issuer) = unconnected("").await;
    let mut browser = Browser::default();
    let url = browser.accept(&gate, &invitation(&gate).await).await;
    let back = browser.agree(&gate, &issuer, &url).await;
    let (without, _) = back.split_once("&iss=").unwrap();
    for forged in [format!("{without}&iss=https%3A%2F%2Fevil.example"), without.to_owned()] {
        let mut browser = Browser::default();
        let url = browser.accept(&gate, &invitation(&gate).await).await;
        let again = browser.agree(&gate, &issuer, &url).await;
        let iss = forged.split_once("&iss=").map(|(_, iss)| format!("&iss={iss}")).unwrap_or_default();
        let forged = format!("{}{iss}", again.split_once("&iss=").unwrap().0);
        let page = browser.open(&gate, &forged).await;
        assert_eq!(page.status, 400, "{}", page.text());
    }
    assert_eq!(issuer.given(), 0);
}

#[tokio::test]
async fn a_page_of_another_site_begins_nothing_and_nobody_begins_without_an_invitation() {
    let (gate, issuer) = unconnected("").await;
    let invitation = invitation(&gate).await;
    let ticket = invitation.split_once("ticket=").unwrap().1;
    let browser = Browser::default();
    let home = format!("http://{}", gate.agents());
    assert_eq!(browser.post(&gate, ticket, "https://evil.example").await.status, 403);
    assert_eq!(browser.post(&gate, ticket, "null").await.status, 403);
    assert_eq!(browser.post(&gate, "", &home).await.status, 404);
    assert_eq!(browser.post(&gate, &"A".repeat(ticket.len()), &home).await.status, 404);
    let swapped = target(&invitation).replace(ticket, &"A".repeat(ticket.len()));
    assert_eq!(browser.open(&gate, &swapped).await.status, 404);
    assert_eq!(browser.open(&gate, "/connect/callback?state=x&code=y").await.status, 400);
    assert_eq!(issuer.requests(), Vec::<String>::new(), "nobody was asked for anything");
}

#[tokio::test]
async fn only_who_may_approve_a_server_invites_to_connect_it() {
    let (gate, _issuer) = unconnected("").await;
    for role in ["viewer", "auditor", "reviewer", "responder"] {
        let said = gate.cli_with(&format!("tokens/{role}"), &["server", "connect", "desk"]).await;
        assert!(!said.ok && !format!("{}{}", said.out, said.err).contains("ticket="), "{role}: {said:?}");
    }
    assert!(gate.cli_with("tokens/approver", &["server", "connect", "desk"]).await.ok);
}

/// A page without TLS, one that runs in the browser, and one whose codes whoever sees them could use.
#[tokio::test]
async fn nobody_is_sent_to_an_authorization_server_that_is_not_safe() {
    let (gate, issuer) = unconnected("").await;
    let home = format!("http://{}", gate.agents());
    for (page, is_plain) in [
        (Some("http://evil.example/authorize"), false),
        (Some("javascript:alert(1)"), false),
        (Some("https://user@evil.example/authorize"), false),
        (None, true),
    ] {
        issuer.behave(|manner| (manner.page, manner.is_plain) = (page, is_plain));
        let invitation = invitation(&gate).await;
        let ticket = invitation.split_once("ticket=").unwrap().1;
        let answer = Browser::default().post(&gate, ticket, &home).await;
        assert_eq!(answer.status, 502, "{page:?}: {}", answer.text());
        assert!(!answer.text().contains("evil.example") && !answer.headers.contains_key("set-cookie"), "{page:?}");
    }
}
