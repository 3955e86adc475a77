//! The rotation of a whole fleet's keys, in waves.

use serde::{Deserialize, Serialize};

/// How the fleet is to be rotated; what is absent is as usual.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StartFleetRotation {
    /// Components of this kind only, `agent` or `collector`. Absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// How many components a wave has at the most. Absent: 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1000))]
    pub wave_size: Option<u32>,
    /// It stops by itself when more than this share of those asked went silent or are refused. Absent: 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 100))]
    pub max_refused_percent: Option<u32>,
    /// How long a wave is waited for at the most. Absent: 300.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 30, maximum = 86400))]
    pub wave_timeout_seconds: Option<u32>,
}

/// A rotation of the fleet, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FleetRotation {
    /// Its identifier.
    pub id: String,
    /// `running`, `finished`, `stopped` or `cancelled`.
    pub state: String,
    /// Why it stopped by itself, if it did.
    pub reason: Option<String>,
    /// Components of this kind only; absent: of all.
    pub kind: Option<String>,
    /// How many components a wave has at the most.
    pub wave_size: u32,
    /// Beyond which share of lost components it stops by itself.
    pub max_refused_percent: u32,
    /// How long a wave is waited for at the most.
    pub wave_timeout_seconds: u64,
    /// How many components there were to ask when it began.
    pub total: u64,
    /// How many were asked so far.
    pub asked: u64,
    /// How many of those use their new keys.
    pub rotated: u64,
    /// How many of those went silent, are refused or were shut out.
    pub lost: u64,
    /// How many waves have begun.
    pub waves: u64,
    /// Who began it.
    pub started_by: String,
    /// When.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub started_at: String,
    /// When its last wave began.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub wave_began_at: Option<String>,
    /// When it ended.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub ended_at: Option<String>,
}
