use std::io::Write as _;

use ::tar::{Builder, EntryType, Header};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};

use super::*;

/// Small, so that a test of a limit is quick.
const SMALL: Limits = Limits { archive: 1 << 20, unpacked: 1 << 20, file: 1 << 16, kept: 1 << 18, entries: 100 };

/// A file of a tar as nobody checks it: any name, any kind.
fn raw(builder: &mut Builder<GzEncoder<Vec<u8>>>, name: &str, kind: EntryType, link: &str, content: &[u8]) {
    let mut header = Header::new_ustar();
    let bytes = header.as_old_mut();
    bytes.name[..name.len()].copy_from_slice(name.as_bytes());
    bytes.linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_entry_type(kind);
    header.set_size(u64::try_from(content.len()).unwrap());
    header.set_mode(0o644);
    header.set_cksum();
    builder.append(&header, content).unwrap();
}

fn tgz(write: impl FnOnce(&mut Builder<GzEncoder<Vec<u8>>>)) -> Vec<u8> {
    let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    write(&mut builder);
    builder.into_inner().unwrap().finish().unwrap()
}

/// An entry of a zip as nobody checks it.
#[derive(Clone)]
struct Packed {
    name: &'static str,
    /// The name before the content, where it is another.
    local_name: Option<&'static str>,
    content: Vec<u8>,
    /// What the directory says that the size is, where it lies.
    size: Option<u32>,
    attributes: u32,
    flags: u16,
}

fn packed(name: &'static str, content: &[u8]) -> Packed {
    Packed { name, local_name: None, content: content.to_vec(), size: None, attributes: 0, flags: 0 }
}

fn zip(entries: &[Packed]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let at = u32::try_from(bytes.len()).unwrap();
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&entry.content).unwrap();
        let data = encoder.finish().unwrap();
        let length = u32::try_from(data.len()).unwrap().to_le_bytes();
        let size = entry.size.unwrap_or(u32::try_from(entry.content.len()).unwrap()).to_le_bytes();
        let name = entry.local_name.unwrap_or(entry.name);
        let name_length = |name: &str| u16::try_from(name.len()).unwrap().to_le_bytes();
        let flags = entry.flags.to_le_bytes();
        let middle = [&flags[..], &8_u16.to_le_bytes(), &[0; 8], &length, &size].concat();
        bytes.extend(
            [b"PK\x03\x04\x14\x00".as_slice(), &middle, &name_length(name), &[0; 2], name.as_bytes(), &data].concat(),
        );
        let tail = [&[0; 8], &entry.attributes.to_le_bytes()[..], &at.to_le_bytes(), entry.name.as_bytes()].concat();
        directory.extend([b"PK\x01\x02\x14\x03\x14\x00".as_slice(), &middle, &name_length(entry.name), &tail].concat());
    }
    let number = u16::try_from(entries.len()).unwrap().to_le_bytes();
    let (at, length) = (u32::try_from(bytes.len()).unwrap(), u32::try_from(directory.len()).unwrap());
    bytes.extend(&directory);
    bytes.extend(
        [b"PK\x05\x06\0\0\0\0".as_slice(), &number, &number, &length.to_le_bytes(), &at.to_le_bytes(), &[0; 2]]
            .concat(),
    );
    bytes
}

fn paths(contents: &Contents) -> Vec<&str> {
    contents.files.keys().map(String::as_str).collect()
}

#[test]
fn honest_archives_give_their_files() {
    let archive = tgz(|builder| {
        raw(builder, "package/package.json", EntryType::Regular, "", b"{}");
        raw(builder, "./package/./lib//a.js", EntryType::Regular, "", b"1");
    });
    let contents = unpacked(&archive, SMALL).unwrap();
    assert_eq!(paths(&contents), ["package/lib/a.js", "package/package.json"]);
    assert_eq!((contents.bytes, contents.oddities.len()), (3, 0));
    let contents = unpacked(&zip(&[packed("a/", b""), packed("a/b.py", b"x = 1")]), SMALL).unwrap();
    assert_eq!(contents.files["a/b.py"].content.as_deref(), Some(b"x = 1".as_slice()));
    assert!(contents.oddities.is_empty());
}

#[test]
fn no_path_leads_out_of_a_package() {
    for name in ["../evil", "/etc/passwd", "a/../../evil", "..\\evil", "C:\\evil", "\\\\host\\evil", "a\u{7}b"] {
        let archive = tgz(|builder| raw(builder, name, EntryType::Regular, "", b"x"));
        let contents = unpacked(&archive, SMALL).unwrap();
        assert!(contents.files.is_empty(), "{name}");
        assert!(matches!(contents.oddities.as_slice(), [Oddity::Outside(_)]), "{name}: {:?}", contents.oddities);
    }
    let contents = unpacked(&zip(&[packed("../../evil", b"x"), packed("good", b"y")]), SMALL).unwrap();
    assert_eq!(paths(&contents), ["good"]);
    let long: &'static str = Box::leak("a/".repeat(500).into_boxed_str());
    assert!(matches!(unpacked(&zip(&[packed(long, b"x")]), SMALL).unwrap().oddities.as_slice(), [Oddity::Outside(_)]));
}

