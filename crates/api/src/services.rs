//! What handlers work with: one service a concern, built once by the server and shared by its workers.

use std::sync::Arc;

use async_trait::async_trait;
use stratora_audit::AuditLog;
use stratora_auth::{DeviceKey, SessionTimeouts, Sessions, SignIn, Users};
use stratora_clock::Clock;
use stratora_keys::Keys;
use stratora_port::StoreError;

use crate::time_series::TimeSeries;

/// Tells whether the server can do its work.
#[async_trait]
pub trait Readiness: Send + Sync + 'static {
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    async fn check(&self) -> Result<(), StoreError>;
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
    /// Looks after components, their keys and configurations.
    pub keys: Arc<Keys>,
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
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}
