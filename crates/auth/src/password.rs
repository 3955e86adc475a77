//! Passwords: what may be chosen, how what was typed becomes what is hashed, and the stored form.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use passwords::analyzer::is_common_password;
use sha2::Sha384;
use stratora_hashing::{BcryptHash, Preimage};
use subtle::ConstantTimeEq as _;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use crate::Username;

/// The shortest password that any setting allows (NIST SP 800-63B-4 §3.1.1.2, with a second factor).
const FLOOR: usize = 8;
/// The shortest password for accounts without a second factor (the same source, as the only factor).
const DEFAULT_MIN_LENGTH: usize = 15;
/// The longest password in bytes. Far above the 64 characters that ASVS 6.2.9 asks to accept; a bound, so that a hostile
/// one costs nothing.
const MAX_BYTES: usize = 1024;
/// Words that anyone guessing here would try (ASVS 6.1.2).
const CONTEXT_WORDS: [&str; 4] = ["stratora", "admin", "administrator", "monitoring"];

/// A password as it was typed, after NFC: verified as such, never trimmed, folded or cut. Redacted in logs, wiped when
/// dropped; has no `==`.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

/// Why a password was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefusedPassword {
    /// It has no characters.
    #[error("password must not be empty")]
    Empty,
    /// It is longer than 1024 bytes.
    #[error("password must have at most {MAX_BYTES} bytes")]
    TooLong,
    /// It holds a NUL, which no keyboard types and which programs elsewhere take for the end.
    #[error("password must not hold a NUL character")]
    Nul,
    /// It is shorter than the policy asks.
    #[error("password must have at least {min} characters")]
    TooShort {
        /// How many it must have.
        min: usize,
    },
    /// It is on the list of those that are tried first.
    #[error("password is one of those that attackers try first; choose another")]
    Common,
    /// It is the user's name, or a word that anyone guessing here would try.
    #[error("password must not be the username or the name of this product")]
    Guessable,
    /// It is the one that is to be replaced.
    #[error("password must differ from the present one")]
    Unchanged,
}

impl Password {
    /// Takes what was typed.
    ///
    /// # Errors
    /// [`RefusedPassword`] `Empty`, `TooLong` or `Nul`: what can be nobody's password.
    pub fn parse(typed: &str) -> Result<Self, RefusedPassword> {
        if typed.is_empty() {
            return Err(RefusedPassword::Empty);
        }
        if typed.len() > MAX_BYTES {
            return Err(RefusedPassword::TooLong);
        }
        if typed.contains('\0') {
            return Err(RefusedPassword::Nul);
        }
        Ok(Self(Zeroizing::new(typed.nfc().collect())))
    }

    /// What was typed, for a directory, which keeps its own passwords.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What bcrypt gets in the present form. bcrypt reads 72 bytes and stops at a NUL, so it is given 64 characters that
    /// stand for the whole password. The key separates them from plain SHA-384 hashes that leaked elsewhere.
    fn prehashed(&self) -> Preimage {
        let mut mac = Hmac::<Sha384>::new_from_slice(b"stratora password v1")
            .unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
        mac.update(self.0.as_bytes());
        let digest = Zeroizing::new(<[u8; 48]>::from(mac.finalize().into_bytes()));
        Preimage::new(STANDARD_NO_PAD.encode(digest.as_slice()))
            .unwrap_or_else(|_| unreachable!("64 characters of base64 fit bcrypt"))
    }

    /// What bcrypt has to be given to verify `hash`; `None` when this password cannot be the one that was hashed.
    pub fn preimage_for(&self, hash: &PasswordHash) -> Option<Preimage> {
        match hash.scheme {
            Scheme::Prehashed => Some(self.prehashed()),
            Scheme::Imported => Preimage::new(self.0.as_bytes().to_vec()).ok(),
        }
    }

    /// Whether both are the same, in time that does not depend on where they differ.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }

    /// What bcrypt has to be given to hash this password.
    pub fn preimage(&self) -> Preimage {
        self.prehashed()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// What a chosen password must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordPolicy {
    min_length: usize,
}

impl PasswordPolicy {
    /// A policy with that minimum length in characters; `None` below the floor of 8.
    pub fn with_min_length(min_length: usize) -> Option<Self> {
        (FLOOR..=MAX_BYTES / 4).contains(&min_length).then_some(Self { min_length })
    }

