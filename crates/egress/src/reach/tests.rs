use std::net::IpAddr;

use super::Reach;

fn allows(networks: &[&str], address: &str) -> bool {
    let reach = Reach::new(networks.iter().map(|network| network.parse().unwrap()).collect());
    reach.allows(address.parse::<IpAddr>().unwrap()).is_ok()
}

#[test]
fn the_internet_is_public_addresses_and_nothing_else() {
    let internet = Reach::internet();
    for address in ["1.1.1.1", "8.8.8.8", "93.184.215.14", "172.32.0.1", "192.0.1.1", "100.128.0.1", "11.0.0.1"] {
        assert_eq!(internet.allows(address.parse().unwrap()), Ok(()), "{address}");
    }
    for address in ["2606:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"] {
        assert_eq!(internet.allows(address.parse().unwrap()), Ok(()), "{address}");
    }
}

/// Every address here is refused on the internet; the words say as what.
const SPECIAL: &[(&str, &str)] = &[
    ("0.0.0.0", "an unspecified address"),
    ("0.1.2.3", "an unspecified address"),
    ("10.0.0.1", "a private address"),
    ("10.255.255.255", "a private address"),
    ("100.64.0.1", "a carrier's shared address"),
    ("100.127.255.255", "a carrier's shared address"),
    ("100.100.100.200", "a cloud's metadata address"),
    ("127.0.0.1", "a loopback address"),
    ("127.255.255.254", "a loopback address"),
    ("168.63.129.16", "a cloud's metadata address"),
    ("169.254.0.1", "a link-local or metadata address"),
    ("169.254.169.254", "a link-local or metadata address"),
    ("169.254.170.2", "a link-local or metadata address"),
    ("172.16.0.1", "a private address"),
    ("172.31.255.255", "a private address"),
    ("192.0.0.1", "an address of protocol assignments"),
    ("192.0.0.192", "a cloud's metadata address"),
    ("192.0.2.1", "a documentation address"),
    ("192.88.99.1", "a 6to4 relay address"),
    ("192.168.1.1", "a private address"),
    ("198.18.0.1", "a benchmarking address"),
    ("198.51.100.7", "a documentation address"),
    ("203.0.113.7", "a documentation address"),
    ("224.0.0.1", "a multicast address"),
    ("239.255.255.250", "a multicast address"),
    ("240.0.0.1", "a reserved address"),
    ("255.255.255.255", "the broadcast address"),
    ("::", "an unspecified address"),
    ("::1", "a loopback address"),
    ("::ffff:127.0.0.1", "a loopback address"),
    ("::ffff:169.254.169.254", "a link-local or metadata address"),
    ("::ffff:a00:1", "a private address"),
    ("::ffff:0:10.0.0.1", "a private address"),
    ("::127.0.0.1", "a loopback address"),
    ("64:ff9b::10.0.0.1", "a private address"),
    ("64:ff9b::a9fe:a9fe", "a link-local or metadata address"),
    ("64:ff9b:1::8.8.8.8", "a local translation address"),
    ("2002:7f00:1::1", "a loopback address"),
    ("2002:a9fe:a9fe::", "a link-local or metadata address"),
    ("2002:c0a8:101::1", "a private address"),
    ("2001::1", "a Teredo address"),
    ("2001:2::1", "an address of protocol assignments"),
    ("2001:db8::1", "a documentation address"),
    ("3fff::1", "a documentation address"),
    ("100::1", "a reserved address"),
    ("5f00::1", "a reserved address"),
    ("8000::1", "a reserved address"),
    ("fc00::1", "a private address"),
    ("fd12:3456::1", "a private address"),
    ("fd00:ec2::254", "a cloud's metadata address"),
    ("fd20:ce::254", "a cloud's metadata address"),
    ("fe80::1", "a link-local address"),
    ("febf::1", "a link-local address"),
    ("fec0::1", "a site-local address"),
    ("ff02::1", "a multicast address"),
];

#[test]
fn special_addresses_are_not_the_internet_however_they_are_spelt() {
    for (address, what) in SPECIAL {
        let refused = Reach::internet().allows(address.parse().unwrap()).expect_err(address);
        assert_eq!(refused.what, *what, "{address}");
    }
}

#[test]
fn a_private_address_is_reached_only_where_its_own_block_is_listed() {
    assert!(allows(&["127.0.0.0/8"], "127.0.0.1"));
    assert!(allows(&["127.0.0.1/32"], "127.0.0.1"));
    assert!(!allows(&["127.0.0.1/32"], "127.0.0.2"));
    assert!(allows(&["10.2.0.0/16"], "10.2.3.4"));
    assert!(!allows(&["10.2.0.0/16"], "10.3.0.1"));
    assert!(allows(&["fd00::/8"], "fd12::1"));
    assert!(allows(&["::1/128"], "::1"));
}

#[test]
fn a_network_wider_than_a_special_block_does_not_list_it() {
    for wide in ["0.0.0.0/0", "8.0.0.0/5", "64.0.0.0/2", "96.0.0.0/3", "128.0.0.0/1"] {
        for address in ["10.0.0.1", "127.0.0.1", "100.64.0.1", "192.168.0.1"] {
            assert!(!allows(&[wide], address), "{wide} {address}");
        }
    }
    assert!(!allows(&["::/0"], "::1"));
    assert!(!allows(&["f000::/4"], "fd12::1"));
}

#[test]
fn metadata_and_link_local_addresses_are_listed_one_by_one_or_not_at_all() {
    assert!(!allows(&["169.254.0.0/16"], "169.254.169.254"));
    assert!(!allows(&["169.254.169.254/31"], "169.254.169.254"));
    assert!(allows(&["169.254.169.254/32"], "169.254.169.254"));
    assert!(!allows(&["100.64.0.0/10"], "100.100.100.200"));
    assert!(allows(&["100.64.0.0/10"], "100.100.100.201"));
    assert!(!allows(&["fd00::/8"], "fd00:ec2::254"));
    assert!(!allows(&["fe80::/10"], "fe80::1"));
    assert!(allows(&["fe80::1/128"], "fe80::1"));
    assert!(!allows(&["224.0.0.0/4"], "224.0.0.1"));
    assert!(!allows(&["0.0.0.0/8"], "0.0.0.0"));
}

#[test]
fn an_address_inside_another_is_the_one_that_counts() {
    assert!(allows(&["127.0.0.0/8"], "::ffff:127.0.0.1"));
    assert!(allows(&["10.0.0.0/8"], "64:ff9b::10.1.2.3"));
    assert!(!allows(&["64:ff9b::/96"], "64:ff9b::10.1.2.3"));
    assert!(!allows(&["2002::/16"], "2002:7f00:1::1"));
    assert!(!allows(&["::/0"], "::ffff:8.8.8.8"));
}

#[test]
fn a_public_network_is_only_what_it_lists() {
    assert!(allows(&["93.184.215.0/24"], "93.184.215.14"));
    assert!(!allows(&["93.184.215.0/24"], "93.184.216.14"));
    assert!(!allows(&[], "8.8.8.8"));
}

#[test]
fn a_mapped_address_is_dialled_as_the_address_it_means() {
    let reach = Reach::new(vec!["127.0.0.0/8".parse().unwrap()]);
    let checked = reach.check("::ffff:127.0.0.1".parse().unwrap(), 80).unwrap();
    assert_eq!(checked.address().to_string(), "127.0.0.1:80");
}
