//! Looks after accounts: what administrators and the command line do with them.

use newtype_uuid::{GenericUuid as _, TypedUuid};
use stratora_audit::{Action, Event, Origin, ResourceKind};
use stratora_clock::Timestamp;
use stratora_hashing::Busy;
use stratora_port::{Page, PageRequest, StoreError};
use stratora_token::random_uuid;

use crate::one_time::LIFETIME;
use crate::{
    Account, AccountChange, AuthSource, CreateAccountError, DisplayName, EmailAddress, MissingAccount, NewAccount,
    NewPassword, OneTimePassword, Password, PasswordHash, PasswordPolicy, RefusedPassword, Role, SignInParts,
    Unavailable, UserId, Username,
};

/// The account that comes with the installation.
const BUILT_IN: &str = "admin";

/// A user as an administrator describes it.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The name to sign in with.
    pub username: Username,
    /// What the person may do.
    pub role: Role,
    /// How the person wants to be called.
    pub display_name: Option<DisplayName>,
    /// A mail address.
    pub email: Option<EmailAddress>,
    /// A first password; a one-time password is made when there is none.
    pub password: Option<Password>,
}

/// A user of another installation, with its password hash.
#[derive(Debug, Clone)]
pub struct ImportedUser {
    /// The name to sign in with.
    pub username: Username,
    /// What the person may do.
    pub role: Role,
    /// How the person wants to be called.
    pub display_name: DisplayName,
    /// A mail address.
    pub email: Option<EmailAddress>,
    /// The hash of the password that the person has.
    pub password: PasswordHash,
}

/// The user was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateUserError {
    /// The name is taken.
    #[error("the username is taken")]
    Conflict,
    /// The first password was refused.
    #[error(transparent)]
    Refused(#[from] RefusedPassword),
    /// Too many passwords are being hashed.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// Something that is needed is not there.
    #[error(transparent)]
    Unavailable(Unavailable),
}

/// The user was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeUserError {
    /// There is no such user.
    #[error("no such user")]
    Missing,
    /// It is the account of who asks: nobody changes their own role, deactivates or deletes themselves.
    #[error("one's own account")]
    OwnAccount,
    /// The account came with the installation and stays an active administrator.
    #[error("the built-in account")]
    BuiltIn,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The password was not reset.
#[derive(Debug, thiserror::Error)]
pub enum ResetPasswordError {
    /// There is no such user.
    #[error("no such user")]
    Missing,
    /// Another system keeps this user's password.
    #[error("not a local account")]
    NotLocal,
    /// Too many passwords are being hashed.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// Something that is needed is not there.
    #[error(transparent)]
    Unavailable(Unavailable),
}

impl<E: Into<Unavailable>> From<E> for ResetPasswordError {
    fn from(error: E) -> Self {
        Self::Unavailable(error.into())
    }
}

/// Looks after accounts.
pub struct Users {
    pub(crate) parts: SignInParts,
    pub(crate) policy: PasswordPolicy,
}

impl Users {
    /// Looks after accounts with `parts`; new passwords fulfil `policy`.
    pub const fn new(parts: SignInParts, policy: PasswordPolicy) -> Self {
        Self { parts, policy }
    }

