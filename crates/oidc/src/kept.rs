//! What is kept of providers, so that a sign-in does not wait for what hardly ever changes. Each provider has a place of its
//! own: one that is slow holds up nobody else, and whoever finds something kept waits for nobody.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stratora_clock::Timestamp;
use stratora_federation::{FlowError, ProviderId};

use crate::jwks::KeySet;
use crate::metadata::Metadata;

/// How long something is used that cannot be read again: a provider that is away for a day is away.
const KEPT: Duration = Duration::from_hours(24);
/// For how long a failure stands for those that come after it: so that a provider that hangs costs one wait, and not one for
/// each person.
const FAILED: Duration = Duration::from_secs(5);
/// How often a key that nobody knows has the keys read again: whoever makes up tokens with such keys makes no load there.
pub(crate) const KEYS_EVERY: Duration = Duration::from_mins(5);
/// How many providers are remembered; there are not many more, ever.
const MAX_PROVIDERS: usize = 256;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Something that was read from a provider.
#[derive(Debug)]
pub(crate) struct Kept<T> {
    pub(crate) value: T,
    /// Where it was read, or whose it is: a provider that was set up anew has another.
    of: String,
    /// When.
    pub(crate) at: Timestamp,
}

/// A place for one thing that is read from one provider by one reader at a time.
#[derive(Debug)]
pub(crate) struct Slot<T> {
    kept: Mutex<Option<Arc<Kept<T>>>>,
    failed: Mutex<Option<(Timestamp, FlowError)>>,
    reading: tokio::sync::Mutex<()>,
    /// How often it was read to the end.
    reads: AtomicU64,
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self {
            kept: Mutex::default(),
            failed: Mutex::default(),
            reading: tokio::sync::Mutex::default(),
            reads: AtomicU64::new(0),
        }
    }
}

impl<T> Slot<T> {
    /// What is kept of that source and not too old.
    fn current(&self, of: &str, now: Timestamp) -> Option<Arc<Kept<T>>> {
        lock(&self.kept).clone().filter(|kept| kept.of == of && now.since(kept.at) < KEPT)
    }

    fn failure(&self, now: Timestamp) -> Option<FlowError> {
        let failed = lock(&self.failed).clone();
        failed.filter(|(at, _)| now.since(*at) < FAILED).map(|(_, error)| error)
    }

    /// Keeps something that was read.
    pub(crate) fn keep(&self, of: &str, now: Timestamp, value: T) -> Arc<Kept<T>> {
        let kept = Arc::new(Kept { value, of: of.to_owned(), at: now });
        *lock(&self.kept) = Some(Arc::clone(&kept));
        *lock(&self.failed) = None;
        kept
    }

    /// What is kept, or else what is read now.
    pub(crate) async fn load(
        &self,
        of: &str,
        now: Timestamp,
        read: impl Future<Output = Result<T, FlowError>>,
    ) -> Result<Arc<Kept<T>>, FlowError> {
        if let Some(kept) = self.current(of, now) {
            return Ok(kept);
        }
        match self.failure(now) {
            Some(error) => Err(error),
            None => self.renew(of, now, read).await,
        }
    }

    /// What is kept once nobody is reading.
    pub(crate) async fn settled(&self, of: &str, now: Timestamp) -> Option<Arc<Kept<T>>> {
        let _reading = self.reading.lock().await;
        self.current(of, now)
    }

    /// What is read now, or what somebody else is reading at this moment. Something older stays when that fails.
    pub(crate) async fn renew(
        &self,
        of: &str,
        now: Timestamp,
        read: impl Future<Output = Result<T, FlowError>>,
    ) -> Result<Arc<Kept<T>>, FlowError> {
        let before = self.reads.load(Ordering::SeqCst);
        let _reading = self.reading.lock().await;
        if self.reads.load(Ordering::SeqCst) != before {
            if let Some((_, error)) = lock(&self.failed).clone() {
                return Err(error);
            }
            if let Some(kept) = self.current(of, now) {
                return Ok(kept);
            }
        }
        let found = read.await;
        self.reads.fetch_add(1, Ordering::SeqCst);
        match found {
            Ok(value) => Ok(self.keep(of, now, value)),
            Err(error) => {
                *lock(&self.failed) = Some((now, error.clone()));
                Err(error)
            }
        }
    }
}

/// What is kept of one provider.
#[derive(Debug, Default)]
pub(crate) struct Place {
    pub(crate) metadata: Slot<Metadata>,
    pub(crate) keys: Slot<KeySet>,
    keys_renewed: Mutex<Option<Timestamp>>,
}

impl Place {
    /// Whether the keys may be read again because a token names one that is not among them. Counts as done.
    pub(crate) fn may_renew_keys(&self, now: Timestamp) -> bool {
        let mut renewed = lock(&self.keys_renewed);
        let may = renewed.is_none_or(|at| now.since(at) >= KEYS_EVERY);
        if may {
            *renewed = Some(now);
        }
        may
    }
}

/// What is kept of all providers.
#[derive(Debug, Default)]
pub(crate) struct Places(Mutex<HashMap<ProviderId, Arc<Place>>>);

