//! Accounts and the port to where they are kept.

use async_trait::async_trait;
use stratora_audit::Event;
use stratora_clock::Timestamp;
use stratora_port::{Page, PageRequest, StoreError};

use crate::{NewSession, PasswordHash, Role, UserId, Username};

/// Who vouches for an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuthSource {
    /// This installation, with a password.
    Local,
    /// A directory.
    Ldap,
    /// An identity provider.
    Oidc,
}

impl AuthSource {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Ldap => "ldap",
            Self::Oidc => "oidc",
        }
    }

    /// The source with that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Local, Self::Ldap, Self::Oidc].into_iter().find(|source| source.as_str() == name)
    }
}

/// A person who may sign in.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its identifier.
    pub id: UserId,
    /// Its name, in canonical form.
    pub username: Username,
    /// How the person wants to be called; may be empty.
    pub display_name: String,
    /// A mail address, for information; identifies nobody.
    pub email: Option<String>,
    /// What the person may do.
    pub role: Role,
    /// Who vouches for the account.
    pub source: AuthSource,
    /// Whether the person may sign in.
    pub active: bool,
    /// The password, for local accounts.
    pub password: Option<PasswordHash>,
    /// Whether anything but changing the password is closed.
    pub must_change_password: bool,
    /// When a one-time password ends; `None` for a password that its owner chose.
    pub password_expires_at: Option<Timestamp>,
    /// The account that came with the installation, which can be neither deleted, deactivated nor given another role.
    pub built_in: bool,
    /// When the account was made.
    pub created_at: Timestamp,
    /// When the person last signed in.
    pub last_sign_in_at: Option<Timestamp>,
}

/// A password as it is set.
#[derive(Debug, Clone)]
pub struct NewPassword {
    /// Its hash.
    pub hash: PasswordHash,
    /// Whether it must be changed at the next sign-in.
    pub must_change: bool,
    /// When it ends, for a one-time password.
    pub expires_at: Option<Timestamp>,
}

/// An account as it is created.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Its identifier.
    pub id: UserId,
    /// Its name.
    pub username: Username,
    /// How the person wants to be called.
    pub display_name: String,
    /// A mail address.
    pub email: Option<String>,
    /// What the person may do.
    pub role: Role,
    /// Who vouches for it.
    pub source: AuthSource,
    /// Its password, for local accounts.
    pub password: Option<NewPassword>,
    /// Whether it is the account that comes with the installation.
    pub built_in: bool,
    /// When it is made.
    pub created_at: Timestamp,
}

/// The account as it is once it was created.
impl From<NewAccount> for Account {
    fn from(new: NewAccount) -> Self {
        let (must_change_password, password_expires_at) =
            new.password.as_ref().map_or((false, None), |password| (password.must_change, password.expires_at));
        Self {
            id: new.id,
            username: new.username,
            display_name: new.display_name,
            email: new.email,
            role: new.role,
            source: new.source,
            active: true,
            password: new.password.map(|password| password.hash),
            must_change_password,
            password_expires_at,
            built_in: new.built_in,
            created_at: new.created_at,
            last_sign_in_at: None,
        }
    }
}

/// What an administrator changes of an account; `None` leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountChange {
    /// Another display name.
    pub display_name: Option<String>,
    /// Another mail address; `Some(None)` removes it.
    pub email: Option<Option<String>>,
    /// Another role.
    pub role: Option<Role>,
    /// Whether the person may sign in. Turning it off ends all sessions.
    pub active: Option<bool>,
}

/// The account could not be created.
#[derive(Debug, thiserror::Error)]
pub enum CreateAccountError {
    /// The name is taken.
    #[error("the username is taken")]
    Conflict,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The account could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum MissingAccount {
    /// There is no such account, or it is built in and the change is not for such.
    #[error("no such account")]
    Missing,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The password could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangePasswordError {
    /// Meanwhile the account was deactivated or deleted, or its password was changed by someone else.
    #[error("the account changed meanwhile")]
    Changed,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where accounts are kept. Every method is one transaction that includes its audit event.
#[async_trait]
pub trait AccountStore: Send + Sync + 'static {
    /// The account with that name.
    async fn find_by_username(&self, username: &Username) -> Result<Option<Account>, StoreError>;

    /// The account with that identifier.
    async fn find(&self, id: UserId) -> Result<Option<Account>, StoreError>;

    /// All accounts by name.
    async fn page(&self, page: &PageRequest) -> Result<Page<Account>, StoreError>;

    /// Whether there is any account yet.
    async fn is_empty(&self) -> Result<bool, StoreError>;

    /// Creates an account.
    async fn create(&self, account: NewAccount, event: Event) -> Result<(), CreateAccountError>;

    /// Changes an account. A change of role and turning the account off end all its sessions: a new secret at every change of privilege. A built-in account
    /// counts as missing when the change sets its role or turns it off. Returns the account as it is then.
    async fn update(&self, id: UserId, change: AccountChange, event: Event) -> Result<Account, MissingAccount>;

    /// Deletes an account and its sessions. A built-in account counts as missing.
    async fn delete(&self, id: UserId, event: Event) -> Result<(), MissingAccount>;

    /// Replaces `current` by a password that the owner chose, ends all sessions and opens `session` instead. The account
    /// must be active and must still have exactly the password hash `current`.
    async fn change_password(
        &self,
        id: UserId,
        current: &PasswordHash,
        new: PasswordHash,
        session: NewSession,
        event: Event,
    ) -> Result<(), ChangePasswordError>;

    /// Replaces the password of a local account, ends all its sessions and clears its brake.
    async fn reset_password(&self, id: UserId, new: NewPassword, event: Event) -> Result<(), MissingAccount>;
}
