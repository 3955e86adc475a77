//! A key's text, its stored form, and the decision whether it is good.

use std::fmt;
use std::time::Duration;

use stratora_clock::Timestamp;
use stratora_token::{Digest, Entropy, EntropyError, SECRET_TEXT_LENGTH, Secret};
use zeroize::Zeroizing;

use crate::{ComponentId, ComponentKind, ETag, KeyId, Name, Standing};

/// What every key starts with, so that scanners for leaked secrets find it.
const SCHEME: &str = "sk_stra_";
/// How much of a key may be shown after its creation: the scheme and 4 of its 43 random characters.
const PREFIX_LENGTH: usize = 12;

/// A component key in clear: `sk_stra_` and 256 random bits. Redacted in logs; has no `==`.
#[derive(Debug, Clone)]
pub struct ApiKey(Secret);

/// The text is not a component key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a component key")]
pub struct MalformedKey;

impl ApiKey {
    /// A new key.
    ///
    /// # Errors
    /// [`EntropyError`] when there is no randomness.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        Secret::generate(entropy).map(Self)
    }

    /// Reads a key; exactly one text stands for each.
    ///
    /// # Errors
    /// [`MalformedKey`] for anything else.
    pub fn parse(text: &str) -> Result<Self, MalformedKey> {
        let secret = text.strip_prefix(SCHEME).ok_or(MalformedKey)?;
        Secret::parse(secret).map(Self).map_err(|_| MalformedKey)
    }

    /// The text, to be handed to the component.
    pub fn expose(&self) -> Zeroizing<String> {
        let secret = self.0.expose();
        let mut text = Zeroizing::new(String::with_capacity(SCHEME.len() + SECRET_TEXT_LENGTH));
        text.push_str(SCHEME);
        text.push_str(&secret);
        text
    }

    /// The form that is looked up.
    pub fn digest(&self) -> Digest {
        self.0.digest()
    }

    /// The part that may be shown.
    pub fn prefix(&self) -> KeyPrefix {
        KeyPrefix(self.expose().chars().take(PREFIX_LENGTH).collect())
    }
}

/// The first 12 characters of a key: for people to tell keys apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPrefix(String);

impl KeyPrefix {
    /// A prefix that was stored earlier.
    ///
    /// # Errors
    /// [`MalformedKey`] when it is not the start of a key.
    pub fn parse(text: &str) -> Result<Self, MalformedKey> {
        let random = text.strip_prefix(SCHEME).ok_or(MalformedKey)?;
        let is_base64url = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if text.len() == PREFIX_LENGTH && random.chars().all(is_base64url) {
            Ok(Self(text.to_owned()))
        } else {
            Err(MalformedKey)
        }
    }

    /// The 12 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What happens to the old key when a new one is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grace {
    /// It is dead at once.
    None,
    /// It lives until the new one is first used, or this time has passed.
    For(Duration),
    /// The component rotates itself, with this key: that one lives until the new one is first used, without a deadline, and
    /// every other key of the component ends. A component that loses new keys in crashes asks again with the one it has. A key
    /// that an administrator has replaced with a deadline cannot do so: it would outlive that, and end its successor.
    UntilFirstUse(KeyId),
}

/// Where a key is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// The component's present key.
    Live,
    /// The key before the present one, in its grace.
    Grace {
        /// When the grace ends at the latest; `None`: with the first use of the present key only.
        until: Option<Timestamp>,
    },
    /// Replaced.
    Rotated,
    /// Ended by a revocation or a report that it leaked.
    Revoked,
    /// Its two stored hashes disagree.
    Corrupt,
}

/// What the store knows of a key and its component: all that a request needs, in one read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// Which key.
    pub key_id: KeyId,
    /// Where it is in its life.
    pub state: KeyState,
    /// Whether it was used before.
    pub used: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Whether somebody asked for a new key in its place.
    pub rotation_requested: bool,
    /// Whose key.
    pub component_id: ComponentId,
    /// The component's name.
    pub name: Name,
    /// What it does.
    pub kind: ComponentKind,
    /// Whether it is let in.
    pub standing: Standing,
    /// The tag of its configuration; `None` when none is set.
    pub config_etag: Option<ETag>,
}

