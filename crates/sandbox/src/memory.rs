//! Memory of the gate's process: where it comes from, and what is given back of it.

use std::alloc::{GlobalAlloc, Layout};

use libmimalloc_sys as mimalloc;

/// The allocator of the gate's process.
///
/// The crate `mimalloc` has one as well, which asks for an alignment each time. For that `mi_malloc_aligned` looks for a free
/// block of just the right size, and where none lies ready takes one of the next size by a longer way: so it was for a fifth
/// of a call's sixty allocations. Words are what every block is aligned to, and nearly all that is asked for.
pub struct Allocator;

/// What every block is aligned to, in bytes: the smallest have eight of them.
const WORD: usize = 8;

// SAFETY: each function below gives what its Rust counterpart promises, by the contract of mimalloc's that it calls. Blocks that
// `mi_malloc` gives are aligned to a word whatever their size; everything else asks for its alignment. Blocks of both kinds may
// be freed by `mi_free` and grown by either way of reallocating, on any thread. Nothing here unwinds.
#[expect(unsafe_code, reason = "an allocator's interface, and functions of C")]
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let (size, align) = (layout.size(), layout.align());
        // SAFETY: they take no pointer; a layout's alignment is a power of two.
        unsafe { if align <= WORD { mimalloc::mi_malloc(size) } else { mimalloc::mi_malloc_aligned(size, align) } }
            .cast()
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let (size, align) = (layout.size(), layout.align());
        // SAFETY: as in `alloc`.
        unsafe { if align <= WORD { mimalloc::mi_zalloc(size) } else { mimalloc::mi_zalloc_aligned(size, align) } }
            .cast()
    }

    unsafe fn dealloc(&self, block: *mut u8, _: Layout) {
        // SAFETY: whoever calls promises that the block came from here and is not used any more.
        unsafe { mimalloc::mi_free(block.cast()) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let (block, align) = (block.cast(), layout.align());
        // SAFETY: as in `dealloc`; where it fails the block is left as it is.
        unsafe {
            if align <= WORD {
                mimalloc::mi_realloc(block, size)
            } else {
                mimalloc::mi_realloc_aligned(block, size, align)
            }
        }
        .cast()
    }
}

/// Gives memory that was freed back to the kernel, of this thread and of threads that are gone. The allocator keeps it else until
/// somebody allocates much.
pub fn give_back() {
    // SAFETY: it takes no pointer, and may be called from any thread at any time.
    #[expect(unsafe_code, reason = "a function of C")]
    unsafe {
        mimalloc::mi_collect(true);
    }
}

#[cfg(test)]
mod tests;
