//! One attestation, verified: signature, certificate, log, and that it is about this package.
//!
//! The mathematics is `sigstore-verify`'s; what is decided here is what a verified attestation says. Who signed is taken
//! from the certificate alone, which an authority made from a token. What the statement itself claims of its origin was
//! written by whoever signed, so it can only contradict.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::{Digest, limits};
use serde::Deserialize;
use serde_json::Value;
use sigstore_verify::trust_root::TrustedRoot;
use sigstore_verify::types::bundle::VerificationMaterialContent;
use sigstore_verify::types::{Artifact, ArtifactDigest, Bundle, DerPublicKey, HashAlgorithm, SignatureContent};
use sigstore_verify::{Error, Policy, PublicKeyVerificationPolicy, VerificationPolicy, VerificationResult, Verifier};

use super::{Proof, Signer, Strength, mcpb, plain};

/// Whom the public instance of sigstore trusts.
const ROOT: &str = include_str!("../../trust/sigstore.json");
/// With which keys npm signs.
const NPM: &str = include_str!("../../trust/npm.json");
/// What those keys must be for.
const NPM_USAGE: &str = "npm:attestations";

/// What attestations are about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Package {
    /// The SHA-256 digest of the file, in hexadecimal digits.
    pub(crate) sha256: String,
    /// Its SHA-512 digest, in hexadecimal digits.
    pub(crate) sha512: String,
    /// What npm calls it, if it is a package of npm's: `pkg:npm/NAME@VERSION`.
    pub(crate) purl: Option<String>,
    /// The version that it says it has.
    pub(crate) version: Option<String>,
}

impl Package {
    /// What attestations of some bytes are about.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let sha512 = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA512, bytes);
        Self {
            sha256: Digest::of(bytes).to_string().trim_start_matches("sha256:").to_owned(),
            sha512: sha512.as_ref().iter().map(|byte| format!("{byte:02x}")).collect(),
            purl: None,
            version: None,
        }
    }
}

/// Verifies one attestation.
pub(super) fn proof(text: &str, package: &Package) -> Result<Proof, String> {
    if let Ok(signed) = serde_json::from_str::<mcpb::Signed>(text) {
        return mcpb::proof(&signed, package.version.clone());
    }
    let verifier = verifier()?;
    let bundle = Bundle::from_json(text).map_err(|error| short(&format!("an attestation is malformed: {error}")))?;
    let (strength, result) = match &bundle.verification_material.content {
        VerificationMaterialContent::PublicKey(key) => {
            let key = npm_key(&key.hint)?;
            let result = verified(verifier, &bundle, package, &PublicKeyVerificationPolicy::new(key.public.clone()))?;
            let at = result.integrated_time().map(|time| time.as_second());
            if at.is_none_or(|at| !key.is_good_at(at)) {
                return Err("an attestation is signed with a key at a time at which that was not in use".to_owned());
            }
            (said(&bundle, package, None)?, result)
        }
        VerificationMaterialContent::Certificate(_) | VerificationMaterialContent::X509CertificateChain { .. } => {
            let result = verified(verifier, &bundle, package, &VerificationPolicy::any_identity())?;
            if !(result.certificate_verified() && result.tlog_verified() && result.sct_verified()) {
                return Err("an attestation is not verified in all its parts".to_owned());
            }
            let repository = result.certificate().and_then(|one| one.ci_claims.source_repository_uri.as_deref());
            (said(&bundle, package, repository)?, result)
        }
        _ => return Err("an attestation has neither a certificate nor a key that is known".to_owned()),
    };
    let at = result.integrated_time().or_else(|| result.verified_timestamps().first().copied());
    let at = at.map(|time| time.as_second());
    Ok(Proof { strength, signer: signer(&result), version: package.version.clone(), at })
}

/// Verifies by the digest that the attestation is about: npm's have SHA-512, the others SHA-256.
fn verified(
    verifier: &Verifier,
    bundle: &Bundle,
    package: &Package,
    policy: &impl Policy,
) -> Result<VerificationResult, String> {
    let by = |algorithm, digits: &str| {
        let bytes = bytes(digits).ok_or_else(|| Error::UnsupportedArtifact("no digest".to_owned()))?;
        let digest = ArtifactDigest::new(algorithm, bytes)?;
        verifier.verify(Artifact::from(digest), bundle, policy)
    };
    let result = match by(HashAlgorithm::Sha2256, &package.sha256) {
        Err(Error::ArtifactMismatch(_)) => by(HashAlgorithm::Sha2512, &package.sha512),
        other => other,
    };
    result.map_err(|error| {
        if let Error::ArtifactMismatch(_) = error {
            return "an attestation is about other bytes".to_owned();
        }
        short(&format!("an attestation does not hold: {error}"))
    })
}

