use super::*;

/// A database with these blobs, as RPM writes one: each at the end of what is there, under the next number.
pub(in crate::image) fn database(blobs: &[Vec<u8>]) -> Vec<u8> {
    let little = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
    let pages = (blobs.len() + 2).div_ceil(PAGE_BYTES / BLOCK_BYTES);
    let mut bytes = [b"RpmP".to_vec(), little(0).into(), little(7).into(), little(pages).into()].concat();
    bytes.extend(little(blobs.len() + 1));
    bytes.resize(HEAD_BYTES, 0);
    while bytes.len() < pages * PAGE_BYTES {
        bytes.extend([b"Slot".to_vec(), vec![0; 12]].concat());
    }
    for (index, blob) in blobs.iter().enumerate() {
        let (name, from) = (little(index + 1), bytes.len());
        bytes.extend(
            [b"BlbS".to_vec(), name.into(), little(0).into(), little(blob.len()).into(), blob.clone()].concat(),
        );
        let end = (bytes.len() + BEHIND_BYTES).next_multiple_of(BLOCK_BYTES);
        bytes.resize(end - BEHIND_BYTES, 0);
        // RPM does not look at the sum of the bytes either when it reads them.
        bytes.extend([little(0).into(), little(blob.len()).into(), b"BlbE".to_vec()].concat());
        let slot = [name, little(from / BLOCK_BYTES), little((end - from) / BLOCK_BYTES)].concat();
        let at = HEAD_BYTES + index * BLOCK_BYTES;
        bytes[at + 4..at + 16].copy_from_slice(&slot);
    }
    bytes
}

fn read(bytes: &[u8]) -> Result<Vec<Vec<u8>>, Unread> {
    let mut all = Vec::new();
    blobs(bytes, &mut |blob| all.push(blob.to_vec())).map(|()| all)
}

#[test]
fn every_blob_is_read_whatever_its_length_and_the_number_of_pages() {
    let many: Vec<Vec<u8>> = (0..600).map(|length: usize| vec![b'x'; length % 70]).collect();
    for number in [0, 1, 254, 255, 600] {
        assert_eq!(read(&database(&many[..number])).as_deref(), Ok(&many[..number]), "{number}");
    }
    // A slot that was given up is none.
    let mut one_less = database(&many[..3]);
    one_less[HEAD_BYTES + BLOCK_BYTES + 4..HEAD_BYTES + 2 * BLOCK_BYTES].fill(0);
    assert_eq!(read(&one_less).unwrap(), [many[0].clone(), many[2].clone()]);
}

#[test]
fn what_rpm_would_not_read_is_not_read() {
    let whole = database(&[b"one".to_vec(), b"another".to_vec()]);
    let second = HEAD_BYTES + BLOCK_BYTES;
    let blob = PAGE_BYTES;
    for (at, byte, why) in [
        (0, b'r', Unread::Unknown),
        (4, 1, Unread::Unknown),
        (12, 0, Unread::Damaged),
        (15, 0xff, Unread::Damaged),
        (PAGE_BYTES - BLOCK_BYTES, b's', Unread::Damaged),
        (second + 4, 1, Unread::Damaged),
        (second + 4, 0, Unread::Damaged),
        (second + 8, 1, Unread::Damaged),
        (second + 9, 0xff, Unread::Damaged),
        (second + 12, 1, Unread::Damaged),
        (second + 15, 0xff, Unread::Damaged),
        (blob, b'b', Unread::Damaged),
        (blob + 4, 9, Unread::Damaged),
        (blob + 12, 2, Unread::Damaged),
        (blob + 15, 0xff, Unread::Damaged),
        (blob + 31, b'e', Unread::Damaged),
    ] {
        let mut bytes = whole.clone();
        bytes[at] = byte;
        assert_eq!(read(&bytes), Err(why), "{at}");
    }
    for length in [0, 31, 32, PAGE_BYTES - 16, PAGE_BYTES, whole.len() - 16, whole.len() - 1] {
        assert!(read(&whole[..length]).is_err(), "{length}");
    }
    // Two slots that lead to the same bytes.
    let mut shared = whole;
    let first: Vec<u8> = shared[HEAD_BYTES + 8..HEAD_BYTES + 16].to_vec();
    shared[second + 8..second + 16].copy_from_slice(&first);
    assert_eq!(read(&shared), Err(Unread::Damaged));
}
