//! Sessions. Each has two different secrets: a bearer token that scripts hold and a cookie that they cannot read. Each
//! works in its own channel only, so that what leaks from one is worth nothing in the other.

use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;
use stratora_audit::Event;
use stratora_clock::Timestamp;
use stratora_port::StoreError;
use stratora_token::{Digest, Secret};

use crate::{
    Account, AuthSource, BrakeSubject, DirectoryPerson, NewAccount, PasswordHash, Role, SessionId, UserId, Username,
};

/// The secret that travels in `Authorization: Bearer`.
#[derive(Debug, Clone)]
pub struct SessionToken(pub Secret);

/// The secret that travels in the session cookie.
#[derive(Debug, Clone)]
pub struct CookieToken(pub Secret);

/// The way in which a session's secret came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// In `Authorization: Bearer`.
    Bearer,
    /// In the session cookie.
    Cookie,
}

/// How long a session lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionTimeouts {
    /// From sign-in, whatever happens in between.
    pub absolute: Duration,
    /// Since it was last used; `None` turns this off.
    pub idle: Option<Duration>,
}

impl SessionTimeouts {
    /// Whether a session that was last used then is idle for too long at `now`.
    pub(crate) fn have_left_idle(self, last_seen_at: Timestamp, now: Timestamp) -> bool {
        self.idle.is_some_and(|idle| now >= last_seen_at.plus(idle))
    }
}

/// A day and an hour: NIST SP 800-63B-4 §2.2.3 (AAL2) recommends at most 24 hours and 1 hour.
impl Default for SessionTimeouts {
    fn default() -> Self {
        Self { absolute: Duration::from_hours(24), idle: Some(Duration::from_hours(1)) }
    }
}

/// A session as it is opened.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// Its identifier.
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// The stored form of the bearer token.
    pub token: Digest,
    /// The stored form of the cookie.
    pub cookie: Digest,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// Until when its bearer token has to be used first, together with its cookie: for a token that is delivered in a link.
    pub confirm_by: Option<Timestamp>,
    /// From which address it was opened.
    pub client: Option<IpAddr>,
    /// With which program, as that program says; cut to a length, for the owner to recognise.
    pub user_agent: String,
}

/// A session that was opened earlier, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its identifier.
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it was last used, give or take a minute: uses are recorded in batches.
    pub last_seen_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// From which address it was opened.
    pub client: Option<IpAddr>,
    /// With which program.
    pub user_agent: String,
}

impl Session {
    /// How long the session lives.
    pub const fn lifetime(&self) -> Lifetime {
        Lifetime { created_at: self.created_at, last_seen_at: self.last_seen_at, expires_at: self.expires_at }
    }
}

/// What decides how long a session lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    /// When the session was opened.
    pub created_at: Timestamp,
    /// When it was last used, give or take a minute.
    pub last_seen_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
}

impl Lifetime {
    /// Whether the session still stands at `now`. One that claims to be opened in the future does not.
    pub fn is_live(self, now: Timestamp, timeouts: SessionTimeouts) -> bool {
        /// How far the clocks of two replicas may be apart.
        const SKEW: Duration = Duration::from_mins(1);
        self.created_at <= now.plus(SKEW)
            && now < self.ends_at(timeouts)
            && !timeouts.have_left_idle(self.last_seen_at, now)
    }

    /// When the session ends, however much it is used.
    pub(crate) fn ends_at(self, timeouts: SessionTimeouts) -> Timestamp {
        self.expires_at.min(self.created_at.plus(timeouts.absolute))
    }
}

/// Whom a session lets in: what requests need to know of a session and its owner, as they are now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticatedSession {
    /// The session.
    pub id: SessionId,
    /// How long it lives.
    pub lifetime: Lifetime,
    /// Whether the bearer token has to be used first together with the cookie: until that was done, and where it has to be.
    pub must_confirm: bool,
    /// Its owner.
    pub user: User,
}

/// The owner of a session. No more than requests need, since servers keep it in memory for every session in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Their identifier.
    pub id: UserId,
    /// Their name, in canonical form.
    pub username: Username,
    /// How they want to be called; may be empty.
    pub display_name: Box<str>,
    /// A mail address, for information.
    pub email: Option<Box<str>>,
    /// What they may do.
    pub role: Role,
    /// Who vouches for them.
    pub source: AuthSource,
    /// Whether they may sign in.
    pub active: bool,
    /// Whether anything but changing the password is closed to them.
    pub must_change_password: bool,
}

impl From<Account> for User {
    fn from(account: Account) -> Self {
        Self {
            id: account.id,
            username: account.username,
            display_name: account.display_name.into(),
            email: account.email.map(Into::into),
            role: account.role,
            source: account.source,
            active: account.active,
            must_change_password: account.must_change_password,
        }
    }
}

/// What made the sign-in succeed. The store checks that it still holds when the session is written.
#[derive(Debug, Clone)]
pub enum Proof {
    /// A password whose stored hash was `verified`.
    Password {
        /// The hash that was verified.
        verified: PasswordHash,
        /// A hash of the same password in the present form, where the stored one is of an older form.
        upgrade: Option<PasswordHash>,
    },
}

