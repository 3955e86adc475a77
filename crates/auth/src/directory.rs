//! The port to a directory of people, such as Active Directory: who is there, and with which password.

use async_trait::async_trait;

use crate::{Password, Role, Username};

/// What a directory says about somebody whose password it has accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryPerson {
    /// How they want to be called; may be empty.
    pub display_name: String,
    /// A mail address.
    pub email: Option<String>,
    /// What their groups make them here.
    pub role: Role,
}

/// Why nobody could be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{advice}")]
pub struct DirectoryUnavailable {
    /// One sentence that says what to fix, for administrators and the log. Nothing that the directory wrote.
    pub advice: String,
}

/// A directory of people. Every call is bounded in time.
#[async_trait]
pub trait Directory: Send + Sync + 'static {
    /// What it says about the person of that name; `None` when there is none whose password this is.
    async fn verify(
        &self,
        username: &Username,
        password: &Password,
    ) -> Result<Option<DirectoryPerson>, DirectoryUnavailable>;
}
