use super::*;

/// The first vectors of the paper's reference implementation.
#[test]
fn the_hash_is_the_published_one() {
    let key = FingerprintKey::new(u128::from_le_bytes(std::array::from_fn(|byte| u8::try_from(byte).unwrap())));
    let text: Vec<u8> = (0..15).collect();
    assert_eq!(key.hash(&text), 0xa129_ca61_49be_45e5);
    assert_eq!(key.hash(&[]), 0x726f_db47_dd0e_0e31);
}

#[test]
fn a_window_has_one_hash_wherever_it_stands() {
    let key = FingerprintKey::new(7);
    let (text, secret) = (b"some text before the-secret-itself and after", b"the-secret-itself");
    let fingerprint = Fingerprint::of(&key, secret).unwrap();
    let mut rolling = Rolling::new(&key);
    let left = |at: usize| at.checked_sub(Fingerprint::WINDOW).and_then(|at| text.get(at).copied());
    let found: Vec<usize> =
        (0..text.len()).filter(|at| rolling.push(text[*at], left(*at)) == Some(fingerprint.beginning)).collect();
    assert_eq!(found, [17 + Fingerprint::WINDOW - 1]);
    assert_eq!(Fingerprint::of(&key, b"too short"), None);
    assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
}
