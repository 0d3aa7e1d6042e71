//! Signatures of MCP bundles: `MCPB_SIG_V1`, a length, a detached CMS signature (RFC 5652) and `MCPB_SIG_END`, behind the zip.
//!
//! The program that signs has done so in two ways: it may enlarge the zip's comment afterwards, so that readers take the
//! signature for that. Both are verified. No authority stands behind the certificate, so that a signature is worth what
//! its certificate's digest is worth to whoever asks for it by [`super::Demand`].

use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::{Digest, limits};
use serde::{Deserialize, Serialize};

use super::der::{BITS, BYTES, INTEGER, OBJECT, Reader, SEQUENCE, SET, Value};
use super::{Proof, Signer, Strength};

const BEGIN: &[u8] = b"MCPB_SIG_V1";
const END: &[u8] = b"MCPB_SIG_END";
/// Bytes of the record at the end of a zip that has no comment.
const ZIP_END_BYTES: usize = 22;

/// `1.2.840.113549.1.7.2`: signed data.
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// `1.2.840.113549.1.9.4`: the digest of what was signed.
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04];
/// `2.16.840.1.101.3.4.2.1`: SHA-256.
const SHA_256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
/// `1.2.840.113549.1.1.1`: a key of RSA.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// `1.2.840.10045.2.1`: a key on a curve.
const CURVE: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// `1.2.840.10045.3.1.7`: the curve P-256.
const P_256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

/// A bundle's signature, with the digests that it can be about.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Signed {
    /// The CMS signature, in base64.
    mcpb: String,
    /// SHA-256 digests of the zip: as it is, and without a comment.
    zip: Vec<Digest>,
}

/// Takes a signed bundle apart: the zip, and the evidence. Anything else is all zip.
pub(crate) fn split(bytes: &[u8]) -> (&[u8], Option<String>) {
    let Some((zip, signature)) = taken_apart(bytes) else { return (bytes, None) };
    let mut digests = vec![Digest::of(zip)];
    let bare = zip.len().checked_sub(ZIP_END_BYTES).filter(|end| zip.get(*end..*end + 4) == Some(b"PK\x05\x06"));
    if let Some(kept) = bare.and_then(|_| zip.get(..zip.len() - 2)) {
        digests.push(Digest::of(&[kept, &[0, 0]].concat()));
    }
    let signed = Signed { mcpb: STANDARD.encode(signature), zip: digests };
    (zip, serde_json::to_string(&signed).ok())
}

fn taken_apart(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let body = bytes.strip_suffix(END)?;
    let from = body.len().saturating_sub(limits::ATTESTATION_BYTES_MAX);
    let at = from + body.get(from..)?.windows(BEGIN.len()).rposition(|window| window == BEGIN)?;
    let (zip, block) = body.split_at_checked(at)?;
    let (length, signature) = block.get(BEGIN.len()..)?.split_first_chunk::<4>()?;
    (usize::try_from(u32::from_le_bytes(*length)) == Ok(signature.len())).then_some((zip, signature))
}

/// Verifies a bundle's signature.
pub(super) fn proof(signed: &Signed, version: Option<String>) -> Result<Proof, String> {
    let bytes = STANDARD.decode(&signed.mcpb).map_err(|_| "a bundle's signature is not in base64")?;
    let parts = parts(&bytes).ok_or("a bundle's signature is malformed, or of a kind that is not read")?;
    if !signed.zip.iter().any(|digest| digest.as_bytes() == parts.digest) {
        return Err("a bundle's signature is about other bytes".to_owned());
    }
    let holds = |certificate: &&Value<'_>| {
        key(certificate).is_some_and(|(algorithm, key)| {
            UnparsedPublicKey::new(algorithm, key).verify(&parts.attributes, parts.signature).is_ok()
        })
    };
    let certificate = parts.certificates.iter().find(holds).ok_or("a bundle's signature does not hold")?;
    let digest = Digest::of(certificate.whole).to_string().trim_start_matches("sha256:").to_owned();
    let signer = Signer { certificate: Some(digest), ..Signer::default() };
    Ok(Proof { strength: Strength::Signed, signer, version, at: None })
}

/// What there is to verify in a signature.
struct Parts<'a> {
    certificates: Vec<Value<'a>>,
    digest: &'a [u8],
    /// The signed attributes, in the form in which they are signed.
    attributes: Vec<u8>,
    signature: &'a [u8],
}

fn parts(bytes: &[u8]) -> Option<Parts<'_>> {
    let mut info = Reader::new(bytes).take(SEQUENCE)?.inside();
    info.take(OBJECT).filter(|kind| kind.content == SIGNED_DATA)?;
    let mut data = info.take(0xa0)?.inside().take(SEQUENCE)?.inside();
    data.take(INTEGER)?;
    data.take(SET)?;
    // Nothing is in it: the signature is detached.
    let mut inner = data.take(SEQUENCE)?.inside();
    inner.take(OBJECT).filter(|_| inner.is_at_end())?;
    let mut listed = data.take(0xa0)?.inside();
    let mut certificates = Vec::new();
    while let Some(certificate) = listed.take(SEQUENCE).filter(|_| certificates.len() < limits::ATTESTATIONS_MAX) {
        certificates.push(certificate);
    }
    data.maybe(0xa1);
    let mut signers = data.take(SET)?.inside();
    let mut signer = signers.take(SEQUENCE).filter(|_| signers.is_at_end())?.inside();
    signer.take(INTEGER)?;
    signer.next()?;
    let algorithm = signer.take(SEQUENCE)?;
    algorithm.inside().take(OBJECT).filter(|digest| digest.content == SHA_256)?;
    let attributes = signer.take(0xa0)?;
    signer.take(SEQUENCE)?;
    let signature = signer.take(BYTES)?.content;
    let digest = message_digest(attributes.inside())?;
    // They are signed as the set that they are, and not under the number that they have here (RFC 5652 §5.4).
    let mut signed = attributes.whole.to_vec();
    *signed.first_mut()? = SET;
    Some(Parts { certificates, digest, attributes: signed, signature })
}

/// The one digest among the attributes.
fn message_digest(mut attributes: Reader<'_>) -> Option<&[u8]> {
    let mut digest = None;
    while !attributes.is_at_end() {
        let mut attribute = attributes.take(SEQUENCE)?.inside();
        let kind = attribute.take(OBJECT)?;
        let mut values = attribute.take(SET)?.inside();
        if kind.content == MESSAGE_DIGEST {
            let value = values.take(BYTES).filter(|_| values.is_at_end() && digest.is_none())?;
            digest = Some(value.content);
        }
    }
    digest
}

/// A certificate's key, and how it signs.
fn key<'a>(certificate: &Value<'a>) -> Option<(&'static dyn VerificationAlgorithm, &'a [u8])> {
    let mut body = certificate.inside().take(SEQUENCE)?.inside();
    body.maybe(0xa0);
    body.take(INTEGER)?;
    // How it was signed, by whom, when it is good, and whose it is.
    for _ in 0..4 {
        body.take(SEQUENCE)?;
    }
    let mut info = body.take(SEQUENCE)?.inside();
    let mut kind = info.take(SEQUENCE)?.inside();
    let key = info.take(BITS)?.content.strip_prefix(&[0])?;
    let algorithm: &'static dyn VerificationAlgorithm = match kind.take(OBJECT)?.content {
        RSA => &signature::RSA_PKCS1_2048_8192_SHA256,
        CURVE => {
            kind.take(OBJECT).filter(|curve| curve.content == P_256)?;
            &signature::ECDSA_P256_SHA256_ASN1
        }
        _ => return None,
    };
    Some((algorithm, key))
}
