//! Randomness as a dependency, so that a test can make it fail and so that nothing else reaches for a weaker generator.

use std::cell::RefCell;
use std::sync::Arc;

use uuid::{Builder, Uuid};

/// The generator gave no randomness. Whoever needed it must refuse the operation; there is no default value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no randomness")]
pub struct EntropyError;

/// A source of unpredictable bytes.
pub trait Entropy: Send + Sync + 'static {
    /// Fills `buffer` whole, or fails.
    ///
    /// # Errors
    /// [`EntropyError`] when the source has nothing to give.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError>;
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    #[expect(clippy::disallowed_methods, reason = "this is where randomness is read")]
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        getrandom::fill(buffer).map_err(|_| EntropyError)
    }
}

/// A version 4 UUID (RFC 9562), for identifiers. Never a credential: 122 bits, and not handled as a secret.
///
/// # Errors
/// [`EntropyError`] when the source has nothing to give.
pub fn random_uuid(entropy: &dyn Entropy) -> Result<Uuid, EntropyError> {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes)?;
    Ok(Builder::from_random_bytes(bytes).into_uuid())
}

/// [Random UUIDs](random_uuid) made many at a time, for identifiers that every request needs. One thread's own, which spares
/// each of them a lock. Nothing that is a secret may lie in memory like this before it is needed.
pub struct BulkUuids {
    entropy: Arc<dyn Entropy>,
    made: RefCell<Vec<Uuid>>,
}

impl BulkUuids {
    const AT_A_TIME: usize = 64;

    /// Makes them of what `entropy` gives, from the first call on.
    pub fn of(entropy: Arc<dyn Entropy>) -> Self {
        Self { entropy, made: RefCell::default() }
    }

    /// One that was given to nobody yet. Those that are made are given out even if the source has failed since.
    ///
    /// # Errors
    /// [`EntropyError`] when there is none left and the source has nothing to give.
    pub fn take(&self) -> Result<Uuid, EntropyError> {
        let mut made = self.made.borrow_mut();
        if made.is_empty() {
            let mut bytes = [[0; 16]; Self::AT_A_TIME];
            self.entropy.fill(bytes.as_flattened_mut())?;
            made.extend(bytes.map(|bytes| Builder::from_random_bytes(bytes).into_uuid()));
        }
        made.pop().ok_or(EntropyError)
    }
}

/// Sources for tests.
#[cfg(feature = "testing")]
pub mod testing {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::{Entropy, EntropyError, OsEntropy};

    /// The operating system's generator with a switch that makes it fail.
    #[derive(Debug, Default)]
    pub struct BreakableEntropy(AtomicBool);

    impl BreakableEntropy {
        /// From now on every call fails, until [`Self::mend`].
        pub fn break_down(&self) {
            self.0.store(true, Ordering::SeqCst);
        }

        /// From now on calls succeed again.
        pub fn mend(&self) {
            self.0.store(false, Ordering::SeqCst);
        }
    }

    impl Entropy for BreakableEntropy {
        fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
            if self.0.load(Ordering::SeqCst) { Err(EntropyError) } else { OsEntropy.fill(buffer) }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Mutex;

    use super::*;

    /// Counts up, so that no byte string comes twice.
    struct Counting(Mutex<u32>);

    impl Entropy for Counting {
        fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
            let mut next = self.0.lock().unwrap();
            for chunk in buffer.chunks_mut(4) {
                chunk.copy_from_slice(&next.to_be_bytes()[..chunk.len()]);
                *next += 1;
            }
            if *next > 10_000 { Err(EntropyError) } else { Ok(()) }
        }
    }

    #[test]
    fn what_is_made_in_bulk_is_given_out_once() {
        let uuids = BulkUuids::of(Arc::new(Counting(Mutex::default())));
        let mut seen = HashSet::new();
        for _ in 0..300 {
            let uuid = uuids.take().unwrap();
            assert_eq!(uuid.get_version_num(), 4);
            assert!(seen.insert(uuid));
        }
    }

    #[test]
    fn when_the_source_fails_nothing_is_given_out() {
        let uuids = BulkUuids::of(Arc::new(Counting(Mutex::new(9_999))));
        for _ in 0..3 {
            assert_eq!(uuids.take(), Err(EntropyError));
        }
    }
}