    /// All users by name.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn page(&self, page: &PageRequest) -> Result<Page<Account>, StoreError> {
        self.parts.accounts.page(page).await
    }

    /// One user.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn find(&self, id: UserId) -> Result<Option<Account>, StoreError> {
        self.parts.accounts.find(id).await
    }

    /// The user with that name.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn find_by_username(&self, username: &Username) -> Result<Option<Account>, StoreError> {
        self.parts.accounts.find_by_username(username).await
    }

    /// Creates a local user. Whatever the first password, it must be changed at the first sign-in.
    ///
    /// # Errors
    /// [`CreateUserError`] says why not.
    pub async fn create(
        &self,
        user: NewUser,
        origin: &Origin,
    ) -> Result<(Account, Option<OneTimePassword>), CreateUserError> {
        let permit = self.parts.hashing.reserve()?;
        let now = self.parts.clock.now();
        let one_time = match &user.password {
            Some(password) => {
                self.policy.check(password, &user.username)?;
                None
            }
            None => Some(OneTimePassword::generate(self.parts.entropy.as_ref()).map_err(unavailable)?),
        };
        let password = user.password.or_else(|| one_time.as_ref().map(OneTimePassword::to_password));
        let preimage = password.ok_or_else(|| unavailable(stratora_hashing::HashingError::Failed))?.preimage();
        let hash = PasswordHash::from_bcrypt(permit.hash(preimage).await.map_err(unavailable)?);
        let account = NewAccount {
            id: self.user_id().map_err(CreateUserError::Unavailable)?,
            username: user.username,
            display_name: user.display_name.unwrap_or_default().as_str().to_owned(),
            email: user.email.map(|email| email.to_string()),
            role: user.role,
            source: AuthSource::Local,
            password: Some(NewPassword { hash, must_change: true, expires_at: expiry(now, one_time.is_some()) }),
            built_in: false,
            created_at: now,
        };
        let created = self.insert(account, origin, Action::UserCreate).await?;
        Ok((created, one_time))
    }

    /// Takes over a user of another installation, with the password that the person has.
    ///
    /// # Errors
    /// [`CreateUserError`] says why not.
    pub async fn import(&self, user: ImportedUser, origin: &Origin) -> Result<Account, CreateUserError> {
        let account = NewAccount {
            id: self.user_id().map_err(CreateUserError::Unavailable)?,
            username: user.username,
            display_name: user.display_name.as_str().to_owned(),
            email: user.email.map(|email| email.to_string()),
            role: user.role,
            source: AuthSource::Local,
            password: Some(NewPassword { hash: user.password, must_change: false, expires_at: None }),
            built_in: false,
            created_at: self.parts.clock.now(),
        };
        self.insert(account, origin, Action::UserImport).await
    }

    /// Creates the built-in administrator in an installation that has no account yet. Of several replicas that start side
    /// by side, one does. Returns its one-time password.
    ///
    /// # Errors
    /// [`CreateUserError`] when it could not be created.
    pub async fn ensure_built_in(&self) -> Result<Option<OneTimePassword>, CreateUserError> {
        if !self.parts.accounts.is_empty().await.map_err(unavailable)? {
            return Ok(None);
        }
        let now = self.parts.clock.now();
        let one_time = OneTimePassword::generate(self.parts.entropy.as_ref()).map_err(unavailable)?;
        let permit = self.parts.hashing.reserve()?;
        let hash = permit.hash(one_time.to_password().preimage()).await.map_err(unavailable)?;
        let account = NewAccount {
            id: self.user_id().map_err(CreateUserError::Unavailable)?,
            username: Username::parse(BUILT_IN).unwrap_or_else(|_| unreachable!("a name of five letters")),
            display_name: "Administrator".to_owned(),
            email: None,
            role: Role::Admin,
            source: AuthSource::Local,
            password: Some(NewPassword {
                hash: PasswordHash::from_bcrypt(hash),
                must_change: true,
                expires_at: expiry(now, true),
            }),
            built_in: true,
            created_at: now,
        };
        match self.insert(account, &Origin::system(), Action::UserCreate).await {
            Ok(_) => Ok(Some(one_time)),
            Err(CreateUserError::Conflict) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn insert(&self, account: NewAccount, origin: &Origin, action: Action) -> Result<Account, CreateUserError> {
        let event = origin
            .event(account.created_at, action)
            .on(ResourceKind::User, Some(account.id.into_untyped_uuid()), account.username.as_str())
            .with("role", account.role.as_str());
        let created = account_of(&account);
        match self.parts.accounts.create(account, event).await {
            Ok(()) => Ok(created),
            Err(CreateAccountError::Conflict) => Err(CreateUserError::Conflict),
            Err(CreateAccountError::Store(error)) => Err(unavailable(error)),
        }
    }

    /// Changes a user.
    ///
    /// # Errors
    /// [`ChangeUserError`] says why not.
    pub async fn update(
        &self,
        id: UserId,
        change: AccountChange,
        by: UserId,
        origin: &Origin,
    ) -> Result<Account, ChangeUserError> {
        let account = self.parts.accounts.find(id).await?.ok_or(ChangeUserError::Missing)?;
        let new_role = change.role.filter(|role| *role != account.role);
        let turns_off = change.active == Some(false);
        if id == by && (new_role.is_some() || turns_off) {
            return Err(ChangeUserError::OwnAccount);
        }
        if account.built_in && (new_role.is_some() || turns_off) {
            return Err(ChangeUserError::BuiltIn);
        }
        let mut event = self.event(origin, Action::UserUpdate, &account);
        if let Some(role) = new_role {
            event = event.with("role", format!("{} to {role}", account.role));
        }
        if let Some(active) = change.active.filter(|active| *active != account.active) {
            event = event.with("active", active.to_string());
        }
        let change = AccountChange { role: new_role, ..change };
        self.parts.accounts.update(id, change, event).await.map_err(missing)
    }

    /// Deletes a user and ends its sessions.
    ///
    /// # Errors
    /// [`ChangeUserError`] says why not.
    pub async fn delete(&self, id: UserId, by: UserId, origin: &Origin) -> Result<(), ChangeUserError> {
        let account = self.parts.accounts.find(id).await?.ok_or(ChangeUserError::Missing)?;
        if account.built_in {
            return Err(ChangeUserError::BuiltIn);
        }
        if id == by {
            return Err(ChangeUserError::OwnAccount);
        }
        self.parts.accounts.delete(id, self.event(origin, Action::UserDelete, &account)).await.map_err(missing)
    }

    /// Gives a local user a one-time password, ends its sessions and clears its brake. Who resets does not choose the
    /// password, and so does not know the one that is used afterwards (ASVS 6.4.6).
    ///
    /// # Errors
    /// [`ResetPasswordError`] says why not.
    pub async fn reset_password(
        &self,
        id: UserId,
        origin: &Origin,
    ) -> Result<(Account, OneTimePassword), ResetPasswordError> {
        let permit = self.parts.hashing.reserve()?;
        let account = self.parts.accounts.find(id).await?.ok_or(ResetPasswordError::Missing)?;
        if account.source != AuthSource::Local {
            return Err(ResetPasswordError::NotLocal);
        }
        let one_time = OneTimePassword::generate(self.parts.entropy.as_ref())?;
        let hash = PasswordHash::from_bcrypt(permit.hash(one_time.to_password().preimage()).await?);
        let expires_at = expiry(self.parts.clock.now(), true);
        let password = NewPassword { hash, must_change: true, expires_at };
        let event = self.event(origin, Action::PasswordReset, &account);
        match self.parts.accounts.reset_password(id, password, event).await {
            Ok(()) => {}
            Err(MissingAccount::Missing) => return Err(ResetPasswordError::Missing),
            Err(MissingAccount::Store(error)) => return Err(error.into()),
        }
        let account = Account { must_change_password: true, password_expires_at: expires_at, ..account };
        Ok((account, one_time))
    }

    pub(crate) fn event(&self, origin: &Origin, action: Action, account: &Account) -> Event {
        let id = Some(account.id.into_untyped_uuid());
        origin.event(self.parts.clock.now(), action).on(ResourceKind::User, id, account.username.as_str())
    }

    fn user_id(&self) -> Result<UserId, Unavailable> {
        Ok(TypedUuid::from_untyped_uuid(random_uuid(self.parts.entropy.as_ref())?))
    }
}

fn unavailable(error: impl Into<Unavailable>) -> CreateUserError {
    CreateUserError::Unavailable(error.into())
}

fn missing(error: MissingAccount) -> ChangeUserError {
    match error {
        MissingAccount::Missing => ChangeUserError::Missing,
        MissingAccount::Store(error) => ChangeUserError::Store(error),
    }
}

fn expiry(now: Timestamp, is_one_time: bool) -> Option<Timestamp> {
    is_one_time.then(|| now.plus(LIFETIME))
}

fn account_of(new: &NewAccount) -> Account {
    let password = new.password.clone();
    Account {
        id: new.id,
        username: new.username.clone(),
        display_name: new.display_name.clone(),
        email: new.email.clone(),
        role: new.role,
        source: new.source,
        active: true,
        must_change_password: password.as_ref().is_some_and(|password| password.must_change),
        password_expires_at: password.as_ref().and_then(|password| password.expires_at),
        password: password.map(|password| password.hash),
        built_in: new.built_in,
        created_at: new.created_at,
        last_sign_in_at: None,
    }
}

impl std::fmt::Debug for Users {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Users").field("policy", &self.policy).finish_non_exhaustive()
    }
}
