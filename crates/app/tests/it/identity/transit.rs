//! The master key is a key service's: data keys go there to be wrapped, and nothing that is kept opens without it.

use std::fs;

use serde_json::json;

use super::fake_transit::FakeTransit;
use super::own::ticket;
use super::person::Place;
use crate::gate::files::{ANA, write_private};
use crate::gate::{Gate, Setup, does_not_start};
use crate::verdict::passes;

const TOKEN: &str = "token-of-the-gate-at-the-key-service-8c21";

/// A gate at which people sign in, whose master key is elsewhere.
async fn place(transit: &FakeTransit) -> Place {
    Place::of("", |setup| {
        setup.settings = setup.settings.replace("\n[vault]\nkey = \"file:secrets/master\"\n", &transit.settings());
        setup.secrets.push(("transit", TOKEN.to_owned()));
    })
    .await
}

fn told(gate: &Gate) -> bool {
    let kept = gate.kept().into_iter().map(|(_, bytes)| String::from_utf8_lossy(&bytes).into_owned());
    kept.chain([gate.output()]).any(|text| text.contains(TOKEN))
}

#[tokio::test]
async fn what_is_kept_is_sealed_by_the_service_and_opens_again_after_a_restart() {
    let transit = FakeTransit::start(TOKEN).await;
    let place = place(&transit).await;
    let tokens = place.tokens().await;
    let next = place.refresh(&tokens).await;
    assert_eq!(next.status, 200, "{}", next.text());
    assert!(!place.gate.directory().join("data/vault.key").exists());
    assert!(transit.asked().contains(&"encrypt".to_owned()));
    place.gate.end().await;
    place.gate.again().await;
    let next = place.refresh(&next.json()).await;
    assert_eq!(next.status, 200, "{}", next.text());
    assert!(transit.asked().contains(&"decrypt".to_owned()));
    place.leaks_nothing().await;
    assert!(!told(&place.gate));
}

#[tokio::test]
async fn while_the_service_is_away_what_was_opened_goes_on_and_nothing_is_lost() {
    let transit = FakeTransit::start(TOKEN).await;
    let place = place(&transit).await;
    let tokens = place.tokens().await;
    transit.is_away(true);
    // The provider's own refresh token was spent for this one, so that what it gave in its place has to be kept.
    let second = place.refresh(&tokens).await;
    assert_eq!(second.status, 200, "{}", second.text());
    let third = place.refresh(&second.json()).await;
    assert_eq!(third.status, 200, "{}", third.text());
    transit.is_away(false);
    place.gate.end().await;
    place.gate.again().await;
    let fourth = place.refresh(&third.json()).await;
    assert_eq!(fourth.status, 200, "what was sealed meanwhile opens: {}", fourth.text());
}

#[tokio::test]
async fn a_gate_does_not_start_without_the_service_and_says_why() {
    let transit = FakeTransit::start(TOKEN).await;
    let place = place(&transit).await;
    place.gate.end().await;
    transit.is_away(true);
    let said = does_not_start(place.gate.directory()).await;
    assert!(said.contains("[vault.transit]") && said.contains("503"), "{said}");
    transit.is_away(false);
    transit.knows("another token");
    let said = does_not_start(place.gate.directory()).await;
    assert!(said.contains("[vault.transit]") && said.contains("403") && !said.contains(TOKEN), "{said}");
    transit.knows(TOKEN);
    place.gate.again().await;
}

#[tokio::test]
async fn a_token_that_somebody_renews_for_the_gate_is_read_again() {
    let transit = FakeTransit::start(TOKEN).await;
    let place = place(&transit).await;
    let tokens = place.tokens().await;
    transit.knows("renewed-token-of-the-gate");
    write_private(&place.gate.directory().join("secrets/transit"), "renewed-token-of-the-gate");
    let before = transit.asked().len();
    let next = place.refresh(&tokens).await;
    assert_eq!(next.status, 200, "{}", next.text());
    assert!(transit.asked().len() > before, "the service answers again");
}

#[tokio::test]
async fn one_command_wraps_everything_anew_and_the_old_version_can_go() {
    let transit = FakeTransit::start(TOKEN).await;
    let place = place(&transit).await;
    let tokens = place.tokens().await;
    let said = place.gate.must(&["vault", "rewrap"]).await;
    assert!(said.contains("already"), "{said}");
    transit.rotate();
    let said = place.gate.must(&["vault", "rewrap", "--reason", "the quarter is over"]).await;
    assert!(said.contains("wrapped anew"), "{said}");
    let said = place.gate.cli_with("tokens/approver", &["vault", "rewrap"]).await;
    assert!(!said.ok, "it is an admin's: {said:?}");
    transit.forget_old_versions();
    place.gate.end().await;
    place.gate.again().await;
    let next = place.refresh(&tokens).await;
    assert_eq!(next.status, 200, "{}", next.text());
    let receipts = place.gate.read("/receipts").await.to_string();
    assert!(receipts.contains("vault.rewrap") && receipts.contains("the quarter is over"), "{receipts}");
}

#[tokio::test]
async fn a_gate_moves_from_a_key_of_its_own_to_the_service() {
    let transit = FakeTransit::start(TOKEN).await;
    let place = Place::start().await;
    let tokens = place.tokens().await;
    place.gate.end().await;
    let file = place.gate.directory().join("portcullis.toml");
    let text = fs::read_to_string(&file).unwrap();
    let own = "\n[vault]\nkey = \"file:secrets/master\"\n";
    let earlier = "\n[vault]\nearlier = [\"file:secrets/master\"]\n";
    fs::write(&file, text.replace(own, &format!("{earlier}{}", transit.settings()))).unwrap();
    write_private(&place.gate.directory().join("secrets/transit"), TOKEN);
    place.gate.again().await;
    place.gate.end().await;
    // Everything is the service's now, and the old key can go.
    fs::write(&file, text.replace(own, &transit.settings())).unwrap();
    fs::remove_file(place.gate.directory().join("secrets/master")).unwrap();
    place.gate.again().await;
    let next = place.refresh(&tokens).await;
    assert_eq!(next.status, 200, "{}", next.text());
}

#[tokio::test]
async fn what_is_wrong_with_the_place_of_a_key_is_told_at_its_line() {
    let gate = Gate::with(Setup::default()).await;
    passes(&gate.client(ANA).call("read_ticket", ticket()).await.unwrap());
    gate.end().await;
    let file = gate.directory().join("portcullis.toml");
    let text = fs::read_to_string(&file).unwrap();
    write_private(&gate.directory().join("secrets/transit"), TOKEN);
    let settings = |url: &str, key: &str, more: &str| {
        format!(
            "\n[vault]\n{more}\n[vault.transit]\nurl = \"{url}\"\nkey = \"{key}\"\ntoken = \"file:secrets/transit\"\n"
        )
    };
    let both = "key = \"file:secrets/transit\"";
    for (wrong, words) in [
        (settings("http://vault.example:8200", "portcullis", ""), "no place of a key service"),
        (settings("https://vault.example:8200/?a=1", "portcullis", ""), "no place of a key service"),
        (settings("https://vault.example:8200", "../sys", ""), "no name there"),
        (settings("https://vault.example:8200", "portcullis", both), "not both"),
        ("\n[vault]\nearlier = []\n".to_owned(), "no master key"),
    ] {
        fs::write(&file, format!("{text}{wrong}")).unwrap();
        let said = does_not_start(gate.directory()).await;
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("portcullis.toml:") && said.contains(words), "{words}: {said}");
    }
    assert_eq!(json!(told(&gate)), json!(false));
}
