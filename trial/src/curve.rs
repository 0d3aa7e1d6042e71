//! What other thresholds would find: scores of every text by models that know nothing of its fold.

use std::fmt::Write;

use inspect::injection::model::Model;

use super::corpora::FOLDS;
use super::learn::Lab;
use super::pointing::Finder;
use super::samples::{Folds, Maker};
use super::train::Reader;

pub(crate) fn scores(maker: &Maker, verbose: bool) -> anyhow::Result<String> {
    let mut lab = Lab::new(maker);
    let mut out = String::new();
    let finder = Finder::new()?;
    for fold in 0..FOLDS {
        let model: Model = lab.fit_data(Some(fold))?;
        let mut reader = Reader::default();
        let only = Folds::Only(fold);
        let mut line = |topic: &str, kind: &str, group: usize, text: &str, clean: &str, injected: &str| {
            let mut weigh = |text: &str| {
                let read = model.anchors.parts(
                    finder.hits(text).into_iter(),
                    text.len(),
                    &mut inspect::injection::anchors::Scales::default(),
                );
                let all = reader.score(text, &model.data);
                let mut seen = f32::NEG_INFINITY;
                for part in &read {
                    seen = seen.max(reader.score_part(text, part.clone(), &model.data));
                }
                (all, seen)
            };
            let (all, seen) = weigh(text);
            let (clean_all, clean_seen) = if clean == text { (all, seen) } else { weigh(clean) };
            let shown = if verbose { injected.replace(['\n', '\t'], "⏎") } else { String::new() };
            let _ = writeln!(
                out,
                "{fold}\t{topic}\t{kind}\t{group}\t{all:.4}\t{seen:.4}\t{clean_all:.4}\t{clean_seen:.4}\t{:.4}\t{shown}",
                model.data.suspicion
            );
        };
        for sample in maker.reworded(only, 3, 11) {
            let injected = sample.injected.clone().and_then(|range| sample.text.get(range)).unwrap_or_default();
            line("reworded", sample.kind, sample.group, &sample.text, &sample.clean, injected);
        }
        for sample in maker.injected(only, 6, 11) {
            let injected = sample.injected.clone().and_then(|range| sample.text.get(range)).unwrap_or_default();
            line("injected", sample.kind, sample.group, &sample.text, &sample.clean, injected);
        }
        for own in maker.corpora().pairs.iter().filter(|own| own.text.fold == fold) {
            line("own", "own", 0, &own.text.text, &own.clean, "");
        }
        for sample in maker.harmless(only, 6, 11) {
            let shown: String = sample.text.chars().take(400).collect();
            line("harmless", sample.kind, sample.group, &sample.text, &sample.text, &shown);
        }
    }
    Ok(out)
}
