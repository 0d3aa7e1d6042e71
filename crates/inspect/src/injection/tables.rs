//! What the things in a window weigh, looked up instead of hashed: it is asked anew of every window.

use super::features::{Family, Setting, Summary, THINGS_MAX, Teller, around, numbers, opening, pair, there};
use super::model::{Linear, Sum};

/// The weights of one surface that are told of things, whichever words they are.
pub(super) struct Tables {
    /// For each thing that is first, the weights of those that come second.
    pairs: Vec<[i8; THINGS_MAX]>,
    /// By the setting: what it weighs itself, and what each thing weighs in it.
    settings: Vec<(Setting, Sum, Vec<Sum>)>,
    /// What each thing weighs where orders have their verb.
    openings: Vec<Sum>,
}

impl Tables {
    /// Those of a surface.
    pub(super) fn of(linear: &Linear) -> Self {
        let weight = |first: usize, second: usize| linear.weight(pair(first as u64, second as u64));
        let sum = |told: &[u32]| {
            let mut sum = Sum::default();
            told.iter().for_each(|told| linear.add(&mut sum, *told, Family::Concepts));
            sum
        };
        let things = || 0..THINGS_MAX as u64;
        let in_setting =
            |setting| (setting, sum(&[around(setting)]), things().map(|thing| sum(&there(thing, setting))).collect());
        Self {
            pairs: (0..THINGS_MAX).map(|first| std::array::from_fn(|second| weight(first, second))).collect(),
            settings: Setting::ALL.into_iter().map(in_setting).collect(),
            openings: things().map(|thing| sum(&[opening(thing)])).collect(),
        }
    }

    /// What [`Teller::company`] tells of a window, added up.
    pub(super) fn company(&self, teller: &Teller, summary: &Summary, setting: Setting, linear: &Linear) -> Sum {
        let mut sum = self.pairs(teller.companions(summary));
        Teller::size(summary, &mut |told, family| linear.add(&mut sum, told, family));
        let [present, opening] = summary.things();
        if let Some((_, own, things)) = self.settings.iter().find(|(known, ..)| *known == setting) {
            sum = sum.and(*own).and(added(things, present));
        }
        sum.and(added(&self.openings, opening))
    }

    /// What all pairs of these things add up to.
    fn pairs(&self, things: u128) -> Sum {
        let (mut weight, mut known) = (0, 0);
        let mut left = things;
        for first in numbers(things) {
            left &= !(1 << first);
            let Some(row) = usize::try_from(first).ok().and_then(|first| self.pairs.get(first)) else { continue };
            for second in numbers(left) {
                let own = usize::try_from(second).ok().and_then(|second| row.get(second)).copied().unwrap_or_default();
                weight += i32::from(own);
                known += i32::from(own != 0);
            }
        }
        Sum::of(weight, known, Family::Concepts)
    }
}

fn added(sums: &[Sum], things: u128) -> Sum {
    let of = |thing: u64| usize::try_from(thing).ok().and_then(|thing| sums.get(thing)).copied().unwrap_or_default();
    numbers(things).fold(Sum::default(), |sum, thing| sum.and(of(thing)))
}

#[cfg(test)]
mod tests;
