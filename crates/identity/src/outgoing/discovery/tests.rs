use serde_json::json;

use super::*;
use crate::fetch::fake::FakeFetch;

const SERVER: &str = "https://crm.example/team/mcp";

fn server() -> Url {
    SERVER.parse().unwrap()
}

async fn protected_at(place: &str, resource: &str) -> Result<Protected, DiscoveryError> {
    let network = FakeFetch::default();
    for candidate in well_known(&server(), "oauth-protected-resource") {
        network.tell_as(candidate.as_str(), 404, &[], "");
    }
    network
        .tell(place, json!({ "resource": resource, "authorization_servers": ["https://login.example"] }).to_string());
    protected(&network, &server(), &Challenge::default()).await
}

#[tokio::test]
async fn a_servers_metadata_is_behind_its_path_or_at_the_root() {
    let inserted = "https://crm.example/.well-known/oauth-protected-resource/team/mcp";
    assert_eq!(protected_at(inserted, SERVER).await.unwrap().resource, SERVER);
    let root = "https://crm.example/.well-known/oauth-protected-resource";
    assert_eq!(protected_at(root, "https://crm.example").await.unwrap().resource, "https://crm.example");
    let legacy = protected_at("https://elsewhere.example/", SERVER).await.unwrap();
    assert_eq!(legacy.issuers, ["https://crm.example"], "a server of 2025-03-26 is its own");
}

#[tokio::test]
async fn metadata_of_another_resource_is_not_believed() {
    let place = "https://crm.example/.well-known/oauth-protected-resource/team/mcp";
    for resource in [
        "https://evil.example/team/mcp",
        "https://crm.example.evil.example/team/mcp",
        "http://crm.example/team/mcp",
        "https://crm.example:8443/team/mcp",
        "https://crm.example/team/mcp/deeper",
        "https://crm.example/te",
        "https://crm.example/team/mcp#x",
        "https://crm.example/team/mcp?x=1",
        "crm",
    ] {
        assert!(matches!(protected_at(place, resource).await, Err(DiscoveryError::OtherResource)), "{resource}");
    }
}

#[tokio::test]
async fn a_server_cannot_have_its_metadata_fetched_from_elsewhere() {
    let network = FakeFetch::default();
    for place in [
        "https://evil.example/x",
        "http://crm.example/x",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "x",
    ] {
        let challenge = Challenge { resource_metadata: Some(place.to_owned()), ..Challenge::default() };
        assert!(matches!(protected(&network, &server(), &challenge).await, Err(DiscoveryError::Elsewhere)), "{place}");
    }
    assert!(network.asked().is_empty());
}

#[tokio::test]
async fn an_issuers_metadata_is_looked_for_in_the_order_of_the_specification() {
    let network = FakeFetch::default();
    let places = [
        "https://login.example/.well-known/oauth-authorization-server/tenant",
        "https://login.example/.well-known/openid-configuration/tenant",
        "https://login.example/tenant/.well-known/openid-configuration",
    ];
    for place in places {
        network.tell_as(place, 404, &[], "");
    }
    let told = json!({ "issuer": "https://login.example/tenant", "token_endpoint": "https://login.example/t" });
    network.tell(places[2], told.to_string());
    let found = issuer(&network, "https://login.example/tenant").await.unwrap();
    assert_eq!(found.authentication_methods, ["client_secret_basic"], "what it means to say nothing");
    let asked: Vec<String> = network.asked().into_iter().map(|seen| seen.url).collect();
    assert_eq!(asked, places);
}

#[tokio::test]
async fn an_issuer_that_names_another_is_not_used() {
    for told in ["https://evil.example", "https://login.example/", "https://LOGIN.example", ""] {
        let network = FakeFetch::default();
        let document = json!({ "issuer": told, "token_endpoint": "https://login.example/t" });
        network.tell("https://login.example/.well-known/oauth-authorization-server", document.to_string());
        let found = issuer(&network, "https://login.example").await;
        assert!(matches!(found, Err(DiscoveryError::OtherIssuer)), "{told}");
    }
}

#[tokio::test]
async fn metadata_that_two_readers_could_read_differently_is_not_used() {
    let network = FakeFetch::default();
    let place = "https://login.example/.well-known/oauth-authorization-server";
    let twice = r#"{"issuer":"https://login.example","token_endpoint":"https://a.example/","token_endpoint":"https://b.example/"}"#;
    network.tell(place, twice);
    assert!(matches!(issuer(&network, "https://login.example").await, Err(DiscoveryError::Document { .. })));
}
