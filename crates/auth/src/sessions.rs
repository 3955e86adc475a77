//! Looks after sessions: who one belongs to, and how they end. Uses are recorded in batches, since a write for each
//! request would cost more than the request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use newtype_uuid::GenericUuid as _;
use stratora_audit::{Action, Actor, ActorKind, Event, Origin, ResourceKind};
use stratora_cache::{Coherence, CredentialCache, UnknownCredentials, WriteBehind};
use stratora_clock::{Clock, Timestamp};
use stratora_port::StoreError;
use stratora_token::{Digest, Secret};

use crate::{
    Channel, Lifetime, MissingSession, Session, SessionId, SessionStore, SessionTimeouts, User, UserId, subject_of,
};

/// How exactly uses are recorded: a session may end by so much too early when the process is killed. No idle timeout may come
/// near it.
const GRAIN: Duration = Duration::from_mins(1);

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

/// What a session is remembered by: the digest of a secret, in the channel in which alone the secret works.
type SessionKey = (Channel, [u8; 32]);

/// A session in memory: whom it lets in, until when, and when it was last used.
#[derive(Debug)]
pub struct LiveSession {
    /// The session.
    pub id: SessionId,
    /// Its owner.
    pub user: User,
    ends_at: Timestamp,
    must_confirm: bool,
    /// How many seconds before its end it was last used: of a million sessions in memory each has four bytes for it.
    seen_before_end: AtomicU32,
}

impl LiveSession {
    fn last_seen_at(&self) -> Timestamp {
        let before = self.seen_before_end.load(Ordering::Relaxed);
        self.ends_at.minus(Duration::from_secs(before.into()))
    }

    fn used(&self, at: Timestamp) {
        self.seen_before_end.fetch_min(Self::seconds_before(self.ends_at, at), Ordering::Relaxed);
    }

    /// Rounded up, so that no session stays for longer than it may.
    fn seconds_before(ends_at: Timestamp, at: Timestamp) -> u32 {
        let before = ends_at.since(at);
        u32::try_from(before.as_secs() + u64::from(before.subsec_nanos() > 0)).unwrap_or(u32::MAX)
    }
}

/// Looks after sessions.
pub struct Sessions {
    store: Arc<dyn SessionStore>,
    clock: Arc<dyn Clock>,
    timeouts: SessionTimeouts,
    known: CredentialCache<SessionKey, Arc<LiveSession>>,
    unknown: UnknownCredentials<SessionKey>,
    seen: WriteBehind<SessionId, Timestamp>,
}

impl Sessions {
    /// Looks after the sessions in `store`, of which at most `in_memory` are kept there while `coherence` trusts them.
    pub fn new(
        store: Arc<dyn SessionStore>,
        clock: Arc<dyn Clock>,
        timeouts: SessionTimeouts,
        in_memory: usize,
        coherence: Arc<Coherence>,
    ) -> Self {
        let known = CredentialCache::new("sessions", in_memory, coherence);
        Self { store, clock, timeouts, known, unknown: UnknownCredentials::default(), seen: WriteBehind::default() }
    }

    /// The session that has `secret` in that channel, and its owner, for a request that arrived `at` that time. The cookie `beside`
    /// a bearer token counts for nothing but this: a token that was delivered in a link has to be used first in the browser that
    /// has the session's cookie.
    ///
    /// # Errors
    /// [`AuthenticateError`]: the caller is not let in.
    pub async fn authenticate(
        &self,
        channel: Channel,
        secret: &Secret,
        beside: Option<&Secret>,
        at: Timestamp,
    ) -> Result<Arc<LiveSession>, AuthenticateError> {
        let key = (channel, *secret.digest().as_bytes());
        let known = self.known.find(&key).filter(|session| self.admits(session, at));
        // What is seldom done is on the heap: every request would carry its state.
        let session = match known {
            Some(session) => session,
            None => Box::pin(self.read(key, at)).await?,
        };
        if channel == Channel::Bearer && session.must_confirm {
            Box::pin(self.confirm(&session, beside, at)).await?;
        }
        Ok(session)
    }

    /// Whether a session's token has arrived in the browser that it was sent to.
    async fn confirm(
        &self,
        session: &LiveSession,
        beside: Option<&Secret>,
        now: Timestamp,
    ) -> Result<(), AuthenticateError> {
        let cookie = beside.ok_or(AuthenticateError::Invalid)?.digest();
        let user = &session.user;
        let actor =
            Actor { kind: ActorKind::User, id: Some(user.id.into_untyped_uuid()), name: user.username.to_string() };
        let origin = Origin { actor, client: None, request_id: None };
        let event = self.event(&origin, Action::SessionConfirm, session.id);
        let is_confirmed = self.store.confirm(session.id, user.id, &cookie, now, event).await?;
        if is_confirmed { Ok(()) } else { Err(AuthenticateError::Invalid) }
    }

