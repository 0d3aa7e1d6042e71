//! What other thresholds would find: scores of every text by models that know nothing of its fold.

use std::fmt::Write;

use inspect::injection::anchors::Scales;
use inspect::injection::model::Model;

use super::corpora::FOLDS;
use super::learn::Lab;
use super::pointing::Finder;
use super::samples::{Folds, Maker};
use super::train::Reader;

/// A line for each text: its fold, what is scored, its kind, its group, what it scores wholly and where anchors point, the
/// same of it without its injection, and where suspicion begins. Tabs between; no text.
pub(crate) fn scores(maker: &Maker) -> anyhow::Result<String> {
    let (mut lab, finder) = (Lab::new(maker), Finder::new()?);
    let (mut reader, mut scales) = (Reader::default(), Scales::default());
    let mut lines = String::new();
    for fold in 0..FOLDS {
        let model: Model = lab.fit_data(Some(fold))?;
        let only = Folds::Only(fold);
        let mut weigh = |text: &str| {
            let parts = model.anchors.parts(finder.hits(text).into_iter(), text.len(), &mut scales);
            let pointed = parts.into_iter().map(|part| reader.score_part(text, part, &model.data));
            let pointed = pointed.fold(f32::NEG_INFINITY, f32::max);
            (reader.score(text, &model.data), pointed)
        };
        let mut line = |topic: &str, kind: &str, group: usize, text: &str, clean: &str| {
            let (all, pointed) = weigh(text);
            let (clean_all, clean_pointed) = if clean == text { (all, pointed) } else { weigh(clean) };
            // Writing to a string cannot fail.
            let _ = writeln!(
                lines,
                "{fold}\t{topic}\t{kind}\t{group}\t{all:.4}\t{pointed:.4}\t{clean_all:.4}\t{clean_pointed:.4}\t{:.4}",
                model.data.suspicion
            );
        };
        let made = [("reworded", maker.reworded(only, 3, 11)), ("injected", maker.injected(only, 6, 11))];
        for (topic, sample) in made.iter().flat_map(|(topic, samples)| samples.iter().map(move |one| (topic, one))) {
            line(topic, sample.kind, sample.group, &sample.text, &sample.clean);
        }
        for own in maker.corpora().pairs.iter().filter(|own| own.text.fold == fold) {
            line("own", "own", 0, &own.text.text, &own.clean);
        }
        for sample in maker.harmless(only, 6, 11) {
            line("harmless", sample.kind, sample.group, &sample.text, &sample.text);
        }
    }
    Ok(lines)
}