/// A sign-in that a directory has vouched for, decided and not yet done.
#[derive(Debug, Clone)]
pub struct DirectorySignIn {
    /// The session to open.
    pub session: NewSession,
    /// What the directory says.
    pub person: DirectoryPerson,
    /// The account and the event of its making, where there is none yet.
    pub made: Option<(NewAccount, Event)>,
    /// The event of the sign-in.
    pub event: Event,
}

/// The session could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenSessionError {
    /// Meanwhile the account was deactivated, deleted or given another password, or somebody else got the name.
    #[error("the account changed meanwhile")]
    AccountChanged,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The session could not be ended.
#[derive(Debug, thiserror::Error)]
pub enum MissingSession {
    /// The user has no such session.
    #[error("no such session")]
    Missing,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where sessions are kept. Every method is one transaction that includes its audit event.
#[async_trait]
pub trait SessionStore: Send + Sync + 'static {
    /// Opens a session if the account is active and `proof` still holds; stores the upgraded hash, notes the sign-in on
    /// the account, and clears the counters that [`BrakeSubject::cleared_by_success`] names.
    async fn open(
        &self,
        session: NewSession,
        proof: Proof,
        brake: &BrakeSubject,
        event: Event,
    ) -> Result<(), OpenSessionError>;

    /// Opens a session for somebody whom the directory knows: makes the account, or gives an active one of the directory what
    /// the directory says of it; a change of role ends its other sessions. Clears the same counters.
    async fn open_from_directory(&self, sign_in: DirectorySignIn, brake: &BrakeSubject)
    -> Result<(), OpenSessionError>;

    /// The session whose secret of that channel has that digest, with its owner, in one read. Whether it is live and its
    /// owner active is the caller's to decide.
    async fn find(&self, channel: Channel, digest: &Digest) -> Result<Option<AuthenticatedSession>, StoreError>;

    /// Lets the bearer token of a session work alone from now on, if `cookie` is the session's and it is not too late.
    /// Returns whether it does; when it did before, the call changes nothing, not even the log.
    async fn confirm(
        &self,
        session: SessionId,
        user: UserId,
        cookie: &Digest,
        now: Timestamp,
        event: Event,
    ) -> Result<bool, StoreError>;

    /// Records when sessions were last used. Never moves a record backwards; a session that has ended is passed over.
    async fn touch(&self, seen: &[(SessionId, Timestamp)]) -> Result<(), StoreError>;

    /// The user's sessions that have not expired at `now`, the newest first.
    async fn of_user(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError>;

    /// Ends one session of the user.
    async fn end(&self, user: UserId, session: SessionId, event: Event) -> Result<(), MissingSession>;

    /// Ends all sessions of the user but `except`. Returns how many.
    async fn end_all(&self, user: UserId, except: Option<SessionId>, event: Event) -> Result<u64, StoreError>;

    /// Forgets sessions that expired before `now`. Returns how many.
    async fn purge(&self, now: Timestamp) -> Result<u64, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn lifetime() -> Lifetime {
        let opened = Timestamp::UNIX_EPOCH.plus(1000 * HOUR);
        Lifetime { created_at: opened, last_seen_at: opened, expires_at: opened.plus(24 * HOUR) }
    }

    #[test]
    fn a_session_ends_exactly_at_its_absolute_timeout_however_busy_it_is() {
        let mut lifetime = lifetime();
        lifetime.last_seen_at = lifetime.expires_at;
        let last = lifetime.expires_at.minus(Duration::from_micros(1));
        assert!(lifetime.is_live(last, SessionTimeouts::default()));
        assert!(!lifetime.is_live(lifetime.expires_at, SessionTimeouts::default()));
    }

    #[test]
    fn a_session_ends_when_it_was_not_used_for_the_idle_timeout() {
        let lifetime = lifetime();
        assert!(lifetime.is_live(
            lifetime.created_at.plus(HOUR.saturating_sub(Duration::from_micros(1))),
            SessionTimeouts::default()
        ));
        assert!(!lifetime.is_live(lifetime.created_at.plus(HOUR), SessionTimeouts::default()));
        let no_idle = SessionTimeouts { idle: None, ..SessionTimeouts::default() };
        assert!(lifetime.is_live(lifetime.created_at.plus(23 * HOUR), no_idle));
    }

    #[test]
    fn a_shorter_absolute_timeout_ends_sessions_that_were_opened_under_a_longer_one() {
        let lifetime = lifetime();
        let short = SessionTimeouts { absolute: HOUR, idle: None };
        assert!(!lifetime.is_live(lifetime.created_at.plus(HOUR), short));
    }

    #[test]
    fn a_session_from_the_future_is_not_live() {
        let lifetime = lifetime();
        for (seconds, is_live) in [(60, true), (61, false), (7200, false)] {
            let now = lifetime.created_at.minus(Duration::from_secs(seconds));
            assert_eq!(lifetime.is_live(now, SessionTimeouts::default()), is_live, "{seconds} s before it was opened");
        }
    }
}
