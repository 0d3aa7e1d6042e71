use super::*;

/// A package of which only the digests are here.
fn package(sha256: &str, sha512: &str, purl: Option<&str>) -> Package {
    let purl = purl.map(str::to_owned);
    Package { sha256: sha256.to_owned(), sha512: sha512.to_owned(), purl, version: Some("1.0.0".to_owned()) }
}

const PYPI: &str = "9bb1add04b1b4e182be6b0b80931593f7a291eb49d69b4fd728a5d4cbcdc4bd3";
const PUBLISHED: &str = include_str!("../../samples/pypi_attestations-0.0.19.tar.gz.provenance");
const BUILT: &str = include_str!("../../samples/pypi_attestations-0.0.19.tar.gz.slsa.attestation");
const REPOSITORY: &str = "https://github.com/trailofbits/pypi-attestations";
const GITHUB: &str = "https://token.actions.githubusercontent.com";

const NPM: &str = include_str!("../../samples/npm-sigstore-2.0.0.sigstore.json");
const NPM_SHA512: &str = "46d4e2f74c4877316640000a6fdf8a8b59f1e0847667973e9859f774dd31b8f1e0937813b777fb66a2ac67d50540fe34640966eee9fc2ccca387082b4c85cd3c";

const WHEEL: &str = include_str!("../../samples/rfc8785-0.1.2.sigstore.json");
const WHEEL_SHA256: &str = "c4e92e9ecc828bef2aa7dba1de8ac983511f7532a0df11c770d39099a25cf201";

const BUNDLE: &[u8] = include_bytes!("../../samples/acme-notes.mcpb");
const ACME: &str = "ccf7356091298e3438cc1da240c7075379ffe06a935075609574a735785f3055";

const OTHER: &str = "0000000000000000000000000000000000000000000000000000000000000000";

fn of(texts: &[&str], package: &Package) -> Provenance {
    let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    Provenance::of(&texts, None, package)
}

fn demand(repository: &str) -> Demand {
    Demand { issuer: Some(GITHUB.to_owned()), repository: Some(repository.to_owned()), ..Demand::default() }
}

#[test]
fn what_package_indexes_attest_is_verified() {
    let found = of(&[PUBLISHED, BUILT], &package(PYPI, "", None));
    assert_eq!(found.refused, [""; 0]);
    let strengths: Vec<_> = found.proven.iter().map(|proof| proof.strength).collect();
    assert_eq!(strengths, [Strength::Built, Strength::Published], "the strongest first");
    let Proof { signer, at, .. } = &found.proven[0];
    assert_eq!((signer.issuer.as_deref(), signer.repository.as_deref()), (Some(GITHUB), Some(REPOSITORY)));
    assert_eq!(signer.workflow.as_deref(), Some(".github/workflows/release.yml@refs/tags/v0.0.19"));
    assert_eq!(signer.commit.as_deref(), Some("08802efe1f8e5fec4ad842d6b8ce97656092ee72"));
    assert!(at.is_some_and(|at| (1_733_354_000..1_733_355_000).contains(&at)), "{at:?}");
    assert!(demand(REPOSITORY).met(&found).is_ok());
    let workflow = Demand { workflow: Some(".github/workflows/release.yml".to_owned()), ..demand(REPOSITORY) };
    assert!(workflow.met(&found).is_ok());
    assert_eq!(found.again(&package(PYPI, "", None)), found, "from the evidence alone");
}

#[test]
fn what_npm_attests_is_verified_by_sha_512_and_by_name() {
    let named = |purl| package(OTHER, NPM_SHA512, Some(purl));
    // As npm gives it out.
    let listed = format!("{{ \"attestations\": [{{ \"predicateType\": \"x\", \"bundle\": {NPM} }}] }}");
    for text in [NPM, &listed] {
        let found = of(&[text], &named("pkg:npm/sigstore@2.0.0"));
        assert_eq!(found.refused, [""; 0]);
        assert_eq!(found.best().unwrap().strength, Strength::Built);
        assert!(demand("git+https://github.com/sigstore/sigstore-js.git").met(&found).is_ok());
    }
    let found = of(&[NPM], &named("pkg:npm/sigstore@2.0.1"));
    assert_eq!(
        (found.proven.len(), found.refused[0].as_str()),
        (0, "an attestation is about `pkg:npm/sigstore@2.0.0`")
    );
}

