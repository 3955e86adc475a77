//! Choices at random.

use std::time::Duration;

use stratora_token::{Entropy as _, OsEntropy};

/// Chooses at random.
pub(crate) struct Dice;

impl Dice {
    pub(crate) fn below(bound: usize) -> usize {
        let mut bytes = [0; 8];
        OsEntropy.fill(&mut bytes).unwrap();
        usize::try_from(u64::from_le_bytes(bytes) % bound as u64).unwrap()
    }

    pub(crate) fn one_of<T: Copy>(of: &[T]) -> T {
        of[Self::below(of.len())]
    }

    pub(crate) fn within(span: Duration) -> Duration {
        span * u32::try_from(Self::below(1000)).unwrap() / 1000
    }
}
