//! How components come in by themselves.

use std::time::Duration;

use anyhow::bail;
use serde::{Deserialize, Deserializer};
use stratora_keys::EnrollmentPolicy;

/// `enrollment`.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Enrollment {
    /// Whether a component that registers waits until an administrator lets it in.
    pub require_approval: bool,
    /// When a host that is known is given a new key without proof.
    pub reenroll: Reenroll,
    /// For `reenroll: offline`: after which time without a sign of it.
    #[serde(deserialize_with = "span")]
    pub offline_takeover_after: Option<Duration>,
}

/// `enrollment.reenroll`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reenroll {
    /// Once an administrator has approved it.
    #[default]
    Approval,
    /// Also when the component has not been seen for long.
    Offline,
}

fn span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    super::span(deserializer).map(Some)
}

impl Enrollment {
    /// Twice as long as a component may be silent before it counts as offline: a restart is no reason to lose one's place.
    const SHORTEST: Duration = Duration::from_mins(1);
    const LONGEST: Duration = Duration::from_hours(365 * 24);

    /// As enrollment knows it.
    ///
    /// # Errors
    /// When the settings do not fit together, or the time is too short or too long.
    pub fn policy(self) -> anyhow::Result<EnrollmentPolicy> {
        match (self.reenroll, self.offline_takeover_after) {
            (Reenroll::Approval, Some(_)) => {
                bail!("enrollment.offline_takeover_after needs enrollment.reenroll to be offline")
            }
            (Reenroll::Offline, None) => {
                bail!("enrollment.reenroll is offline: set enrollment.offline_takeover_after, such as 168h")
            }
            (Reenroll::Offline, Some(span)) if !(Self::SHORTEST..=Self::LONGEST).contains(&span) => {
                bail!("enrollment.offline_takeover_after must be between 1 minute and 365 days")
            }
            (_, offline_takeover_after) => {
                Ok(EnrollmentPolicy { require_approval: self.require_approval, offline_takeover_after })
            }
        }
    }
}
