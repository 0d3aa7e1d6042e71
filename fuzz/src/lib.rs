//! Every parser of untrusted bytes, against bytes that a fuzzer thought of.
//!
//! A [`Target`] takes any bytes and panics where a promise is broken: that nothing falls over, that what one reader takes
//! every reader takes as the same, that what was written is read back. [`TARGETS`] lists them. They run in two ways: in
//! everyday tests over the kept `seeds` and simple changes of them (`tests/seeds.rs`), and under libFuzzer, which sees
//! which branches an input reached and works its way on from there (`run`, and `README.md` for how long it did).
//!
//! Random bytes are almost never JSON, so where a target reads JSON an input that begins with `~` is not the text but
//! the decisions from which [`grower::Grower`] makes one.

// There are no unit tests here, and those of the files that are taken from other crates are not found from here.
#![cfg(not(test))]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a target that falls over has found something"
)]

mod callouts;
mod contents;
mod crossing;
mod files;
#[path = "../../crates/wire/tests/fuzz/grower.rs"]
mod grower;
mod keys;
mod messages;
mod names;
mod settings;
mod texts;

/// One promise, to be broken.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The name by which it is asked for, and the folder of its seeds.
    pub name: &'static str,
    /// Tries one input. Panics if the promise is broken.
    pub run: fn(&[u8]),
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target { name: "json", run: texts::json },
    Target { name: "canonical", run: texts::canonical },
    Target { name: "edit", run: texts::edit },
    Target { name: "splice", run: texts::splice },
    Target { name: "id", run: texts::id },
    Target { name: "events", run: texts::events },
    Target { name: "lines", run: texts::lines },
    Target { name: "uri", run: texts::uri },
    Target { name: "challenge", run: texts::challenge },
    Target { name: "jail-notes", run: texts::jail_notes },
    Target { name: "request", run: messages::request },
    Target { name: "batch", run: messages::batch },
    Target { name: "answer", run: messages::answer },
    Target { name: "head", run: messages::head },
    Target { name: "bridge", run: crossing::bridge },
    Target { name: "param-headers", run: messages::param_headers },
    Target { name: "header-values", run: messages::header_values },
    Target { name: "manifest", run: settings::manifest },
    Target { name: "schema", run: settings::schema },
    Target { name: "mentions", run: settings::mentions },
    Target { name: "jsonc", run: settings::jsonc },
    Target { name: "inspection", run: contents::inspection },
    Target { name: "archive", run: contents::archive },
    Target { name: "image", run: contents::image },
    Target { name: "attestation", run: contents::attestation },
    Target { name: "advisories", run: contents::advisories },
    Target { name: "publisher", run: contents::publisher },
    Target { name: "names", run: names::names },
    Target { name: "callout", run: callouts::callout },
    Target { name: "interceptor", run: callouts::interceptor },
    Target { name: "seal", run: keys::seal },
    Target { name: "bearer", run: keys::bearer },
    Target { name: "note", run: keys::note },
    Target { name: "record", run: files::record },
    Target { name: "frame", run: files::frame },
    Target { name: "journal", run: files::journal },
];

/// A bug in two steps, which chance alone does not find: whether coverage leads the fuzzer is measured by it (`run
/// --prove`).
pub const PLANTED: Target = Target { name: "planted", run: planted };

/// The target of this name.
pub fn find(name: &str) -> Option<Target> {
    TARGETS.iter().chain([&PLANTED]).find(|target| target.name == name).copied()
}

fn planted(bytes: &[u8]) {
    // The first word is a comparison of numbers, and only behind it comes the next: 2^64 inputs for chance, two steps for
    // who sees the branches and what was compared.
    let Some((first, rest)) = bytes.split_first_chunk::<4>() else { return };
    if u32::from_le_bytes(*first) == 0xfeed_c0de {
        let Some((second, _)) = rest.split_first_chunk::<4>() else { return };
        if u32::from_le_bytes(*second).wrapping_mul(3) == 0x1234_5678 {
            panic!("the planted bug was found");
        }
    }
}

/// The JSON that an input stands for.
fn json_of(bytes: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    match bytes.split_first() {
        Some((b'~', decisions)) => grower::Grower::grow(decisions).into(),
        Some(_) | None => bytes.into(),
    }
}

/// The input up to the first line break, and the rest. Without one, the rest is empty.
fn line_and_rest(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|&byte| byte == b'\n').unwrap_or(bytes.len());
    (&bytes[..end], bytes.get(end + 1..).unwrap_or_default())
}
