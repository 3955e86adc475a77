//! Rate limits as sliding windows: in no span of a window's length are more requests admitted than its quota. The log of
//! admitted requests is kept in the shared store, so that workers, replicas and restarts all count the same.

use std::collections::hash_map::RandomState;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use moka::sync::Cache;
use stratora_clock::{Clock, Timestamp};
use stratora_port::StoreError;

use crate::ClientKey;

/// Whose requests a quota counts together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Per {
    /// Those of one client address, before anything else is known about them.
    Address,
    /// Those of one component that has proved itself, from wherever it asks.
    Component,
}

/// So many requests in any span of that length, for one client.
#[derive(Debug, PartialEq, Eq)]
pub struct Quota {
    /// The name in the `RateLimit` fields and in the store.
    pub name: &'static str,
    /// For whom.
    pub per: Per,
    /// How many requests.
    pub requests: u32,
    /// In how long a span.
    pub window: Duration,
}

/// The quotas of the product.
pub mod quotas {
    use std::time::Duration;

    use super::{Per, Quota};

    const MINUTE: Duration = Duration::from_mins(1);

    /// Sign-ins with a password.
    pub static LOGIN: Quota = Quota { name: "login", per: Per::Address, requests: 5, window: Duration::from_mins(5) };
    /// Password changes.
    pub static CHANGE_PASSWORD: Quota =
        Quota { name: "change-password", per: Per::Address, requests: 10, window: MINUTE };
    /// Starts of a sign-in through an identity provider.
    pub static OIDC_AUTHORIZE: Quota =
        Quota { name: "oidc-authorize", per: Per::Address, requests: 10, window: MINUTE };
    /// Returns from an identity provider.
    pub static OIDC_CALLBACK: Quota = Quota { name: "oidc-callback", per: Per::Address, requests: 10, window: MINUTE };
    /// Starts of a sign-in from a provider's application tile.
    pub static SSO: Quota = Quota { name: "sso", per: Per::Address, requests: 10, window: MINUTE };
    /// Registrations of components.
    pub static REGISTER: Quota = Quota { name: "register", per: Per::Address, requests: 10, window: MINUTE };
    /// Reports of leaked keys.
    pub static REPORT_LEAK: Quota = Quota { name: "report-leak", per: Per::Address, requests: 10, window: MINUTE };
    /// Tests of the directory, which tell whether somebody has a certain password there.
    pub static DIRECTORY_TEST: Quota =
        Quota { name: "directory-test", per: Per::Address, requests: 10, window: MINUTE };
    /// Requests with a component key that does not exist.
    pub static UNKNOWN_KEY: Quota = Quota { name: "unknown-key", per: Per::Address, requests: 30, window: MINUTE };

    /// New keys that a component asks for itself. Each costs a slow hash, in the pool that sign-ins need too, and a row that
    /// stays. A component that is killed again and again needs a few in a row, and no more than one a month otherwise.
    pub static OWN_ROTATION: Quota = Quota { name: "own-rotation", per: Per::Component, requests: 10, window: MINUTE };

    /// Every quota.
    pub static ALL: [&Quota; 10] = [
        &LOGIN,
        &CHANGE_PASSWORD,
        &OIDC_AUTHORIZE,
        &OIDC_CALLBACK,
        &SSO,
        &REGISTER,
        &REPORT_LEAK,
        &DIRECTORY_TEST,
        &UNKNOWN_KEY,
        &OWN_ROTATION,
    ];
}

/// What is counted together: one client's use of one quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// Against which quota.
    pub quota: &'static Quota,
    /// Whose requests.
    pub client: ClientKey,
}

/// What the limiter says about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It may go on, and was counted.
    Admitted {
        /// How many more would be admitted now.
        remaining: u32,
        /// When the next one leaves the window.
        resets_in: Duration,
    },
    /// It may not, and was not counted.
    Refused {
        /// After this time the next one is admitted, if no other comes in between.
        retry_after: Duration,
    },
}

/// The times of the requests that were admitted, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Window(Vec<Timestamp>);

impl Window {
    /// A window that was stored earlier.
    pub fn from_times(mut times: Vec<Timestamp>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    /// The times to store.
    pub fn times(&self) -> &[Timestamp] {
        &self.0
    }

    /// Decides about a request at `now`. What has left the window is dropped; a time in the future (the clock was set
    /// back over a restart) becomes `now`, so that it blocks for one window and not for longer. The window is to be
    /// stored only when it has changed: for an admitted request, or for a refused one after such a correction.
    pub fn decide(&mut self, quota: &Quota, now: Timestamp) -> Decision {
        self.0.retain_mut(|time| {
            *time = (*time).min(now);
            now.since(*time) < quota.window
        });
        let limit = quota.requests as usize;
        let leaves = |time: &Timestamp| quota.window.saturating_sub(now.since(*time));
        // The request that has to leave before another may come in. More than the quota are kept only when it was lowered.
        if let Some(blocking) = self.0.len().checked_sub(limit).and_then(|index| self.0.get(index)) {
            return Decision::Refused { retry_after: leaves(blocking) };
        }
        self.0.push(now);
        let used = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        Decision::Admitted {
            remaining: quota.requests.saturating_sub(used),
            resets_in: self.0.first().map_or(quota.window, leaves),
        }
    }
}

/// Where windows are kept.
#[async_trait]
pub trait LimitStore: Send + Sync + 'static {
    /// Decides with [`Window::decide`] and stores the changed window, atomically. A refusal writes nothing, unless a time
    /// in the future had to be corrected.
    async fn admit(&self, bucket: &Bucket, now: Timestamp) -> Result<Decision, StoreError>;

