use super::*;

fn signer() -> Signer {
    Signer::new("gate.example.com/audit", &[7; 32]).unwrap()
}

#[test]
fn a_checkpoint_is_read_by_whoever_has_the_public_key() {
    let note = signer().sign(7, [9; 32]);
    let key: PublicKey = signer().public().to_string().parse().unwrap();
    let checkpoint = Checkpoint { origin: "gate.example.com/audit".to_owned(), size: 7, root: [9; 32] };
    assert_eq!(key.open(&note), Ok(checkpoint));
    let text = "gate.example.com/audit\n7\nCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=\n\n— gate.example.com/audit ";
    assert!(note.starts_with(text), "{note}");
}

/// The example in the documentation of Go's `golang.org/x/mod/sumdb/note`, where the form comes from.
#[test]
fn a_note_signed_elsewhere_is_believed() {
    let key: PublicKey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".parse().unwrap();
    let note = "If you think cryptography is the answer to your problem,\n\
                then you don't know what your problem is.\n\n\
                — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    assert_eq!(key.open(note), Err(NoteError::Form), "it is well signed, and no checkpoint");
    assert_eq!(key.open(&note.replace("answer", "Answer")), Err(NoteError::Signature));
}

#[test]
fn a_changed_checkpoint_is_refused() {
    let note = signer().sign(7, [9; 32]);
    let key = signer().public().clone();
    assert_eq!(key.open(&note.replace("\n7\n", "\n8\n")), Err(NoteError::Signature));
    assert_eq!(key.open(&note.replace("— gate", "— gale")), Err(NoteError::Unsigned));
    assert_eq!(key.open("gate.example.com/audit\n7\n"), Err(NoteError::Form));
    let other = Signer::new("gate.example.com/audit", &[8; 32]).unwrap();
    assert_eq!(other.public().open(&note), Err(NoteError::Unsigned));
}

#[test]
fn a_witness_may_sign_as_well() {
    let note = signer().sign(7, [9; 32]) + "— witness.example.com AAAAAAAA\n";
    assert!(signer().public().open(&note).is_ok());
}

#[test]
fn a_key_whose_parts_do_not_fit_is_no_key() {
    let key = signer().public().to_string();
    assert!(key.parse::<PublicKey>().is_ok());
    assert_eq!(key.replacen("gate", "gale", 1).parse::<PublicKey>(), Err(NoteError::Key));
    assert_eq!("a+b".parse::<PublicKey>(), Err(NoteError::Key));
    assert!(Signer::new("two words", &[7; 32]).is_err());
}
