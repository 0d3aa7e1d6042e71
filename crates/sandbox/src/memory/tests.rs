use super::*;

/// What is written into a block stays when it grows and shrinks, and every block is aligned as was asked for.
#[test]
#[expect(unsafe_code, reason = "an allocator is asked as Rust asks it")]
fn blocks_are_aligned_hold_what_was_written_and_grow() {
    for align in [1, 2, 4, 8, 16, 64, 4096] {
        for size in [1, 7, 8, 9, 24, 96, 224, 1000, 1248, 8192, 100_000, 5_000_000] {
            let layout = Layout::from_size_align(size, align).unwrap();
            // SAFETY: sizes are above zero, each block is used within its bounds, and freed once with its own layout.
            unsafe {
                let zeroed = Allocator.alloc_zeroed(layout);
                assert!(!zeroed.is_null() && zeroed.addr().is_multiple_of(align), "{size} at {align}");
                assert!(std::slice::from_raw_parts(zeroed, size).iter().all(|byte| *byte == 0));
                let block = Allocator.alloc(layout);
                assert!(block.addr().is_multiple_of(align) && block != zeroed);
                std::slice::from_raw_parts_mut(block, size).fill(0xa5);
                let grown = Allocator.realloc(block, layout, size * 2 + 1);
                assert!(grown.addr().is_multiple_of(align), "{size} at {align}, grown");
                assert!(std::slice::from_raw_parts(grown, size).iter().all(|byte| *byte == 0xa5));
                let grown_layout = Layout::from_size_align(size * 2 + 1, align).unwrap();
                let shrunk = Allocator.realloc(grown, grown_layout, size);
                assert!(std::slice::from_raw_parts(shrunk, size).iter().all(|byte| *byte == 0xa5));
                Allocator.dealloc(shrunk, layout);
                Allocator.dealloc(zeroed, layout);
            }
        }
    }
}
