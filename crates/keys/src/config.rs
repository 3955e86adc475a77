//! The configuration that a collector pulls, and what it says about applying it.

use std::fmt;

use async_trait::async_trait;
use newtype_uuid::GenericUuid as _;
use stratora_audit::Event;
use stratora_clock::Timestamp;
use stratora_port::StoreError;
use stratora_token::MacKey;

use crate::{ComponentId, MissingComponent};

/// The key under which entity tags are made.
#[derive(Debug, Clone)]
pub struct ETagKey(MacKey);

impl ETagKey {
    /// Makes tags with `key`.
    pub const fn new(key: MacKey) -> Self {
        Self(key)
    }

    /// The tag of that component's configuration `body`. It is keyed, since a plain hash of a text that may hold
    /// secrets would let whoever sees the tag test guesses; and differs between components.
    pub fn tag(&self, component: ComponentId, body: &str) -> ETag {
        let tag = self.0.tag("stratora config etag v1", &[component.as_untyped_uuid().as_bytes(), body.as_bytes()]);
        // Half of the tag is plenty: it tells versions apart and proves nothing.
        let half = tag.first_chunk().map_or(0, |half| u128::from_be_bytes(*half));
        let mut digits = [b'0'; 32];
        for (digit, text) in digits.iter_mut().zip(format!("{half:032x}").bytes()) {
            *digit = text;
        }
        ETag(digits)
    }
}

/// An entity tag (RFC 9110 §8.8.3) without its quotes: 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ETag([u8; 32]);

impl ETag {
    /// A tag that was stored earlier; `None` when it cannot have been.
    pub fn parse(text: &str) -> Option<Self> {
        let is_digit = |byte: &u8| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase();
        let digits: [u8; 32] = text.as_bytes().try_into().ok()?;
        digits.iter().all(is_digit).then_some(Self(digits))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The tag as it stands in a header.
    pub fn quoted(&self) -> [u8; 34] {
        let mut quoted = [b'"'; 34];
        for (place, digit) in quoted.iter_mut().skip(1).zip(self.0) {
            *place = digit;
        }
        quoted
    }

    /// Whether an `If-None-Match` value names this tag (weak comparison, RFC 9110 §13.1.2). Lists and `*` are understood,
    /// and so is the bare tag that some agents send without quotes. What is malformed matches nothing.
    pub fn is_named_by(&self, if_none_match: &str) -> bool {
        let value = if_none_match.trim_matches([' ', '\t']);
        if value == "*" || value == self.as_str() {
            return true;
        }
        let mut rest = value;
        loop {
            rest = rest.trim_start_matches([' ', '\t', ',']);
            if rest.is_empty() {
                return false;
            }
            let opaque = rest.strip_prefix("W/").unwrap_or(rest);
            let Some((tag, after)) = opaque.strip_prefix('"').and_then(|quoted| quoted.split_once('"')) else {
                return false;
            };
            if tag == self.as_str() {
                return true;
            }
            rest = after.trim_start_matches([' ', '\t']);
            if !rest.is_empty() && !rest.starts_with(',') {
                return false;
            }
        }
    }
}

/// Without quotes.
impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A configuration and its tag, which belong together: read in one snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredConfig {
    /// The text.
    pub body: String,
    /// Its tag.
    pub etag: ETag,
}

/// How applying a configuration went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReportStatus {
    /// It is in force.
    Applied,
    /// It was refused before it came into force.
    ValidationError,
    /// It was in force, did not work, and the one before it is in force again.
    RolledBack,
}

impl ReportStatus {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::ValidationError => "validation_error",
            Self::RolledBack => "rolled_back",
        }
    }

    /// The status with that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Applied, Self::ValidationError, Self::RolledBack].into_iter().find(|status| status.as_str() == name)
    }
}

/// What a component says about a configuration. The last one is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The component's own hash or tag of the configuration it speaks of.
    pub config_hash: String,
    /// How it went.
    pub status: ReportStatus,
    /// What it has to say about it; may be empty.
    pub message: String,
    /// When it said so.
    pub at: Timestamp,
}

