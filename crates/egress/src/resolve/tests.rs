use super::Host;

#[test]
fn an_address_is_an_address_and_a_name_is_a_name() {
    for address in ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "8.8.8.8"] {
        assert!(matches!(Host::read(address), Ok(Host::Address(_))), "{address}");
    }
    for name in ["example.com", "localhost", "crm", "a.b.c.", "1password.com", "3com", "x_y.internal", "0x.example"] {
        assert!(matches!(Host::read(name), Ok(Host::Name(_))), "{name}");
    }
}

#[test]
fn a_host_that_two_readers_could_read_differently_is_refused() {
    let spellings = [
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "127.1",
        "127.0.1",
        "127.0.0.1.",
        "127.0.0.01",
        "127.0.0.256",
        "1.2.3.4.5",
        "0",
        "0x",
        "0X7F.1",
        "example.1",
        "example.0x1",
        "",
        ".",
        "a..",
        "[fe80::1%25eth0]",
        "[127.0.0.1]",
        "[::1",
        "ex%61mple.com",
        "exa mple.com",
        "münchen.example",
        "a@b",
        "127.0.0.1%00.example",
        "①②⑦.⓪.⓪.①",
    ];
    for spelling in spellings {
        assert!(Host::read(spelling).is_err(), "{spelling}");
    }
    assert!(Host::read(&"a".repeat(254)).is_err());
}
