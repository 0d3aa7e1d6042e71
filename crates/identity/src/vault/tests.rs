use super::*;

fn key(digit: char) -> Secret<String> {
    Secret::new(digit.to_string().repeat(64))
}

fn vault(current: char, earlier: &[char]) -> Vault {
    let earlier: Vec<Secret<String>> = earlier.iter().copied().map(key).collect();
    Vault::new(Arc::new(KeyRing::new(&key(current), &earlier).unwrap()))
}

fn secret() -> Secret<Vec<u8>> {
    Secret::new(b"s3cret of ana".to_vec())
}

#[tokio::test]
async fn what_is_sealed_opens_for_its_purpose_after_being_written_down() {
    let vault = vault('a', &[]);
    let text = vault.seal("credential crm user ana", &secret()).await.unwrap().to_string();
    assert!(!text.contains("s3cret"));
    let opened = vault.open("credential crm user ana", &text.parse().unwrap()).await.unwrap();
    assert!(opened.matches(b"s3cret of ana"));
}

#[tokio::test]
async fn a_row_that_is_copied_over_another_opens_for_nobody() {
    let vault = vault('a', &[]);
    let sealed = vault.seal("credential crm user ana", &secret()).await.unwrap();
    assert!(matches!(vault.open("credential crm user ben", &sealed).await, Err(VaultError::Opens)));
}

#[tokio::test]
async fn the_same_secret_is_never_sealed_alike() {
    let vault = vault('a', &[]);
    let [one, other] = [vault.seal("p", &secret()).await.unwrap(), vault.seal("p", &secret()).await.unwrap()];
    assert_ne!(one.content, other.content);
    assert_ne!(one.key, other.key);
    let mixed = Sealed { key: other.key, ..one };
    assert!(matches!(vault.open("p", &mixed).await, Err(VaultError::Opens)), "a key of another record's");
}

#[tokio::test]
async fn a_changed_bit_anywhere_opens_nothing() {
    let vault = vault('a', &[]);
    let sealed = vault.seal("p", &secret()).await.unwrap();
    let flips: [fn(&mut Sealed); 4] = [
        |sealed| sealed.content[0] ^= 1,
        |sealed| sealed.nonce[3] ^= 1,
        |sealed| sealed.key.bytes[20] ^= 1,
        |sealed| sealed.content.truncate(3),
    ];
    for (number, flip) in flips.into_iter().enumerate() {
        let mut changed = sealed.clone();
        flip(&mut changed);
        assert!(vault.open("p", &changed).await.is_err(), "change {number}");
    }
}

#[tokio::test]
async fn a_new_master_key_wraps_anew_and_the_old_one_can_go() {
    let before = vault('a', &[]).seal("p", &secret()).await.unwrap();
    let both = vault('b', &['a']);
    assert!(both.open("p", &before).await.unwrap().matches(b"s3cret of ana"), "an earlier key still opens");
    let after = both.rewrap(&before).await.unwrap().unwrap();
    assert_eq!(after.content, before.content, "the content stays closed");
    assert!(both.rewrap(&after).await.unwrap().is_none(), "there is nothing left to do");
    assert!(vault('b', &[]).open("p", &after).await.unwrap().matches(b"s3cret of ana"));
    let gone = vault('b', &[]).open("p", &before).await;
    assert!(matches!(gone, Err(VaultError::Master(MasterKeyError::Unknown(_)))));
}

#[tokio::test]
async fn a_secret_has_a_greatest_length() {
    let long = Secret::new(vec![0; limits::SEALED_BYTES_MAX + 1]);
    assert!(matches!(vault('a', &[]).seal("p", &long).await, Err(VaultError::TooLong(_))));
}

#[test]
fn a_key_that_is_none_is_refused_without_being_shown() {
    for text in ["", "abc", &"g".repeat(64), &"ä".repeat(32), &"a".repeat(63)] {
        let error = KeyRing::new(&Secret::new(text.to_owned()), &[]).err().unwrap();
        assert!(text.is_empty() || !format!("{error} {error:?}").contains(text));
    }
}

#[test]
fn what_is_no_sealed_record_is_told_from_one() {
    for text in
        ["", "v1", "v2.a.b.c.d", "v1.YQ.YQ.YQ.YQ", "v1.YQ.YQ.AAAAAAAAAAAAAAAA.YQ.YQ", "v1.!.YQ.AAAAAAAAAAAAAAAA.YQ"]
    {
        assert!(text.parse::<Sealed>().is_err(), "{text}");
    }
}
