use super::*;
use crate::image::rpm::tests::database;

fn count(bytes: &[u8], table: &str) -> Result<usize, Unread> {
    let mut count = 0;
    rows(bytes, table, &mut |_| count += 1).map(|()| count)
}

#[test]
fn a_table_is_found_by_its_name() {
    let database = database();
    assert_eq!(count(&database, "Packages"), Ok(24));
    assert_eq!(count(&database, "Nothing"), Err(Unread::NoTable));
    assert_eq!(count(b"SQLite format 2", "Packages"), Err(Unread::Unknown));
}

#[test]
fn pages_that_lead_in_a_circle_are_damaged() {
    let mut database = database();
    // The root of the table is its second page: now all that it leads to is itself.
    let (page, root) = (4096, 2_u32);
    assert_eq!(database[page], 0x05);
    let cells = u16::from_be_bytes([database[page + 3], database[page + 4]]);
    for index in 0..usize::from(cells) {
        let at = page + 12 + 2 * index;
        let cell = usize::from(u16::from_be_bytes([database[at], database[at + 1]]));
        database[page + cell..page + cell + 4].copy_from_slice(&root.to_be_bytes());
    }
    assert_eq!(count(&database, "Packages"), Err(Unread::Damaged));
}

#[test]
fn numbers_of_every_length_are_read() {
    assert_eq!(varint(&[0x7f], 0), Some((127, 1)));
    assert_eq!(varint(&[0, 0x81, 0x00], 1), Some((128, 3)));
    assert_eq!(varint(&[0xff; 9], 0), Some((u64::MAX, 9)));
    assert_eq!(varint(&[0xff; 8], 0), None);
    assert_eq!(varint(&[], usize::MAX), None);
}
