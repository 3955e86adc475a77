//! Looks after sessions: who one belongs to, and how they end. Uses are recorded in batches, since a write for each
//! request would cost more than the request.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use newtype_uuid::GenericUuid as _;
use stratora_audit::{Action, Event, Origin, ResourceKind};
use stratora_clock::{Clock, Timestamp};
use stratora_port::StoreError;
use stratora_token::Secret;

use crate::{AuthenticatedSession, Channel, MissingSession, Session, SessionId, SessionStore, SessionTimeouts, UserId};

/// How exactly uses are recorded: a session may end by so much too early when the process is killed.
const GRAIN: Duration = Duration::from_mins(1);
/// How many uses are kept until they are written; more are not recorded until then. Bounds memory, and one use is as good
/// as another.
const MAX_PENDING: usize = 100_000;

/// The credential is not good.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticateError {
    /// No live session of an active account has this secret.
    #[error("no such session")]
    Invalid,
    /// The store failed: nobody is let in.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

/// Looks after sessions.
pub struct Sessions {
    store: Arc<dyn SessionStore>,
    clock: Arc<dyn Clock>,
    timeouts: SessionTimeouts,
    seen: Mutex<HashMap<SessionId, Timestamp>>,
}

impl Sessions {
    /// Looks after the sessions in `store`.
    pub fn new(store: Arc<dyn SessionStore>, clock: Arc<dyn Clock>, timeouts: SessionTimeouts) -> Self {
        Self { store, clock, timeouts, seen: Mutex::default() }
    }

    /// The session that has `secret` in that channel, and its owner.
    ///
    /// # Errors
    /// [`AuthenticateError`]: the caller is not let in.
    pub async fn authenticate(
        &self,
        channel: Channel,
        secret: &Secret,
    ) -> Result<AuthenticatedSession, AuthenticateError> {
        let found = self.store.find(channel, &secret.digest()).await?;
        let mut found = found.ok_or(AuthenticateError::Invalid)?;
        let now = self.clock.now();
        found.session.last_seen_at = self.last_seen(&found.session);
        if !found.account.active || !found.session.is_live(now, self.timeouts) {
            return Err(AuthenticateError::Invalid);
        }
        if now.since(found.session.last_seen_at) >= GRAIN {
            self.note(found.session.id, now);
        }
        Ok(found)
    }

    fn last_seen(&self, session: &Session) -> Timestamp {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(&session.id).map_or(session.last_seen_at, |noted| session.last_seen_at.max(*noted))
    }

    fn note(&self, session: SessionId, now: Timestamp) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() < MAX_PENDING || seen.contains_key(&session) {
            seen.insert(session, now);
        }
    }

    /// The user's sessions that still stand, the newest first.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn of_user(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        let now = self.clock.now();
        let mut sessions = self.store.of_user(user, now).await?;
        sessions.retain_mut(|session| {
            session.last_seen_at = self.last_seen(session);
            session.is_live(now, self.timeouts)
        });
        Ok(sessions)
    }

    /// Ends the session that asks.
    ///
    /// # Errors
    /// [`MissingSession`] when it has ended already, or the store fails.
    pub async fn sign_out(&self, own: &AuthenticatedSession, origin: &Origin) -> Result<(), MissingSession> {
        self.store.end(own.session.user_id, own.session.id, self.event(origin, Action::SignOut, own.session.id)).await
    }

    /// Ends one of the user's sessions.
    ///
    /// # Errors
    /// [`MissingSession`] when the user has no such session, or the store fails.
    pub async fn end(&self, user: UserId, session: SessionId, origin: &Origin) -> Result<(), MissingSession> {
        self.store.end(user, session, self.event(origin, Action::SessionEnd, session)).await
    }

    /// Ends all of the user's sessions but `except`. Returns how many.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn end_all(&self, user: UserId, except: Option<SessionId>, origin: &Origin) -> Result<u64, StoreError> {
        let event = origin.event(self.clock.now(), Action::SessionEndAll);
        self.store.end_all(user, except, event.on(ResourceKind::User, Some(user.into_untyped_uuid()), "")).await
    }

    fn event(&self, origin: &Origin, action: Action, session: SessionId) -> Event {
        origin.event(self.clock.now(), action).on(ResourceKind::Session, Some(session.into_untyped_uuid()), "")
    }

    /// Writes the uses that were noted. Called every few seconds, and at the end.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails; the uses are kept for the next call.
    pub async fn flush(&self) -> Result<(), StoreError> {
        let noted = mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner));
        if noted.is_empty() {
            return Ok(());
        }
        let batch: Vec<_> = noted.into_iter().collect();
        let written = self.store.touch(&batch).await;
        if written.is_err() {
            for (session, at) in batch {
                self.note_unless_newer(session, at);
            }
        }
        written
    }

    fn note_unless_newer(&self, session: SessionId, at: Timestamp) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.entry(session).and_modify(|noted| *noted = (*noted).max(at)).or_insert(at);
    }

    /// Forgets expired sessions. Called every hour. Returns how many.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn purge(&self) -> Result<u64, StoreError> {
        self.store.purge(self.clock.now()).await
    }
}