    /// Whether `password` may be chosen for `username`. Length and guessability only: rules of composition make passwords
    /// worse (ASVS 6.2.5).
    ///
    /// # Errors
    /// [`RefusedPassword`] says why not.
    pub fn check(&self, password: &Password, username: &Username) -> Result<(), RefusedPassword> {
        let typed = password.0.as_str();
        if typed.chars().count() < self.min_length {
            return Err(RefusedPassword::TooShort { min: self.min_length });
        }
        let folded = Zeroizing::new(caseless::default_case_fold_str(&typed.nfkc().collect::<String>()));
        let bare = folded.trim_matches(|c: char| !c.is_alphabetic());
        if folded.as_str() == username.as_str() || CONTEXT_WORDS.contains(&bare) || bare == username.as_str() {
            return Err(RefusedPassword::Guessable);
        }
        if is_common_password(typed) || is_common_password(folded.as_str()) || repeats(&folded) {
            return Err(RefusedPassword::Common);
        }
        Ok(())
    }
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self { min_length: DEFAULT_MIN_LENGTH }
    }
}

/// Whether a text is one common password, or one piece of at most four characters, over and over: what is made to
/// reach a length.
fn repeats(text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    (1..=characters.len() / 2).filter(|length| characters.len().is_multiple_of(*length)).any(|length| {
        let mut pieces = characters.chunks(length);
        let Some(first) = pieces.next() else { return false };
        pieces.all(|piece| piece == first)
            && (length <= 4 || is_common_password(first.iter().collect::<String>().as_str()))
    })
}

/// How a password was turned into what bcrypt got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    /// HMAC-SHA-384 first: the present form.
    Prehashed,
    /// As it is: taken over from an older installation.
    Imported,
}

const PREHASHED: &str = "hmac-sha384:";

/// A password as it is stored. Redacted in logs.
#[derive(Clone)]
pub struct PasswordHash {
    scheme: Scheme,
    bcrypt: BcryptHash,
}

/// The text is not a password hash of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a password hash that is supported")]
pub struct MalformedHash;

impl PasswordHash {
    /// The bcrypt hash of a [`Password::preimage`].
    pub const fn from_bcrypt(bcrypt: BcryptHash) -> Self {
        Self { scheme: Scheme::Prehashed, bcrypt }
    }

    /// Reads the stored form: `hmac-sha384:$2b$…`, or a plain `$2a$…` or `$2b$…` that was taken over.
    ///
    /// # Errors
    /// [`MalformedHash`] for anything else.
    pub fn parse(stored: &str) -> Result<Self, MalformedHash> {
        let (scheme, bcrypt) =
            stored.strip_prefix(PREHASHED).map_or((Scheme::Imported, stored), |bcrypt| (Scheme::Prehashed, bcrypt));
        BcryptHash::parse(bcrypt).map(|bcrypt| Self { scheme, bcrypt }).map_err(|_| MalformedHash)
    }

    /// The form to store.
    pub fn to_stored(&self) -> String {
        match self.scheme {
            Scheme::Prehashed => format!("{PREHASHED}{}", self.bcrypt.as_str()),
            Scheme::Imported => self.bcrypt.as_str().to_owned(),
        }
    }

    /// The hash that bcrypt verifies.
    pub const fn bcrypt(&self) -> &BcryptHash {
        &self.bcrypt
    }

