//! The stored form: a modular crypt string, `$2b$12$` and 53 characters.

use std::fmt;
use std::str::FromStr as _;

use bcrypt::HashParts;

/// How much work a hash takes: 2 to the power of this many rounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cost(u32);

/// The cost is below what keeps passwords safe, or above what bcrypt knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("bcrypt's cost must be between {} and {}", Cost::MIN, Cost::MAX)]
pub struct TooCheap;

impl Cost {
    /// The least that is taken (OWASP Password Storage Cheat Sheet; ASVS 11.4.2).
    const MIN: u32 = 10;
    /// The most that bcrypt knows.
    const MAX: u32 = 31;

    /// # Errors
    /// [`TooCheap`] outside 10 to 31.
    pub fn new(cost: u32) -> Result<Self, TooCheap> {
        if (Self::MIN..=Self::MAX).contains(&cost) { Ok(Self(cost)) } else { Err(TooCheap) }
    }

    /// The exponent.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The least that bcrypt knows, for tests that are not about cost.
    #[cfg(feature = "testing")]
    pub const fn for_tests() -> Self {
        Self(4)
    }
}

/// 12: about a quarter of a second on present hardware, and the product's specification.
impl Default for Cost {
    fn default() -> Self {
        Self(12)
    }
}

/// A bcrypt hash. Redacted in logs; has no `==`.
#[derive(Clone)]
pub struct BcryptHash {
    text: String,
    cost: u32,
}

/// The text is not a bcrypt hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a bcrypt hash")]
pub struct MalformedBcrypt;

impl BcryptHash {
    /// Reads `$2a$`, `$2b$` or `$2y$` with a cost from 4 to 31.
    ///
    /// # Errors
    /// [`MalformedBcrypt`] for anything else.
    pub fn parse(text: &str) -> Result<Self, MalformedBcrypt> {
        let known = ["$2a$", "$2b$", "$2y$"].iter().any(|version| text.starts_with(version));
        if text.len() != 60 || !known {
            return Err(MalformedBcrypt);
        }
        let cost = HashParts::from_str(text).map_err(|_| MalformedBcrypt)?.get_cost();
        if !(4..=Cost::MAX).contains(&cost) {
            return Err(MalformedBcrypt);
        }
        Ok(Self { text: text.to_owned(), cost })
    }

    /// The modular crypt string.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The exponent of its work.
    pub const fn cost(&self) -> u32 {
        self.cost
    }
}

impl fmt::Debug for BcryptHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BcryptHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bcrypt_hashes_are_read() {
        let hash = "$2b$12$K3JNi5xUQEM9ZBVE1tK2jeJdWQXMn8gEJmEqRGQKHgzgkWqTMtOvC";
        assert_eq!(BcryptHash::parse(hash).unwrap().cost(), 12);
        for other in [
            "",
            &hash[..59],
            &hash.replace("$2b$", "$2z$"),
            &hash.replace("$12$", "$99$"),
            &hash.replace("$12$", "$03$"),
        ] {
            assert!(BcryptHash::parse(other).is_err(), "{other}");
        }
    }

    #[test]
    fn costs_below_ten_are_refused() {
        assert_eq!(Cost::new(9), Err(TooCheap));
        assert_eq!(Cost::new(32), Err(TooCheap));
        assert_eq!(Cost::default().get(), 12);
    }
}
