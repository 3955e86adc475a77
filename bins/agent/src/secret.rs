//! A secret in memory: never printed, wiped when it is dropped.

use std::fmt;

use zeroize::Zeroizing;

/// An API key or an enrollment token. Has no `Display` and no `==`, so that neither happens by accident.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// An API key: `sk_stra_` and 43 characters of base64url.
    pub fn api_key(text: &str) -> Option<Self> {
        Self::parse(text, "sk_stra_")
    }

    /// An enrollment token: `enroll_` and 43 characters of base64url.
    pub fn enrollment_token(text: &str) -> Option<Self> {
        Self::parse(text, "enroll_")
    }

    fn parse(text: &str, beginning: &str) -> Option<Self> {
        is_random_part(text.strip_prefix(beginning)?).then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// The secret itself, for a header or for its file.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether the other is the same. Both are ours, so how long this takes tells nobody anything.
    pub fn is(&self, other: &Self) -> bool {
        *self.0 == *other.0
    }
}

/// Whether this is what 256 random bits look like in base64url.
pub fn is_random_part(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_tokens_are_told_apart_by_how_they_begin() {
        let random = "a".repeat(43);
        assert!(Secret::api_key(&format!("sk_stra_{random}")).is_some());
        assert!(Secret::api_key(&format!("enroll_{random}")).is_none());
        assert!(Secret::enrollment_token(&format!("enroll_{random}")).is_some());
    }

    #[test]
    fn what_is_too_short_too_long_or_of_other_characters_is_no_key() {
        for random in ["a".repeat(42), "a".repeat(44), format!("{}\n", "a".repeat(42)), "é".repeat(21) + "a"] {
            assert!(Secret::api_key(&format!("sk_stra_{random}")).is_none(), "{random:?}");
        }
    }

    #[test]
    fn debug_does_not_show_it() {
        let key = Secret::api_key(&format!("sk_stra_{}", "b".repeat(43))).unwrap();
        assert!(!format!("{key:?}").contains("bbb"));
    }
}
