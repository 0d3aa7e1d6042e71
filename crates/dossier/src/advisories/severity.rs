//! How bad an advisory is: in its database's own word, or by its CVSS vector.

use serde_json::Value;

use crate::rules::Severity;

/// The severity in a database's word; without one, the highest that a vector has.
pub(super) fn severity<'a>(word: Option<&str>, scores: impl Iterator<Item = &'a Value>) -> Option<Severity> {
    let of_word = word.and_then(|word| match word.to_ascii_uppercase().as_str() {
        "CRITICAL" => Some(Severity::Critical),
        "HIGH" => Some(Severity::High),
        "MODERATE" | "MEDIUM" => Some(Severity::Medium),
        "LOW" => Some(Severity::Low),
        _ => None,
    });
    of_word.or_else(|| scores.filter_map(|score| of_score(score.get("score")?.as_str()?)).max())
}

/// The qualitative scale of CVSS 3.1 §5.
fn of_score(vector: &str) -> Option<Severity> {
    let score = base_score(vector)?;
    Some(match score {
        _ if score >= 9.0 => Severity::Critical,
        _ if score >= 7.0 => Severity::High,
        _ if score >= 4.0 => Severity::Medium,
        _ => Severity::Low,
    })
}

/// The base score of CVSS 3.0 and 3.1 (§7.1), of `CVSS:3.1/AV:N/AC:L/…`; none for other versions.
fn base_score(vector: &str) -> Option<f64> {
    let metrics = vector.strip_prefix("CVSS:3.")?;
    let metric = |name: &str| metrics.split('/').find_map(|part| part.strip_prefix(name)?.strip_prefix(':'));
    let is_changed = match metric("S")? {
        "C" => true,
        "U" => false,
        _ => return None,
    };
    let reach = weight(metric("AV")?, &[("N", 0.85), ("A", 0.62), ("L", 0.55), ("P", 0.2)])?;
    let complexity = weight(metric("AC")?, &[("L", 0.77), ("H", 0.44)])?;
    let rights =
        if is_changed { [("N", 0.85), ("L", 0.68), ("H", 0.5)] } else { [("N", 0.85), ("L", 0.62), ("H", 0.27)] };
    let rights = weight(metric("PR")?, &rights)?;
    let person = weight(metric("UI")?, &[("N", 0.85), ("R", 0.62)])?;
    let kept = |name: &str| Some(1.0 - weight(metric(name)?, &[("H", 0.56), ("L", 0.22), ("N", 0.0)])?);
    let lost = 1.0 - kept("C")? * kept("I")? * kept("A")?;
    let impact = if is_changed { 7.52 * (lost - 0.029) - 3.25 * (lost - 0.02).powi(15) } else { 6.42 * lost };
    if impact <= 0.0 {
        return Some(0.0);
    }
    let sum = impact + 8.22 * reach * complexity * rights * person;
    let sum = if is_changed { 1.08 * sum } else { sum };
    // Up to the next tenth; what is a rounding error is none.
    Some(((sum.min(10.0) * 10.0) - 1e-6).ceil() / 10.0)
}

fn weight(letter: &str, weights: &[(&str, f64)]) -> Option<f64> {
    weights.iter().find(|(name, _)| *name == letter).map(|(_, weight)| *weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_scores_are_those_of_the_calculator() {
        for (vector, score) in [
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10.0),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1),
            ("CVSS:3.0/AV:L/AC:H/PR:L/UI:N/S:U/C:N/I:N/A:L", 2.5),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", 7.5),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0.0),
        ] {
            let found = base_score(vector).unwrap();
            assert!((found - score).abs() < 0.001, "{vector}: {found}");
        }
        for vector in ["", "CVSS:2.0/AV:N", "CVSS:3.1/AV:N", "CVSS:3.1/AV:Q/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"] {
            assert_eq!(base_score(vector), None, "{vector}");
        }
        let said = serde_json::json!([{ "type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" }]);
        let scores = || said.as_array().unwrap().iter();
        assert_eq!(severity(None, scores()), Some(Severity::Critical));
        assert_eq!(severity(Some("MODERATE"), scores()), Some(Severity::Medium));
        assert_eq!(severity(None, [].iter()), None);
    }
}