/// What a statement says that is signed, and whether it contradicts who signed it.
fn said(bundle: &Bundle, package: &Package, repository: Option<&str>) -> Result<Strength, String> {
    let SignatureContent::DsseEnvelope(envelope) = &bundle.content else { return Ok(Strength::Signed) };
    let statement: Value =
        serde_json::from_slice(envelope.payload.as_bytes()).map_err(|_| "an attestation's statement is no JSON")?;
    let text = |pointer: &str| statement.pointer(pointer).and_then(Value::as_str);
    let kind = text("/predicateType").unwrap_or_default();
    let names = statement.get("subject").and_then(Value::as_array).into_iter().flatten();
    let mut names =
        names.filter_map(|subject| subject.get("name")?.as_str()).filter(|name| name.starts_with("pkg:npm/"));
    if let (Some(wanted), Some(named)) = (&package.purl, names.next())
        && named.replace("%40", "@") != *wanted
    {
        return Err(short(&format!("an attestation is about `{named}`")));
    }
    let claimed = text("/predicate/buildDefinition/externalParameters/workflow/repository")
        .or_else(|| text("/predicate/invocation/configSource/uri").and_then(|uri| uri.split('@').next()));
    if let (Some(claimed), Some(repository)) = (claimed, repository)
        && plain(claimed) != plain(repository)
    {
        return Err(short(&format!("an attestation by `{repository}` claims that `{claimed}` was built")));
    }
    if kind.starts_with("https://slsa.dev/provenance/") {
        // Without a repository in the certificate it is anybody's word.
        return Ok(if repository.is_some() { Strength::Built } else { Strength::Signed });
    }
    let publishes = ["https://docs.pypi.org/attestations/publish/", "https://github.com/npm/attestation/"];
    if publishes.iter().any(|begin| kind.starts_with(begin)) {
        return Ok(Strength::Published);
    }
    Err(short(&format!("an attestation says nothing of who made it, but `{kind}`")))
}

fn signer(result: &VerificationResult) -> Signer {
    let Some(certificate) = result.certificate() else {
        return Signer { subject: Some("npm".to_owned()), ..Signer::default() };
    };
    let claims = &certificate.ci_claims;
    let repository = claims.source_repository_uri.clone();
    let workflow = claims.build_config_uri.as_ref().or(claims.build_signer_uri.as_ref()).map(|uri| {
        let within = repository.as_deref().and_then(|repository| uri.strip_prefix(repository));
        within.unwrap_or(uri).trim_start_matches('/').to_owned()
    });
    Signer {
        issuer: result.issuer().map(str::to_owned),
        subject: result.identity().map(|name| name.as_str().to_owned()),
        repository,
        workflow,
        commit: claims.source_repository_digest.clone(),
        runner: claims.runner_environment.clone(),
        certificate: None,
    }
}

/// Who verifies. The root is part of the program, and a test reads it.
fn verifier() -> Result<&'static Verifier, String> {
    static VERIFIER: OnceLock<Result<Verifier, String>> = OnceLock::new();
    let read = || {
        let root = TrustedRoot::from_json(ROOT).map_err(|error| error.to_string())?;
        Verifier::new(&root).map_err(|error| error.to_string())
    };
    VERIFIER.get_or_init(read).as_ref().map_err(|why| format!("the trusted root cannot be read: {why}"))
}

/// One of npm's keys.
struct NpmKey {
    public: DerPublicKey,
    from: i64,
    until: Option<i64>,
}

impl NpmKey {
    fn is_good_at(&self, second: i64) -> bool {
        self.from <= second && self.until.is_none_or(|until| second < until)
    }
}

fn npm_key(hint: &str) -> Result<NpmKey, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Key {
        key_id: String,
        key_usage: String,
        public_key: Public,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Public {
        raw_bytes: String,
        valid_for: Window,
    }
    #[derive(Deserialize)]
    struct Window {
        start: String,
        end: Option<String>,
    }
    #[derive(Deserialize)]
    struct Keys {
        keys: Vec<Key>,
    }
    let broken = "npm's keys cannot be read";
    let Keys { keys } = serde_json::from_str(NPM).map_err(|_| broken)?;
    let known = keys.into_iter().find(|key| key.key_usage == NPM_USAGE && key.key_id == hint);
    let Public { raw_bytes, valid_for } =
        known.ok_or("an attestation is signed with a key that is not known")?.public_key;
    let second = |time: &str| time.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_second).map_err(|_| broken);
    Ok(NpmKey {
        public: DerPublicKey::new(STANDARD.decode(raw_bytes).map_err(|_| broken)?),
        from: second(&valid_for.start)?,
        until: valid_for.end.as_deref().map(second).transpose()?,
    })
}

/// The bytes of hexadecimal digits.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    if digits.is_empty() || !digits.len().is_multiple_of(2) || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()).collect()
}

/// On one line, and no longer than what is read. What a library says may repeat what a stranger wrote.
fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|letter| !letter.is_control()).take(limits::SOURCE_EXCERPT_CHARS_MAX).collect()
}