    /// Forgets windows in which nothing was admitted since `before`. Returns how many.
    async fn purge(&self, before: Timestamp) -> Result<u64, StoreError>;
}

/// How many blocked clients are remembered without asking the store; the store stays the judge of the others.
const REMEMBERED_REFUSALS: u64 = 100_000;

/// The limiter: the store, and a bounded memory of who is blocked until when. The memory only ever refuses, and only what
/// the store has refused until that very time; what is forgotten is asked for again.
pub struct RateLimiter {
    store: Arc<dyn LimitStore>,
    clock: Arc<dyn Clock>,
    refused_until: Cache<(&'static str, ClientKey), Timestamp, RandomState>,
}

impl RateLimiter {
    /// A limiter over `store`.
    pub fn new(store: Arc<dyn LimitStore>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, refused_until: Cache::new(REMEMBERED_REFUSALS) }
    }

    /// Counts a request, or refuses it.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot answer: whoever asked must then refuse.
    pub async fn admit(&self, quota: &'static Quota, client: ClientKey) -> Result<Decision, StoreError> {
        let now = self.clock.now();
        let key = (quota.name, client);
        if let Some(until) = self.refused_until.get(&key) {
            if now < until {
                return Ok(Decision::Refused { retry_after: until.since(now) });
            }
            self.refused_until.invalidate(&key);
        }
        let decision = self.store.admit(&Bucket { quota, client }, now).await?;
        if let Decision::Refused { retry_after } = decision {
            self.refused_until.insert(key, now.plus(retry_after));
        }
        Ok(decision)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn the_sixth_sign_in_waits_until_the_first_leaves_the_window() {
        let mut window = Window::default();
        for second in 0..5 {
            let decision = window.decide(&quotas::LOGIN, START.plus(Duration::from_secs(second)));
            assert!(matches!(decision, Decision::Admitted { remaining, .. } if u64::from(remaining) == 4 - second));
        }
        let now = START.plus(Duration::from_secs(10));
        let Decision::Refused { retry_after } = window.decide(&quotas::LOGIN, now) else { panic!("admitted") };
        assert_eq!(retry_after, Duration::from_secs(290));
        let early = now.plus(retry_after).minus(Duration::from_micros(1));
        assert!(matches!(window.decide(&quotas::LOGIN, early), Decision::Refused { .. }));
        assert!(matches!(
            window.decide(&quotas::LOGIN, now.plus(retry_after)),
            Decision::Admitted { remaining: 0, .. }
        ));
    }

    #[test]
    fn a_clock_that_was_set_back_blocks_for_one_window_at_the_most() {
        let future = START.plus(Duration::from_hours(1));
        let mut window = Window::from_times(vec![future; 5]);
        let Decision::Refused { retry_after } = window.decide(&quotas::LOGIN, START) else { panic!("admitted") };
        assert_eq!(retry_after, quotas::LOGIN.window);
        assert!(matches!(window.decide(&quotas::LOGIN, START.plus(retry_after)), Decision::Admitted { .. }));
    }

    proptest! {
        #[test]
        fn no_span_of_the_window_admits_more_than_the_quota(gaps in prop::collection::vec(0u64..120, 1..200)) {
            let mut window = Window::default();
            let mut now = START;
            let mut admitted = Vec::new();
            for gap in gaps {
                now = now.plus(Duration::from_secs(gap));
                if matches!(window.decide(&quotas::LOGIN, now), Decision::Admitted { .. }) {
                    admitted.push(now);
                }
            }
            for (index, first) in admitted.iter().enumerate() {
                let within = admitted[index..].iter().filter(|at| at.since(*first) < quotas::LOGIN.window).count();
                prop_assert!(within <= 5, "{within} admitted within one window");
            }
        }

        #[test]
        fn the_time_to_wait_is_true(gaps in prop::collection::vec(0u64..100, 6..60)) {
            let mut window = Window::default();
            let mut now = START;
            for gap in gaps {
                now = now.plus(Duration::from_secs(gap));
                if let Decision::Refused { retry_after } = window.decide(&quotas::LOGIN, now) {
                    let mut then = window.clone();
                    let admitted = then.decide(&quotas::LOGIN, now.plus(retry_after));
                    let is_admitted = matches!(admitted, Decision::Admitted { .. });
                    prop_assert!(is_admitted);
                }
            }
        }
    }
}
