use super::*;

#[test]
fn checksums_tell_numbers_from_their_neighbours() {
    assert!(Check::Luhn.passes("4111 1111 1111 1111"));
    assert!(!Check::Luhn.passes("4111 1111 1111 1112"));
    assert!(Check::Iban.passes("DE89 3704 0044 0532 0130 00"));
    assert!(!Check::Iban.passes("DE89 3704 0044 0532 0130 01"));
    assert!(!Check::Iban.passes("DE89"));
    // The check value that every description of CRC-32 gives.
    assert_eq!(token::crc32(b"123456789"), 0xcbf4_3926);
}

#[test]
fn placeholders_are_told_from_secrets() {
    for placeholder in ["xxxxxxxxxxxxxxxx", "AKIAIOSFODNN7EXAMPLE", "aaaaaaaaaaaaaaaaaaaa", "your-token-here-123"] {
        assert!(is_placeholder(placeholder), "`{placeholder}`");
    }
    assert!(!is_placeholder("k3Jx9QmZ2vT7"));
}

#[test]
fn what_varies_more_has_more_entropy() {
    assert!(entropy(b"aaaaaaaa") < entropy(b"abababab") && entropy(b"abababab") < entropy(b"abcdefgh"));
}

#[test]
fn hexadecimal_keeps_to_letters_of_one_kind() {
    let small = "9f86d081884c7d659a2feaa0c55ad015";
    assert!(Check::MixedOrHex.passes(small) && Check::MixedOrHex.passes(&small.to_ascii_uppercase()));
    assert!(Check::Mixed.passes(small));
    let typed = small.replacen('f', "F", 1);
    assert!(!Check::MixedOrHex.passes(&typed) && !Check::Mixed.passes(&typed));
    // One letter behind `f` is enough for letters and digits of chance, and a short text is no number of that kind.
    assert!(Check::Mixed.passes(&typed.replacen('a', "z", 1)));
    assert!(Check::Mixed.passes("aB3dE5fA07"));
    assert!(Check::Password.passes(&typed), "a password is what people type");
}
