//! What is well and what is not: kept in a file by the agent that runs, and shown by `stratora-agent status`.

mod show;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::configuration::LastConfiguration;
use crate::standing::Standing;

pub use show::show;

/// The name of the file in the state directory.
pub(crate) const FILE: &str = "status.json";

/// What a running agent knows of itself. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The program's version.
    pub version: String,
    /// Its process.
    pub process: u32,
    /// Since when it runs.
    pub started_at: Timestamp,
    /// The component that it is.
    pub component_id: Option<String>,
    /// How it stands with the server.
    pub standing: Standing,
    /// When a heartbeat was last answered.
    pub heartbeat_at: Option<Timestamp>,
    /// From one heartbeat to the next, in seconds.
    pub interval_seconds: u64,
    /// By how many seconds this host's clock is ahead of the server's.
    pub clock_ahead_seconds: i64,
    /// What is wrong with keeping keys.
    pub key_trouble: Option<String>,
    /// Why an agent that has a key, and a token beside it, is not enrolled anew.
    pub enrollment_trouble: Option<String>,
    /// When metrics were last taken.
    pub metrics_at: Option<Timestamp>,
    /// Why they are not.
    pub metrics_trouble: Option<String>,
    /// How many bytes of metrics wait on disk.
    pub buffered_bytes: u64,
    /// How many may.
    pub buffer_limit_bytes: u64,
    /// How many lines were dropped since the start.
    pub dropped_lines: u64,
    /// Whether a configuration is pulled.
    pub pulls_configuration: bool,
    /// What became of the last one.
    pub configuration: Option<LastConfiguration>,
    /// What is wrong with pulling it.
    pub configuration_trouble: Option<String>,
}

impl Status {
    /// That of an agent that has just started.
    pub fn new(now: Timestamp, interval_seconds: u64, buffer_limit_bytes: u64, pulls_configuration: bool) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            process: std::process::id(),
            started_at: now,
            component_id: None,
            standing: Standing::Starting,
            heartbeat_at: None,
            interval_seconds,
            clock_ahead_seconds: 0,
            key_trouble: None,
            enrollment_trouble: None,
            metrics_at: None,
            metrics_trouble: None,
            buffered_bytes: 0,
            buffer_limit_bytes,
            dropped_lines: 0,
            pulls_configuration,
            configuration: None,
            configuration_trouble: None,
        }
    }

    /// Metrics were taken.
    pub fn metrics_sent(&mut self, now: Timestamp) {
        self.metrics_at = Some(now);
        self.metrics_trouble = None;
    }

    /// Metrics were not taken.
    pub fn metrics_trouble(&mut self, why: Option<&str>) {
        self.metrics_trouble = why.map(str::to_owned);
    }
}
