//! Enrollment tokens: their text, how often and how long they are good, and the decision whether one still is.

use std::fmt;
use std::time::Duration;

use stratora_clock::Timestamp;
use stratora_token::{Digest, Entropy, EntropyError, SECRET_TEXT_LENGTH, Secret};
use zeroize::Zeroizing;

use crate::component::is_control_or_invisible;
use crate::{EnrollmentTokenId, RefusedText};

/// What every enrollment token starts with, so that scanners for leaked secrets find it.
const SCHEME: &str = "enroll_";

/// An enrollment token in clear: `enroll_` and 256 random bits. Redacted in logs; has no `==`.
#[derive(Debug, Clone)]
pub struct EnrollmentSecret(Secret);

impl EnrollmentSecret {
    /// A new one.
    ///
    /// # Errors
    /// [`EntropyError`] when there is no randomness.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        Secret::generate(entropy).map(Self)
    }

    /// Reads one; exactly one text stands for each. `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        Secret::parse(text.strip_prefix(SCHEME)?).ok().map(Self)
    }

    /// The text, to be handed to whoever sets components up.
    pub fn expose(&self) -> Zeroizing<String> {
        let secret = self.0.expose();
        let mut text = Zeroizing::new(String::with_capacity(SCHEME.len() + SECRET_TEXT_LENGTH));
        text.push_str(SCHEME);
        text.push_str(&secret);
        text
    }

    /// The form that is stored. A plain digest suffices for 256 random bits (ASVS 6.5.2).
    pub fn digest(&self) -> Digest {
        self.0.digest()
    }
}

/// What a token is for: at most 200 characters, none of them invisible; may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Description(String);

impl Description {
    const MAX: usize = 200;

    /// # Errors
    /// [`RefusedText`] says why.
    pub fn parse(text: &str) -> Result<Self, RefusedText> {
        if text.chars().nth(Self::MAX).is_some() {
            return Err(RefusedText::TooLong { max: Self::MAX });
        }
        if text.chars().any(is_control_or_invisible) {
            return Err(RefusedText::Character);
        }
        Ok(Self(text.trim().to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How many components may register with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowance {
    /// One.
    Once,
    /// So many.
    UpTo(u32),
    /// Any number.
    Unlimited,
}

/// Why that is no allowance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefusedAllowance {
    /// A number for a token of one use.
    #[error("must be left out for a token that is used once; send multi_use as true to let more components in")]
    NotMultiUse,
    /// No number, or one that nobody has so many components for.
    #[error("must be a number from 1 to {}", Allowance::MAX)]
    OutOfRange,
}

impl Allowance {
    /// A hundred times the largest fleet that the server is made for.
    pub const MAX: u32 = 1_000_000;

    /// What `multi_use` and `max_uses` mean together.
    ///
    /// # Errors
    /// [`RefusedAllowance`] says why they do not fit.
    pub const fn of(multi_use: bool, max_uses: Option<u32>) -> Result<Self, RefusedAllowance> {
        match (multi_use, max_uses) {
            (false, None) => Ok(Self::Once),
            (false, Some(_)) => Err(RefusedAllowance::NotMultiUse),
            (true, None) => Ok(Self::Unlimited),
            (true, Some(max @ 1..=Self::MAX)) => Ok(Self::UpTo(max)),
            (true, Some(_)) => Err(RefusedAllowance::OutOfRange),
        }
    }

    /// Whether more than one component may be let in.
    pub const fn is_multi_use(self) -> bool {
        !matches!(self, Self::Once)
    }

    /// The number; `None`: any.
    pub const fn max_uses(self) -> Option<u32> {
        match self {
            Self::Once => Some(1),
            Self::UpTo(max) => Some(max),
            Self::Unlimited => None,
        }
    }
}

/// For how long a token is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity(Option<Duration>);

impl Validity {
    /// The longest end that may be set; a token that has to live longer has none.
    const MAX: u32 = 365 * 24 * 60 * 60;

    /// So many seconds; 0: without an end. `None` when it is more than a year.
    pub fn of_seconds(seconds: u32) -> Option<Self> {
        match seconds {
            0 => Some(Self(None)),
            1..=Self::MAX => Some(Self(Some(Duration::from_secs(seconds.into())))),
            _ => None,
        }
    }

    /// When a token made at `now` ends.
    pub fn end(self, now: Timestamp) -> Option<Timestamp> {
        self.0.map(|span| now.plus(span))
    }
}

/// A day: long enough to set a host up, short enough that a forgotten token opens nothing next week.
impl Default for Validity {
    fn default() -> Self {
        Self(Some(Duration::from_hours(24)))
    }
}

/// What is known of an enrollment token; not its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrollmentToken {
    /// Its identifier.
    pub id: EnrollmentTokenId,
    /// What it is for.
    pub description: Description,
    /// How many components may register with it.
    pub allowance: Allowance,
    /// How many have.
    pub uses: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is not good any more; `None`: without an end.
    pub expires_at: Option<Timestamp>,
    /// When a component last registered with it.
    pub last_used_at: Option<Timestamp>,
}

/// Why a token is not good any more. Only its holder learns this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spent {
    /// As many as may have registered with it.
    Used,
    /// Its time is over.
    Expired,
}

impl EnrollmentToken {
    /// Whether one more component may register with it at `now`.
    ///
    /// # Errors
    /// [`Spent`] says why not.
    pub fn check(&self, now: Timestamp) -> Result<(), Spent> {
        if self.allowance.max_uses().is_some_and(|max| self.uses >= max) {
            return Err(Spent::Used);
        }
        if self.expires_at.is_some_and(|end| now >= end) {
            return Err(Spent::Expired);
        }
        Ok(())
    }
}

/// What tells one call from all others: a client that was interrupted sends the same one again
/// (draft-ietf-httpapi-idempotency-key-header). Only its digest is kept, since whoever knows it is given a key.
#[derive(Clone, Copy)]
pub struct IdempotencyKey(Digest);

/// The text is no idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not {} to {} visible ASCII characters", IdempotencyKey::MIN, IdempotencyKey::MAX)]
pub struct RefusedIdempotencyKey;

impl IdempotencyKey {
    /// 128 random bits in base64url: what nobody guesses.
    const MIN: usize = 22;
    const MAX: usize = 128;

