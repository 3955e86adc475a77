//! What requests leave behind, written in batches: a write for each request would cost more than the request.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many keys are remembered until they are written; more are not until then. Bounds memory.
const CAPACITY: usize = 100_000;

/// How many are written in one go: what takes the store too long would never be written.
const WRITTEN_AT_ONCE: usize = 1_000;

/// What was noted of each key and is not written yet. It can be read until it is written, and a write that fails or is given
/// up forgets nothing. A value has to say all that there is to write of its key, since it may be written twice.
pub struct WriteBehind<K, V>(Mutex<Noted<K, V>>);

struct Noted<K, V> {
    /// A tree, because it gives back memory as it empties: a hash table of so many would stay as large as it ever was.
    values: BTreeMap<K, V>,
    /// The last key that was to be written. The next to be written come after it, so that a part which cannot be written does not
    /// keep all other parts waiting each time.
    reached: Option<K>,
}

impl<K: Ord + Copy, V: Clone + PartialEq> WriteBehind<K, V> {
    /// Notes what `news` says, which `merge` puts together with what is noted of the key already.
    pub fn note<N: Into<V>>(&self, key: K, news: N, merge: impl FnOnce(&mut V, N)) {
        let mut noted = self.lock();
        if let Some(earlier) = noted.values.get_mut(&key) {
            merge(earlier, news);
        } else if noted.values.len() < CAPACITY {
            noted.values.insert(key, news.into());
        }
    }

    /// Reads what is noted of the key.
    pub fn peek<R>(&self, key: &K, read: impl FnOnce(&V) -> R) -> Option<R> {
        self.lock().values.get(key).map(read)
    }

    /// Goes once through all that is noted, in parts, and on from where this last ended.
    pub fn parts(&self) -> Parts<'_, K, V> {
        let (range, rest) = match self.lock().reached {
            None => ((Bound::Unbounded, Bound::Unbounded), None),
            Some(last) => ((Bound::Excluded(last), Bound::Unbounded), Some((Bound::Unbounded, Bound::Included(last)))),
        };
        Parts { of: self, range, rest }
    }

    /// How many keys there is something to write of.
    pub fn len(&self) -> usize {
        self.lock().values.len()
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, Noted<K, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, V> Default for WriteBehind<K, V> {
    fn default() -> Self {
        Self(Mutex::new(Noted { values: BTreeMap::new(), reached: None }))
    }
}

impl<K, V> fmt::Debug for WriteBehind<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteBehind").finish_non_exhaustive()
    }
}

/// The parts of what is to be written, in the order of the keys. Each key is in one of them, however fast more is noted
/// meanwhile.
#[derive(Debug)]
pub struct Parts<'a, K, V> {
    of: &'a WriteBehind<K, V>,
    range: (Bound<K>, Bound<K>),
    rest: Option<(Bound<K>, Bound<K>)>,
}

impl<'a, K: Ord + Copy, V: Clone + PartialEq> Iterator for Parts<'a, K, V> {
    type Item = Part<'a, K, V>;

    fn next(&mut self) -> Option<Part<'a, K, V>> {
        loop {
            let mut noted = self.of.lock();
            let next = noted.values.range(self.range).take(WRITTEN_AT_ONCE);
            let entries: Vec<_> = next.map(|(key, value)| (*key, value.clone())).collect();
            if let Some((last, _)) = entries.last() {
                self.range.0 = Bound::Excluded(*last);
                noted.reached = Some(*last);
                return Some(Part { of: self.of, entries });
            }
            self.range = self.rest.take()?;
        }
    }
}

/// What is to be written in one go.
#[derive(Debug)]
pub struct Part<'a, K, V> {
    of: &'a WriteBehind<K, V>,
    entries: Vec<(K, V)>,
}

impl<K: Ord + Copy, V: Clone + PartialEq> Part<'_, K, V> {
    /// What was noted, by key.
    pub fn entries(&self) -> &[(K, V)] {
        &self.entries
    }

    /// To be called when it is written: forgets it, but for what was noted since.
    pub fn written(self) {
        let mut noted = self.of.lock();
        for (key, value) in &self.entries {
            if noted.values.get(key) == Some(value) {
                noted.values.remove(key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(keys: impl IntoIterator<Item = u32>) -> WriteBehind<u32, u32> {
        let pending = WriteBehind::default();
        keys.into_iter().for_each(|key| pending.note(key, 0_u32, |_, _| unreachable!()));
        pending
    }

    fn keys(part: &Part<'_, u32, u32>) -> (u32, u32) {
        (part.entries[0].0, part.entries.last().unwrap().0)
    }

    #[test]
    fn it_is_written_in_parts_and_can_be_read_until_then() {
        let pending = of(0..2_500);
        let mut parts = pending.parts();
        let part = parts.next().unwrap();
        assert_eq!(keys(&part), (0, 999));
        assert_eq!(pending.peek(&0, |value| *value), Some(0));
        part.written();
        assert_eq!((pending.peek(&0, |value| *value), pending.len()), (None, 1_500));
        parts.for_each(Part::written);
        assert!(pending.is_empty());
    }

    #[test]
    fn what_is_noted_while_the_same_is_written_is_kept_for_the_next_time() {
        let pending = of(0..2_000);
        let mut written = 0;
        for part in pending.parts() {
            for (key, _) in part.entries() {
                pending.note(*key, 1_u32, |earlier, news| *earlier = news.max(*earlier));
            }
            written += part.entries().len();
            part.written();
        }
        assert_eq!(written, 2_000, "each once");
        assert_eq!(pending.len(), 2_000);
        assert_eq!(pending.peek(&7, |value| *value), Some(1));
    }

    #[test]
    fn a_part_that_cannot_be_written_is_kept_and_the_next_time_begins_after_it() {
        let pending = of(0..3_000);
        let mut parts = pending.parts();
        parts.next().unwrap().written();
        assert_eq!(keys(&parts.next().unwrap()), (1_000, 1_999), "given up");
        // Seen again before the next time.
        pending.note(0, 1_u32, |_, _| unreachable!());
        let again: Vec<_> = pending.parts().map(|part| keys(&part)).collect();
        assert_eq!(again, [(2_000, 2_999), (0, 1_998), (1_999, 1_999)]);
        pending.parts().for_each(Part::written);
        assert!(pending.is_empty());
    }

    #[test]
    fn two_who_write_at_the_same_time_lose_nothing_that_is_noted_meanwhile() {
        let pending = of(0..10);
        let one = pending.parts().next().unwrap();
        let other = pending.parts().next().unwrap();
        one.written();
        assert!(pending.is_empty());
        pending.note(7, 1_u32, |_, _| unreachable!());
        other.written();
        assert_eq!(pending.peek(&7, |value| *value), Some(1));
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let pending = of(0..100_001);
        assert_eq!(pending.len(), CAPACITY);
        pending.note(7, 8_u32, |earlier, news| *earlier = news);
        assert_eq!(pending.peek(&7, |value| *value), Some(8));
    }
}
