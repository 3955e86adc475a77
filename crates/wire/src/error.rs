//! What every error looks like.

use serde::{Deserialize, Serialize};

/// An error. Never repeats the input, never tells of the server's inside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Error {
    /// What kind of error, for programs: a stable `snake_case` word.
    pub error: String,
    /// One sentence that a person can act on.
    pub message: String,
    /// Names the request in the server's logs and audit entries; also in the `X-Request-Id` header.
    pub request_id: String,
    /// Which field of the request is meant.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub field: Option<String>,
}