/// Why a key is not good. Only the holder of that very key learns anything but [`Refusal::Unknown`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such key.
    #[error("the key is not known")]
    Unknown,
    /// It was replaced by a newer one.
    #[error("the key was rotated")]
    Rotated,
    /// It or its component was revoked.
    #[error("the key was revoked")]
    Revoked,
    /// Its component has not been approved yet.
    #[error("the component is not approved")]
    NotApproved,
}

impl KeyRecord {
    /// Whether the key is good at `now`.
    ///
    /// # Errors
    /// [`Refusal`] says why not; never [`Refusal::Unknown`].
    pub fn authorize(&self, now: Timestamp) -> Result<(), Refusal> {
        match self.state {
            KeyState::Rotated => return Err(Refusal::Rotated),
            KeyState::Grace { until: Some(until) } if now >= until => return Err(Refusal::Rotated),
            KeyState::Revoked | KeyState::Corrupt => return Err(Refusal::Revoked),
            KeyState::Live | KeyState::Grace { .. } => {}
        }
        match self.standing {
            Standing::Active => Ok(()),
            Standing::Pending => Err(Refusal::NotApproved),
            Standing::Revoked => Err(Refusal::Revoked),
        }
    }
}

#[cfg(test)]
mod tests {
    use newtype_uuid::TypedUuid;
    use stratora_token::OsEntropy;

    use super::*;

    fn record(state: KeyState, standing: Standing) -> KeyRecord {
        KeyRecord {
            key_id: TypedUuid::nil(),
            state,
            used: true,
            created_at: Timestamp::UNIX_EPOCH,
            rotation_requested: false,
            component_id: TypedUuid::nil(),
            name: Name::parse("a").unwrap(),
            kind: ComponentKind::Agent,
            standing,
            config_etag: None,
        }
    }

    #[test]
    fn a_key_reads_back_and_shows_twelve_characters() {
        let key = ApiKey::generate(&OsEntropy).unwrap();
        let text = key.expose();
        assert_eq!(text.len(), 51);
        assert!(ApiKey::parse(&text).unwrap().digest().matches(&key.digest()));
        assert_eq!(key.prefix().as_str(), &text[..12]);
        assert_eq!(KeyPrefix::parse(key.prefix().as_str()), Ok(key.prefix()));
        assert!(!format!("{key:?}").contains(&text[8..]));
    }

    #[test]
    fn what_only_resembles_a_key_is_none() {
        let text = ApiKey::generate(&OsEntropy).unwrap().expose();
        for other in [&text[1..], &text[..50], "sk_stra_", "", &text.to_uppercase(), &format!("{} ", *text)] {
            assert_eq!(ApiKey::parse(other).unwrap_err(), MalformedKey);
        }
    }

    #[test]
    fn the_live_key_of_an_active_component_is_good() {
        assert_eq!(record(KeyState::Live, Standing::Active).authorize(Timestamp::UNIX_EPOCH), Ok(()));
    }

    #[test]
    fn a_key_in_grace_is_good_until_exactly_its_end() {
        let until = Timestamp::UNIX_EPOCH.plus(Duration::from_mins(1));
        let key = record(KeyState::Grace { until: Some(until) }, Standing::Active);
        assert_eq!(key.authorize(until.minus(Duration::from_micros(1))), Ok(()));
        assert_eq!(key.authorize(until), Err(Refusal::Rotated));
        let endless = record(KeyState::Grace { until: None }, Standing::Active);
        assert_eq!(endless.authorize(until.plus(Duration::from_hours(9000))), Ok(()));
    }

    #[test]
    fn no_other_key_is_good() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(record(KeyState::Rotated, Standing::Active).authorize(now), Err(Refusal::Rotated));
        assert_eq!(record(KeyState::Revoked, Standing::Active).authorize(now), Err(Refusal::Revoked));
        assert_eq!(record(KeyState::Corrupt, Standing::Active).authorize(now), Err(Refusal::Revoked));
        assert_eq!(record(KeyState::Live, Standing::Revoked).authorize(now), Err(Refusal::Revoked));
        assert_eq!(record(KeyState::Live, Standing::Pending).authorize(now), Err(Refusal::NotApproved));
    }
}
