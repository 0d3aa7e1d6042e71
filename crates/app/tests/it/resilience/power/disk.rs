//! What a disk makes of what was not flushed when the power failed.

use std::fs::{self, File};
use std::path::Path;

use super::outage::Outage;
use crate::resilience::chance::Chance;

/// What a disk writes whole or not at all.
const SECTOR_BYTES: usize = 512;
const BLOCK_BYTES: usize = 4_096;

/// How a file goes on behind a byte.
#[derive(Debug, Clone, Copy)]
pub(super) enum Tail {
    /// Not at all.
    Cut,
    /// With zeros, as long as it was or a block longer.
    Zeros,
    /// With a block of what somebody else had left there.
    Noise,
    /// Each sector for itself: written, zeros, or noise.
    Sectors,
}

/// A small file that is flushed beside its place and renamed into it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Small {
    AsItWas,
    /// The rename was lost.
    Earlier,
    /// All renames were lost.
    Missing,
}

/// The index, which is made anew from the records where it falls short.
#[derive(Debug, Clone, Copy)]
pub(super) enum Index {
    Tail(Tail, usize),
    Cut(usize),
    Missing,
}

/// One way in which everything was spoilt. The numbers are bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spoilt {
    /// Of the newest segment.
    pub(super) tail: (Tail, usize),
    pub(super) checkpoint: Small,
    pub(super) state: Small,
    /// Whether the state has a wrong byte as well; then it is not believed.
    pub(super) state_is_wrong: bool,
    pub(super) index: Index,
    /// Of the earlier checkpoints, from the end.
    pub(super) history_cut: usize,
    /// Of the database's log.
    pub(super) log: (Tail, usize),
    /// Of the memory that its connections share, which nobody flushes.
    pub(super) shared: (Tail, usize),
}

impl Tail {
    const ALL: [Self; 4] = [Self::Cut, Self::Zeros, Self::Noise, Self::Sectors];

    /// Makes a file go on like this behind a byte.
    fn spoil(self, path: &Path, at: usize, chance: &mut Chance) {
        let mut bytes = fs::read(path).unwrap_or_default();
        let at = at.min(bytes.len());
        match self {
            Self::Cut => bytes.truncate(at),
            Self::Zeros => {
                bytes.resize(bytes.len().max(at + BLOCK_BYTES), 0);
                bytes[at..].fill(0);
            }
            Self::Noise => {
                bytes.truncate(at);
                bytes.extend(chance.noise(BLOCK_BYTES - at % BLOCK_BYTES));
            }
            Self::Sectors => {
                let written = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
                let mut from = at;
                while from < written {
                    let to = ((from / SECTOR_BYTES + 1) * SECTOR_BYTES).min(bytes.len());
                    match chance.below(3) {
                        0 => {}
                        1 => bytes[from..to].fill(0),
                        _ => bytes[from..to].copy_from_slice(&chance.noise(to - from)),
                    }
                    from = to;
                }
            }
        }
        fs::write(path, bytes).unwrap();
    }
}

impl Small {
    const ALL: [Self; 3] = [Self::AsItWas, Self::Earlier, Self::Missing];

    fn spoil(self, path: &Path, earlier: &Path) {
        match self {
            Self::AsItWas => {}
            Self::Earlier => drop(fs::copy(earlier, path).unwrap()),
            Self::Missing => fs::remove_file(path).unwrap(),
        }
    }
}

impl Spoilt {
    pub(super) fn not_at_all(outage: &Outage) -> Self {
        Self {
            tail: (Tail::Cut, outage.written),
            checkpoint: Small::AsItWas,
            state: Small::AsItWas,
            state_is_wrong: false,
            index: Index::Tail(Tail::Cut, usize::MAX),
            history_cut: 0,
            log: (Tail::Cut, usize::MAX),
            shared: (Tail::Cut, usize::MAX),
        }
    }

    /// Anything at all behind what was flushed.
    pub(super) fn by_chance(outage: &Outage, chance: &mut Chance) -> Self {
        let between = |from: usize, to: usize, chance: &mut Chance| from + chance.below(to.max(from) + 1 - from);
        let tail = |chance: &mut Chance| *chance.one_of(&Tail::ALL);
        let index = match chance.below(4) {
            0 => Index::Missing,
            1 => Index::Cut(between(0, outage.index_bytes, chance)),
            _ => Index::Tail(tail(chance), between(outage.index_flushed, outage.index_bytes, chance)),
        };
        Self {
            tail: (tail(chance), between(outage.flushed, outage.written, chance)),
            checkpoint: *chance.one_of(&Small::ALL),
            state: *chance.one_of(&Small::ALL),
            state_is_wrong: chance.one_in(4),
            index,
            history_cut: if chance.one_in(2) { chance.below(100) } else { 0 },
            log: (tail(chance), between(outage.log_flushed, outage.log_bytes, chance)),
            shared: (tail(chance), chance.below(BLOCK_BYTES)),
        }
    }

    pub(super) fn spoil_journal(&self, outage: &Outage, journal: &Path, chance: &mut Chance) {
        let (tail, at) = self.tail;
        tail.spoil(&journal.join(outage.segment.file_name().unwrap()), at, chance);
        self.checkpoint.spoil(&journal.join("checkpoint"), &outage.earlier.path().join("checkpoint"));
        self.state.spoil(&journal.join("state"), &outage.earlier.path().join("state"));
        if self.state_is_wrong && journal.join("state").exists() {
            let mut bytes = fs::read(journal.join("state")).unwrap();
            let at = chance.below(bytes.len());
            bytes[at] = bytes[at].wrapping_add(1) % 128;
            fs::write(journal.join("state"), bytes).unwrap();
        }
        let index = journal.join("index");
        match self.index {
            Index::Tail(tail, at) => tail.spoil(&index, at, chance),
            Index::Cut(bytes) => cut(&index, bytes),
            Index::Missing => fs::remove_file(index).unwrap(),
        }
        let history = journal.join("checkpoints");
        let bytes = fs::metadata(&history).unwrap().len() as usize;
        cut(&history, bytes - self.history_cut);
    }

    pub(super) fn spoil_database(&self, outage: &Outage, data: &Path, chance: &mut Chance) {
        let (tail, at) = self.log;
        tail.spoil(&data.join("state.db-wal"), at.min(outage.log_bytes), chance);
        let (tail, at) = self.shared;
        tail.spoil(&data.join("state.db-shm"), at, chance);
    }
}

fn cut(path: &Path, bytes: usize) {
    File::options().write(true).open(path).unwrap().set_len(bytes as u64).unwrap();
}
