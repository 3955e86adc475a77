//! `keys`.

use std::time::Duration;

use anyhow::Context as _;
use serde::Deserialize;
use stratora_keys::MaxKeyAge;

/// `keys`.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeySettings {
    /// How old a component's key may get before the component is told to rotate it; 0 turns it off.
    #[serde(deserialize_with = "super::span")]
    pub max_age: Duration,
}

impl KeySettings {
    /// The limit, if there is one.
    ///
    /// # Errors
    /// When it is below an hour or beyond 10 years.
    pub fn max_age(self) -> anyhow::Result<Option<MaxKeyAge>> {
        if self.max_age.is_zero() {
            return Ok(None);
        }
        MaxKeyAge::new(self.max_age).map(Some).context("keys.max_age")
    }
}
