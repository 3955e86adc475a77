//! The audit log.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Which entries are wanted; every condition that is set must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct AuditQuery {
    /// At this time or later.
    #[cfg_attr(feature = "openapi", param(format = DateTime))]
    pub from: Option<String>,
    /// Before this time.
    #[cfg_attr(feature = "openapi", param(format = DateTime))]
    pub until: Option<String>,
    /// By the actor with this name.
    pub user: Option<String>,
    /// This action, such as `session.sign_in`.
    pub action: Option<String>,
    /// `success`, `failure` or `denied`.
    pub outcome: Option<String>,
    /// On a resource of this kind: `user`, `session`, `component`, `key`, `enrollment_token`, `provider` or `endpoint`.
    pub resource: Option<String>,
    /// On the resource with this identifier.
    pub resource_id: Option<String>,
    /// A text in the actor's name, the resource's name or the details, in any case.
    pub q: Option<String>,
    /// How many items, 1 to 200; 50 when absent.
    #[cfg_attr(feature = "openapi", param(minimum = 1, maximum = 200))]
    pub limit: Option<u16>,
    /// The `next_cursor` of the page before; absent for the first page.
    pub cursor: Option<String>,
}

/// One entry of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    /// Its position in the log, from 1, without gaps.
    pub seq: u64,
    /// When, in UTC.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub at: String,
    /// Who.
    pub actor: AuditActor,
    /// What, such as `component.rotate`.
    pub action: String,
    /// On what.
    pub resource: Option<AuditResource>,
    /// `success`, `failure` or `denied`.
    pub outcome: String,
    /// From which address.
    pub client_address: Option<String>,
    /// Under which request.
    pub request_id: Option<String>,
    /// What else is worth knowing.
    pub details: BTreeMap<String, String>,
    /// SHA-256 over this entry and the hash of the one before, in hexadecimal.
    pub hash: String,
}

/// Who acted, under the name of that time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditActor {
    /// `anonymous`, `user`, `component`, `command_line` or `system`.
    pub kind: String,
    /// Its identifier.
    pub id: Option<String>,
    /// Its name.
    pub name: String,
}

/// What was acted on, under the name of that time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditResource {
    /// `user`, `session`, `component`, `key` or `endpoint`.
    pub kind: String,
    /// Its identifier.
    pub id: Option<String>,
    /// Its name.
    pub name: String,
}

/// Counts over the entries that match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditStats {
    /// All of them.
    pub total: u64,
    /// By action and outcome, the most frequent first.
    pub by_action: Vec<AuditCount>,
    /// By UTC day, in order; days without entries are left out.
    pub by_day: Vec<AuditDay>,
}

/// How many entries of one action ended in one way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditCount {
    /// Which action.
    pub action: String,
    /// Which outcome.
    pub outcome: String,
    /// How many.
    pub count: u64,
}

/// How many entries a day has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditDay {
    /// The day's first instant, in UTC.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub day: String,
    /// How many.
    pub count: u64,
}
