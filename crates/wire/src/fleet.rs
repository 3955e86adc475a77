//! What components say, and what they are told.

use serde::{Deserialize, Serialize};

/// A sign of life, every 10 seconds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Heartbeat {
    /// The host that the component runs on.
    #[cfg_attr(feature = "openapi", schema(max_length = 253))]
    pub hostname: String,
    /// The version of its program.
    #[cfg_attr(feature = "openapi", schema(max_length = 64))]
    pub version: String,
    /// Its operating system.
    #[cfg_attr(feature = "openapi", schema(max_length = 100))]
    pub os: String,
}

/// The answer to a heartbeat.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HeartbeatAnswer {
    /// The server's time.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub server_time: String,
    /// Whether the component should rotate its key now.
    pub rotate: bool,
}

/// A component's own new key: the only time it is seen. The old one lives until this one is first used.
#[derive(Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OwnKey {
    /// The component.
    pub component_id: String,
    /// The key, for the `X-API-Key` header.
    pub api_key: String,
}

/// How applying a configuration went.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConfigReport {
    /// The component's hash, or the entity tag, of the configuration it speaks of.
    #[cfg_attr(feature = "openapi", schema(max_length = 128))]
    pub config_hash: String,
    /// `applied`, `validation_error` or `rolled_back`.
    pub status: String,
    /// What it has to say about it; may be empty.
    #[cfg_attr(feature = "openapi", schema(max_length = 4096))]
    pub message: String,
}

/// The last report of a component.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LastReport {
    /// The configuration it speaks of.
    pub config_hash: String,
    /// `applied`, `validation_error` or `rolled_back`.
    pub status: String,
    /// What it has to say about it.
    pub message: String,
    /// When it said so.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub reported_at: String,
}
