use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use model::SecretReference;
use rcgen::{CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

use super::*;

/// Files of a listener, all of them good.
struct Kept {
    directory: TempDir,
}

impl Kept {
    fn new() -> Self {
        let kept = Self { directory: tempfile::tempdir().unwrap() };
        let (certificate, key) = pair();
        kept.write("gate.pem", &certificate);
        kept.write("gate.key", &key);
        kept.write("clients.pem", &authority());
        kept
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).unwrap();
        fs::set_permissions(self.path().join(name), fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn files(&self) -> TlsFiles {
        TlsFiles {
            certificate: self.path().join("gate.pem"),
            key: SecretReference::File("gate.key".into()),
            client_authorities: Some(self.path().join("clients.pem")),
            client_revocations: None,
            base: self.path().to_owned(),
        }
    }
}

fn pair() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["gate.example".to_owned()]).unwrap().self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

fn authority() -> String {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap().pem()
}

fn wrong(files: TlsFiles) -> (Part, String) {
    let error = Prepared::read(files).err().expect("it fits");
    (error.part(), model::with_causes(&error))
}

#[test]
fn what_is_wrong_is_told_of_the_setting_that_it_is_in() {
    let kept = Kept::new();
    assert!(Prepared::read(kept.files()).unwrap().asks());
    let missing = TlsFiles { certificate: "/nowhere/gate.pem".into(), ..kept.files() };
    assert_eq!(wrong(missing).0, Part::Certificate);
    kept.write("empty.pem", "no certificate\n");
    let empty = TlsFiles { certificate: kept.path().join("empty.pem"), ..kept.files() };
    let (part, told) = wrong(empty);
    assert_eq!(part, Part::Certificate);
    assert!(told.contains("no certificates in PEM"), "{told}");
    let none =
        TlsFiles { client_authorities: Some(kept.path().join("empty.pem")), client_revocations: None, ..kept.files() };
    assert_eq!(wrong(none).0, Part::ClientAuthorities);
    kept.write("other.key", &pair().1);
    let other = TlsFiles { key: SecretReference::File("other.key".into()), ..kept.files() };
    assert_eq!(wrong(other), (Part::Key, "the key is not the certificate's".to_owned()));
    kept.write("no.key", "hush-this-is-no-key");
    let (part, told) = wrong(TlsFiles { key: SecretReference::File("no.key".into()), ..kept.files() });
    assert_eq!(part, Part::Key);
    assert!(!told.contains("hush"), "{told}");
    fs::set_permissions(kept.path().join("gate.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let (part, told) = wrong(kept.files());
    assert!(part == Part::Key && told.contains("can be read by others"), "{told}");
}

#[test]
fn files_that_do_not_fit_any_more_change_nothing() {
    let kept = Kept::new();
    let tls = Tls::new(Prepared::read(kept.files()).unwrap());
    assert!(!tls.look().unwrap());
    let before = Arc::clone(&tls.state.borrow().config);
    let (certificate, key) = pair();
    kept.write("gate.pem", &certificate);
    assert!(tls.look().is_err(), "the key is still the old one");
    assert!(Arc::ptr_eq(&before, &tls.state.borrow().config));
    kept.write("gate.key", &key);
    assert!(tls.look().unwrap());
    assert!(!Arc::ptr_eq(&before, &tls.state.borrow().config));
    assert!(!tls.look().unwrap(), "and it is not taken twice");
}
