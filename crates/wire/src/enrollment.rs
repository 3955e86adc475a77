//! How components come in by themselves: enrollment tokens, and what is done with them.

use serde::{Deserialize, Serialize};

/// An enrollment token, without its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnrollmentToken {
    /// Its identifier.
    pub id: String,
    /// What it is for.
    pub description: String,
    /// Whether more than one component may register with it.
    pub multi_use: bool,
    /// How many components may register with it; `null`: any number.
    pub max_uses: Option<u32>,
    /// How many have.
    pub uses: u32,
    /// When it was made.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub created_at: String,
    /// Until when it is good; `null`: without an end.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub expires_at: Option<String>,
    /// When a component last registered with it.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub last_used_at: Option<String>,
}

/// Creates an enrollment token.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateEnrollmentToken {
    /// What it is for; may be empty.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(max_length = 200))]
    pub description: String,
    /// Whether more than one component may register with it; one when absent.
    #[serde(default)]
    pub multi_use: bool,
    /// How many components may register with it, for a token of many uses; absent: any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1_000_000))]
    pub max_uses: Option<u32>,
    /// For how long it is good; 24 hours when absent, without an end when 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(maximum = 31_536_000))]
    pub expires_in_seconds: Option<u32>,
}

/// An enrollment token with its value: the only time that it is seen.
#[derive(Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedEnrollmentToken {
    /// What is known of it from now on.
    pub token: EnrollmentToken,
    /// The value, `enroll_` and 43 characters, for [`Register::enrollment_token`].
    pub enrollment_token: String,
}

/// Registers a component. A client that may be interrupted sends an `Idempotency-Key` of its own, 43 characters that nobody can
/// guess: the same request with the same one is answered again, with a new key, until a key of it was used.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Register {
    /// The value of an enrollment token.
    pub enrollment_token: String,
    /// The host that the component runs on, which becomes its name.
    #[cfg_attr(feature = "openapi", schema(max_length = 253))]
    pub hostname: String,
    /// `agent` or `collector`.
    pub component_type: String,
    /// The version of its program.
    #[cfg_attr(feature = "openapi", schema(max_length = 64))]
    pub version: String,
}

/// Somebody asks for the place of a component: a host that is set up anew, or one that only says that it is that host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnrollmentRequest {
    /// The component whose place is asked for.
    pub component_id: String,
    /// Its name.
    pub name: String,
    /// The host that it runs on.
    pub hostname: Option<String>,
    /// `agent` or `collector`.
    pub kind: String,
    /// Its status.
    pub status: String,
    /// When this caller first asked.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub requested_at: String,
    /// From which address.
    pub client: Option<String>,
    /// The version of the program that asks.
    pub version: String,
    /// When it was approved, which is good for 24 hours; `null` while it waits.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub approved_at: Option<String>,
}

/// Approves a component, or a request for its place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApproveComponent {
    /// [`EnrollmentRequest::requested_at`] of the request that was looked at: nothing else is approved then, and least of all the
    /// component itself where it waits too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub requested_at: Option<String>,
}
