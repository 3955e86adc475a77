//! The keys of a program that runs while they change: a key that it does not know yet is looked for where they are kept.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use stratora_token::{Entropy, EntropyError};
use zeroize::Zeroizing;

use crate::{CannotOpen, KeyVersion, Place, Sealed, SealingKeys};

/// Reads the keys anew; `None` when they do not read.
type Reload = dyn Fn() -> Option<SealingKeys> + Send + Sync;

/// Keys that may have been added to since they were read.
pub struct Keyring {
    keys: RwLock<Arc<SealingKeys>>,
    reload: Box<Reload>,
}

impl Keyring {
    /// These keys, and how to read them anew.
    pub fn new(keys: SealingKeys, reload: impl Fn() -> Option<SealingKeys> + Send + Sync + 'static) -> Self {
        Self { keys: RwLock::new(Arc::new(keys)), reload: Box::new(reload) }
    }

    /// The version that seals.
    pub fn newest(&self) -> KeyVersion {
        self.keys().newest()
    }

    /// As [`SealingKeys::seal`].
    ///
    /// # Errors
    /// [`EntropyError`] when there is no randomness.
    pub fn seal(&self, secret: &[u8], place: &Place<'_>, entropy: &dyn Entropy) -> Result<Sealed, EntropyError> {
        self.keys().seal(secret, place, entropy)
    }

    /// As [`SealingKeys::open`]; for a version that is not known the keys are read anew first.
    ///
    /// # Errors
    /// [`CannotOpen`], and nothing more, whatever is wrong with it.
    pub fn open(&self, sealed: &Sealed, place: &Place<'_>) -> Result<Zeroizing<Vec<u8>>, CannotOpen> {
        if !self.keys().has(sealed.version()) {
            self.refresh();
        }
        self.keys().open(sealed, place)
    }

    /// Reads the keys anew. When they do not read, those that are known stay.
    pub fn refresh(&self) {
        if let Some(keys) = (self.reload)() {
            *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        }
    }

    fn keys(&self) -> Arc<SealingKeys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl From<SealingKeys> for Keyring {
    fn from(keys: SealingKeys) -> Self {
        Self::new(keys, || None)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("newest", &self.newest()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use stratora_token::OsEntropy;
    use uuid::Uuid;

    use super::*;
    use crate::SealingKey;

    const PLACE: Place<'static> = Place { table: "providers", column: "secret", row: Uuid::from_u128(7) };

    fn keys(versions: &[u8]) -> SealingKeys {
        let key = |version: &u8| (KeyVersion(u32::from(*version)), SealingKey::from_bytes([*version; 32]));
        SealingKeys::new(versions.iter().map(key).collect()).unwrap()
    }

    #[test]
    fn a_key_that_was_added_meanwhile_is_found() {
        let reads = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&reads);
        let ring = Keyring::new(keys(&[1]), move || {
            counted.fetch_add(1, Ordering::SeqCst);
            Some(keys(&[1, 2]))
        });
        let old = ring.seal(b"secret", &PLACE, &OsEntropy).unwrap();
        assert!(ring.open(&old, &PLACE).is_ok());
        assert_eq!((ring.newest(), reads.load(Ordering::SeqCst)), (KeyVersion(1), 0));
        let new = keys(&[1, 2]).seal(b"secret", &PLACE, &OsEntropy).unwrap();
        for _ in 0..3 {
            assert!(ring.open(&new, &PLACE).is_ok());
        }
        assert_eq!((ring.newest(), reads.load(Ordering::SeqCst)), (KeyVersion(2), 1));
    }

    #[test]
    fn a_key_that_is_nowhere_opens_nothing() {
        let ring = Keyring::from(keys(&[1]));
        let sealed = keys(&[9]).seal(b"secret", &PLACE, &OsEntropy).unwrap();
        assert_eq!(ring.open(&sealed, &PLACE).unwrap_err(), CannotOpen);
    }
}
