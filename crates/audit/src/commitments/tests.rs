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
    let (one, other) = (commitments.salts(ReceiptId::new(1, 1)), commitments.salts(ReceiptId::new(1, 2)));
    let commitment = one.arguments.commit(b"{\"amount\":100}");
    assert_eq!(commitment.bytes, 14);
    assert_eq!(commitment.opens(one.arguments, b"{\"amount\":100}"), Ok(()));
    assert!(commitment.opens(one.arguments, b"{\"amount\":101}").is_err());
    assert!(commitment.opens(one.answer, b"{\"amount\":100}").is_err());
    assert!(commitment.opens(other.arguments, b"{\"amount\":100}").is_err());
}

#[test]
fn equal_bytes_in_two_receipts_do_not_look_equal() {
    let commitments = commitments();
    let commit = |random| commitments.salts(ReceiptId::new(1, random)).arguments.commit(b"{}").hash;
    assert_ne!(commit(1), commit(2));
}

#[test]
fn the_salts_are_derived_as_the_documentation_says() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join(files::COMMITMENTS_KEY), [1; 32]).unwrap();
    let commitments = Commitments::open(directory.path()).unwrap();
    let id = ReceiptId::new(1, 1);
    let expected = Digest::of(&[[0, 0, 0, 1].as_slice(), &[1; 32], &id.to_bytes()].concat());
    let Salts { arguments, answer } = commitments.salts(id);
    assert_eq!(format!("sha256:{}{}", arguments.to_hex(), answer.to_hex()), expected.to_string());
    let (_, last) = expected.as_bytes().split_at(16);
    assert_eq!(answer.commit(b"bytes").hash, Digest::of(&[last, b"bytes"].concat()));
}
