//! Randomness as a dependency, so that a test can make it fail and so that nothing else reaches for a weaker generator.

use std::sync::{Arc, Mutex, PoisonError};

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

/// Another source's bytes, fetched many at a time: for identifiers that every request needs. Never for secrets, which are not
/// to lie in memory before they are made.
pub struct BulkEntropy {
    source: Arc<dyn Entropy>,
    fetched: Mutex<Fetched>,
}

struct Fetched {
    bytes: [u8; 1024],
    used: usize,
}

impl BulkEntropy {
    /// Fetches from `source`, from the first call on.
    pub fn of(source: Arc<dyn Entropy>) -> Self {
        Self { source, fetched: Mutex::new(Fetched { bytes: [0; 1024], used: 1024 }) }
    }
}

impl Entropy for BulkEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        let mut fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        let Fetched { bytes, used } = &mut *fetched;
        if buffer.len() > bytes.len().saturating_sub(*used) {
            // Whatever comes of it, what is left is given to nobody.
            *used = bytes.len();
            self.source.fill(bytes)?;
            *used = 0;
        }
        match bytes.get(*used..).and_then(|rest| rest.get(..buffer.len())) {
            Some(given) => buffer.copy_from_slice(given),
            None => return self.source.fill(buffer),
        }
        *used += buffer.len();
        Ok(())
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
    fn what_is_fetched_in_bulk_is_given_out_once() {
        let bulk = BulkEntropy::of(Arc::new(Counting(Mutex::default())));
        let mut seen = HashSet::new();
        for length in (1..=40).cycle().take(300) {
            let mut bytes = vec![0; length * 4];
            bulk.fill(&mut bytes).unwrap();
            for word in bytes.chunks(4) {
                assert!(seen.insert(word.to_vec()));
            }
        }
        bulk.fill(&mut [0; 4000]).unwrap();
    }

    #[test]
    fn when_the_source_fails_nothing_is_given_out() {
        let bulk = BulkEntropy::of(Arc::new(Counting(Mutex::new(9_999))));
        for _ in 0..3 {
            assert_eq!(bulk.fill(&mut [0; 16]), Err(EntropyError));
        }
    }
}
