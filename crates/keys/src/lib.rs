//! Component keys: how they look, how they are kept, and when they are good. A component is a program that reports to the
//! server unattended; it has one live key, and for a while perhaps the one before it. It comes in by itself with an
//! enrollment token.

mod authenticate;
mod component;
mod config;
mod configuration;
mod due;
mod enrollment;
mod fleet_rotations;
mod id;
mod key;
mod service;
mod sightings;
mod store;
mod waves;

pub use authenticate::{AuthenticateKeyError, AuthenticatedKey, KeyUse};
pub use component::{Component, ComponentKind, Hostname, Name, RefusedText, Standing, Status, Version};
pub use config::{ConfigStore, ETag, ETagKey, Report, ReportStatus, StoredConfig};
pub use configuration::{PutConfigError, RefusedReport};
pub use due::{MaxKeyAge, RefusedMaxKeyAge};
pub use enrollment::{
    Admission, Allowance, Answer, ApproveError, ApproveRequestError, Call, Description, Enrollment, EnrollmentPolicy,
    EnrollmentSecret, EnrollmentStore, EnrollmentToken, Ground, Host, IdempotencyKey, Issued, MissingRequest,
    MissingToken, NewEnrollmentToken, NewTokenRequest, Offer, ProvenKey, Reenrollment, RefusedAllowance,
    RefusedIdempotencyKey, RefusedRegistration, RegisterError, Registered, RegistrationError, Situation, Spent,
    TakenName, Validity, WaitingRequest, decide, names_for,
};
pub use fleet_rotations::{FleetRotationStore, FleetRotations, NewFleetRotation, Progress, StartRotationError};
pub use id::{
    ComponentId, ComponentTypeKind, EnrollmentTokenId, EnrollmentTokenTypeKind, FleetRotationId, FleetRotationKind,
    KeyId, KeyKind, subject_of,
};
pub use key::{ApiKey, Grace, KeyPrefix, KeyRecord, KeyState, MalformedKey, Refusal};
pub use service::{IssueKeyError, Keys, KeysParts, NewComponentRequest};
pub use store::{
    ChangeComponentError, ComponentFilter, ComponentUpdate, FirstUse, KeyStore, MissingComponent, NewComponent, NewKey,
    Sighting,
};

pub use waves::{
    Condition, FleetRotation, Member, NextStep, PlanField, RETURN_WITHIN, RefusedPlan, RotationState, Tally, Watch,
    WavePlan,
};

#[cfg(feature = "testing")]
pub mod testing;

#[cfg(test)]
mod tests;
