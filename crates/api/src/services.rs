//! What handlers work with: one service a concern, built once by the server and shared by its workers.

use std::sync::Arc;

use async_trait::async_trait;
use stratora_audit::AuditLog;
use stratora_auth::{DeviceKey, Password, SessionTimeouts, Sessions, SignIn, Username, Users};
use stratora_clock::Clock;
use stratora_federation::{Federation, Providers};
use stratora_keys::{Enrollment, FleetRotations, Keys};
use stratora_port::StoreError;
use stratora_wire as wire;

use crate::console::ConsoleFiles;
use crate::time_series::TimeSeries;

/// Tells whether the server can do its work.
#[async_trait]
pub trait Readiness: Send + Sync + 'static {
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    async fn check(&self) -> Result<(), StoreError>;
}

/// Tests the directory that people can sign in through.
#[async_trait]
pub trait DirectoryTest: Send + Sync + 'static {
    /// What is well and what is not, and what the directory says about somebody.
    async fn test(&self, somebody: Option<(&Username, &Password)>) -> wire::DirectoryTest;
}

/// The services behind the routes.
#[derive(Clone)]
pub struct Services {
    /// Signs people in.
    pub sign_in: Arc<SignIn>,
    /// Looks after their sessions.
    pub sessions: Arc<Sessions>,
    /// Looks after their accounts.
    pub users: Arc<Users>,
    /// Signs people in through identity providers.
    pub federation: Arc<Federation>,
    /// Looks after those.
    pub providers: Arc<Providers>,
    /// What browsers show.
    pub console: Arc<dyn ConsoleFiles>,
    /// Tests the directory, if there is one.
    pub directory: Option<Arc<dyn DirectoryTest>>,
    /// Looks after components, their keys and configurations.
    pub keys: Arc<Keys>,
    /// Lets components in by themselves.
    pub enrollment: Arc<Enrollment>,
    /// Rotates the keys of whole fleets.
    pub fleet_rotations: Arc<FleetRotations>,
    /// Knows what happened.
    pub audit: Arc<dyn AuditLog>,
    /// Keeps measurements.
    pub time_series: TimeSeries,
    /// Tells whether the store answers.
    pub readiness: Arc<dyn Readiness>,
    /// Signs device cookies.
    pub devices: DeviceKey,
    /// How long sessions and their cookies last.
    pub timeouts: SessionTimeouts,
    /// The address that people open in their browser, without a slash at the end.
    pub external_url: String,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}
