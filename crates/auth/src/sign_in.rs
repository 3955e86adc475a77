//! Signing in with a password. Each way to fail takes the same steps and says the same, so that nobody learns which names
//! exist; each attempt is counted before its password is looked at, so that attempts side by side are all counted.

use std::sync::Arc;

use newtype_uuid::{GenericUuid as _, TypedUuid};
use std::time::Duration;
use stratora_audit::{Action, Actor, ActorKind, AuditLog, Event, Origin, Outcome, ResourceKind};
use stratora_clock::{Clock, Timestamp};
use stratora_hashing::{BcryptHash, Busy, HashingError, HashingPool, Permit};
use stratora_port::StoreError;
use stratora_token::{Entropy, EntropyError, Secret, random_uuid};

use crate::{
    Account, AccountStore, Admission, AuthSource, BrakeStore, BrakeSubject, CookieToken, KnownDevice, NewSession,
    OpenSessionError, Password, PasswordHash, Proof, Session, SessionStore, SessionTimeouts, SessionToken, UserId,
    Username,
};

/// How much of a user agent is kept, in characters: enough to recognise a browser by.
const USER_AGENT: usize = 256;

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
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes secrets.
    pub entropy: Arc<dyn Entropy>,
    /// How long sessions last.
    pub timeouts: SessionTimeouts,
}

/// Signs people in.
pub struct SignIn(SignInParts);

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
        match self.verify(permit, account, &password, now).await? {
            Verdict::Accepted { account, proof } => self.open(account, proof, &subject, client).await,
            Verdict::Refused { account, reason } => {
                let event = failure(client, now, Action::SignIn, &subject.username, account.as_ref());
                self.0.audit.append(event.ended(Outcome::Failure).with("reason", reason)).await?;
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
        let opening = Opening::prepare(&self.0, account, subject.device.is_some(), client)?;
        let event = opening.event(client, Action::SignIn).with("method", "password");
        match self.0.sessions.open(opening.new_session(), proof, subject, event).await {
            Ok(()) => Ok(opening.signed_in()),
            Err(OpenSessionError::AccountChanged) => {
                let event = opening.event(client, Action::SignIn).ended(Outcome::Failure);
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

fn failure(
    client: &ClientContext,
    at: Timestamp,
    action: Action,
    username: &Username,
    account: Option<&Account>,
) -> Event {
    let id = account.map(|account| account.id.into_untyped_uuid());
    client.origin.event(at, action).on(ResourceKind::User, id, username.as_str()).with("method", "password")
}

/// A session before it is stored: its secrets are made, nothing is written.
pub(crate) struct Opening {
    account: Account,
    session: Session,
    token: SessionToken,
    cookie: CookieToken,
    device: KnownDevice,
}

impl Opening {
    pub(crate) fn prepare(
        parts: &SignInParts,
        account: Account,
        device_is_known: bool,
        client: &ClientContext,
    ) -> Result<Self, Unavailable> {
        let entropy = parts.entropy.as_ref();
        let now = parts.clock.now();
        let device = match client.device.filter(|_| device_is_known) {
            Some(device) => device.device,
            None => TypedUuid::from_untyped_uuid(random_uuid(entropy)?),
        };
        let user: UserId = account.id;
        Ok(Self {
            session: Session {
                id: TypedUuid::from_untyped_uuid(random_uuid(entropy)?),
                user_id: user,
                created_at: now,
                last_seen_at: now,
                expires_at: now.plus(parts.timeouts.absolute),
                client: client.origin.client,
                user_agent: recognisable(&client.user_agent),
            },
            token: SessionToken(Secret::generate(entropy)?),
            cookie: CookieToken(Secret::generate(entropy)?),
            device: KnownDevice { user, device, signed_in_at: now },
            account,
        })
    }

    pub(crate) fn new_session(&self) -> NewSession {
        let session = self.session.clone();
        NewSession {
            id: session.id,
            user_id: session.user_id,
            token: self.token.0.digest(),
            cookie: self.cookie.0.digest(),
            created_at: session.created_at,
            expires_at: session.expires_at,
            client: session.client,
            user_agent: session.user_agent,
        }
    }

    /// An event of the person who signs in, on the session that is opened.
    pub(crate) fn event(&self, client: &ClientContext, action: Action) -> Event {
        let actor = Actor {
            kind: ActorKind::User,
            id: Some(self.account.id.into_untyped_uuid()),
            name: self.account.username.to_string(),
        };
        let origin = Origin { actor, ..client.origin.clone() };
        let session = Some(self.session.id.into_untyped_uuid());
        origin.event(self.session.created_at, action).on(ResourceKind::Session, session, self.account.username.as_str())
    }

    pub(crate) fn signed_in(self) -> SignedIn {
        let Self { account, session, token, cookie, device } = self;
        SignedIn { account, session, token, cookie, device }
    }
}

fn recognisable(user_agent: &str) -> String {
    user_agent.chars().filter(|c| !c.is_control()).take(USER_AGENT).collect()
}

/// Whether `password` is the account's, verified in the place that `permit` gives.
pub(crate) async fn verifies(permit: Permit, password: &Password, stored: &PasswordHash) -> Result<bool, Unavailable> {
    match password.preimage_for(stored) {
        Some(preimage) => Ok(permit.verify(preimage, BcryptHash::clone(stored.bcrypt())).await?),
        None => Ok(false),
    }
}