#[test]
fn links_and_devices_are_told_and_not_followed() {
    let archive = tgz(|builder| {
        raw(builder, "a", EntryType::Symlink, "/etc/passwd", b"");
        raw(builder, "b", EntryType::Link, "../../x", b"");
        raw(builder, "c", EntryType::Char, "", b"");
        raw(builder, "d", EntryType::Fifo, "", b"");
    });
    let contents = unpacked(&archive, SMALL).unwrap();
    assert!(contents.files.is_empty());
    let link = |path: &str, to: &str| Oddity::Link(path.to_owned(), to.to_owned());
    let none = |path: &str| Oddity::NoFile(path.to_owned());
    assert_eq!(contents.oddities, [link("a", "/etc/passwd"), link("b", "../../x"), none("c"), none("d")]);
    let entry = Packed { attributes: 0o120_777 << 16, ..packed("a", b"/etc/passwd") };
    // Packed, the link's goal is not what a reader would take it for; the link is told all the same.
    assert!(
        matches!(unpacked(&zip(&[entry]), SMALL).unwrap().oddities.as_slice(), [Oddity::Link(path, _)] if path == "a")
    );
}

#[test]
fn what_grows_beyond_a_limit_ends() {
    let zeros = vec![0; 2 << 20];
    let bomb = tgz(|builder| raw(builder, "a", EntryType::Regular, "", &zeros));
    assert!(bomb.len() < 20_000);
    assert_eq!(unpacked(&bomb, SMALL).unwrap_err(), ArchiveError::Bomb(SMALL.unpacked));
    assert_eq!(unpacked(&zip(&[packed("a", &zeros)]), SMALL).unwrap_err(), ArchiveError::Bomb(SMALL.unpacked));
    let many = tgz(|builder| (0..200).for_each(|_| raw(builder, "a", EntryType::Regular, "", b"")));
    assert_eq!(unpacked(&many, SMALL).unwrap_err(), ArchiveError::TooMany(SMALL.entries));
    let many = vec![packed("a", b""); 200];
    assert_eq!(unpacked(&zip(&many), SMALL).unwrap_err(), ArchiveError::TooMany(SMALL.entries));
    let folders = tgz(|builder| (0..200).for_each(|_| raw(builder, "a/", EntryType::Directory, "", b"")));
    assert_eq!(unpacked(&folders, SMALL).unwrap_err(), ArchiveError::TooMany(SMALL.entries));
    let large = vec![0; usize::try_from(SMALL.archive).unwrap() + 1];
    assert_eq!(unpacked(&large, SMALL).unwrap_err(), ArchiveError::TooLarge(SMALL.archive));
    let name = tgz(|builder| raw(builder, "a", EntryType::GNULongName, "", &vec![b'a'; 100_000]));
    assert!(
        matches!(unpacked(&name, SMALL), Err(ArchiveError::Malformed(_))),
        "a name is read no further than names go"
    );
}

#[test]
fn one_zip_over_itself_many_times_is_counted_each_time() {
    // Every entry of the directory leads to the same packed megabyte.
    let single = zip(&[packed("a", &vec![0; 300 << 10])]);
    let at = single.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
    let end = single.windows(4).rposition(|window| window == b"PK\x05\x06").unwrap();
    let entry = single[at..end].to_vec();
    let mut bytes = single[..at].to_vec();
    (0..50).for_each(|_| bytes.extend(&entry));
    let number = 50_u16.to_le_bytes();
    let (from, length) = (u32::try_from(at).unwrap(), u32::try_from(entry.len() * 50).unwrap());
    bytes.extend(
        [b"PK\x05\x06\0\0\0\0".as_slice(), &number, &number, &length.to_le_bytes(), &from.to_le_bytes(), &[0; 2]]
            .concat(),
    );
    assert_eq!(unpacked(&bytes, SMALL).unwrap_err(), ArchiveError::Bomb(SMALL.unpacked));
}

#[test]
fn large_files_are_counted_and_not_kept() {
    let archive = tgz(|builder| raw(builder, "a", EntryType::Regular, "", &vec![1; 100 << 10]));
    let contents = unpacked(&archive, SMALL).unwrap();
    assert_eq!(contents.files["a"], File { bytes: 100 << 10, content: None });
}

