//! Where each person has an account of their own at a server, nobody may come by another's: not by sending them an address,
//! not by ending what they began, and not by having them end what somebody else began.

use http::header;

use crate::gate::files::{ANA, BOB};
use crate::identity::own::{Place, again, asked, ticket};
use crate::verdict::{NOT_CONNECTED, PARAMS_INVALID, POLICY_FORBIDS};

/// Bob has Ana open the page that he was asked to open, so that she connects her account for him.
#[tokio::test]
async fn an_address_that_one_person_was_given_connects_nothing_of_anothers() {
    let place = Place::start("user").await;
    let page = place.page_for(BOB).await;
    let ana = place.person("ana");
    let shown = ana.opens(&place, &page).await;
    assert_eq!(shown.status, 404, "she was not asked: {}", shown.text());
    assert_eq!(ana.begins(&place).await.status, 404);
    // Once she is asked herself, it is for her, and Bob is where he was.
    let hers = place.page_for(ANA).await;
    assert_eq!(hers, page);
    place.connect("ana", &page).await;
    place.page_for(BOB).await;
}

#[tokio::test]
async fn what_one_person_began_another_cannot_end() {
    let place = Place::start("user").await;
    let (page, ana, bob) = (place.page_for(BOB).await, place.person("ana"), place.person("bob"));
    place.page_for(ANA).await;
    for person in [&ana, &bob] {
        assert_eq!(person.opens(&place, &page).await.status, 200);
    }
    let before = place.issuer.given();
    // Ana is led to agree to what Bob began: in her browser it is nothing.
    let back = bob.goes(&place).await;
    assert_eq!(ana.get(&place, &back).await.status, 400);
    // She has even begun something herself.
    ana.goes(&place).await;
    assert_eq!(ana.get(&place, &back).await.status, 400);
    assert_eq!(place.issuer.given(), before, "no code was spent");
    place.page_for(ANA).await;
    place.page_for(BOB).await;
}

#[tokio::test]
async fn whoever_signs_in_at_the_same_browser_later_does_not_end_it_either() {
    let place = Place::start("user").await;
    let (page, bob, ana) = (place.page_for(BOB).await, place.person("bob"), place.person("ana"));
    assert_eq!(bob.opens(&place, &page).await.status, 200);
    let back = bob.goes(&place).await;
    let visitor = "__Host-portcullis-visitor";
    // Ana signs in where Bob sat.
    ana.opens(&place, &page).await;
    let hers = ana.cookies.lock().unwrap()[visitor].clone();
    let his = bob.cookies.lock().unwrap().insert(visitor.to_owned(), hers).unwrap();
    let before = place.issuer.given();
    assert_eq!(bob.get(&place, &back).await.status, 400);
    // Nobody is signed in there any more.
    bob.cookies.lock().unwrap().remove(visitor);
    assert_eq!(bob.get(&place, &back).await.status, 400);
    assert_eq!(place.issuer.given(), before);
    bob.cookies.lock().unwrap().insert(visitor.to_owned(), his);
    assert_eq!(bob.get(&place, &back).await.status, 200);
}

#[tokio::test]
async fn nobody_is_signed_in_with_what_another_brought_from_the_provider() {
    let place = Place::start("user").await;
    let (page, ana, bob) = (place.page_for(BOB).await, place.person("ana"), place.person("bob"));
    let target = page.split_once("/connect").map(|(_, rest)| format!("/connect{rest}")).unwrap();
    // Bob has Ana's browser come back with his sign-in, so that what she connects next is his.
    let sent = bob.get(&place, &target).await;
    let back = bob.at_the_provider(&place, &sent).await;
    assert_eq!(ana.get(&place, &back).await.status, 403);
    let sent = ana.get(&place, &target).await;
    assert_eq!(sent.status, 303, "she is nobody yet");
    assert_eq!(ana.get(&place, &back).await.status, 403, "on a way of her own it is not hers either");
    // A cookie that was not sealed here, and one of the way there, are nobody.
    let leaving = ana.cookies.lock().unwrap()["__Host-portcullis-visitor"].clone();
    for forged in ["ana", &"A".repeat(120), &leaving] {
        let mut headers = http::HeaderMap::new();
        headers.insert(header::COOKIE, crate::gate::value(&format!("__Host-portcullis-visitor={forged}")));
        let heard = place.gate.send(place.gate.agents(), "GET", &target, headers, "").await;
        assert_eq!(heard.status, 303, "{}", heard.text());
    }
}

#[tokio::test]
async fn pages_of_other_sites_connect_and_forget_nothing() {
    let place = Place::start("user").await;
    let page = place.page_for(ANA).await;
    let ana = place.person("ana");
    assert_eq!(ana.opens(&place, &page).await.status, 200);
    for path in ["/connect/begin", "/connect/forget"] {
        for origin in ["https://evil.example", "null"] {
            assert_eq!(ana.post(&place, path, origin, &[("server", "desk")]).await.status, 403, "{path} {origin}");
        }
    }
    // Nor does anybody without a sign-in.
    let nobody = place.person("ana");
    assert_eq!(nobody.begins(&place).await.status, 403);
}

#[tokio::test]
async fn the_state_of_one_callers_question_is_nothing_in_anothers_hands() {
    let place = Place::start("user").await;
    let (_, state) = asked(&place.client(ANA).call("read_ticket", ticket()).await.unwrap());
    // It is taken for an answer to the server, which may ask nothing here.
    let stolen = place.client(BOB).post("tools/call", again(&state, "accept")).await.unwrap();
    place.gate.refuses(&stolen, POLICY_FORBIDS).await;
    let asks = r#"permit (principal, action == Action::"ask", resource == Server::"desk");"#;
    std::fs::write(place.gate.directory().join("state/policies/asks.cedar"), asks).unwrap();
    place.gate.apply().await;
    let stolen = place.client(BOB).post("tools/call", again(&state, "accept")).await.unwrap();
    // And where it may, the state opens as none.
    place.gate.ends(&stolen, NOT_CONNECTED, "not-sent").await;
    assert_eq!(place.presented(), Vec::<String>::new());
    // Who does not want to is asked no more.
    let declined = place.client(ANA).post("tools/call", again(&state, "decline")).await.unwrap();
    place.gate.refuses(&declined, NOT_CONNECTED).await;
    // In a call that is let through, it does not get to the server.
    let page = place.page_for(BOB).await;
    place.connect("bob", &page).await;
    let stolen = place.client(BOB).post("tools/call", again(&state, "accept")).await.unwrap();
    place.gate.ends(&stolen, PARAMS_INVALID, "not-sent").await;
    assert_eq!(place.presented(), Vec::<String>::new());
}
