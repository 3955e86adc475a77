//! Randomness as a dependency, so that a test can make it fail and so that nothing else reaches for a weaker generator.

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