    /// The session as it is in the store: what seems to have ended may have been used through another replica meanwhile.
    async fn read(&self, key: SessionKey, now: Timestamp) -> Result<Arc<LiveSession>, AuthenticateError> {
        if self.unknown.contains(&key, now) {
            return Err(AuthenticateError::Invalid);
        }
        let as_of = self.known.as_of_now();
        let Some(session) = self.store.find(key.0, &Digest::from_bytes(key.1)).await? else {
            self.unknown.remember(key, now);
            return Err(AuthenticateError::Invalid);
        };
        let last_seen_at = self.last_seen(session.id, session.lifetime.last_seen_at);
        let lifetime = Lifetime { last_seen_at, ..session.lifetime };
        if !session.user.active || !lifetime.is_live(now, self.timeouts) {
            return Err(AuthenticateError::Invalid);
        }
        let ends_at = lifetime.ends_at(self.timeouts);
        let session = Arc::new(LiveSession {
            id: session.id,
            must_confirm: session.must_confirm,
            ends_at,
            seen_before_end: AtomicU32::new(LiveSession::seconds_before(ends_at, last_seen_at)),
            user: session.user,
        });
        self.known.remember(key, subject_of(session.user.id), as_of, Arc::clone(&session));
        if self.admits(&session, now) { Ok(session) } else { Err(AuthenticateError::Invalid) }
    }

    /// Whether the session lets its owner in at `now`; if so, notes that it was used.
    fn admits(&self, session: &LiveSession, now: Timestamp) -> bool {
        let last_seen_at = session.last_seen_at();
        let is_live = now < session.ends_at && !self.timeouts.have_left_idle(last_seen_at, now);
        let admitted = session.user.active && is_live;
        if admitted && now.since(last_seen_at) >= GRAIN {
            session.used(now);
            self.note(session.id, now);
        }
        admitted
    }

    fn last_seen(&self, session: SessionId, recorded: Timestamp) -> Timestamp {
        self.seen.peek(&session, |noted| recorded.max(*noted)).unwrap_or(recorded)
    }

    fn note(&self, session: SessionId, now: Timestamp) {
        self.seen.note(session, now, |noted, now| *noted = now.max(*noted));
    }

    /// The user's sessions that still stand, the newest first.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn of_user(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        let now = self.clock.now();
        let mut sessions = self.store.of_user(user, now).await?;
        sessions.retain_mut(|session| {
            session.last_seen_at = self.last_seen(session.id, session.last_seen_at);
            session.lifetime().is_live(now, self.timeouts)
        });
        Ok(sessions)
    }

    /// Ends the session that asks.
    ///
    /// # Errors
    /// [`MissingSession`] when it has ended already, or the store fails.
    pub async fn sign_out(&self, own: &LiveSession, origin: &Origin) -> Result<(), MissingSession> {
        self.store.end(own.user.id, own.id, self.event(origin, Action::SignOut, own.id)).await
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
        for part in self.seen.parts() {
            self.store.touch(part.entries()).await?;
            part.written();
        }
        Ok(())
    }

    /// Forgets expired sessions. Called every hour. Returns how many.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn purge(&self) -> Result<u64, StoreError> {
        self.store.purge(self.clock.now()).await
    }
}

#[cfg(test)]
mod tests {
    use newtype_uuid::TypedUuid;
    use stratora_clock::ManualClock;
    use uuid::Uuid;

    use super::*;
    use crate::testing::MemoryStore;

    #[tokio::test]
    async fn many_uses_are_written_in_parts_and_what_was_not_written_is_kept() {
        let (store, clock) = (Arc::new(MemoryStore::default()), Arc::new(ManualClock::default()));
        let coherence = Arc::new(Coherence::new(clock.clone()));
        let sessions = Sessions::new(store.clone(), clock, SessionTimeouts::default(), 1, coherence);
        let kept = || sessions.seen.len();
        for number in 0..2_500 {
            sessions.note(TypedUuid::from_untyped_uuid(Uuid::from_u128(number)), Timestamp::UNIX_EPOCH);
        }
        store.fail_after(1);
        assert!(sessions.flush().await.is_err());
        assert_eq!(kept(), 1_500, "the first thousand is written");
        store.fail_after(2);
        sessions.flush().await.unwrap();
        assert_eq!(kept(), 0);
    }

    #[test]
    fn a_session_is_never_taken_for_used_later_than_it_was() {
        let at = |micros| Timestamp::from_micros(micros).unwrap();
        for (used, seconds) in [(0, 10), (1, 10), (8_500_000, 2), (9_999_999, 1), (10_000_000, 0), (11_000_000, 0)] {
            assert_eq!(LiveSession::seconds_before(at(10_000_000), at(used)), seconds, "{used}");
        }
    }
}
