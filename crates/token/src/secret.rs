//! The secret itself, which exists in clear only while it is handed to its holder or being checked.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::{Digest, Entropy, EntropyError};

/// Bytes in a secret: 256 bits, twice what ASVS 7.2.3 asks, so that guessing is hopeless even against all digests at once.
const SECRET_BYTES: usize = 32;
/// Characters in a secret's text form: 32 bytes of base64url without padding.
pub const SECRET_TEXT_LENGTH: usize = 43;

/// 256 random bits. Redacted in logs, wiped when dropped; has no `==`, no `Display` and no `Serialize`.
#[derive(Clone, ZeroizeOnDrop)]
pub struct Secret([u8; SECRET_BYTES]);

/// The text is not 43 characters of canonical base64url.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not {SECRET_TEXT_LENGTH} characters of base64url")]
pub struct MalformedSecret;

impl Secret {
    /// A new secret.
    ///
    /// # Errors
    /// [`EntropyError`] when there is no randomness.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut bytes = [0; SECRET_BYTES];
        entropy.fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// Reads the text form. Exactly one text stands for each secret: padding, white space, other alphabets and stray bits
    /// in the last character are refused.
    ///
    /// # Errors
    /// [`MalformedSecret`] for anything else.
    pub fn parse(text: &str) -> Result<Self, MalformedSecret> {
        if text.len() != SECRET_TEXT_LENGTH {
            return Err(MalformedSecret);
        }
        // Wiped whatever comes: what is moved out of a function is not.
        let mut bytes = Zeroizing::new([0; SECRET_BYTES]);
        match URL_SAFE_NO_PAD.decode_slice(text, bytes.as_mut_slice()) {
            Ok(SECRET_BYTES) => Ok(Self(*bytes)),
            _ => Err(MalformedSecret),
        }
    }

    /// The text form, to be handed to the holder.
    pub fn expose(&self) -> Zeroizing<String> {
        Zeroizing::new(URL_SAFE_NO_PAD.encode(self.0))
    }

    /// The form that is stored.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.0)
    }

    /// Whether both are equal, in time that does not depend on where they differ.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;
    use crate::OsEntropy;

    #[test]
    fn a_secret_reads_back_from_its_text() {
        let secret = Secret::generate(&OsEntropy).unwrap();
        let text = secret.expose();
        assert_eq!(text.len(), SECRET_TEXT_LENGTH);
        assert!(Secret::parse(&text).unwrap().matches(&secret));
    }

    #[test]
    fn a_million_secrets_are_all_different() {
        let mut seen = HashSet::new();
        for _ in 0..1_000_000 {
            assert!(seen.insert(*Secret::generate(&OsEntropy).unwrap().digest().as_bytes()));
        }
    }

    #[test]
    fn nothing_of_a_secret_shows_in_debug_output() {
        let secret = Secret::generate(&OsEntropy).unwrap();
        assert_eq!(format!("{secret:?} {:?}", secret.digest()), "Secret(…) Digest(…)");
    }

    #[test]
    fn a_second_spelling_of_the_same_bytes_is_refused() {
        // The last of 43 characters carries two unused bits; only zero bits are canonical.
        let text = "A".repeat(42);
        assert!(Secret::parse(&format!("{text}A")).is_ok());
        assert!(Secret::parse(&format!("{text}B")).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_reads_back_the_same(text in ".{0,60}|[A-Za-z0-9_-]{43}") {
            if let Ok(secret) = Secret::parse(&text) {
                let again = secret.expose();
                prop_assert_eq!(again.as_str(), text.as_str());
            }
        }
    }
}
