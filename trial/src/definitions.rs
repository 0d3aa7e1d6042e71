//! What definitions score by models that know nothing of their fold: honest ones of real servers, and poisoned ones.

use std::fmt::Write;

use inspect::injection::definition::Scale;
use inspect::injection::model::Surface;

use super::corpora::FOLDS;
use super::learn::Lab;
use super::samples::{Folds, Maker};

/// A line for each definition: its fold, what it is, its kind, its wording or source, and what it scores. Tabs between.
pub(crate) fn scores(maker: &Maker) -> anyhow::Result<String> {
    let mut lab = Lab::new(maker);
    let mut lines = String::new();
    for fold in 0..FOLDS {
        let scale = Scale::new(lab.weights(Surface::Definition, Some(fold)));
        let only = Folds::Only(fold);
        let mut line = |topic: &str, kind: &str, group: usize, text: &str| {
            let score = scale.loudest(text).map_or(f32::NEG_INFINITY, |loudest| loudest.score);
            writeln!(lines, "{fold}\t{topic}\t{kind}\t{group}\t{score:.4}")
        };
        for sample in maker.trusted(only, 11) {
            line("honest", sample.kind, sample.group, &sample.text)?;
        }
        for sample in maker.poisoned(only, 6, 11) {
            line("poisoned", sample.kind, sample.group, &sample.text)?;
        }
        for poisoned in maker.corpora().poisoned.iter().filter(|text| text.fold == fold) {
            line("published", "poisoned", 0, &poisoned.text)?;
        }
    }
    Ok(lines)
}
