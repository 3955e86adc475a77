//! Signing in with a password. Each way to fail takes the same steps and says the same, so that nobody learns which names
//! exist; each attempt is counted before its password is looked at, so that attempts side by side are all counted.

use std::sync::Arc;

use std::time::Duration;

use newtype_uuid::GenericUuid as _;
use stratora_audit::{Action, AuditLog, Event, Origin, Outcome, ResourceKind};
use stratora_clock::{Clock, Timestamp};
use stratora_hashing::{BcryptHash, Busy, HashingError, HashingPool, Permit};
use stratora_port::StoreError;
use stratora_token::{Entropy, EntropyError};

use crate::through_directory::{Attempt, is_for_directory};
use crate::{
    Account, AccountStore, Admission, AuthSource, BrakeStore, BrakeSubject, CookieToken, Directory,
    DirectoryUnavailable, KnownDevice, OpenSessionError, Opening, Password, PasswordHash, Proof, Session, SessionStore,
    SessionTimeouts, SessionToken, Username,
};

/// Where a sign-in comes from.
#[derive(Debug, Clone)]
pub struct ClientContext {
    /// For the audit log.
    pub origin: Origin,
    /// What the program calls itself.
    pub user_agent: String,
    /// The device, when it brings a cookie that we signed.
    pub device: Option<KnownDevice>,
}

/// A name and a password.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The name.
    pub username: Username,
    /// The password.
    pub password: Password,
}

/// A session that was just opened, with its secrets.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Who signed in.
    pub account: Account,
    /// The session.
    pub session: Session,
    /// Its secret for `Authorization: Bearer`.
    pub token: SessionToken,
    /// Its secret for the cookie.
    pub cookie: CookieToken,
    /// The device, known from now on.
    pub device: KnownDevice,
}

/// What a sign-in, or what goes with it, needs is not there. The door stays closed.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A hash could not be computed.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// There is no randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

/// The sign-in was refused.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Wrong name, wrong password, disabled account, account of another source, expired one-time password.
    #[error("invalid credentials")]
    InvalidCredentials,
    /// Too many failures for this name. `None`: until a reset, or a sign-in from a known device.
    #[error("too many failed sign-ins")]
    Throttled {
        /// How long to wait.
        retry_after: Option<Duration>,
    },
    /// Too many passwords are being checked; this one was not, and was not counted.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// The directory, which alone may know the person, cannot be asked.
    #[error(transparent)]
    DirectoryUnavailable(#[from] DirectoryUnavailable),
    /// Something that is needed is not there.
    #[error(transparent)]
    Unavailable(Unavailable),
}

impl<E: Into<Unavailable>> From<E> for SignInError {
    fn from(error: E) -> Self {
        Self::Unavailable(error.into())
    }
}

/// What signing in needs.
#[derive(Clone)]
pub struct SignInParts {
    /// Where accounts are kept.
    pub accounts: Arc<dyn AccountStore>,
    /// Where sessions are kept.
    pub sessions: Arc<dyn SessionStore>,
    /// Where failures are counted.
    pub brake: Arc<dyn BrakeStore>,
    /// Where refusals are written down.
    pub audit: Arc<dyn AuditLog>,
    /// Verifies passwords.
    pub hashing: HashingPool,
    /// Knows those who have no local account, if there is one.
    pub directory: Option<Arc<dyn Directory>>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes secrets.
    pub entropy: Arc<dyn Entropy>,
    /// How long sessions last.
    pub timeouts: SessionTimeouts,
}

/// Signs people in.
pub struct SignIn(pub(crate) SignInParts);

impl SignIn {
    /// Signs people in with `parts`.
    pub const fn new(parts: SignInParts) -> Self {
        Self(parts)
    }

    /// Opens a session for whoever knows the account's password.
    ///
    /// # Errors
    /// [`SignInError`] says why not; nothing was opened then.
    pub async fn with_password(
        &self,
        credentials: Credentials,
        client: &ClientContext,
    ) -> Result<SignedIn, SignInError> {
        let Credentials { username, password } = credentials;
        let permit = self.0.hashing.reserve()?;
        let account = self.0.accounts.find_by_username(&username).await?;
        let device = known_to(account.as_ref(), client);
        let subject = BrakeSubject { username, device: device.map(|device| device.device) };
        let now = self.0.clock.now();
        if let Admission::Throttled { retry_after } = self.0.brake.attempt(&subject, now).await? {
            let event = failure(client, now, Action::AccountThrottle, &subject.username, account.as_ref());
            self.0.audit.append(event.ended(Outcome::Denied)).await?;
            return Err(SignInError::Throttled { retry_after });
        }
        if let Some(directory) = self.0.directory.as_ref().filter(|_| is_for_directory(account.as_ref())) {
            let attempt = Attempt { account, subject, password, client };
            return self.with_directory(directory.as_ref(), permit, attempt).await;
        }
        match self.verify(permit, account, &password, now).await? {
            Verdict::Accepted { account, proof } => self.open(account, proof, &subject, client).await,
            Verdict::Refused { account, reason } => {
                let event = failure(client, now, Action::SignIn, &subject.username, account.as_ref());
                let event = event.with("method", "password").with("reason", reason);
                self.0.audit.append(event.ended(Outcome::Failure)).await?;
                Err(SignInError::InvalidCredentials)
            }
        }
    }

