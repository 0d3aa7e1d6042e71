use super::*;
use crate::merkle::leaf_hash;

fn standing() -> Standing {
    let mut tree = Frontier::default();
    for n in 0..11_u8 {
        tree.push(leaf_hash(&[n]));
    }
    let open = [ReceiptId::new(1, 1), ReceiptId::new(2, 2)].into();
    Standing { tree, segment: 3, offset: 4_567, open }
}

#[test]
fn a_standing_is_read_as_it_was_written() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(Standing::read(directory.path()).unwrap(), None);
    standing().write(directory.path()).unwrap();
    assert_eq!(Standing::read(directory.path()).unwrap(), Some(standing()));
}

#[test]
fn a_standing_that_was_changed_is_none() {
    let directory = tempfile::tempdir().unwrap();
    standing().write(directory.path()).unwrap();
    let text = files::read(&directory.path().join(files::STATE)).unwrap();
    assert!(Standing::parse(&text).is_some());
    assert_eq!(Standing::parse(&text.replace("4567", "4568")), None);
    assert_eq!(Standing::parse(text.strip_suffix('}').unwrap()), None);
}
