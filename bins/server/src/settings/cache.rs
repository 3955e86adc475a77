//! What is known of credentials in memory.

use std::num::NonZeroUsize;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::Deserialize;
use stratora_cache::Lease;

/// `cache`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cache {
    /// How many component keys are kept in memory at the most.
    pub keys: NonZeroUsize,
    /// How many sessions are kept in memory at the most.
    pub sessions: NonZeroUsize,
    /// How long a server trusts its memory without an answer from PostgreSQL, which is also how long a revocation waits
    /// for a server that has died. The same on all servers.
    #[serde(deserialize_with = "super::span")]
    pub lease: Duration,
}

impl Default for Cache {
    fn default() -> Self {
        const MILLION: NonZeroUsize = NonZeroUsize::new(1_000_000).unwrap();
        Self { keys: MILLION, sessions: MILLION, lease: Lease::default().span() }
    }
}

impl Cache {
    /// The lease.
    ///
    /// # Errors
    /// When it is too short or too long.
    pub fn lease(self) -> anyhow::Result<Lease> {
        Lease::lasting(self.lease).context("cache.lease")
    }

    /// The same for a command, which meets few credentials.
    #[must_use]
    pub fn of_command(self) -> Self {
        Self { keys: NonZeroUsize::MIN, sessions: NonZeroUsize::MIN, ..self }
    }

    pub(super) fn check(self) -> anyhow::Result<()> {
        const MOST: usize = 100_000_000;
        for (key, number) in [("cache.keys", self.keys), ("cache.sessions", self.sessions)] {
            if number.get() > MOST {
                bail!("{key} must be at most {MOST}");
            }
        }
        self.lease().map(drop)
    }
}