    /// Verifies exactly one hash, whatever there is to verify.
    async fn verify(
        &self,
        permit: Permit,
        account: Option<Account>,
        password: &Password,
        now: Timestamp,
    ) -> Result<Verdict, Unavailable> {
        let obstacle = obstacle(account.as_ref(), now);
        let stored = account.as_ref().and_then(|account| account.password.clone());
        let preimage = stored.as_ref().and_then(|stored| password.preimage_for(stored));
        let (Some(account), Some(verified), Some(preimage), None) = (account.clone(), stored, preimage, obstacle)
        else {
            let dummy = self.0.hashing.dummy().clone();
            permit.verify(password.preimage(), dummy).await?;
            return Ok(Verdict::Refused { account, reason: obstacle.unwrap_or("wrong_password") });
        };
        let upgrade = if verified.is_outdated(self.0.hashing.cost().get()) {
            let made = permit.verify_and_upgrade(preimage, verified.bcrypt().clone(), password.preimage()).await?;
            made.map(|made| Some(PasswordHash::from_bcrypt(made)))
        } else {
            permit.verify(preimage, verified.bcrypt().clone()).await?.then_some(None)
        };
        Ok(match upgrade {
            Some(upgrade) => Verdict::Accepted { account, proof: Proof::Password { verified, upgrade } },
            None => Verdict::Refused { account: Some(account), reason: "wrong_password" },
        })
    }

    async fn open(
        &self,
        account: Account,
        proof: Proof,
        subject: &BrakeSubject,
        client: &ClientContext,
    ) -> Result<SignedIn, SignInError> {
        let opening = Opening::prepare(self.0.entropy.as_ref(), self.0.clock.now(), self.0.timeouts, account, client)?;
        let event = opening.event(client, Action::SignIn).with("method", "password");
        match self.0.sessions.open(opening.new_session(), proof, subject, event).await {
            Ok(()) => Ok(opening.signed_in()),
            Err(OpenSessionError::AccountChanged) => {
                let event = opening.event(client, Action::SignIn).ended(Outcome::Failure).with("method", "password");
                self.0.audit.append(event.with("reason", "account_changed")).await?;
                Err(SignInError::InvalidCredentials)
            }
            Err(OpenSessionError::Store(error)) => Err(error.into()),
        }
    }
}

enum Verdict {
    Accepted { account: Account, proof: Proof },
    Refused { account: Option<Account>, reason: &'static str },
}

/// Why the account cannot be signed in to with a password, whatever the password.
fn obstacle(account: Option<&Account>, now: Timestamp) -> Option<&'static str> {
    let Some(account) = account else { return Some("unknown_user") };
    if account.source != AuthSource::Local {
        return Some("other_source");
    }
    if !account.active {
        return Some("inactive");
    }
    account.password_expires_at.is_some_and(|expires_at| now >= expires_at).then_some("expired")
}

/// The client's device, if it is known to this very account.
fn known_to(account: Option<&Account>, client: &ClientContext) -> Option<KnownDevice> {
    client.device.filter(|device| account.is_some_and(|account| account.id == device.user))
}

pub(crate) fn failure(
    client: &ClientContext,
    at: Timestamp,
    action: Action,
    username: &Username,
    account: Option<&Account>,
) -> Event {
    let id = account.map(|account| account.id.into_untyped_uuid());
    client.origin.event(at, action).on(ResourceKind::User, id, username.as_str())
}

/// Whether `password` is the account's, verified in the place that `permit` gives.
pub(crate) async fn verifies(permit: Permit, password: &Password, stored: &PasswordHash) -> Result<bool, Unavailable> {
    match password.preimage_for(stored) {
        Some(preimage) => Ok(permit.verify(preimage, BcryptHash::clone(stored.bcrypt())).await?),
        None => Ok(false),
    }
}
