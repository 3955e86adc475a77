//! The keys that secrets are sealed under, and what they seal.

use std::collections::BTreeMap;
use std::fmt;

use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, KeyInit as _, Nonce};
use stratora_token::{Entropy, EntropyError};
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::sealed::NONCE;
use crate::{CannotOpen, Place, Sealed};

/// A 256-bit key. Redacted in logs, wiped when dropped.
#[derive(Clone, ZeroizeOnDrop)]
pub struct SealingKey([u8; 32]);

impl SealingKey {
    /// A key that was stored earlier, or whose bytes are random.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(&self.0.into())
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey(…)")
    }
}

/// Which of an installation's keys; they count up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyVersion(pub u32);

/// All keys of an installation: the newest seals, all of them open.
#[derive(Debug, Clone)]
pub struct SealingKeys(BTreeMap<KeyVersion, SealingKey>);

/// There is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no key to seal with")]
pub struct RefusedKeys;

impl SealingKeys {
    /// These keys.
    ///
    /// # Errors
    /// [`RefusedKeys`] when there is none.
    pub fn new(keys: BTreeMap<KeyVersion, SealingKey>) -> Result<Self, RefusedKeys> {
        if keys.is_empty() { Err(RefusedKeys) } else { Ok(Self(keys)) }
    }

    /// The version that seals.
    pub fn newest(&self) -> KeyVersion {
        self.0.last_key_value().map_or(KeyVersion(0), |(version, _)| *version)
    }

    /// Whether there is a key of that version.
    pub fn has(&self, version: KeyVersion) -> bool {
        self.0.contains_key(&version)
    }

    /// Seals `secret` for `place`, each time under another random nonce: 2³² seals under one key would be too many
    /// (NIST SP 800-38D §8.3), and an installation makes some thousands.
    ///
    /// # Errors
    /// [`EntropyError`] when there is no randomness.
    pub fn seal(&self, secret: &[u8], place: &Place<'_>, entropy: &dyn Entropy) -> Result<Sealed, EntropyError> {
        let mut nonce = [0; NONCE];
        entropy.fill(&mut nonce)?;
        let (version, key) = self.0.last_key_value().unwrap_or_else(|| unreachable!("there is a key"));
        let associated = place.associated(*version);
        let payload = Payload { msg: secret, aad: &associated };
        let sealed = key.cipher().encrypt(&Nonce::from(nonce), payload);
        let text = sealed.unwrap_or_else(|_| unreachable!("a secret is far shorter than 64 GiB"));
        Ok(Sealed::new(*version, nonce, text))
    }

    /// Opens what was sealed for `place`.
    ///
    /// # Errors
    /// [`CannotOpen`], and nothing more, whatever is wrong with it.
    pub fn open(&self, sealed: &Sealed, place: &Place<'_>) -> Result<Zeroizing<Vec<u8>>, CannotOpen> {
        let key = self.0.get(&sealed.version()).ok_or(CannotOpen)?;
        let associated = place.associated(sealed.version());
        let payload = Payload { msg: sealed.text(), aad: &associated };
        key.cipher().decrypt(&Nonce::from(sealed.nonce()), payload).map(Zeroizing::new).map_err(|_| CannotOpen)
    }
}

#[cfg(test)]
mod tests {
    use stratora_token::OsEntropy;
    use stratora_token::testing::BreakableEntropy;
    use uuid::Uuid;

    use super::*;

    const PLACE: Place<'static> = Place { table: "providers", column: "secret", row: Uuid::from_u128(7) };

    fn keys(versions: &[u32]) -> SealingKeys {
        let key = |version: u32| (KeyVersion(version), SealingKey::from_bytes([u8::try_from(version).unwrap(); 32]));
        SealingKeys::new(versions.iter().copied().map(key).collect()).unwrap()
    }

    #[test]
    fn what_was_sealed_opens_in_its_place_only() {
        let keys = keys(&[1]);
        let sealed = keys.seal(b"a client secret", &PLACE, &OsEntropy).unwrap();
        assert_eq!(keys.open(&sealed, &PLACE).unwrap().as_slice(), b"a client secret");
        for elsewhere in [
            Place { table: "accounts", ..PLACE },
            Place { column: "other", ..PLACE },
            Place { row: Uuid::from_u128(8), ..PLACE },
            // Parts that run together are other places.
            Place { table: "provider", column: "ssecret", ..PLACE },
        ] {
            assert_eq!(keys.open(&sealed, &elsewhere).unwrap_err(), CannotOpen);
        }
    }

    #[test]
    fn a_new_key_seals_while_the_old_one_still_opens() {
        let old = keys(&[1]).seal(b"secret", &PLACE, &OsEntropy).unwrap();
        let both = keys(&[1, 2]);
        let new = both.seal(b"secret", &PLACE, &OsEntropy).unwrap();
        assert_eq!((old.version(), new.version()), (KeyVersion(1), KeyVersion(2)));
        assert!(both.open(&old, &PLACE).is_ok() && both.open(&new, &PLACE).is_ok());
        assert_eq!(keys(&[2]).open(&old, &PLACE).unwrap_err(), CannotOpen, "the key is gone");
    }

    #[test]
    fn whatever_is_changed_of_it_nothing_opens_and_all_failures_are_alike() {
        let keys = keys(&[1]);
        let sealed = keys.seal(b"secret", &PLACE, &OsEntropy).unwrap().to_bytes();
        for position in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[position] ^= 1;
            if let Ok(changed) = Sealed::from_bytes(&changed) {
                assert_eq!(keys.open(&changed, &PLACE).unwrap_err(), CannotOpen, "{position}");
            }
        }
    }

    #[test]
    fn the_same_secret_is_sealed_differently_each_time() {
        let keys = keys(&[1]);
        let sealed: std::collections::HashSet<_> =
            (0..1000).map(|_| keys.seal(b"secret", &PLACE, &OsEntropy).unwrap().nonce()).collect();
        assert_eq!(sealed.len(), 1000);
    }

    #[test]
    fn without_randomness_nothing_is_sealed() {
        let entropy = BreakableEntropy::default();
        entropy.break_down();
        assert!(keys(&[1]).seal(b"secret", &PLACE, &entropy).is_err());
    }

    /// Test case 16 of the GCM specification of its authors, with associated data.
    #[test]
    fn the_cipher_is_aes_256_gcm() {
        let hex = |text: &str| -> Vec<u8> {
            (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
        };
        let key = hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
        let key = SealingKey::from_bytes(key.try_into().unwrap());
        let plain = hex(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        );
        let sealed = hex(
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b",
        );
        let nonce: [u8; 12] = hex("cafebabefacedbaddecaf888").try_into().unwrap();
        let aad = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let payload = Payload { msg: &plain, aad: &aad };
        assert_eq!(key.cipher().encrypt(&Nonce::from(nonce), payload).unwrap(), sealed);
    }
}
