//! Keys that some readers take for one another.

/// The key in `known` that `key` would be taken for by a reader that matches keys without case, when it is not that key.
///
/// Go's `encoding/json` takes `NAME`, and `task` written with U+017F or U+212A, for `name` and `task`; readers on the
/// Java and .NET platforms also take the dotted and the dotless i for `i`. The known keys are ASCII.
pub fn in_another_case(key: &str, known: &[&'static str]) -> Option<&'static str> {
    if known.contains(&key) {
        return None;
    }
    known.iter().find(|known| key.chars().map(fold).eq(known.chars().map(fold))).copied()
}

fn fold(letter: char) -> char {
    match letter {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        '\u{130}' | '\u{131}' => 'i',
        other => other.to_ascii_lowercase(),
    }
}
