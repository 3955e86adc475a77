//! Requests and answers as they travel: one room for the shapes that the server, the agent and (through the OpenAPI
//! document) the console share. Plain data; what it means and whether it is allowed is decided where it is parsed.
//!
//! Every request type refuses unknown fields, so that a misspelt or smuggled field is an error and not silently ignored.
//! Times are RFC 3339 in UTC; identifiers are lower-case hyphenated UUIDs.

mod audit;
mod component;
mod enrollment;
mod error;
mod fleet;
mod fleet_rotation;
mod page;
mod provider;
mod session;
mod user;

pub use audit::{AuditActor, AuditCount, AuditDay, AuditEntry, AuditQuery, AuditResource, AuditStats};
pub use component::{
    Component, ComponentQuery, ComponentWithKey, CreateComponent, LeakReport, RotateComponent, UpdateComponent,
};
pub use enrollment::{
    ApproveComponent, CreateEnrollmentToken, CreatedEnrollmentToken, EnrollmentRequest, EnrollmentToken, Register,
};
pub use error::Error;
pub use fleet::{ConfigReport, Heartbeat, HeartbeatAnswer, LastReport, OwnKey};
pub use fleet_rotation::{FleetRotation, StartFleetRotation};
pub use page::{Page, PageQuery};
pub use provider::{
    Attempt, AttemptQuery, AttemptStep, CreateOidcProvider, DirectoryTest, DryRun, DryRunResult, EndSession,
    OidcProvider, Provider, ProviderEndpoints, ProviderTest, RoleMapping, TestDirectory, TestStep, UpdateOidcProvider,
};
pub use session::{ChangePassword, Login, Me, Session, SignedIn};
pub use user::{CreateUser, CreatedUser, ResetPassword, UpdateUser, User};

/// A field of a partial update: absent leaves it as it is, `null` removes it.
fn present<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: serde::Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    serde::Deserialize::deserialize(deserializer).map(Some)
}
