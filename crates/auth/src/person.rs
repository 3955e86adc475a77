//! What describes a person besides the username: shown to people, identifies nobody.

use std::fmt;

/// The longest display name, in characters.
const MAX_DISPLAY_NAME: usize = 100;
/// The longest mail address, in bytes (RFC 5321 §4.5.3.1.3, less the angle brackets).
const MAX_EMAIL: usize = 254;

/// Why a text was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefusedText {
    /// It is too long.
    #[error("must have at most {max} characters")]
    TooLong {
        /// The most it may have.
        max: usize,
    },
    /// It holds a control or invisible character.
    #[error("must not hold control or invisible characters")]
    Character,
    /// It is not a mail address.
    #[error("must be a mail address, such as grace@example.com")]
    Email,
}

/// How a person wants to be called; may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DisplayName(String);

/// A mail address, checked for its shape only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailAddress(String);

impl DisplayName {
    /// # Errors
    /// [`RefusedText`] says why.
    pub fn parse(text: &str) -> Result<Self, RefusedText> {
        if text.chars().nth(MAX_DISPLAY_NAME).is_some() {
            return Err(RefusedText::TooLong { max: MAX_DISPLAY_NAME });
        }
        if text.chars().any(is_control_or_invisible) {
            return Err(RefusedText::Character);
        }
        Ok(Self(text.trim().to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl EmailAddress {
    /// # Errors
    /// [`RefusedText`] says why.
    pub fn parse(text: &str) -> Result<Self, RefusedText> {
        if text.len() > MAX_EMAIL {
            return Err(RefusedText::TooLong { max: MAX_EMAIL });
        }
        let refused = |c: char| c.is_whitespace() || is_control_or_invisible(c) || "<>()[],;:\\\"".contains(c);
        match text.rsplit_once('@') {
            Some((local, domain))
                if !local.is_empty() && !domain.is_empty() && !domain.starts_with('.') && !text.contains(refused) =>
            {
                Ok(Self(text.to_owned()))
            }
            _ => Err(RefusedText::Email),
        }
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Controls, zero-width characters and the marks that turn the direction of text: what makes a name look like another.
fn is_control_or_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_as_they_are_but_for_what_hides() {
        assert_eq!(DisplayName::parse(" Grace Hopper ").unwrap().as_str(), "Grace Hopper");
        assert_eq!(DisplayName::parse("<img onerror=x>").unwrap().as_str(), "<img onerror=x>");
        assert_eq!(DisplayName::parse("a\u{202e}b"), Err(RefusedText::Character));
        assert_eq!(DisplayName::parse("a\0"), Err(RefusedText::Character));
        assert_eq!(DisplayName::parse(&"a".repeat(101)), Err(RefusedText::TooLong { max: 100 }));
    }

    #[test]
    fn only_what_has_the_shape_of_a_mail_address_is_one() {
        for address in ["grace@example.com", "a+b@c", "\u{e9}@example.com"] {
            assert!(EmailAddress::parse(address).is_ok(), "{address}");
        }
        for other in ["", "grace", "@example.com", "grace@", "a b@c.d", "a@.b", "a\r\n@b", "Grace <g@x>"] {
            assert_eq!(EmailAddress::parse(other), Err(RefusedText::Email), "{other}");
        }
    }
}
