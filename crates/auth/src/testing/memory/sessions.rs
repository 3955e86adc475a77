//! Sessions in memory.

use async_trait::async_trait;
use stratora_audit::Event;
use stratora_clock::Timestamp;
use stratora_port::StoreError;
use stratora_token::Digest;

use super::{MemoryStore, Stored, is_same};
use crate::{
    AuthSource, AuthenticatedSession, BrakeSubject, Channel, DirectorySignIn, MissingSession, NewSession,
    OpenSessionError, Proof, Session, SessionId, SessionStore, UserId,
};

#[async_trait]
impl SessionStore for MemoryStore {
    async fn open(
        &self,
        session: NewSession,
        proof: Proof,
        brake: &BrakeSubject,
        event: Event,
    ) -> Result<(), OpenSessionError> {
        let mut state = self.state()?;
        let Proof::Password { verified, upgrade } = proof;
        let account = state.account(session.user_id);
        let account = account.filter(|account| account.active && is_same(account.password.as_ref(), &verified));
        let account = account.ok_or(OpenSessionError::AccountChanged)?;
        account.password = upgrade.or(account.password.take());
        account.last_sign_in_at = Some(session.created_at);
        for device in brake.cleared_by_success() {
            state.brakes.remove(&(brake.username.clone(), device));
        }
        state.add_session(session);
        state.events.push(event);
        Ok(())
    }

    async fn open_from_directory(
        &self,
        sign_in: DirectorySignIn,
        brake: &BrakeSubject,
    ) -> Result<(), OpenSessionError> {
        let DirectorySignIn { session, person, made, event } = sign_in;
        let mut state = self.state()?;
        if let Some((account, event)) = made {
            if state.accounts.contains_key(&account.username) {
                return Err(OpenSessionError::AccountChanged);
            }
            state.accounts.insert(account.username.clone(), account.into());
            state.events.push(event);
        }
        let id = session.user_id;
        let account = state.account(id).filter(|account| account.active && account.source == AuthSource::Ldap);
        let account = account.ok_or(OpenSessionError::AccountChanged)?;
        let has_another_role = account.role != person.role;
        account.role = person.role;
        account.display_name = person.display_name;
        account.email = person.email;
        account.last_sign_in_at = Some(session.created_at);
        if has_another_role {
            state.end_sessions(id, None);
        }
        for device in brake.cleared_by_success() {
            state.brakes.remove(&(brake.username.clone(), device));
        }
        state.add_session(session);
        state.events.push(event);
        Ok(())
    }

    async fn find(&self, channel: Channel, digest: &Digest) -> Result<Option<AuthenticatedSession>, StoreError> {
        let mut state = self.state()?;
        let found = state.sessions.iter().find(|stored| match channel {
            Channel::Bearer => stored.token.matches(digest),
            Channel::Cookie => stored.cookie.matches(digest),
        });
        let Some((session, confirm_by)) = found.map(|stored| (stored.session.clone(), stored.confirm_by)) else {
            return Ok(None);
        };
        let account = state.account(session.user_id).cloned();
        Ok(account.map(|account| AuthenticatedSession {
            id: session.id,
            lifetime: session.lifetime(),
            must_confirm: confirm_by.is_some(),
            user: account.into(),
        }))
    }

    async fn confirm(
        &self,
        session: SessionId,
        user: UserId,
        cookie: &Digest,
        now: Timestamp,
        event: Event,
    ) -> Result<bool, StoreError> {
        let mut state = self.state()?;
        let own = |stored: &&mut Stored| {
            stored.session.id == session && stored.session.user_id == user && stored.cookie.matches(cookie)
        };
        let Some(stored) = state.sessions.iter_mut().find(own) else { return Ok(false) };
        match stored.confirm_by {
            None => Ok(true),
            Some(confirm_by) if now < confirm_by => {
                stored.confirm_by = None;
                state.events.push(event);
                Ok(true)
            }
            Some(_) => Ok(false),
        }
    }

    async fn touch(&self, seen: &[(SessionId, Timestamp)]) -> Result<(), StoreError> {
        let mut state = self.state()?;
        for (id, at) in seen {
            if let Some(stored) = state.sessions.iter_mut().find(|stored| stored.session.id == *id) {
                stored.session.last_seen_at = stored.session.last_seen_at.max(*at);
            }
        }
        Ok(())
    }

    async fn of_user(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        let state = self.state()?;
        let sessions = state.sessions.iter().map(|stored| stored.session.clone());
        let mut own: Vec<_> = sessions.filter(|session| session.user_id == user && session.expires_at > now).collect();
        own.sort_by_key(|session| std::cmp::Reverse(session.created_at));
        Ok(own)
    }

    async fn end(&self, user: UserId, session: SessionId, event: Event) -> Result<(), MissingSession> {
        let mut state = self.state()?;
        let before = state.sessions.len();
        state.sessions.retain(|stored| stored.session.id != session || stored.session.user_id != user);
        if state.sessions.len() == before {
            return Err(MissingSession::Missing);
        }
        state.events.push(event);
        Ok(())
    }

    async fn end_all(&self, user: UserId, except: Option<SessionId>, event: Event) -> Result<u64, StoreError> {
        let mut state = self.state()?;
        state.events.push(event);
        Ok(state.end_sessions(user, except))
    }

    async fn purge(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut state = self.state()?;
        let before = state.sessions.len();
        state.sessions.retain(|stored| stored.session.expires_at >= now);
        Ok((before - state.sessions.len()) as u64)
    }
}
