//! A bounded memory of what was read about credentials.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use metrics::{Counter, counter};
use quick_cache::sync::Cache;

use crate::coherence::Slot;
use crate::{AsOf, Coherence, Subject};

/// For how many entries there are places from the start, at the most. They take little memory until they are used; were there
/// fewer, all entries would be moved whenever there are too few, while requests wait.
const RESERVED: usize = 1 << 20;

/// What was read about credentials. Bounded: what was not asked for lately makes room. Clone what is kept cheaply, as in an
/// [`Arc`].
pub struct CredentialCache<K, V> {
    entries: Cache<K, Entry<V>>,
    coherence: Arc<Coherence>,
    hits: Counter,
    misses: Counter,
}

#[derive(Clone)]
struct Entry<V> {
    as_of: AsOf,
    slot: Slot,
    value: V,
}

impl<K: Eq + Hash, V: Clone> CredentialCache<K, V> {
    /// An empty cache of at most `capacity` entries, called `name` in the metrics.
    pub fn new(name: &'static str, capacity: usize, coherence: Arc<Coherence>) -> Self {
        let entries = Cache::new(capacity);
        entries.reserve(capacity.min(RESERVED));
        Self {
            entries,
            coherence,
            hits: counter!("cache_hits_total", "cache" => name),
            misses: counter!("cache_misses_total", "cache" => name),
        }
    }

    /// What is remembered of `key`, if it can be trusted at this moment.
    pub fn find(&self, key: &K) -> Option<V> {
        // Asked first. The other way round, what was looked up before this server registered could be used under the lease
        // that it got for registering.
        let known = if self.coherence.is_trusted() { self.entries.get(key) } else { None };
        let current = known.filter(|entry| self.coherence.is_unchanged_at(entry.slot, entry.as_of));
        if current.is_some() { &self.hits } else { &self.misses }.increment(1);
        current.map(|entry| entry.value)
    }

    /// To be called before a read whose result is to be remembered.
    pub fn as_of_now(&self) -> AsOf {
        self.coherence.as_of_now()
    }

    /// Remembers what was read of `key` after `as_of`.
    pub fn remember(&self, key: K, subject: Subject, as_of: AsOf, value: V) {
        self.entries.insert(key, Entry { as_of, slot: subject.slot(), value });
    }
}

impl<K, V> fmt::Debug for CredentialCache<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialCache").field("coherence", &self.coherence).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use stratora_clock::ManualClock;
    use uuid::Uuid;

    use super::*;

    const SUBJECT: Subject = Subject::Component(Uuid::from_u128(7));

    fn cache() -> (Arc<ManualClock>, Arc<Coherence>, CredentialCache<u32, u32>) {
        let stopwatch = Arc::new(ManualClock::default());
        let coherence = Arc::new(Coherence::new(stopwatch.clone()));
        (stopwatch, Arc::clone(&coherence), CredentialCache::new("test", 100, coherence))
    }

    #[test]
    fn what_was_read_is_found_while_it_can_be_trusted() {
        let (stopwatch, coherence, cache) = cache();
        cache.remember(1, SUBJECT, cache.as_of_now(), 10);
        assert_eq!(cache.find(&1), None, "nobody vouches for it");
        coherence.trust_until(coherence.elapsed() + Duration::from_secs(2));
        assert_eq!((cache.find(&1), cache.find(&2)), (Some(10), None));
        stopwatch.advance(Duration::from_secs(2));
        assert_eq!(cache.find(&1), None, "the lease has run out");
        coherence.trust_until(coherence.elapsed() + Duration::from_secs(2));
        assert_eq!(cache.find(&1), Some(10), "nothing changed meanwhile");
    }

    #[test]
    fn what_was_on_its_way_while_it_changed_is_never_found() {
        let (_, coherence, cache) = cache();
        coherence.trust_always();
        let before = cache.as_of_now();
        coherence.changed(SUBJECT);
        cache.remember(1, SUBJECT, before, 10);
        assert_eq!(cache.find(&1), None);
        cache.remember(1, SUBJECT, cache.as_of_now(), 20);
        assert_eq!(cache.find(&1), Some(20));
        coherence.all_changed();
        assert_eq!(cache.find(&1), None);
    }

    #[test]
    fn room_for_more_than_there_can_be_is_not_kept_from_the_start() {
        let cache: CredentialCache<u32, u32> = CredentialCache::new("test", usize::MAX, cache().1);
        assert!(cache.entries.is_empty());
    }

    #[test]
    fn a_flood_of_credentials_is_held_in_bounds() {
        let (_, coherence, cache) = cache();
        coherence.trust_always();
        for key in 0..10_000 {
            cache.remember(key, SUBJECT, cache.as_of_now(), key);
        }
        assert!(cache.entries.len() <= 100);
    }
}