/// Where configurations are kept. Every method is one transaction that includes its audit event.
#[async_trait]
pub trait ConfigStore: Send + Sync + 'static {
    /// The component's configuration.
    async fn config(&self, component: ComponentId) -> Result<Option<StoredConfig>, StoreError>;

    /// Replaces the component's configuration.
    async fn put_config(
        &self,
        component: ComponentId,
        config: StoredConfig,
        event: Event,
    ) -> Result<(), MissingComponent>;

    /// Keeps what a component reports.
    async fn put_report(&self, component: ComponentId, report: Report, event: Event) -> Result<(), MissingComponent>;

    /// The component's last report.
    async fn report(&self, component: ComponentId) -> Result<Option<Report>, StoreError>;
}

#[cfg(test)]
mod tests {
    use newtype_uuid::TypedUuid;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn id(number: u128) -> ComponentId {
        TypedUuid::from_untyped_uuid(Uuid::from_u128(number))
    }

    fn key() -> ETagKey {
        ETagKey::new(MacKey::from_bytes([3; 32]))
    }

    #[test]
    fn a_tag_differs_by_component_body_and_key() {
        let tag = key().tag(id(1), "a = 1");
        assert_eq!(tag, key().tag(id(1), "a = 1"));
        assert_ne!(tag, key().tag(id(2), "a = 1"));
        assert_ne!(tag, key().tag(id(1), "a = 2"));
        assert_ne!(tag, ETagKey::new(MacKey::from_bytes([4; 32])).tag(id(1), "a = 1"));
        assert_eq!(ETag::parse(tag.as_str()), Some(tag));
    }

    #[test]
    fn every_way_to_name_the_tag_is_understood() {
        let tag = key().tag(id(1), "a = 1");
        for naming in [
            format!("\"{tag}\""),
            format!("W/\"{tag}\""),
            format!("{tag}"),
            format!("\"x\", W/\"y,z\" ,\"{tag}\""),
            format!(" \"{tag}\" "),
            format!("{}\"{tag}\"", "\"other\",".repeat(500)),
            "*".to_owned(),
        ] {
            assert!(tag.is_named_by(&naming), "{naming}");
        }
    }

    #[test]
    fn what_does_not_name_the_tag_matches_nothing() {
        let tag = key().tag(id(1), "a = 1");
        for other in [
            String::new(),
            "\"x\"".to_owned(),
            format!("\"{tag}"),
            format!("\"{tag} \""),
            format!("x\"{tag}\""),
            format!("\"x\" \"{tag}\""),
            format!("w/\"{tag}\""),
            format!("x, {tag}"),
            ",,,".to_owned(),
            "\"*\"".to_owned(),
        ] {
            assert!(!tag.is_named_by(&other), "{other}");
        }
    }
    proptest! {
        #[test]
        fn whatever_is_sent_is_read(value in any::<String>()) {
            let tag = key().tag(id(1), "a = 1");
            // Only what holds the tag, or stands for all tags, can name it.
            let named = tag.is_named_by(&value);
            prop_assert!(!named || value.contains(tag.as_str()) || value.contains('*'));
        }

        #[test]
        fn whatever_resembles_a_list_is_read(value in r#"(W/|w/|"|,| |\t|\*|x|[0-9a-f]{32}){0,40}"#) {
            let tag = key().tag(id(1), "a = 1");
            prop_assert_eq!(tag.is_named_by(&value), value.trim_matches([' ', '\t']) == "*");
        }

        #[test]
        fn a_list_names_the_tags_in_it_and_no_others(
            others in prop::collection::vec((any::<bool>(), "[!#-~]{0,40}", "[ \t]{0,2},[ \t,]{0,3}"), 0..20),
            place in any::<prop::sample::Index>(),
            is_weak in any::<bool>(),
        ) {
            let tag = key().tag(id(1), "a = 1");
            prop_assume!(others.iter().all(|(_, other, _)| other != tag.as_str()));
            let entry = |is_weak: bool, tag: &str| format!("{}\"{tag}\"", if is_weak { "W/" } else { "" });
            let mut entries: Vec<_> =
                others.iter().map(|(weak, other, comma)| entry(*weak, other) + comma).collect();
            prop_assert!(!tag.is_named_by(&entries.concat()));
            entries.insert(place.index(entries.len() + 1), entry(is_weak, tag.as_str()) + ",");
            prop_assert!(tag.is_named_by(&entries.concat()));
        }
    }
}
