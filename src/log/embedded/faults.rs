//! What goes wrong on purpose, at the moments of a commit, decided by a seed: the same seed fails at the same commits.

use crate::log::LogError;

/// What may happen at a commit, each in how many of a thousand.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// The commit is refused and nothing of it stands.
    pub refused: u16,
    /// The commit stands, but the answer is lost.
    pub answer_lost: u16,
    /// The commit does not stand, and the answer is lost.
    pub request_lost: u16,
    /// The shard breaks off before the commit.
    pub crash_before: u16,
    /// The shard breaks off after the commit.
    pub crash_after: u16,
    seed: u64,
}

/// What happens at one commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Stands,
    Refused,
    AnswerLost,
    RequestLost,
    CrashBefore,
    CrashAfter,
}

impl Faults {
    /// Nothing goes wrong.
    pub fn none() -> Self {
        Self::default()
    }

    /// Everything goes wrong now and then, each in `per_mille` of a thousand commits.
    pub fn of_all_kinds(seed: u64, per_mille: u16) -> Self {
        Self { refused: per_mille, answer_lost: per_mille, request_lost: per_mille, crash_before: per_mille, crash_after: per_mille, seed }
    }

    /// The fate of the next commit.
    pub(super) fn next(&mut self) -> Fate {
        let kinds = [
            (self.refused, Fate::Refused),
            (self.answer_lost, Fate::AnswerLost),
            (self.request_lost, Fate::RequestLost),
            (self.crash_before, Fate::CrashBefore),
            (self.crash_after, Fate::CrashAfter),
        ];
        let mut drawn = (self.draw() % 1_000) as u16;
        for (share, fate) in kinds {
            if drawn < share {
                return fate;
            }
            drawn -= share;
        }
        Fate::Stands
    }

    /// SplitMix64: small, and the same everywhere.
    fn draw(&mut self) -> u64 {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl Fate {
    /// Whether the commit is carried out.
    pub(super) fn stands(self) -> bool {
        matches!(self, Self::Stands | Self::AnswerLost | Self::CrashAfter)
    }

    /// What the shard is told.
    pub(super) fn told(self) -> Result<(), LogError> {
        let doing = "committing";
        let detail = || "on purpose".to_owned();
        match self {
            Self::Stands => Ok(()),
            Self::Refused => Err(LogError::Aborted { doing, detail: detail() }),
            Self::AnswerLost | Self::RequestLost => Err(LogError::Unknown { doing, detail: detail() }),
            Self::CrashBefore => Err(LogError::Crash { when: "before a commit" }),
            Self::CrashAfter => Err(LogError::Crash { when: "after a commit" }),
        }
    }
}