impl Places {
    /// The place of a provider. The lock is held for this long only, never while anything is read.
    pub(crate) fn of(&self, provider: ProviderId) -> Arc<Place> {
        let mut places = lock(&self.0);
        if places.len() >= MAX_PROVIDERS && !places.contains_key(&provider) {
            // Whatever it held is read again.
            places.clear();
        }
        Arc::clone(places.entry(provider).or_default())
    }

    pub(crate) fn forget(&self, provider: ProviderId) {
        lock(&self.0).remove(&provider);
    }

    /// Forgets all others.
    pub(crate) fn retain(&self, is_kept: impl Fn(ProviderId) -> bool) {
        lock(&self.0).retain(|provider, _| is_kept(*provider));
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Ready, ready};
    use std::sync::atomic::AtomicUsize;

    use newtype_uuid::{GenericUuid as _, TypedUuid};
    use stratora_clock::{Clock as _, ManualClock};
    use uuid::Uuid;

    use super::*;
    use crate::flaw::unavailable;

    fn found(value: u8) -> Ready<Result<u8, FlowError>> {
        ready(Ok(value))
    }

    fn failed() -> Ready<Result<u8, FlowError>> {
        ready(Err(unavailable("metadata", "away")))
    }

    fn provider(number: u128) -> ProviderId {
        TypedUuid::from_untyped_uuid(Uuid::from_u128(number))
    }

    #[tokio::test]
    async fn something_old_is_used_for_a_day_while_the_provider_is_away() {
        let (slot, clock) = (Slot::default(), ManualClock::default());
        slot.load("a", clock.now(), found(1)).await.unwrap();
        clock.advance(KEPT.saturating_sub(Duration::from_secs(1)));
        assert!(slot.renew("a", clock.now(), failed()).await.is_err());
        assert_eq!(slot.load("a", clock.now(), failed()).await.unwrap().value, 1);
        clock.advance(Duration::from_secs(1));
        assert!(slot.load("a", clock.now(), failed()).await.is_err());
    }

    #[tokio::test]
    async fn what_was_read_elsewhere_is_not_used() {
        let (slot, now) = (Slot::default(), ManualClock::default().now());
        slot.load("a", now, found(1)).await.unwrap();
        assert_eq!(slot.load("b", now, found(2)).await.unwrap().value, 2);
    }

    #[tokio::test]
    async fn a_failure_stands_for_seconds_and_a_success_ends_it() {
        let (slot, clock) = (Slot::default(), ManualClock::default());
        assert!(slot.load("a", clock.now(), failed()).await.is_err());
        clock.advance(FAILED.saturating_sub(Duration::from_secs(1)));
        assert!(slot.load("a", clock.now(), found(1)).await.is_err(), "it is not asked again at once");
        clock.advance(Duration::from_secs(1));
        assert_eq!(slot.load("a", clock.now(), found(1)).await.unwrap().value, 1);
        clock.advance(KEPT);
        assert_eq!(slot.load("a", clock.now(), found(2)).await.unwrap().value, 2);
    }

    #[tokio::test]
    async fn many_who_wait_are_served_by_one_reader() {
        let (slot, now, reads) = (Slot::default(), ManualClock::default().now(), AtomicUsize::new(0));
        let read = async || {
            tokio::task::yield_now().await;
            reads.fetch_add(1, Ordering::SeqCst);
            Ok(7)
        };
        let all = futures_util::future::join_all((0..50).map(|_| slot.load("a", now, read()))).await;
        assert!(all.into_iter().all(|found| found.unwrap().value == 7));
        assert_eq!(reads.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn many_who_wait_for_a_failure_wait_once() {
        let (slot, now, reads) = (Slot::default(), ManualClock::default().now(), AtomicUsize::new(0));
        let read = async || {
            tokio::task::yield_now().await;
            reads.fetch_add(1, Ordering::SeqCst);
            failed().await
        };
        let all = futures_util::future::join_all((0..50).map(|_| slot.load("a", now, read()))).await;
        assert!(all.into_iter().all(|found| found.is_err()));
        assert_eq!(reads.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn keys_are_read_again_for_an_unknown_one_every_five_minutes_at_most() {
        let (place, clock) = (Place::default(), ManualClock::default());
        assert!(place.may_renew_keys(clock.now()));
        clock.advance(KEYS_EVERY.saturating_sub(Duration::from_secs(1)));
        assert!(!place.may_renew_keys(clock.now()));
        clock.advance(Duration::from_secs(1));
        assert!(place.may_renew_keys(clock.now()));
        assert!(!place.may_renew_keys(clock.now()));
    }

    #[test]
    fn places_are_bounded_and_forgotten() {
        let places = Places::default();
        let one = places.of(provider(0));
        assert!(Arc::ptr_eq(&one, &places.of(provider(0))));
        places.forget(provider(0));
        assert!(!Arc::ptr_eq(&one, &places.of(provider(0))));
        for number in 0..10 * MAX_PROVIDERS as u128 {
            places.of(provider(number));
            assert!(places.0.lock().unwrap().len() <= MAX_PROVIDERS);
        }
        let last = provider(10 * MAX_PROVIDERS as u128 - 1);
        places.retain(|provider| provider == last);
        assert_eq!(places.0.lock().unwrap().len(), 1);
    }
}
