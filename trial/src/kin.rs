//! Puts words into groups by how they are used: k-means over word vectors, the same to the byte each time.
//!
//! The vectors are a file in `GloVe`'s form: a word and its numbers on each line, the commonest word first. What ships was
//! made of the 6B set with 50 dimensions (Pennington, Socher and Manning; public domain).

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use inspect::injection::kin::write;

/// Words that are taken, the commonest.
const WORDS: usize = 40_000;
/// Narrow groups.
const NARROW: usize = 1_024;
/// Wide groups, which narrow ones fall into.
const WIDE: usize = 128;
/// Times that the groups are drawn anew.
const ROUNDS: usize = 12;

/// The file of groups that ships.
pub(crate) fn make(vectors: &Path) -> anyhow::Result<Vec<u8>> {
    let text = fs::read_to_string(vectors).with_context(|| format!("cannot read `{}`", vectors.display()))?;
    let (mut words, mut points) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let mut parts = line.split(' ');
        let Some(word) = parts.next().filter(|word| is_word(word)) else { continue };
        let numbers = parts.map(str::parse).collect::<Result<Vec<f32>, _>>();
        points.push(unit(&numbers.with_context(|| format!("the vector of `{word}` is no list of numbers"))?));
        words.push(word.to_owned());
        if words.len() >= WORDS {
            break;
        }
    }
    ensure!(words.len() > NARROW, "the file holds too few words");
    let (narrow, centres) = groups(&points, NARROW);
    let (wide, _) = groups(&centres, WIDE);
    let wides: Vec<u8> = wide.iter().map(|group| u8::try_from(group + 1).unwrap_or(0)).collect();
    let of = |group: &usize| u16::try_from(group + 1).unwrap_or(0);
    let words: Vec<(String, u16)> = words.into_iter().zip(narrow.iter().map(of)).collect();
    Ok(write(&wides, &words))
}

fn is_word(word: &str) -> bool {
    word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_lowercase()) || matches!(word, "a" | "i")
}

fn unit(numbers: &[f32]) -> Vec<f32> {
    let length = product(numbers, numbers).sqrt().max(1e-6);
    numbers.iter().map(|number| number / length).collect()
}

fn product(one: &[f32], other: &[f32]) -> f32 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

/// The group of each point, and the centre of each group. It begins with the first points, which are the commonest words.
fn groups(points: &[Vec<f32>], count: usize) -> (Vec<usize>, Vec<Vec<f32>>) {
    let step = points.len() / count / 2;
    let mut centres: Vec<Vec<f32>> = points.iter().step_by(step.max(1)).take(count).cloned().collect();
    let mut of = Vec::new();
    for _ in 0..ROUNDS {
        of = points.iter().map(|point| nearest(point, &centres)).collect::<Vec<_>>();
        let mut sums: Vec<Vec<f32>> = centres.iter().map(|centre| vec![0.0; centre.len()]).collect();
        for (point, group) in points.iter().zip(&of) {
            for (sum, number) in sums.get_mut(*group).into_iter().flatten().zip(point) {
                *sum += number;
            }
        }
        for (centre, sum) in centres.iter_mut().zip(sums) {
            if sum.iter().any(|number| *number != 0.0) {
                *centre = unit(&sum);
            }
        }
    }
    (of, centres)
}

fn nearest(point: &[f32], centres: &[Vec<f32>]) -> usize {
    let alike = centres.iter().map(|centre| product(point, centre)).enumerate();
    alike.fold((0, f32::MIN), |best, next| if next.1 > best.1 { next } else { best }).0
}
