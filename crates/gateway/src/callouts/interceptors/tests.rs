//! They are not in the files that they try, which the fuzzer takes too.

mod payload;
mod read;
