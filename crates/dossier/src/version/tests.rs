use super::*;

fn in_order(read: fn(&str) -> Option<Version>, versions: &[&str]) {
    let read: Vec<_> = versions.iter().map(|text| (text, read(text).unwrap_or_else(|| panic!("{text}")))).collect();
    for (place, (one, first)) in read.iter().enumerate() {
        assert_eq!(first.partial_cmp(first), Some(Ordering::Equal), "{one}");
        for (two, second) in read.iter().skip(place + 1) {
            assert_eq!(first.partial_cmp(second), Some(Ordering::Less), "{one} is before {two}");
            assert_eq!(second.partial_cmp(first), Some(Ordering::Greater), "{two} is after {one}");
        }
    }
}

/// The order of semver.org's own example, and what npm has besides.
#[test]
fn semantic_versions_are_in_their_order() {
    in_order(
        Version::semantic,
        &[
            "0",
            "0.0.1-0",
            "0.0.1",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "1.2",
            "1.2.10",
            "1.10.0",
            "20260101000000000000000.0.0",
        ],
    );
    assert_eq!(Version::semantic("v1.0+build.5"), Version::semantic("1.0.0"));
    for text in ["", "1.x", "latest", "1..2", "1.2.3.4", "-1"] {
        assert_eq!(Version::semantic(text), None, "{text}");
    }
}

/// The order of PEP 440's own examples.
#[test]
fn python_s_versions_are_in_their_order() {
    in_order(
        Version::python,
        &[
            "0",
            "1.dev0",
            "1.0.dev456",
            "1.0a1.dev1",
            "1.0a1",
            "1.0a2.dev456",
            "1.0a12.dev456",
            "1.0a12",
            "1.0b1.dev456",
            "1.0b2",
            "1.0b2.post345.dev456",
            "1.0b2.post345",
            "1.0rc1.dev456",
            "1.0rc1",
            "1.0",
            "1.0+abc.5",
            "1.0+abc.7",
            "1.0+5",
            "1.0.post456.dev34",
            "1.0.post456",
            "1.0.15",
            "1.1.dev1",
            "2026.10.19",
            "1!0.1",
        ],
    );
    for (one, two) in [
        ("1.0", "1.0.0"),
        ("V1.0-RC.1", "1.0rc1"),
        ("1.0-1", "1.0.post1"),
        ("1.0.preview_2", "1.0c2"),
        ("1.0alpha", "1.0a0"),
        ("01.02", "1.2"),
        ("1.0+ubuntu-1", "1.0+ubuntu.1"),
    ] {
        assert_eq!(Version::python(one), Version::python(two), "{one} {two}");
    }
    for text in ["", "x", "1.0.x", "1.0rc1rc2", "french toast", "1.*", "1.0 || 2"] {
        assert_eq!(Version::python(text), None, "{text}");
    }
}

#[test]
fn versions_of_two_kinds_have_no_order() {
    assert_eq!(Version::python("1.0").partial_cmp(&Version::semantic("1.0.0")), None);
}

/// The order that `dpkg --compare-versions` has.
#[test]
fn debian_s_versions_are_in_their_order() {
    in_order(
        Version::debian,
        &[
            "0~~",
            "0~~a",
            "0~",
            "0",
            "0.0",
            "1.0~beta1~svn1245-1",
            "1.0~beta1",
            "1.0~rc1-1",
            "1.0",
            "1.0-0.1",
            "1.0-1~deb12u1",
            "1.0-1",
            "1.0-1+b1",
            "1.0-1+deb12u1",
            "1.0-1+deb12u9",
            "1.0-1+deb12u10",
            "1.0-1.1",
            "1.0a-1",
            "1.0+dfsg-1",
            "1.0.1-1",
            "1.2.13.dfsg-1",
            "1.10-1",
            "20260101000000000000000-1",
            "1:0.1-1",
            "2:0~a-1",
        ],
    );
    for (one, two) in [("1.0", "1.0-0"), ("0:1.0-1", "1.0-1"), ("01.02", "1.2"), (" 1.0 ", "1.0")] {
        assert_eq!(Version::debian(one), Version::debian(two), "{one} {two}");
    }
    for text in ["", "x:1.0", "1.0 2", "-1", "~1", "1.0$"] {
        assert_eq!(Version::debian(text), None, "{text}");
    }
}

/// The order that `apk version -t` has.
#[test]
fn alpine_s_versions_are_in_their_order() {
    in_order(
        Version::alpine,
        &[
            "0.1_alpha",
            "0.1_alpha2",
            "0.1_beta",
            "0.1_pre1",
            "0.1_rc1",
            "0.1_rc1-r1",
            "0.1",
            "0.1-r1",
            "0.1-r2",
            "0.1-r10",
            "0.1_cvs1",
            "0.1_git20260101",
            "0.1_p1",
            "0.1_p1-r1",
            "0.1_p2",
            "0.1a",
            "0.1b",
            "0.1.0",
            "0.1.05",
            "0.1.1",
            "0.2",
            "0.9",
            "0.10",
            "1.0",
            "1.2.4-r2",
            "1.2.5-r0",
            "3.1.4-r2",
            "3.1.4-r10",
            "20260101-r0",
        ],
    );
    assert_eq!(Version::alpine("1.0~abc123-r1"), Version::alpine("1.0-r1"));
    for text in ["", "a", "1.", "1_x", "1-1", "1-r", "1.0 1", "1.0-r1-r2", "9999999999999999999"] {
        assert_eq!(Version::alpine(text), None, "{text}");
    }
}

/// The order that `rpmdev-vercmp` has.
#[test]
fn rpm_s_versions_are_in_their_order() {
    in_order(
        Version::rpm,
        &[
            "0",
            "1.0~rc1-1.el9",
            "1.0~rc2-1.el9",
            "1.0-1.el8_10",
            "1.0-1.el9",
            "1.0-1.el9_3",
            "1.0-2.el9",
            "1.0-10.el9",
            "1.0^20260101git-1.el9",
            "1.0a-1",
            "1.0.1-1",
            "1.10-1",
            "20260101000000000000000-1",
            "1:0.1-1",
            "2:0~a-1",
        ],
    );
    for (one, two) in [("0:1.0-1", "1.0-1"), ("01.02", "1.2"), (" 1.0 ", "1.0"), ("1.0-1.el9", "1.0-1_el9")] {
        assert_eq!(Version::rpm(one), Version::rpm(two), "{one} {two}");
    }
    for text in ["", "-1", "x:1", "1:2:3", "1.0 1", "~1"] {
        assert_eq!(Version::rpm(text), None, "{text}");
    }
}
