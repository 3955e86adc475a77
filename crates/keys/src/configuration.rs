//! Configurations of components: how they are set, pulled and reported on.

use stratora_audit::{Action, Origin};
use stratora_port::StoreError;

use crate::{ComponentId, Keys, MissingComponent, Report, ReportStatus, StoredConfig};

/// The longest hash that a component may report.
const MAX_HASH: usize = 128;
/// The longest message that a component may report, in characters.
const MAX_MESSAGE: usize = 4096;

/// A configuration was not taken.
#[derive(Debug, thiserror::Error)]
pub enum PutConfigError {
    /// It is not TOML.
    #[error("not TOML, at line {line}")]
    NotToml {
        /// The line, from 1, at which it stops being TOML.
        line: usize,
    },
    /// There is no such component, or the store failed.
    #[error(transparent)]
    Component(#[from] MissingComponent),
}

/// A report was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{field} {reason}")]
pub struct RefusedReport {
    /// Which field.
    pub field: &'static str,
    /// Why.
    pub reason: &'static str,
}

impl Keys {
    /// A component's configuration.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn config(&self, id: ComponentId) -> Result<Option<StoredConfig>, StoreError> {
        self.parts.configs.config(id).await
    }

    /// Sets a component's configuration. What is not TOML would break the component, and is refused.
    ///
    /// # Errors
    /// [`PutConfigError`] says why not.
    pub async fn put_config(&self, id: ComponentId, body: String, origin: &Origin) -> Result<(), PutConfigError> {
        if let Err(error) = toml::from_str::<toml::Table>(&body) {
            let before = error.span().and_then(|span| body.get(..span.start)).unwrap_or_default();
            return Err(PutConfigError::NotToml { line: before.matches('\n').count() + 1 });
        }
        let component = self.existing_or_missing(id).await?;
        let etag = self.parts.etags.tag(id, &body);
        let event = self
            .event(origin, Action::ConfigSet, &component)
            .with("etag", etag.as_str())
            .with("bytes", body.len().to_string());
        self.parts.configs.put_config(id, StoredConfig { body, etag }, event).await?;
        Ok(())
    }

    /// What a component says, as it is kept.
    ///
    /// # Errors
    /// [`RefusedReport`] names the field that is too long or holds controls.
    pub fn new_report(&self, config_hash: &str, status: ReportStatus, message: &str) -> Result<Report, RefusedReport> {
        if config_hash.len() > MAX_HASH || !config_hash.bytes().all(|byte| byte.is_ascii_graphic()) {
            let reason = "must have at most 128 printable ASCII characters";
            return Err(RefusedReport { field: "config_hash", reason });
        }
        let is_refused = |c: char| c.is_control() && c != '\n' && c != '\t';
        if message.chars().nth(MAX_MESSAGE).is_some() || message.contains(is_refused) {
            let reason = "must have at most 4096 characters, no controls but line breaks and tabs";
            return Err(RefusedReport { field: "message", reason });
        }
        Ok(Report { config_hash: config_hash.to_owned(), status, message: message.to_owned(), at: self.now() })
    }

    /// Keeps what a component says about its configuration.
    ///
    /// # Errors
    /// [`MissingComponent`] when there is no such component, or the store fails.
    pub async fn put_report(&self, id: ComponentId, report: Report, origin: &Origin) -> Result<(), MissingComponent> {
        let component = self.existing_or_missing(id).await?;
        let event = self.event(origin, Action::ConfigReport, &component).with("status", report.status.as_str());
        self.parts.configs.put_report(id, report, event).await
    }

    /// What a component last said about its configuration.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn report(&self, id: ComponentId) -> Result<Option<Report>, StoreError> {
        self.parts.configs.report(id).await
    }
}
