//! A bounded memory of what was read about credentials.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use metrics::{Counter, counter};
use quick_cache::sync::Cache;

use crate::{AsOf, Coherence, Subject};

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
    subject: Subject,
    value: V,
}

/// What is remembered, or leave to remember what is read now.
pub enum Lookup<V> {
    /// As it is at this moment.
    Hit(V),
    /// Nothing that could be trusted; what is read from here on is as of this moment.
    Miss(AsOf),
}

impl<K: Eq + Hash, V: Clone> CredentialCache<K, V> {
    /// An empty cache of at most `capacity` entries, called `name` in the metrics.
    pub fn new(name: &'static str, capacity: usize, coherence: Arc<Coherence>) -> Self {
        Self {
            entries: Cache::new(capacity),
            coherence,
            hits: counter!("cache_hits_total", "cache" => name),
            misses: counter!("cache_misses_total", "cache" => name),
        }
    }

    /// What is remembered of `key`, if that can be trusted.
    pub fn look_up(&self, key: &K) -> Lookup<V> {
        let known = self.entries.get(key).filter(|entry| self.coherence.is_unchanged(entry.subject, entry.as_of));
        // Asked last: a process that is stopped before this line and goes on later finds its lease run out.
        if let Some(entry) = known.filter(|_| self.coherence.is_trusted()) {
            self.hits.increment(1);
            Lookup::Hit(entry.value)
        } else {
            self.misses.increment(1);
            Lookup::Miss(self.coherence.as_of_now())
        }
    }

    /// Remembers what was read of `key` after `as_of`.
    pub fn remember(&self, key: K, subject: Subject, as_of: AsOf, value: V) {
        self.entries.insert(key, Entry { as_of, subject, value });
    }
}

impl<K, V> fmt::Debug for CredentialCache<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialCache").field("coherence", &self.coherence).finish_non_exhaustive()
    }
}
