use std::collections::BTreeSet;
use std::io::Read as _;

use flate2::read::GzDecoder;

use super::*;

/// A database that RPM 4.18 wrote: 24 packages, of which most headers go over several pages.
pub(in crate::image) fn database() -> Vec<u8> {
    let mut bytes = Vec::new();
    GzDecoder::new(&include_bytes!("../tests/rpmdb.sqlite.gz")[..]).read_to_end(&mut bytes).unwrap();
    bytes
}

/// The same packages in RPM's own form.
pub(in crate::image) fn own_database() -> Vec<u8> {
    let mut headers = Vec::new();
    sqlite::rows(&database(), "Packages", &mut |row| headers.extend(row.bytes(1).map(<[u8]>::to_vec))).unwrap();
    ndb::tests::database(&headers)
}

#[test]
fn the_same_is_read_of_the_same_packages_in_rpm_s_own_form() {
    let (mut owned, mut of_own) = (BTreeSet::new(), BTreeSet::new());
    let told = |one: &Installed| (one.name.clone(), one.version.clone(), one.source.clone());
    let list: Vec<_> = packages(&database(), &mut owned).unwrap().iter().map(told).collect();
    let own: Vec<_> = packages_of_own(&own_database(), &mut of_own).unwrap().iter().map(told).collect();
    assert_eq!((list, owned), (own, of_own));
    let no_header = ndb::tests::database(&[b"no header".to_vec()]);
    assert_eq!(packages_of_own(&no_header, &mut BTreeSet::new()).err(), Some(Unread::Header));
}

#[test]
fn every_package_is_read_with_its_source_and_what_it_owns() {
    let mut owned = BTreeSet::new();
    let list = packages(&database(), &mut owned).unwrap();
    assert_eq!(list.len(), 24);
    let told = |name: &str| {
        let one = list.iter().find(|one| one.name == name).unwrap();
        let source = one.source.as_ref().unwrap();
        format!("{} of {} {}", one.version, source.name, source.version)
    };
    assert_eq!(told("openssl-libs"), "1:3.0.0-20.el9 of openssl 1:3.0.0-20.el9");
    assert_eq!(told("filler-23"), "3.0.23-43.el9 of filler-23 3.0.23-43.el9");
    assert_eq!(told("python3-six"), "3.0.2-22.el9 of python-six 3.0.2-22.el9");
    let six = "usr/lib/python3.9/site-packages/six-1.15.0.dist-info/METADATA";
    assert_eq!(owned, BTreeSet::from([six.to_owned()]));
}

/// Whatever stands in the file, it is read to its end or refused, and what is read of it is bounded by its length.
#[test]
fn a_damaged_database_is_refused_or_read_and_never_read_without_end() {
    let whole = database();
    for length in [0, 15, 99, 100, 4095, 4096, 8191, 100_000] {
        assert!(packages(&whole[..length], &mut BTreeSet::new()).is_err(), "{length}");
    }
    let mut state = 7_u64;
    let mut refused = 0;
    for _ in 0..500 {
        let mut bytes = whole.clone();
        for _ in 0..8 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Half of them where the numbers are that lead on: in the heads of pages.
            let place = usize::try_from(state >> 33).unwrap() % bytes.len();
            let place = if state & 1 == 0 { place } else { place / 4096 * 4096 + place % 64 };
            bytes[place] = state.to_le_bytes()[3];
        }
        refused += usize::from(packages(&bytes, &mut BTreeSet::new()).is_err());
    }
    assert!(refused > 25, "{refused}");
}
