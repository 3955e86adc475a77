//! How long a replica may trust what it remembers without asking again.

use std::time::Duration;

/// How long a replica trusts what it was told, from the moment at which it asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lease(Duration);

/// The lease is impossible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a lease lasts 200 ms to 30 s")]
pub struct RefusedLease;

impl Lease {
    /// The longest that there is.
    pub const LONGEST: Self = Self(Duration::from_secs(30));

    /// A lease of that length.
    ///
    /// # Errors
    /// [`RefusedLease`] for less than renewals over a network take, and for more than a revocation should ever wait.
    pub fn lasting(span: Duration) -> Result<Self, RefusedLease> {
        let allowed = Duration::from_millis(200)..=Self::LONGEST.0;
        if allowed.contains(&span) { Ok(Self(span)) } else { Err(RefusedLease) }
    }

    /// How long it is.
    pub const fn span(self) -> Duration {
        self.0
    }

    /// How often it is renewed: three renewals may fail before it runs out.
    pub fn renewed_every(self) -> Duration {
        self.0 / 4
    }

    /// When a lease ends that was asked for at `asked`. Not when it was granted: the answer may have been on its way for
    /// long, or the process stopped.
    pub fn ends(self, asked: Duration) -> Duration {
        asked + self.0
    }

    /// When every lease has surely ended that was asked for before `moment`, on whatever machine: clocks of two machines
    /// differ by far less than a hundredth.
    pub fn surely_over(self, moment: Duration) -> Duration {
        moment + self.longest_wait()
    }

    /// How long a change waits at the most.
    pub fn longest_wait(self) -> Duration {
        self.0 + self.0 / 100 + Duration::from_millis(10)
    }
}

impl Default for Lease {
    fn default() -> Self {
        Self(Duration::from_secs(2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_ends_before_anybody_takes_it_for_over() {
        let asked = Duration::from_secs(7);
        for lease in [Lease::default(), Lease::lasting(Duration::from_millis(200)).unwrap()] {
            assert!(lease.ends(asked) < lease.surely_over(asked));
            assert!(asked + lease.renewed_every() * 4 <= lease.ends(asked));
        }
    }

    #[test]
    fn a_lease_that_cannot_work_is_refused() {
        for span in [Duration::ZERO, Duration::from_millis(199), Duration::from_secs(31), Duration::MAX] {
            assert_eq!(Lease::lasting(span), Err(RefusedLease));
        }
    }
}
