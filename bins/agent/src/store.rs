//! Where settings are kept: a port, since Windows keeps them in its registry.

use std::io;
use std::path::PathBuf;

use crate::settings::{Credentials, InvalidSettings, Settings};

/// Keeps the settings.
pub trait SettingsStore {
    /// Reads them.
    ///
    /// # Errors
    /// [`LoadError`] says in a line what to do.
    fn load(&self) -> Result<Settings, LoadError>;

    /// Makes this the only agent that works with them, whatever its other options are. To be called again when they
    /// were loaded again.
    ///
    /// # Errors
    /// [`LoadError::InUse`] when another one does.
    fn claim(&self) -> Result<(), LoadError>;

    /// Finds out whether credentials could be replaced now, before anything is asked for that has to be kept.
    ///
    /// # Errors
    /// [`SaveError`] when they could not.
    fn prove_writable(&self) -> Result<(), SaveError>;

    /// Replaces the credentials that the agent knows with new ones, all at once and lasting, and leaves the rest of
    /// the settings as somebody may have changed it meanwhile.
    ///
    /// # Errors
    /// [`SaveError`]; the settings are then as they were.
    fn replace_credentials(&self, known: &Credentials, new: &Credentials) -> Result<(), SaveError>;

    /// Changes whenever somebody changes the settings.
    fn version(&self) -> Option<Version>;

    /// Where they are, for people.
    fn place(&self) -> String;
}

/// When and what somebody last wrote, as far as that can be told cheaply.
pub type Version = (std::time::SystemTime, u64);

/// Settings could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Not there, or not to be read.
    #[error("cannot be read")]
    Read(#[source] io::Error),
    /// Others than its owner may read it.
    #[error("others can read it (mode {mode:04o}), and it holds a secret: run `chmod 600 {}`", path.display())]
    Exposed {
        /// Its permissions.
        mode: u32,
        /// Which file.
        path: PathBuf,
    },
    /// Something in it is wrong.
    #[error(transparent)]
    Invalid(#[from] InvalidSettings),
    /// Another agent works with it.
    #[error("another agent is running with it")]
    InUse,
}

/// Credentials could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// They cannot be written there.
    #[error("cannot be written")]
    Write(#[source] io::Error),
    /// What is there is not what the agent started with.
    #[error(
        "its credentials were changed while the agent ran, or it cannot be read: send SIGHUP to use what it says now"
    )]
    Changed,
}
