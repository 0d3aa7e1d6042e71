//! Memory that the process holds and does not need.

/// Gives memory that was freed back to the kernel, of this thread and of threads that are gone. The allocator keeps it else until
/// somebody allocates much.
pub fn give_back() {
    // SAFETY: it takes no pointer, and may be called from any thread at any time.
    #[expect(unsafe_code, reason = "a function of C")]
    unsafe {
        libmimalloc_sys::mi_collect(true);
    }
}
