//! Credentials that nobody holds, so that who repeats one does not cost a read each time.

use std::fmt;
use std::hash::Hash;
use std::time::Duration;

use quick_cache::sync::Cache;
use stratora_clock::Timestamp;

/// How many are remembered.
const CAPACITY: usize = 16_384;
/// For how long. No credential comes into being after somebody guessed it, but a database may be restored from a backup.
const KEPT: Duration = Duration::from_secs(10);

/// A short and bounded memory of credentials that the store did not know. It needs no proof that nothing changed: a new
/// credential is random, so it is none of those that were asked for before.
pub struct UnknownCredentials<K>(Cache<K, Timestamp>);

impl<K: Eq + Hash> UnknownCredentials<K> {
    /// Whether the store did not know `key` a moment ago.
    pub fn contains(&self, key: &K, now: Timestamp) -> bool {
        self.0.get(key).is_some_and(|asked| now.since(asked) < KEPT)
    }

    /// The store did not know `key` at `now`.
    pub fn remember(&self, key: K, now: Timestamp) {
        self.0.insert(key, now);
    }
}

impl<K: Eq + Hash> Default for UnknownCredentials<K> {
    fn default() -> Self {
        Self(Cache::new(CAPACITY))
    }
}

impl<K> fmt::Debug for UnknownCredentials<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnknownCredentials").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_known_is_asked_for_again_after_a_while() {
        let unknown = UnknownCredentials::default();
        let now = Timestamp::UNIX_EPOCH;
        unknown.remember(7, now);
        assert!(unknown.contains(&7, now) && !unknown.contains(&8, now));
        assert!(unknown.contains(&7, now.plus(Duration::from_micros(9_999_999))));
        assert!(!unknown.contains(&7, now.plus(KEPT)));
    }

    #[test]
    fn a_flood_of_them_is_held_in_bounds() {
        let unknown = UnknownCredentials::default();
        for number in 0..100_000 {
            unknown.remember(number, Timestamp::UNIX_EPOCH);
        }
        assert!(unknown.0.len() <= CAPACITY);
    }
}