#[test]
fn a_bundle_over_bytes_is_verified() {
    let found = of(&[WHEEL], &package(WHEEL_SHA256, "", None));
    assert_eq!(found.refused, [""; 0]);
    assert_eq!(found.best().unwrap().strength, Strength::Signed);
    let subject = "https://github.com/trailofbits/rfc8785.py/.github/workflows/release.yml@refs/tags/v0.1.2";
    let exactly = |subject: &str| Demand { subject: Some(subject.to_owned()), ..Demand::default() };
    assert!(exactly(subject).met(&found).is_ok());
    assert!(exactly(&subject.replace("v0.1.2", "v0.1.3")).met(&found).is_err());
}

#[test]
fn other_bytes_are_refused() {
    for (text, known) in [(PUBLISHED, PYPI), (BUILT, PYPI), (WHEEL, WHEEL_SHA256)] {
        let tampered = package(&known.replacen('c', "d", 1), NPM_SHA512, None);
        let found = of(&[text], &tampered);
        assert!(found.proven.is_empty() && !found.refused.is_empty(), "{found:?}");
        assert!(matches!(demand(REPOSITORY).met(&found), Err(Unmet::Broken(_))));
    }
    let found = of(&[NPM], &package(PYPI, &NPM_SHA512.replacen('4', "5", 1), None));
    assert_eq!(found.refused, ["an attestation is about other bytes"]);
}

/// Another letter in place of one.
fn altered_in_the_middle(text: &str) -> String {
    let (before, after) = text.split_at(text.len() / 2);
    let letter = if after.starts_with('A') { "B" } else { "A" };
    format!("{before}{letter}{}", after.get(1..).unwrap())
}

/// Each part of the evidence holds the others: none can be altered.
#[test]
fn an_attestation_that_was_altered_is_refused() {
    let whole: serde_json::Value = serde_json::from_str(BUILT).unwrap();
    for pointer in [
        "/envelope/signature",
        "/envelope/statement",
        "/verification_material/certificate",
        "/verification_material/transparency_entries/0/canonicalizedBody",
        "/verification_material/transparency_entries/0/inclusionProof/rootHash",
        "/verification_material/transparency_entries/0/inclusionProof/hashes/0",
        "/verification_material/transparency_entries/0/inclusionPromise/signedEntryTimestamp",
    ] {
        let mut altered = whole.clone();
        let place = altered.pointer_mut(pointer).unwrap();
        let text = place.as_str().unwrap();
        *place = altered_in_the_middle(text).into();
        let found = of(&[&altered.to_string()], &package(PYPI, "", None));
        assert!(found.proven.is_empty() && found.refused.len() == 1, "{pointer}: {found:?}");
    }
    for (pointer, value) in [
        ("/verification_material/transparency_entries", serde_json::json!([])),
        ("/verification_material/transparency_entries/0/inclusionProof", serde_json::Value::Null),
        ("/verification_material/transparency_entries/0/integratedTime", "1833354041".into()),
    ] {
        let mut altered = whole.clone();
        *altered.pointer_mut(pointer).unwrap() = value;
        let found = of(&[&altered.to_string()], &package(PYPI, "", None));
        assert!(found.proven.is_empty() && found.refused.len() == 1, "{pointer}: {found:?}");
    }
}

#[test]
fn somebody_else_s_signature_is_none() {
    let found = of(&[BUILT], &package(PYPI, "", None));
    for other in [
        demand("https://github.com/trailofbits/pypi-attestations2"),
        demand("https://github.com/mallory/pypi-attestations"),
        Demand { issuer: Some("https://gitlab.com".to_owned()), ..demand(REPOSITORY) },
        Demand { workflow: Some(".github/workflows/other.yml".to_owned()), ..demand(REPOSITORY) },
        Demand { certificate: Some(ACME.to_owned()), ..Demand::default() },
    ] {
        let refused = other.met(&found).unwrap_err();
        assert!(matches!(refused, Unmet::SomebodyElse { .. }), "{other:?}: {refused}");
    }
    let built = Demand { strength: Some(Strength::Built), ..demand(REPOSITORY) };
    assert!(built.met(&found).is_ok());
    assert!(built.met(&of(&[PUBLISHED], &package(PYPI, "", None))).is_err(), "published is less than built");
    assert_eq!(demand(REPOSITORY).met(&Provenance::default()), Err(Unmet::Missing));
}

