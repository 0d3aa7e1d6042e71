use rcgen::{CertificateParams, KeyPair, SanType};

use super::*;

fn certificate(names: &[SanType]) -> Certificate {
    let mut params = CertificateParams::default();
    params.subject_alt_names = names.to_vec();
    let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
    Certificate::read(made.der()).unwrap()
}

fn uri(text: &str) -> SanType {
    SanType::URI(text.try_into().unwrap())
}

fn dns(text: &str) -> SanType {
    SanType::DnsName(text.try_into().unwrap())
}

fn spiffe(text: &str) -> CertificateName {
    CertificateName::Spiffe(text.parse().unwrap())
}

fn host(text: &str) -> CertificateName {
    CertificateName::Dns(text.parse().unwrap())
}

#[test]
fn a_certificate_is_known_by_the_names_in_it_letter_by_letter() {
    let workload = certificate(&[uri("spiffe://acme.example/desk")]);
    assert!(workload.names(&spiffe("spiffe://acme.example/desk")));
    assert!(!workload.names(&spiffe("spiffe://acme.example/desk2")));
    assert!(!workload.names(&spiffe("spiffe://acme.example/Desk")));
    assert!(!workload.names(&host("acme.example")));
    let several = certificate(&[dns("Agent.Example"), dns("desk.example")]);
    assert!(several.names(&host("agent.example")) && several.names(&host("desk.example")));
    assert!(!several.names(&host("sub.agent.example")));
}

#[test]
fn a_name_for_many_is_nobodys() {
    let many = certificate(&[dns("*.example")]);
    assert!(!many.names(&host("agent.example")));
    let two = certificate(&[uri("spiffe://acme.example/desk"), uri("spiffe://acme.example/other")]);
    assert!(!two.names(&spiffe("spiffe://acme.example/desk")), "which of the two it is, nobody can say");
    let beside = certificate(&[uri("https://acme.example/"), uri("spiffe://acme.example/desk")]);
    assert!(!beside.names(&spiffe("spiffe://acme.example/desk")));
}

#[test]
fn the_thumbprint_is_of_the_certificate_and_not_of_its_names() {
    let (one, other) = (certificate(&[dns("agent.example")]), certificate(&[dns("agent.example")]));
    assert_eq!(one.thumbprint().len(), 43);
    assert_ne!(one.thumbprint(), other.thumbprint());
}
