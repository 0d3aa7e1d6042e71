//! Numbers that every 64-bit reader agrees on.

/// Digits that fit a signed 64-bit integer whatever they are.
const SAFE_DIGITS: usize = 18;

/// Beyond these, readers that are not exact to the last bit may already see infinity or zero.
const DOUBTFUL_ABOVE: f64 = 1e300;
const DOUBTFUL_BELOW: f64 = 1e-300;

/// Is a whole number's literal the same signed 64-bit integer to every reader?
pub(super) fn integer_agrees(literal: &str) -> bool {
    if literal == "-0" {
        return false;
    }
    literal.len() <= SAFE_DIGITS || literal.parse::<i64>().is_ok()
}

/// Is the literal of a number with a fraction or an exponent a finite 64-bit float to every reader, and zero only if
/// it says zero?
pub(super) fn float_agrees(literal: &str) -> bool {
    let Ok(value) = literal.parse::<f64>() else { return false };
    if (DOUBTFUL_BELOW..DOUBTFUL_ABOVE).contains(&value.abs()) {
        return true;
    }
    let digits = literal.split(['e', 'E']).next().unwrap_or_default();
    let says_zero = !digits.contains(|digit| ('1'..='9').contains(&digit));
    if says_zero {
        return true;
    }
    // The other rooms read with `serde_json`, which is not exact at the ends of the range: both must see a number there.
    let seen = [Some(value), serde_json::from_str::<f64>(literal).ok()];
    seen.iter().all(|value| value.is_some_and(|value| value.is_finite() && value != 0.0))
}
