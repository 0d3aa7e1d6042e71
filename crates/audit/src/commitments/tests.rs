use super::*;
use crate::testing::TestEntropy;

fn commitments() -> Commitments {
    let directory = tempfile::tempdir().unwrap();
    files::make_key(&directory.path().join(files::COMMITMENTS_KEY), &TestEntropy).unwrap();
    Commitments::open(directory.path()).unwrap()
}

#[test]
fn a_commitment_opens_for_its_bytes_and_its_salt_only() {
    let commitments = commitments();
    let (one, other) = (ReceiptId::new(1, 1), ReceiptId::new(1, 2));
    let commitment = commitments.commit(one, Field::Arguments, b"{\"amount\":100}");
    assert_eq!(commitment.bytes, 14);
    let salt = commitments.salt(one, Field::Arguments);
    assert_eq!(commitment.opens(salt, b"{\"amount\":100}"), Ok(()));
    assert!(commitment.opens(salt, b"{\"amount\":101}").is_err());
    assert!(commitment.opens(commitments.salt(one, Field::Answer), b"{\"amount\":100}").is_err());
    assert!(commitment.opens(commitments.salt(other, Field::Arguments), b"{\"amount\":100}").is_err());
}

#[test]
fn equal_bytes_in_two_receipts_do_not_look_equal() {
    let commitments = commitments();
    let commit = |random| commitments.commit(ReceiptId::new(1, random), Field::Arguments, b"{}").hash;
    assert_ne!(commit(1), commit(2));
}

#[test]
fn pieces_make_the_same_commitment_as_the_whole() {
    let commitments = commitments();
    let id = ReceiptId::new(1, 1);
    let mut committing = commitments.begin(id, Field::Answer);
    committing.update(b"one ");
    committing.update(b"two");
    assert_eq!(committing.finish(), commitments.commit(id, Field::Answer, b"one two"));
}

#[test]
fn the_salt_is_the_hmac_that_the_documentation_says() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join(files::COMMITMENTS_KEY), [1; 32]).unwrap();
    let commitments = Commitments::open(directory.path()).unwrap();
    let id = ReceiptId::new(1, 1);
    let key = hmac::Key::new(hmac::HMAC_SHA256, &[1; 32]);
    let expected = hmac::sign(&key, &[id.to_bytes().as_slice(), b"answer"].concat());
    let hex: String = expected.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(commitments.salt(id, Field::Answer).to_hex(), hex);
    let whole = Digest::of(&[expected.as_ref(), b"bytes"].concat());
    assert_eq!(commitments.commit(id, Field::Answer, b"bytes").hash, whole);
}
