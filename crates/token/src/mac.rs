//! HMAC-SHA-256 (RFC 2104) under a long-lived key of this installation: signed cookies and keyed tags.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::ZeroizeOnDrop;

use crate::{Entropy, EntropyError};

/// A 256-bit key. Redacted in logs, wiped when dropped.
#[derive(Clone, ZeroizeOnDrop)]
pub struct MacKey([u8; 32]);

impl MacKey {
    /// A new key.
    ///
    /// # Errors
    /// [`EntropyError`] when there is no randomness.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// A key that was stored earlier.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key's bytes, for the key file only.
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// The tag over `parts`. Each part is preceded by its length, so that no two lists of parts share a tag; `context`
    /// names the use, so that a tag made for one is worth nothing in another.
    pub fn tag(&self, context: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
        for part in std::iter::once(context.as_bytes()).chain(parts.iter().copied()) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// Whether `tag` was made by [`Self::tag`] with the same arguments, decided in constant time.
    pub fn verify(&self, context: &str, parts: &[&[u8]], tag: &[u8]) -> bool {
        self.tag(context, parts).ct_eq(tag).into()
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moving_a_byte_between_parts_changes_the_tag() {
        let key = MacKey::from_bytes([7; 32]);
        let tag = key.tag("device", &[b"ab", b"c"]);
        assert!(key.verify("device", &[b"ab", b"c"], &tag));
        assert!(!key.verify("device", &[b"a", b"bc"], &tag));
        assert!(!key.verify("etag", &[b"ab", b"c"], &tag));
        assert!(!key.verify("device", &[b"ab", b"c"], &tag[..31]));
        assert!(!MacKey::from_bytes([8; 32]).verify("device", &[b"ab", b"c"], &tag));
    }
}
