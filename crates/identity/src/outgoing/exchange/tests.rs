use std::sync::Arc;

use async_trait::async_trait;
use model::{Behalf, Secret};
use serde_json::json;

use super::super::tests::{ISSUER, Scene, TOKEN, scene, written};
use super::super::{Flow, Holder, Proof, Registered, Supply, Whose};
use super::*;

/// Speaks for everybody, as one provider.
struct Provider(&'static str);

#[async_trait]
impl Vouches for Provider {
    async fn identity(&self, user: &UserId) -> Result<Identity, VouchError> {
        Ok(Identity { issuer: self.0.to_owned(), token: Secret::new(format!("id-token-of-{user}")) })
    }

    async fn assertion(&self, user: &UserId, audience: &str, _: &str, _: &str) -> Result<Secret<String>, VouchError> {
        Ok(Secret::new(format!("{user}-for-{audience}")))
    }
}

fn of(flow: Flow) -> Scene {
    let mut scene = scene();
    let proof = Some(Proof::Secret(Arc::new(Secret::new("s3cret".to_owned()))));
    scene.source.client = Some(Registered { id: "gate".to_owned(), proof });
    (scene.source.flow, scene.source.whose, scene.source.issuer) = (flow, Whose::Both, Some(ISSUER.to_owned()));
    scene
}

fn answers(scene: &Scene, name: &str, issued: &str, lives: Option<u64>) {
    let token = json!({
        "access_token": name, "token_type": "Bearer", "issued_token_type": issued, "expires_in": lives,
    });
    scene.network.tell(TOKEN, token.to_string());
}

fn behalf(user: Option<&str>, through: &[&str]) -> Behalf {
    Behalf {
        user: user.map(|user| user.parse().unwrap()),
        agent: "helpdesk".parse().unwrap(),
        through: through.iter().map(|agent| agent.parse().unwrap()).collect(),
    }
}

async fn credential(scene: &Scene, behalf: &Behalf) -> Result<String, OutgoingError> {
    let source = scene.arc();
    let holder = Holder::of(source.whose, behalf).expect("a person");
    scene.outgoing.credential(&source, &holder).await.map(|credential| written(&credential))
}

#[tokio::test]
async fn the_provider_whose_id_token_it_is_is_shown_it_with_who_acts() {
    let scene = of(Flow::Exchange(Subject::SignIn));
    scene.outgoing.vouched_for_by(Arc::new(Provider(ISSUER)));
    answers(&scene, "for-ana", ACCESS_TOKEN, Some(600));
    assert_eq!(credential(&scene, &behalf(Some("ana"), &[])).await.unwrap(), "Bearer for-ana");
    let asked = scene.asked().pop().unwrap();
    for part in [
        "subject_token=id-token-of-ana",
        "subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aid_token",
        "actor_token=ey",
        "resource=https%3A%2F%2Fcrm.example%2Fmcp",
        "scope=read",
    ] {
        assert!(asked.contains(part), "{part}: {asked}");
    }
}

#[tokio::test]
async fn an_id_token_of_another_provider_is_not_shown() {
    let scene = of(Flow::Exchange(Subject::SignIn));
    scene.outgoing.vouched_for_by(Arc::new(Provider("https://sso.example")));
    answers(&scene, "for-ana", ACCESS_TOKEN, Some(600));
    let refused = credential(&scene, &behalf(Some("ana"), &[])).await;
    assert!(matches!(refused, Err(OutgoingError::Vouch(VouchError::Elsewhere))));
    assert!(scene.asked().is_empty());
}

#[tokio::test]
async fn without_anybody_who_speaks_for_people_nothing_is_asked() {
    for flow in [Flow::Exchange(Subject::SignIn), Flow::Assertion] {
        let scene = of(flow);
        let refused = credential(&scene, &behalf(Some("ana"), &[])).await;
        assert!(matches!(refused, Err(OutgoingError::Vouch(VouchError::Nobody))));
    }
}

#[tokio::test]
async fn what_came_through_other_agents_is_not_what_came_straight() {
    let scene = of(Flow::Exchange(Subject::Gate));
    answers(&scene, "straight", JWT, Some(600));
    assert_eq!(credential(&scene, &behalf(Some("ana"), &[])).await.unwrap(), "Bearer straight");
    answers(&scene, "through-router", JWT, Some(600));
    assert_eq!(credential(&scene, &behalf(Some("ana"), &["router"])).await.unwrap(), "Bearer through-router");
    assert_eq!(credential(&scene, &behalf(Some("ana"), &[])).await.unwrap(), "Bearer straight");
    assert!(Holder::of(Whose::Both, &behalf(None, &[])).is_none(), "an agent for nobody");
}

#[tokio::test]
async fn a_token_whose_time_nobody_said_is_not_held_for_long_and_none_for_who_left() {
    let scene = of(Flow::Exchange(Subject::Gate));
    answers(&scene, "first", ACCESS_TOKEN, None);
    assert_eq!(credential(&scene, &behalf(Some("ana"), &[])).await.unwrap(), "Bearer first");
    answers(&scene, "second", ACCESS_TOKEN, Some(100_000));
    scene.later(limits::EXCHANGED_TOKEN_MILLISECONDS_MAX / 1_000);
    assert_eq!(credential(&scene, &behalf(Some("ana"), &[])).await.unwrap(), "Bearer second");
    answers(&scene, "third", ACCESS_TOKEN, Some(600));
    scene.outgoing.left(&"ben".parse().unwrap());
    assert_eq!(credential(&scene, &behalf(Some("ana"), &[])).await.unwrap(), "Bearer second");
    scene.outgoing.left(&"ana".parse().unwrap());
    assert_eq!(credential(&scene, &behalf(Some("ana"), &[])).await.unwrap(), "Bearer third");
}

#[tokio::test]
async fn the_gates_own_looks_are_for_nobody_else() {
    let scene = of(Flow::Exchange(Subject::Gate));
    let supply = Supply::new(Arc::clone(&scene.outgoing), Arc::into_inner(scene.arc()).unwrap());
    supply.own().await.unwrap();
    assert!(scene.asked()[0].contains("grant_type=client_credentials"));
    for holder in [Holder::User("ana".parse().unwrap()), Holder::Agent("helpdesk".parse().unwrap())] {
        let refused = scene.outgoing.credential(&scene.arc(), &holder).await;
        assert!(matches!(refused, Err(OutgoingError::Unsafe(_))));
    }
}

#[tokio::test]
async fn an_assertion_of_the_provider_is_shown_to_the_authorization_server_that_it_is_for() {
    let scene = of(Flow::Assertion);
    scene.outgoing.vouched_for_by(Arc::new(Provider("https://sso.example")));
    assert_eq!(credential(&scene, &behalf(Some("ana"), &[])).await.unwrap(), "Bearer first-access");
    let asked = scene.asked().pop().unwrap();
    assert!(asked.contains("assertion=ana-for-https%3A%2F%2Flogin.example"), "{asked}");
    assert!(asked.contains("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"), "{asked}");
}