#[test]
fn what_was_proven_before_is_not_forgotten() {
    let known = package(PYPI, "", None);
    let (built, published, nothing) = (of(&[BUILT], &known), of(&[PUBLISHED], &known), Provenance::default());
    let after = |earlier: &Provenance, later: &Provenance| {
        let mut later = later.clone();
        later.remember(earlier);
        later
    };
    assert_eq!(after(&nothing, &built).fallen(), None);
    assert_eq!(after(&built, &built).fallen(), None);
    assert_eq!(after(&published, &built).fallen(), None, "more than before");
    let less = after(&built, &published).fallen().unwrap();
    assert_eq!(less, format!("1.0.0 is built by {REPOSITORY}, and this one is published by {REPOSITORY}"));
    let none = after(&built, &nothing);
    assert!(none.fallen().unwrap().ends_with("and nobody shows who made this one"));
    assert!(after(&none, &nothing).fallen().is_some(), "a second one without is no better");
    assert_eq!(after(&none, &built).fallen(), None, "and what has it again is as good as before");
    let elsewhere = of(&[NPM], &package(OTHER, NPM_SHA512, None));
    assert!(after(&built, &elsewhere).fallen().unwrap().contains("sigstore/sigstore-js"), "somebody else built it");
}

#[test]
fn a_signed_bundle_is_verified_in_both_of_its_forms() {
    let (zip, evidence) = split(BUNDLE);
    // Made once more as the signing program leaves it when it enlarges the zip's comment.
    let mut patched = BUNDLE.to_vec();
    let comment = u16::try_from(BUNDLE.len() - zip.len()).unwrap().to_le_bytes();
    patched[zip.len() - 2..zip.len()].copy_from_slice(&comment);
    for bytes in [BUNDLE, &patched] {
        let (_, evidence) = split(bytes);
        let found = Provenance::of(&[], evidence, &Package::of(bytes));
        assert_eq!(found.refused, [""; 0]);
        assert_eq!(found.best().unwrap().signer.certificate.as_deref(), Some(ACME));
        let acme = Demand { certificate: Some(ACME.to_owned()), ..Demand::default() };
        assert!(acme.met(&found).is_ok());
        assert!(Demand::default().met(&found).is_err(), "anybody can make such a certificate");
    }
    let mut tampered = BUNDLE.to_vec();
    tampered[50] ^= 1;
    let found = Provenance::of(&[], split(&tampered).1, &Package::of(&tampered));
    assert_eq!(found.refused, ["a bundle's signature is about other bytes"]);
    let evidence = evidence.unwrap();
    let altered = altered_in_the_middle(&evidence);
    let found = Provenance::of(&[], Some(altered), &Package::of(BUNDLE));
    let acme = Demand { certificate: Some(ACME.to_owned()), ..Demand::default() };
    assert!(acme.met(&found).is_err(), "another certificate is somebody else's");
    // What is beside a package cannot say which digests it is about.
    let beside = of(&[&evidence], &package(PYPI, "", None));
    assert!(beside.proven.is_empty() && !beside.refused.is_empty());
    assert_eq!(split(b"no bundle MCPB_SIG_END"), (b"no bundle MCPB_SIG_END".as_slice(), None));
}

#[test]
fn what_is_no_attestation_hurts_nobody() {
    let known = package(PYPI, "", None);
    for text in [
        "",
        "{}",
        "[]",
        "null",
        "{\"attestations\":[{}]}",
        "{\"attestation_bundles\":[{\"attestations\":[1,{}]}]}",
        "{\"verificationMaterial\":{}}",
        "{\"mcpb\":\"AAAA\",\"zip\":[]}",
        "{\"verification_material\":{}}",
    ] {
        let found = of(&[text], &known);
        assert!(found.proven.is_empty() && !found.refused.is_empty(), "{text}: {found:?}");
    }
    let many = format!("[{}]", [BUILT; 3].join(","));
    assert!(of(&[&many], &known).proven.is_empty(), "a list of no known form");
    let lines = vec![BUILT.replace('\n', " "); 12].join("\n");
    let found = of(&[&lines], &known);
    assert_eq!((found.proven.len(), found.refused.len()), (limits::ATTESTATIONS_MAX, 1));
    assert!(of(&[&"x".repeat(limits::ATTESTATION_FILE_BYTES_MAX + 1)], &known).refused[0].contains("more than"));
}
