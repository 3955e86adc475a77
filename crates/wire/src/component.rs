//! Components and their keys.

use serde::{Deserialize, Serialize};

/// A program that reports to the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Component {
    /// Its identifier.
    pub id: String,
    /// What people call it; unique.
    pub name: String,
    /// The host that it runs on.
    pub hostname: Option<String>,
    /// `agent` or `collector`.
    pub kind: String,
    /// `pending`, `active`, `offline` or `revoked`.
    pub status: String,
    /// The first 12 characters of its key.
    pub key_prefix: String,
    /// When that key was made.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub key_created_at: String,
    /// Since when it has been asked to rotate that key; absent when it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub rotation_requested_at: Option<String>,
    /// When it last made a request, give or take a few seconds.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub last_seen_at: Option<String>,
    /// From which address.
    pub last_seen_ip: Option<String>,
    /// The program version that it last reported.
    pub version: Option<String>,
    /// When it was created.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub created_at: String,
    /// When it was shut out.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub revoked_at: Option<String>,
}

/// Which components are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct ComponentQuery {
    /// `agent` or `collector`.
    pub kind: Option<String>,
    /// `pending`, `active`, `offline` or `revoked`.
    pub status: Option<String>,
    /// A text in the name, the host name or the key prefix, in any case.
    pub q: Option<String>,
    /// How many items, 1 to 200; 50 when absent.
    #[cfg_attr(feature = "openapi", param(minimum = 1, maximum = 200))]
    pub limit: Option<u16>,
    /// The `next_cursor` of the page before; absent for the first page.
    pub cursor: Option<String>,
}

/// Creates a component.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateComponent {
    /// What people call it; unique.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 100))]
    pub name: String,
    /// `agent` or `collector`.
    pub kind: String,
    /// The host that it runs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 253))]
    pub hostname: Option<String>,
}

/// Changes what describes a component; a field that is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdateComponent {
    /// Another name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Another host name; `null` removes it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub hostname: Option<Option<String>>,
}

/// How the old key ends when a new one is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RotateComponent {
    /// The old key lives on until the new one is first used or this many seconds pass, at most 30 days. Absent: it is
    /// dead at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 2_592_000))]
    pub grace_seconds: Option<u32>,
}

/// A component with its new key: the only time the key is seen.
#[derive(Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ComponentWithKey {
    /// The component.
    pub component: Component,
    /// The key, for the `X-API-Key` header.
    pub api_key: String,
}

/// Reports a leaked key, which ends it.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LeakReport {
    /// The whole key.
    pub api_key: String,
}