    /// # Errors
    /// [`RefusedIdempotencyKey`] when it is too short to be beyond guessing, too long, or not text.
    pub fn parse(text: &[u8]) -> Result<Self, RefusedIdempotencyKey> {
        if (Self::MIN..=Self::MAX).contains(&text.len()) && text.iter().all(u8::is_ascii_graphic) {
            Ok(Self(Digest::of(text)))
        } else {
            Err(RefusedIdempotencyKey)
        }
    }

    /// The form that is stored.
    pub const fn digest(&self) -> Digest {
        self.0
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdempotencyKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use newtype_uuid::TypedUuid;
    use stratora_token::OsEntropy;

    use super::*;

    fn token(allowance: Allowance, uses: u32, expires_at: Option<Timestamp>) -> EnrollmentToken {
        EnrollmentToken {
            id: TypedUuid::nil(),
            description: Description::default(),
            allowance,
            uses,
            created_at: Timestamp::UNIX_EPOCH,
            expires_at,
            last_used_at: None,
        }
    }

    #[test]
    fn a_token_reads_back_and_shows_nothing_of_itself() {
        let secret = EnrollmentSecret::generate(&OsEntropy).unwrap();
        let text = secret.expose();
        assert_eq!(text.len(), 50);
        assert!(EnrollmentSecret::parse(&text).unwrap().digest().matches(&secret.digest()));
        assert!(!format!("{secret:?}").contains(&text[7..]));
        for other in [&text[1..], &text[..49], "enroll_", "", &text.to_uppercase(), &format!("{} ", *text)] {
            assert!(EnrollmentSecret::parse(other).is_none(), "{other}");
        }
    }

    #[test]
    fn a_number_of_uses_belongs_to_a_token_of_many_uses() {
        assert_eq!(Allowance::of(false, None), Ok(Allowance::Once));
        assert_eq!(Allowance::of(true, None), Ok(Allowance::Unlimited));
        assert_eq!(Allowance::of(true, Some(10)), Ok(Allowance::UpTo(10)));
        assert_eq!(Allowance::of(false, Some(1)), Err(RefusedAllowance::NotMultiUse));
        for number in [0, Allowance::MAX + 1] {
            assert_eq!(Allowance::of(true, Some(number)), Err(RefusedAllowance::OutOfRange));
        }
    }

    #[test]
    fn a_token_is_good_until_its_last_use_and_until_exactly_its_end() {
        let now = Timestamp::UNIX_EPOCH.plus(Duration::from_mins(1));
        assert_eq!(token(Allowance::Once, 0, None).check(now), Ok(()));
        assert_eq!(token(Allowance::Once, 1, None).check(now), Err(Spent::Used));
        assert_eq!(token(Allowance::UpTo(3), 2, None).check(now), Ok(()));
        assert_eq!(token(Allowance::UpTo(3), 3, None).check(now), Err(Spent::Used));
        assert_eq!(token(Allowance::Unlimited, u32::MAX, None).check(now), Ok(()));
        let micro = Duration::from_micros(1);
        assert_eq!(token(Allowance::Once, 0, Some(now.plus(micro))).check(now), Ok(()));
        assert_eq!(token(Allowance::Once, 0, Some(now)).check(now), Err(Spent::Expired));
    }

    #[test]
    fn without_a_word_a_token_lasts_a_day_and_with_0_for_ever() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(Validity::default().end(now), Some(now.plus(Duration::from_hours(24))));
        assert_eq!(Validity::of_seconds(0).unwrap().end(now), None);
        assert_eq!(Validity::of_seconds(60).unwrap().end(now), Some(now.plus(Duration::from_mins(1))));
        assert_eq!(Validity::of_seconds(31_536_001), None);
    }

    #[test]
    fn an_idempotency_key_is_long_enough_to_be_beyond_guessing() {
        for good in ["a".repeat(22), "~".repeat(128), format!("\"{}\"", "b".repeat(36))] {
            assert!(IdempotencyKey::parse(good.as_bytes()).is_ok(), "{good}");
        }
        for bad in ["a".repeat(21), "a".repeat(129), format!("{} {}", "a".repeat(20), "b".repeat(20)), "ä".repeat(20)]
        {
            assert_eq!(IdempotencyKey::parse(bad.as_bytes()).unwrap_err(), RefusedIdempotencyKey, "{bad}");
        }
    }

    #[test]
    fn a_description_may_be_empty_and_holds_nothing_invisible() {
        assert_eq!(Description::parse("").unwrap().as_str(), "");
        assert_eq!(Description::parse(" rack 7 ").unwrap().as_str(), "rack 7");
        assert_eq!(Description::parse("a\0"), Err(RefusedText::Character));
        assert_eq!(Description::parse(&"a".repeat(201)), Err(RefusedText::TooLong { max: 200 }));
    }
}
