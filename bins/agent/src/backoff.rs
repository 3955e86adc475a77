//! How long to wait after failures: exponentially longer, with full jitter, so that a fleet does not come back at once.

use std::time::Duration;

use crate::random;

/// Waits grow up to this. Five minutes: a server that is back sees the last agent soon enough, and hardly notices
/// them before.
const LONGEST: Duration = Duration::from_mins(5);

/// Counts failures in a row.
#[derive(Debug)]
pub struct Backoff {
    first: Duration,
    failures: u32,
}

impl Backoff {
    /// The first wait is at most `first`.
    pub const fn new(first: Duration) -> Self {
        Self { first, failures: 0 }
    }

    /// It went well: the next failure is the first.
    pub const fn reset(&mut self) {
        self.failures = 0;
    }

    /// How long to wait after one more failure. What the server asked for is waited in full, and jitter comes on top.
    pub fn after_failure(&mut self, retry_after: Option<Duration>) -> Duration {
        let most = self.most();
        self.failures = self.failures.saturating_add(1);
        retry_after.unwrap_or_default().saturating_add(random::up_to(most))
    }

    fn most(&self) -> Duration {
        self.first.saturating_mul(2_u32.saturating_pow(self.failures)).min(LONGEST.max(self.first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_wait_doubles_up_to_five_minutes() {
        let mut backoff = Backoff::new(Duration::from_secs(10));
        let mut most = Vec::new();
        for _ in 0..7 {
            most.push(backoff.most().as_secs());
            backoff.after_failure(None);
        }
        assert_eq!(most, [10, 20, 40, 80, 160, 300, 300]);
    }

    #[test]
    fn it_never_overflows() {
        let mut backoff = Backoff { first: Duration::from_hours(1), failures: u32::MAX };
        assert!(backoff.after_failure(Some(Duration::MAX)) == Duration::MAX);
    }

    #[test]
    fn success_starts_anew() {
        let mut backoff = Backoff::new(Duration::from_secs(1));
        backoff.after_failure(None);
        backoff.reset();
        assert_eq!(backoff.most(), Duration::from_secs(1));
    }

    #[test]
    fn what_the_server_asked_for_is_the_least() {
        let mut backoff = Backoff::new(Duration::from_secs(1));
        let wait = backoff.after_failure(Some(Duration::from_secs(30)));
        assert!(wait >= Duration::from_secs(30) && wait <= Duration::from_secs(31));
    }
}
