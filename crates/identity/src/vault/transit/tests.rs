use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::fetch::fake::FakeFetch;

const SERVICE: &str = "https://vault.example:8200/v1/transit";

struct Scene {
    transit: Transit,
    network: Arc<FakeFetch>,
    _directory: tempfile::TempDir,
}

fn scene() -> Scene {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    fs::write(&file, "token-of-the-gate").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let network = Arc::new(FakeFetch::default());
    let place = TransitPlace {
        url: "https://vault.example:8200".parse().unwrap(),
        mount: "transit".to_owned(),
        key: "gate".to_owned(),
        token: SecretReference::File("token".into()),
        base: directory.path().to_owned(),
    };
    let transit = Transit::new(place, Arc::clone(&network) as _, None);
    Scene { transit, network, _directory: directory }
}

impl Scene {
    fn answers(&self, deed: &str, data: &Value) {
        self.network.tell(&format!("{SERVICE}/{deed}/gate"), json!({ "data": data }).to_string());
    }
}

#[tokio::test]
async fn a_data_key_goes_there_with_the_token_and_what_came_back_is_what_is_kept() {
    let scene = scene();
    scene.answers("encrypt", &json!({ "ciphertext": "vault:v1:abc" }));
    let (data_key, wrapped) = scene.transit.fresh().await.unwrap();
    assert_eq!((wrapped.name.as_str(), wrapped.bytes.as_slice()), ("transit transit/gate", b"vault:v1:abc".as_slice()));
    let asked = &scene.network.asked()[0];
    assert_eq!(asked.headers["authorization"], "Bearer token-of-the-gate");
    assert!(asked.headers["authorization"].is_sensitive());
    assert!(asked.body.contains(&STANDARD.encode(opened_bytes(&data_key))));
    // What was wrapped here is not asked about.
    assert!(scene.transit.unwrap(&wrapped).await.unwrap().matches(opened_bytes(&data_key)));
    assert_eq!(scene.network.asked().len(), 1);
}

#[tokio::test]
async fn the_check_asks_whether_what_was_wrapped_opens() {
    let scene = scene();
    scene.answers("encrypt", &json!({ "ciphertext": "vault:v1:abc" }));
    assert!(matches!(scene.transit.check().await, Err(MasterKeyError::Service(_))), "nobody may decrypt");
    scene.answers("decrypt", &json!({ "plaintext": STANDARD.encode([7; KEY_BYTES]) }));
    assert!(matches!(scene.transit.check().await, Err(MasterKeyError::Opens)), "another key comes back");
}

#[tokio::test]
async fn what_the_service_should_not_answer_opens_nothing_and_is_not_repeated() {
    let scene = scene();
    let wrapped = Wrapped { name: "transit transit/gate".to_owned(), bytes: b"vault:v1:abc".to_vec() };
    for plaintext in ["", "!", "c2hvcnQ=", &STANDARD.encode([7; 64])] {
        scene.answers("decrypt", &json!({ "plaintext": plaintext }));
        let error = scene.transit.unwrap(&wrapped).await.err().unwrap();
        assert!(plaintext.is_empty() || !format!("{error:?}").contains(plaintext));
    }
    for body in ["", "[]", "{\"data\":{}}", "{\"data\":{\"plaintext\":7}}", "<html>"] {
        scene.network.tell(&format!("{SERVICE}/decrypt/gate"), body);
        assert!(matches!(scene.transit.unwrap(&wrapped).await, Err(MasterKeyError::Service(_))), "{body}");
    }
    let foreign = Wrapped { name: "0123".to_owned(), bytes: vec![1] };
    assert!(matches!(scene.transit.unwrap(&foreign).await, Err(MasterKeyError::Unknown(_))));
}

#[tokio::test]
async fn a_key_of_the_newest_version_is_left_as_it_is() {
    let scene = scene();
    let wrapped = Wrapped { name: "transit transit/gate".to_owned(), bytes: b"vault:v2:abc".to_vec() };
    assert!(scene.transit.has_wrapped(&wrapped));
    scene.answers("rewrap", &json!({ "ciphertext": "vault:v2:xyz" }));
    assert_eq!(scene.transit.rewrap(&wrapped).await.unwrap(), None);
    scene.answers("rewrap", &json!({ "ciphertext": "vault:v3:xyz" }));
    assert_eq!(scene.transit.rewrap(&wrapped).await.unwrap().unwrap().bytes, b"vault:v3:xyz");
}

#[tokio::test]
async fn while_the_service_is_away_the_last_data_key_seals_and_before_there_is_one_nothing_does() {
    let scene = scene();
    assert!(matches!(scene.transit.fresh().await, Err(MasterKeyError::Service(_))));
    scene.answers("encrypt", &json!({ "ciphertext": "vault:v1:abc" }));
    let (first, wrapped) = scene.transit.fresh().await.unwrap();
    scene.network.forget(&format!("{SERVICE}/encrypt/gate"));
    let (again, same) = scene.transit.fresh().await.unwrap();
    assert!(again.matches(opened_bytes(&first)) && same == wrapped);
}
