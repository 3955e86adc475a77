//! The per-account brake: what slows down guessing one account's password from many addresses, without letting strangers
//! lock its owner out. Strangers to an account share one counter; each device that has signed in before has its own.

use std::time::Duration;

use async_trait::async_trait;
use stratora_clock::Timestamp;
use stratora_port::StoreError;

use crate::{DeviceId, Username};

/// Failures that cost nothing: a person who tries every password they have stays below.
const FREE_FAILURES: u32 = 20;
/// Failures after which strangers are refused until a reset: the most that NIST SP 800-63B-4 §3.2.2 allows.
const MAX_FAILURES: u32 = 100;
/// The delay after the first failure that is not free.
const FIRST_DELAY: Duration = Duration::from_secs(1);
/// What the doubling delay ends at.
const LONGEST_DELAY: Duration = Duration::from_mins(15);

/// Whose failures are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BrakeSubject {
    /// The canonical name that was tried, whether or not such an account exists.
    pub username: Username,
    /// The device, when it has signed in to this account before.
    pub device: Option<DeviceId>,
}

impl BrakeSubject {
    /// The counters that a successful sign-in of this subject clears: the strangers' always, and its own.
    pub fn cleared_by_success(&self) -> impl Iterator<Item = Option<DeviceId>> {
        std::iter::once(None).chain(self.device.map(Some))
    }
}

/// A subject's consecutive failures. Every attempt counts as a failure from its start; only success takes it back, so
/// that attempts that run side by side are all counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BrakeState {
    /// How many.
    pub failures: u32,
    /// When the last one was.
    pub last_failure_at: Option<Timestamp>,
}

/// Whether an attempt may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It may, and has been counted.
    Admitted,
    /// It may not, and has not been counted. `None`: not until a reset.
    Throttled {
        /// How long to wait.
        retry_after: Option<Duration>,
    },
}

impl BrakeState {
    /// Decides about an attempt at `now`. Returns the state to store when the attempt may go on.
    ///
    /// # Errors
    /// [`Admission::Throttled`] when it may not.
    pub fn attempt(self, now: Timestamp) -> Result<Self, Admission> {
        if self.failures >= MAX_FAILURES {
            return Err(Admission::Throttled { retry_after: None });
        }
        if let Some(last) = self.last_failure_at {
            // A failure from the future is one of now: a clock that was set back locks nobody out for longer.
            let waited = now.since(last.min(now));
            let delay = self.delay();
            if waited < delay {
                return Err(Admission::Throttled { retry_after: Some(delay.saturating_sub(waited)) });
            }
        }
        Ok(Self { failures: self.failures.saturating_add(1), last_failure_at: Some(now) })
    }

    fn delay(self) -> Duration {
        match self.failures.checked_sub(FREE_FAILURES) {
            None | Some(0) => Duration::ZERO,
            Some(paid) => {
                let doublings = (paid - 1).min(20);
                FIRST_DELAY.saturating_mul(1 << doublings).min(LONGEST_DELAY)
            }
        }
    }
}

/// Where failures are counted.
#[async_trait]
pub trait BrakeStore: Send + Sync + 'static {
    /// Decides with [`BrakeState::attempt`] and stores what it returns, atomically.
    async fn attempt(&self, subject: &BrakeSubject, now: Timestamp) -> Result<Admission, StoreError>;

    /// Forgets all failures of that name.
    async fn clear(&self, username: &Username) -> Result<(), StoreError>;

    /// Forgets counters that are still within the free failures and were not touched since `before`. Returns how many.
    async fn purge(&self, before: Timestamp) -> Result<u64, StoreError>;
}

impl BrakeState {
    /// Counters at or above this are kept until they are cleared.
    pub const KEPT_FROM: u32 = FREE_FAILURES + 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(failures: u32, at: Timestamp) -> BrakeState {
        BrakeState { failures, last_failure_at: Some(at) }
    }

    fn wait(state: BrakeState, now: Timestamp) -> Option<Duration> {
        match state.attempt(now) {
            Err(Admission::Throttled { retry_after }) => retry_after,
            other => panic!("not throttled: {other:?}"),
        }
    }

    #[test]
    fn the_first_twenty_failures_are_free_and_the_twenty_first_is_not() {
        let now = Timestamp::UNIX_EPOCH;
        let mut state = BrakeState::default();
        for _ in 0..21 {
            state = state.attempt(now).unwrap();
        }
        assert_eq!(state.failures, 21);
        assert_eq!(wait(state, now), Some(Duration::from_secs(1)));
    }

    #[test]
    fn the_delay_doubles_up_to_a_quarter_of_an_hour() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(wait(failed(22, now), now), Some(Duration::from_secs(2)));
        assert_eq!(wait(failed(30, now), now), Some(Duration::from_secs(512)));
        assert_eq!(wait(failed(31, now), now), Some(Duration::from_mins(15)));
        assert_eq!(wait(failed(99, now), now), Some(Duration::from_mins(15)));
    }

    #[test]
    fn after_the_delay_one_attempt_goes_through() {
        let now = Timestamp::UNIX_EPOCH;
        let state = failed(25, now);
        let later = now.plus(wait(state, now).unwrap());
        let next = state.attempt(later).unwrap();
        assert_eq!(next, failed(26, later));
        assert!(next.attempt(later).is_err());
    }

    #[test]
    fn at_a_hundred_failures_no_wait_helps() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(failed(100, now).attempt(now.plus(Duration::MAX)), Err(Admission::Throttled { retry_after: None }));
    }

    #[test]
    fn a_failure_from_the_future_delays_no_longer_than_one_of_now() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(wait(failed(21, now.plus(Duration::from_hours(5))), now), Some(Duration::from_secs(1)));
    }
}