#[test]
fn what_two_readers_would_read_differently_is_refused_or_told() {
    let twice = tgz(|builder| {
        raw(builder, "a", EntryType::Regular, "", b"1");
        raw(builder, "./a", EntryType::Regular, "", b"2");
    });
    assert_eq!(unpacked(&twice, SMALL).unwrap().oddities, [Oddity::Twice("a".to_owned())]);
    let two_names = Packed { local_name: Some("b"), ..packed("a", b"x") };
    assert!(matches!(unpacked(&zip(&[two_names]), SMALL), Err(ArchiveError::Malformed("a file has two names"))));
    let lies = Packed { size: Some(7), ..packed("a", b"x") };
    assert!(matches!(unpacked(&zip(&[lies]), SMALL), Err(ArchiveError::Malformed(_))));
    let enciphered = Packed { flags: 1, ..packed("a", b"x") };
    assert_eq!(unpacked(&zip(&[enciphered]), SMALL).unwrap().oddities, [Oddity::Enciphered("a".to_owned())]);
    let hidden = unpacked(&zip(&[packed("a\u{202e}sj.b", b"x")]), SMALL).unwrap();
    assert!(matches!(hidden.oddities.as_slice(), [Oddity::HiddenName(_)]));
}

#[test]
fn a_zip_whose_directory_is_not_what_its_end_says_is_refused() {
    let good = zip(&[packed("a", b"x"), packed("b", b"y")]);
    let end = good.windows(4).rposition(|window| window == b"PK\x05\x06").unwrap();
    assert_eq!(paths(&unpacked(&good, SMALL).unwrap()), ["a", "b"]);
    // Entries on this disk and in all, either of them, and the directory's size, which is less than 200.
    for (places, value) in [(&[8, 10][..], 1), (&[8], 1), (&[10], 1), (&[12], 200)] {
        let mut changed = good.clone();
        places.iter().for_each(|place| changed[end + place] = value);
        assert!(matches!(unpacked(&changed, SMALL), Err(ArchiveError::Malformed(_))), "{places:?}");
    }
}

#[test]
fn what_a_tar_says_ahead_of_a_file_is_read_by_its_length() {
    let ahead = |kind, text: &str| {
        let archive = tgz(|builder| {
            raw(builder, "ahead", kind, "", text.as_bytes());
            raw(builder, "a", EntryType::Regular, "", b"x");
        });
        unpacked(&archive, SMALL).map(|contents| contents.files.into_keys().collect::<Vec<_>>())
    };
    for (text, path) in
        [("10 path=b\n", "b"), ("18 comment=x\ny z=\n10 path=b\n", "b"), ("10 size=1\n", "a"), ("12 comment=\n", "a")]
    {
        assert_eq!(ahead(EntryType::XHeader, text).unwrap(), [path], "{text:?}");
    }
    for text in [
        "24 comment=x\n10 path=b\n\n",
        "8 path=b\n",
        "010 path=b\n",
        "99 path=b\n",
        "10 path=b\n10 path=c\n",
        "10 size=2\n",
        "11 size=01\n",
        "8 path=\n",
        "13 linkpath=\n",
        "21 GNU.sparse.name=b\n",
        "22 GNU.sparse.major=1\n",
    ] {
        assert!(matches!(ahead(EntryType::XHeader, text), Err(ArchiveError::Malformed(_))), "{text:?}");
    }
    for text in ["10 path=b\n", "14 linkpath=b\n", "10 size=1\n"] {
        assert!(matches!(ahead(EntryType::XGlobalHeader, text), Err(ArchiveError::Malformed(_))), "{text:?}");
    }
    assert_eq!(ahead(EntryType::XGlobalHeader, "13 comment=x\n").unwrap(), ["a"]);
}

#[test]
fn the_worst_oddities_are_told_however_many_came_before() {
    let archive = tgz(|builder| {
        (0..150).for_each(|_| raw(builder, "a", EntryType::Symlink, "b", b""));
        raw(builder, "c", EntryType::Symlink, "/etc/passwd", b"");
        raw(builder, "../evil", EntryType::Regular, "", b"x");
    });
    let oddities = unpacked(&archive, Limits { entries: 200, ..SMALL }).unwrap().oddities;
    assert_eq!(oddities.len(), limits::PACKAGE_ODDITIES_MAX);
    assert!(oddities.contains(&Oddity::Outside("../evil".to_owned())));
    assert!(oddities.contains(&Oddity::Link("c".to_owned(), "/etc/passwd".to_owned())));
}

#[test]
fn damaged_bytes_are_malformed_and_nothing_else() {
    let good = [
        tgz(|builder| raw(builder, "a", EntryType::Regular, "", b"hello")),
        zip(&[packed("a", b"hello"), packed("b", b"x")]),
    ];
    for archive in &good {
        for length in 0..archive.len() {
            let _told = unpacked(&archive[..length], SMALL);
        }
        for place in 0..archive.len() {
            for change in [0x01, 0x80, 0xff] {
                let mut changed = archive.clone();
                changed[place] ^= change;
                let _told = unpacked(&changed, SMALL);
            }
        }
    }
    assert_eq!(unpacked(b"hello", SMALL).unwrap_err(), ArchiveError::Unknown);
    assert_eq!(unpacked(b"", SMALL).unwrap_err(), ArchiveError::Unknown);
}