    /// Whether the password should be hashed anew when it is next known: the form is old or the cost below `cost`.
    pub fn is_outdated(&self, cost: u32) -> bool {
        self.scheme != Scheme::Prehashed || self.bcrypt.cost() < cost
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BCRYPT: &str = "$2a$12$K3JNi5xUQEM9ZBVE1tK2jeJdWQXMn8gEJmEqRGQKHgzgkWqTMtOvC";

    fn bytes_for_bcrypt(typed: &str) -> Vec<u8> {
        Password::parse(typed).unwrap().preimage().as_bytes().to_vec()
    }

    fn check(typed: &str) -> Result<(), RefusedPassword> {
        PasswordPolicy::default().check(&Password::parse(typed).unwrap(), &Username::parse("grace.hopper").unwrap())
    }

    #[test]
    fn every_byte_of_a_long_password_counts() {
        let long = "x".repeat(255);
        for index in [0, 70, 71, 72, 73, 100, 254] {
            let mut other = long.clone().into_bytes();
            other[index] = b'y';
            assert_ne!(bytes_for_bcrypt(&long), bytes_for_bcrypt(&String::from_utf8(other).unwrap()), "{index}");
        }
        assert_ne!(bytes_for_bcrypt(&long[..72]), bytes_for_bcrypt(&long[..73]));
    }

    #[test]
    fn composed_and_decomposed_letters_are_one_and_nothing_else_is_folded() {
        assert_eq!(bytes_for_bcrypt("caf\u{e9}"), bytes_for_bcrypt("cafe\u{301}"));
        for other in ["Caf\u{e9}", "caf\u{e9} ", " caf\u{e9}", "\u{ff43}af\u{e9}", "cafe"] {
            assert_ne!(bytes_for_bcrypt("caf\u{e9}"), bytes_for_bcrypt(other), "{other:?}");
        }
    }

    #[test]
    fn what_can_be_nobodys_password_is_refused() {
        assert_eq!(Password::parse("").unwrap_err(), RefusedPassword::Empty);
        assert_eq!(Password::parse("correct horse\0battery").unwrap_err(), RefusedPassword::Nul);
        assert_eq!(Password::parse(&"x".repeat(1025)).unwrap_err(), RefusedPassword::TooLong);
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert_eq!(check("14 characters!"), Err(RefusedPassword::TooShort { min: 15 }));
        assert_eq!(check("15 characters!!"), Ok(()));
        assert_eq!(check("🦀🐙🦑🦐🦞🐚🐌🐛🐜🐝🪲🐞🦗🪳"), Err(RefusedPassword::TooShort { min: 15 }));
        assert_eq!(check(&"🦀🐙🦑🦐🦞🐚🐌🐛".repeat(8)), Ok(()));
        assert!(PasswordPolicy::with_min_length(7).is_none());
    }

    #[test]
    fn what_attackers_try_first_is_refused() {
        let short = PasswordPolicy::with_min_length(8).unwrap();
        let name = Username::parse("grace.hopper").unwrap();
        let refusal = |typed: &str| short.check(&Password::parse(typed).unwrap(), &name).unwrap_err();
        for common in
            ["password1", "PASSWORD1", "ｐａｓｓｗｏｒｄ1", "aaaaaaaaaaaaaaaaaaaa", "passwordpassword", "abcabcabcabc"]
        {
            assert_eq!(refusal(common), RefusedPassword::Common, "{common}");
        }
        for guessable in ["grace.hopper", "Grace.Hopper", "administrator", "Stratora2026!", "grace.hopper1"] {
            assert_eq!(refusal(guessable), RefusedPassword::Guessable, "{guessable}");
        }
    }

    #[test]
    fn both_stored_forms_read_back_and_the_old_one_is_outdated() {
        let bcrypt = BCRYPT.to_owned();
        let imported = PasswordHash::parse(&bcrypt).unwrap();
        assert_eq!(imported.to_stored(), bcrypt);
        assert!(imported.is_outdated(12));
        let present = PasswordHash::parse(&format!("hmac-sha384:{bcrypt}")).unwrap();
        assert_eq!(present.to_stored(), format!("hmac-sha384:{bcrypt}"));
        assert!(!present.is_outdated(12));
        assert!(present.is_outdated(13));
        for other in ["", "hmac-sha384:", "$1$x", "md5:$2a$12$", &bcrypt[..59]] {
            assert!(PasswordHash::parse(other).is_err(), "{other}");
        }
    }

    #[test]
    fn an_imported_hash_never_verifies_a_password_that_bcrypt_would_cut() {
        let imported = PasswordHash::parse(BCRYPT).unwrap();
        assert!(Password::parse(&"x".repeat(72)).unwrap().preimage_for(&imported).is_some());
        assert!(Password::parse(&"x".repeat(73)).unwrap().preimage_for(&imported).is_none());
    }

    proptest! {
        #[test]
        fn a_long_uncommon_password_of_any_characters_is_taken(typed in "[a-zA-Z0-9\\PC]{24,64}") {
            let refused = check(&typed);
            prop_assert!(matches!(refused, Ok(()) | Err(RefusedPassword::Common)), "{refused:?}");
        }
    }
}
