use std::io::Write;

use super::*;
use crate::merkle::{Frontier, leaf_hash};

fn entry(n: u64) -> Entry {
    let closes = (n % 2 == 1).then(|| ReceiptId::new(n, 1));
    let kind = if closes.is_some() { Kind::Outcome } else { Kind::Intent };
    Entry { leaf: leaf_hash(&n.to_le_bytes()), id: ReceiptId::new(n, 2), closes, offset: n * 500, length: 492, kind }
}

#[test]
fn entries_and_block_roots_are_read_where_they_were_written() {
    let mut tree = Frontier::default();
    let mut bytes = Vec::new();
    let mut blocks = Vec::new();
    for n in 0..2_500 {
        assert_eq!(u64::try_from(bytes.len()).unwrap(), position(n));
        entry(n).write(&mut bytes);
        if let Some(root) = tree.push(entry(n).leaf) {
            bytes.extend_from_slice(&root);
            blocks.push(root);
        }
    }
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes).unwrap();
    let mut index = Index::new(file).unwrap();
    assert_eq!(index.size(), 2_500);
    for n in [0, 1, 1_023, 1_024, 2_047, 2_048, 2_499, 0] {
        assert_eq!(index.entry(n).unwrap(), entry(n));
    }
    assert_eq!([index.block(0).unwrap(), index.block(1).unwrap()], [blocks[0], blocks[1]]);
    assert!(index.entry(2_500).is_err());
}

#[test]
fn an_entry_written_in_part_does_not_count() {
    let mut bytes = Vec::new();
    entry(0).write(&mut bytes);
    entry(1).write(&mut bytes);
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes[..150]).unwrap();
    assert_eq!(Index::new(file).unwrap().size(), 1);
}
