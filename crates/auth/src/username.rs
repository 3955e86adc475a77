//! Usernames. However it is typed, a name has one canonical form, and that alone is looked up, kept unique and counted:
//! no spelling gets its own account or its own counter of failures.

use std::fmt;

use unicode_normalization::UnicodeNormalization as _;
use unicode_security::{GeneralSecurityProfile as _, RestrictionLevel, RestrictionLevelDetection as _};

/// The longest name, in characters: longer than any mail address people sign in with.
const MAX_CHARACTERS: usize = 128;
/// What names hold besides the characters of identifiers: mail addresses and `DOMAIN\user`.
const PUNCTUATION: &[char] = &['.', '-', '_', '@', '+', '\\'];

/// A name in canonical form: NFKC, case-folded, of one script.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Username(Box<str>);

/// Why a name was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefusedUsername {
    /// It has no characters.
    #[error("username must not be empty")]
    Empty,
    /// It is longer than 128 characters.
    #[error("username must have at most {MAX_CHARACTERS} characters")]
    TooLong,
    /// It holds a character that names do not have: white space, a control or invisible character, a sign.
    #[error("username may hold letters, digits and . - _ @ + \\ only")]
    Character,
    /// It mixes scripts in the way of names that are made to look like others (UTS #39).
    #[error("username must not mix scripts")]
    MixedScripts,
}

impl Username {
    /// # Errors
    /// [`RefusedUsername`] says why the text is no name.
    pub fn parse(text: &str) -> Result<Self, RefusedUsername> {
        // Before normalisation, so that a hostile text costs nothing. Folding and NFKC lengthen by a small factor only.
        if text.chars().nth(MAX_CHARACTERS).is_some() {
            return Err(RefusedUsername::TooLong);
        }
        if text.is_empty() {
            return Err(RefusedUsername::Empty);
        }
        // Compatibility caseless matching (Unicode D146): one pass of each is not idempotent.
        let folded = caseless::default_case_fold_str(&text.nfkc().collect::<String>());
        let canonical = caseless::default_case_fold_str(&folded.nfkc().collect::<String>()).nfkc().collect::<String>();
        if canonical.chars().nth(MAX_CHARACTERS).is_some() {
            return Err(RefusedUsername::TooLong);
        }
        let letters: String = canonical.chars().filter(|c| !PUNCTUATION.contains(c)).collect();
        if !letters.chars().all(|c| if c.is_ascii() { c.is_alphanumeric() } else { c.identifier_allowed() }) {
            return Err(RefusedUsername::Character);
        }
        if letters.as_str().detect_restriction_level() > RestrictionLevel::HighlyRestrictive {
            return Err(RefusedUsername::MixedScripts);
        }
        Ok(Self(canonical.into()))
    }

    /// The canonical form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn canonical(text: &str) -> Result<String, RefusedUsername> {
        Username::parse(text).map(|name| name.as_str().to_owned())
    }

    #[test]
    fn spellings_of_one_name_are_one_name() {
        for spelling in ["admin", "Admin", "ADMIN", "ａｄｍｉｎ", "ａdmin"] {
            assert_eq!(canonical(spelling).as_deref(), Ok("admin"), "{spelling:?}");
        }
        assert_eq!(canonical("Jose\u{301}"), canonical("josé"));
        assert_eq!(canonical("STRASSE"), canonical("straße"));
    }

    #[test]
    fn look_alikes_of_another_script_are_refused() {
        assert_eq!(canonical("\u{430}dmin"), Err(RefusedUsername::MixedScripts));
    }

    #[test]
    fn white_space_invisible_control_and_bidi_characters_are_refused() {
        for name in [
            " admin",
            "admin\t",
            "admin\u{a0}",
            "admin\0",
            "admin\u{200b}",
            "adm\u{202e}in",
            "a b",
            "*",
            ")(uid=*)",
            "<img>",
            "a\r\nb",
            "a/b",
            "a'b",
            "a\"b",
            "a,b",
            "a=b",
        ] {
            assert!(Username::parse(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn names_of_directories_and_mail_addresses_are_taken() {
        for name in ["DOMAIN\\user", "user@example.com", "first.last+tag", "x_y-z", "иван", "山田太郎"] {
            assert!(Username::parse(name).is_ok(), "{name:?}");
        }
    }

    #[test]
    fn length_is_bounded() {
        assert!(Username::parse(&"a".repeat(128)).is_ok());
        assert_eq!(canonical(&"a".repeat(129)), Err(RefusedUsername::TooLong));
        assert_eq!(canonical(&"\u{fdfa}".repeat(100)), Err(RefusedUsername::TooLong));
        assert_eq!(canonical(""), Err(RefusedUsername::Empty));
    }

    proptest! {
        #[test]
        fn a_canonical_name_is_its_own_canonical_form(text in "\\PC{1,20}") {
            if let Ok(name) = Username::parse(&text) {
                prop_assert_eq!(Username::parse(name.as_str()), Ok(name));
            }
        }
    }
}
