//! What the supervisor tells the gate: that the program runs or why it does not, and how it ended.
//!
//! A report is [`REPORT_NUMBERS`] numbers of 64 bits, little-endian, the first of which is its kind.

use crate::{Cause, End, Exit, Step, Wall};

const REPORT_NUMBERS: usize = 6;

/// Bytes of one report.
pub(crate) const REPORT_BYTES: usize = REPORT_NUMBERS * 8;

/// One thing the supervisor tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Report {
    /// The program runs.
    Started { pid: i32, wall: Wall },
    /// The program could not be started; nothing of it is left.
    Failed { step: Step, errno: i32 },
    /// The program ended, and so did all that it started.
    Ended(Exit),
}

impl Report {
    pub(crate) fn encode(self) -> [u8; REPORT_BYTES] {
        let numbers = match self {
            Self::Started { pid, wall } => [1, from_signed(pid), u64::from(wall.code()), 0, 0, 0],
            Self::Failed { step, errno } => [2, u64::from(step.code()), from_signed(errno), 0, 0, 0],
            Self::Ended(Exit { end, cause, all_gone }) => {
                let (end, value) = match end {
                    End::Status(status) => (1, from_signed(status)),
                    End::Signal(signal) => (2, from_signed(signal)),
                    End::Unknown => (3, 0),
                };
                let (cause, measured) = match cause {
                    Cause::Itself => (1, 0),
                    Cause::Asked => (2, 0),
                    Cause::Memory { used_bytes } => (3, used_bytes),
                    Cause::Processes { count } => (4, count),
                    Cause::SupervisorLost => (5, 0),
                };
                [3, end, value, cause, measured, u64::from(all_gone)]
            }
        };
        let mut bytes = [0; REPORT_BYTES];
        for (place, number) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(numbers) {
            *place = number.to_le_bytes();
        }
        bytes
    }

    /// Reads a report; none if nobody could have written it.
    pub(crate) fn decode(bytes: &[u8; REPORT_BYTES]) -> Option<Self> {
        let mut numbers = [0; REPORT_NUMBERS];
        for (number, place) in numbers.iter_mut().zip(bytes.as_chunks::<8>().0) {
            *number = u64::from_le_bytes(*place);
        }
        match numbers {
            [1, pid, wall, ..] => {
                Some(Self::Started { pid: signed(pid)?, wall: Wall::of_code(u8::try_from(wall).ok()?)? })
            }
            [2, step, errno, ..] => {
                Some(Self::Failed { step: Step::of_code(u8::try_from(step).ok()?)?, errno: signed(errno)? })
            }
            [3, end, value, cause, measured, all_gone] => {
                let end = match end {
                    1 => End::Status(signed(value)?),
                    2 => End::Signal(signed(value)?),
                    3 => End::Unknown,
                    _ => return None,
                };
                let cause = match cause {
                    1 => Cause::Itself,
                    2 => Cause::Asked,
                    3 => Cause::Memory { used_bytes: measured },
                    4 => Cause::Processes { count: measured },
                    5 => Cause::SupervisorLost,
                    _ => return None,
                };
                Some(Self::Ended(Exit { end, cause, all_gone: all_gone == 1 }))
            }
            _ => None,
        }
    }
}

fn from_signed(number: i32) -> u64 {
    i64::from(number).cast_unsigned()
}

fn signed(number: u64) -> Option<i32> {
    i32::try_from(number.cast_signed()).ok()
}

#[cfg(test)]
mod tests;
