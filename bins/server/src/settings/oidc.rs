//! How identity providers are spoken to.

use std::path::PathBuf;

use anyhow::Context as _;
use serde::Deserialize;
use stratora_oidc::OutgoingPolicy;

/// `oidc`. The providers themselves are set up in the console.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Oidc {
    /// Whether a provider may be on this very machine, to try things out.
    pub allow_loopback: bool,
    /// A file with certificates in PEM to trust besides those that the system trusts.
    pub ca_file: Option<PathBuf>,
}

impl Oidc {
    /// To which addresses requests to providers may go, and whom they trust.
    ///
    /// # Errors
    /// When the file does not read.
    pub fn policy(&self) -> anyhow::Result<OutgoingPolicy> {
        let read = |file: &PathBuf| {
            std::fs::read(file).with_context(|| format!("oidc.ca_file: cannot read {}", file.display()))
        };
        Ok(OutgoingPolicy {
            allow_loopback: self.allow_loopback,
            extra_ca: self.ca_file.as_ref().map(read).transpose()?,
            ..OutgoingPolicy::default()
        })
    }
}
