//! Components, and the texts that describe them.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use stratora_clock::Timestamp;

use crate::{ComponentId, KeyPrefix};

/// What a component does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ComponentKind {
    /// Reports on the host that it runs on.
    Agent,
    /// Collects for a site.
    Collector,
}

impl ComponentKind {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Collector => "collector",
        }
    }

    /// The kind with that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Agent, Self::Collector].into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Whether a component is let in: what administrators decide about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Waits for an administrator's approval.
    Pending,
    /// Is let in.
    Active,
    /// Is shut out.
    Revoked,
}

impl Standing {
    /// The stable name, as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Revoked => "revoked",
        }
    }

    /// The standing with that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Pending, Self::Active, Self::Revoked].into_iter().find(|standing| standing.as_str() == name)
    }
}

/// What people see: the standing, and whether an active component still reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Waits for an administrator's approval.
    Pending,
    /// Is let in.
    Active,
    /// Is let in, was there before, and has not been seen for [`Status::OFFLINE_AFTER`].
    Offline,
    /// Is shut out.
    Revoked,
}

impl Status {
    /// Three missed heartbeats of 10 seconds.
    pub const OFFLINE_AFTER: Duration = Duration::from_secs(30);

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Offline => "offline",
            Self::Revoked => "revoked",
        }
    }

    /// The status with that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Pending, Self::Active, Self::Offline, Self::Revoked].into_iter().find(|status| status.as_str() == name)
    }
}

/// Why a text was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefusedText {
    /// It has no characters but white space.
    #[error("must not be empty")]
    Empty,
    /// It is too long.
    #[error("must have at most {max} characters")]
    TooLong {
        /// The most it may have.
        max: usize,
    },
    /// It holds a character that does not belong there.
    #[error("must not hold control or invisible characters")]
    Character,
    /// It is not a host name.
    #[error("must be a host name: letters, digits, dots, hyphens and underscores")]
    Hostname,
}

fn checked(text: String, max: usize) -> Result<String, RefusedText> {
    // Never more characters than bytes.
    if text.len() > max && text.chars().nth(max).is_some() {
        return Err(RefusedText::TooLong { max });
    }
    if text.trim().is_empty() {
        return Err(RefusedText::Empty);
    }
    let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if !is_plain && text.chars().any(is_control_or_invisible) {
        return Err(RefusedText::Character);
    }
    Ok(text)
}

/// Controls, zero-width characters and the marks that turn the direction of text: what makes a name look like another.
pub(crate) fn is_control_or_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident($parse:expr);)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// # Errors
            /// [`RefusedText`] says why.
            pub fn parse(text: impl Into<String>) -> Result<Self, RefusedText> {
                let parse: fn(String) -> Result<String, RefusedText> = $parse;
                parse(text.into()).map(Self)
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

texts! {
    /// What people call a component: 1 to 100 characters, none of them invisible.
    Name(|text| {
        let text = checked(text, 100)?;
        let trimmed = text.trim();
        Ok(if trimmed.len() == text.len() { text } else { trimmed.to_owned() })
    });
    /// The host that a component runs on, in lower case: at most 253 characters (RFC 1035 §2.3.4) of letters, digits,
    /// hyphens, underscores (which Windows allows) and dots.
    Hostname(|text| {
        let mut text = checked(text, 253)?;
        let label = |label: &[u8]| {
            (1..=63).contains(&label.len())
                && label.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        let is_name = text.as_bytes().split(|byte| *byte == b'.').all(label);
        if !is_name {
            return Err(RefusedText::Hostname);
        }
        text.make_ascii_lowercase();
        Ok(text)
    });
    /// The program version that a component reports: 1 to 64 characters.
    Version(|text| checked(text, 64));
}

/// A program that reports to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Its identifier.
    pub id: ComponentId,
    /// What people call it; unique.
    pub name: Name,
    /// The host that it runs on, if known.
    pub hostname: Option<Hostname>,
    /// What it does.
    pub kind: ComponentKind,
    /// Whether it is let in.
    pub standing: Standing,
    /// The first characters of its live key; of its last one when it is revoked.
    pub key_prefix: KeyPrefix,
    /// When that key was made.
    pub key_created_at: Timestamp,
    /// Since when it has been asked to rotate that key, if somebody asked.
    pub rotation_requested_at: Option<Timestamp>,
    /// When it last made a request, give or take a few seconds.
    pub last_seen_at: Option<Timestamp>,
    /// From which address.
    pub last_seen_ip: Option<IpAddr>,
    /// The program version that it last reported.
    pub version: Option<Version>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was shut out.
    pub revoked_at: Option<Timestamp>,
}

impl Component {
    /// What people see at `now`.
    pub fn status(&self, now: Timestamp) -> Status {
        match self.standing {
            Standing::Pending => Status::Pending,
            Standing::Revoked => Status::Revoked,
            Standing::Active => match self.last_seen_at {
                Some(seen) if now.since(seen) > Status::OFFLINE_AFTER => Status::Offline,
                _ => Status::Active,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hold_no_invisible_characters_and_no_white_space_at_their_ends() {
        assert_eq!(Name::parse(" Berlin 1 ").unwrap().as_str(), "Berlin 1");
        assert_eq!(Name::parse("  "), Err(RefusedText::Empty));
        assert_eq!(Name::parse("a\u{202e}b"), Err(RefusedText::Character));
        assert_eq!(Name::parse("a\0b"), Err(RefusedText::Character));
        assert_eq!(Name::parse("a".repeat(101)), Err(RefusedText::TooLong { max: 100 }));
        assert_eq!(Name::parse("<img onerror=x>").unwrap().as_str(), "<img onerror=x>");
    }

    #[test]
    fn host_names_are_host_names() {
        assert_eq!(Hostname::parse("DB-1.Example.com").unwrap().as_str(), "db-1.example.com");
        for bad in ["a b", "a..b", ".a", "a.", "ü", &"a".repeat(64), "a/b"] {
            assert_eq!(Hostname::parse(bad), Err(RefusedText::Hostname), "{bad}");
        }
    }
}
