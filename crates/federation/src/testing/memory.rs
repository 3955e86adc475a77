//! A store in memory, beside the one that keeps accounts and sessions.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use stratora_audit::Event;
use stratora_auth::testing::MemoryStore;
use stratora_auth::{
    Account, AccountChange, AccountStore, AuthSource, CreateAccountError, MissingAccount, MissingSession, Role,
    SessionId, SessionStore, Username,
};
use stratora_clock::Timestamp;
use stratora_port::{Cursor, Page, PageRequest, StoreError};
use stratora_sealing::Sealed;
use stratora_token::Digest;

use crate::{
    Attempt, AttemptFilter, AttemptStore, ChangeProviderError, Entry, FederatedSignIn, FederatedSignInError, Identity,
    IdentityStore, Provider, ProviderId, ProviderStore, SessionOrigin, StoredTransaction, TransactionStore,
};

/// Keeps providers, sign-ins on their way, identities and attempts.
#[derive(Debug, Default)]
pub struct MemoryFederation {
    /// Keeps accounts and sessions.
    pub accounts: Arc<MemoryStore>,
    state: Mutex<State>,
    /// One sign-in at a time: it changes both stores.
    signing_in: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    providers: Vec<Provider>,
    transactions: HashMap<[u8; 32], StoredTransaction>,
    identities: HashMap<Identity, (stratora_auth::UserId, Option<String>)>,
    sessions: Vec<(SessionId, stratora_auth::UserId, SessionOrigin)>,
    attempts: Vec<Attempt>,
    events: Vec<Event>,
}

impl MemoryFederation {
    /// What was recorded, in order.
    pub fn recorded(&self) -> Vec<Attempt> {
        self.state().attempts.clone()
    }

    /// What was written down, in order.
    pub fn events(&self) -> Vec<Event> {
        self.state().events.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn end(&self, sessions: Vec<(SessionId, stratora_auth::UserId, SessionOrigin)>, event: &Event) -> u64 {
        let mut ended = 0;
        for (session, user, _) in sessions {
            match self.accounts.end(user, session, event.clone()).await {
                Ok(()) => ended += 1,
                Err(MissingSession::Missing | MissingSession::Store(_)) => {}
            }
        }
        ended
    }
}

#[async_trait]
impl ProviderStore for MemoryFederation {
    async fn all(&self) -> Result<Vec<Provider>, StoreError> {
        let mut providers = self.state().providers.clone();
        providers.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(providers)
    }

    async fn find(&self, id: ProviderId) -> Result<Option<Provider>, StoreError> {
        Ok(self.state().providers.iter().find(|provider| provider.id == id).cloned())
    }

    async fn create(&self, provider: Provider, event: Event) -> Result<(), ChangeProviderError> {
        let mut state = self.state();
        if state.providers.iter().any(|other| other.name == provider.name) {
            return Err(ChangeProviderError::NameTaken);
        }
        state.providers.push(provider);
        state.events.push(event);
        Ok(())
    }

    async fn replace(&self, before: &Provider, after: Provider, event: Event) -> Result<(), ChangeProviderError> {
        let mut state = self.state();
        if state.providers.iter().any(|other| other.id != after.id && other.name == after.name) {
            return Err(ChangeProviderError::NameTaken);
        }
        let stored = state.providers.iter().find(|provider| provider.id == before.id);
        if stored.ok_or(ChangeProviderError::Missing)? != before {
            return Err(ChangeProviderError::Changed);
        }
        if !after.vouches_as(before) {
            let own = state.identities.iter_mut().filter(|(identity, _)| identity.provider == before.id);
            own.for_each(|(_, (_, verified_email))| *verified_email = None);
        }
        let stored = state.providers.iter_mut().find(|provider| provider.id == before.id);
        *stored.ok_or(ChangeProviderError::Missing)? = after;
        state.events.push(event);
        Ok(())
    }

    async fn reseal(&self, id: ProviderId, before: &Sealed, after: &Sealed, event: Event) -> Result<bool, StoreError> {
        let mut guard = self.state();
        let state = &mut *guard;
        let secret = state.providers.iter_mut().find(|provider| provider.id == id).map(|found| &mut found.secret);
        match secret {
            Some(secret) if secret.as_ref() == Some(before) => {
                *secret = Some(after.clone());
                state.events.push(event);
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    async fn delete(&self, id: ProviderId, event: Event) -> Result<(), ChangeProviderError> {
        let sessions = {
            let mut state = self.state();
            let before = state.providers.len();
            state.providers.retain(|provider| provider.id != id);
            if state.providers.len() == before {
                return Err(ChangeProviderError::Missing);
            }
            state.transactions.retain(|_, transaction| transaction.provider != id);
            state.identities.retain(|identity, _| identity.provider != id);
            state.events.push(event.clone());
            state.sessions.extract_if(.., |(_, _, origin)| origin.identity.provider == id).collect()
        };
        self.end(sessions, &event).await;
        Ok(())
    }
}

#[async_trait]
impl TransactionStore for MemoryFederation {
    async fn begin(&self, transaction: StoredTransaction) -> Result<(), StoreError> {
        self.state().transactions.insert(*transaction.state.as_bytes(), transaction);
        Ok(())
    }

    async fn consume(&self, state: &Digest) -> Result<Option<StoredTransaction>, StoreError> {
        Ok(self.state().transactions.remove(state.as_bytes()))
    }

    async fn purge(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut state = self.state();
        let kept = state.transactions.len();
        state.transactions.retain(|_, transaction| transaction.created_at >= before);
        Ok((kept - state.transactions.len()) as u64)
    }
}

#[async_trait]
impl IdentityStore for MemoryFederation {
    async fn account_of(&self, identity: &Identity) -> Result<Option<Account>, StoreError> {
        let user = self.state().identities.get(identity).map(|(user, _)| *user);
        match user {
            Some(user) => AccountStore::find(&*self.accounts, user).await,
            None => Ok(None),
        }
    }

    async fn accounts_with_email(&self, email: &str) -> Result<Vec<Account>, StoreError> {
        let vouched: Vec<_> = {
            let state = self.state();
            let is_meant =
                |known: &Option<String>| known.as_ref().is_some_and(|known| known.eq_ignore_ascii_case(email));
            state.identities.values().filter(|(_, known)| is_meant(known)).map(|(user, _)| *user).collect()
        };
        let accounts = self.accounts.page(&PageRequest::default()).await?.items;
        let in_directory = |account: &Account| {
            let own = account.email.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(email));
            account.source == AuthSource::Ldap && own
        };
        Ok(accounts.into_iter().filter(|account| vouched.contains(&account.id) || in_directory(account)).collect())
    }

    async fn is_taken(&self, username: &Username) -> Result<bool, StoreError> {
        Ok(self.accounts.find_by_username(username).await?.is_some())
    }

    async fn sign_in(&self, sign_in: FederatedSignIn) -> Result<(), FederatedSignInError> {
        let _one = self.signing_in.lock().await;
        let FederatedSignIn {
            provider,
            entry,
            role,
            display_name,
            email,
            verified_email,
            session,
            origin,
            attempt,
            ..
        } = sign_in;
        let (user, identity) = (entry.user(), origin.identity.clone());
        let held = ProviderStore::find(self, provider.id).await?;
        if !held.is_some_and(|held| held.decides_as(&provider)) {
            return Err(FederatedSignInError::Changed);
        }
        let owner = self.state().identities.get(&identity).map(|(user, _)| *user);
        let account = AccountStore::find(&*self.accounts, user).await?;
        let is_linkable = |account: &Account| account.source != AuthSource::Local && account.role == Role::Viewer;
        let is_theirs = match &entry {
            Entry::Known(_) => owner == Some(user),
            Entry::Link(_) => owner.is_none() && account.as_ref().is_some_and(is_linkable),
            Entry::Provision(_) => owner.is_none(),
        };
        if !is_theirs {
            return Err(FederatedSignInError::Changed);
        }
        if let Entry::Provision(account) = entry {
            match self.accounts.create(account, sign_in.event.clone()).await {
                Ok(()) => {}
                Err(CreateAccountError::Conflict) => return Err(FederatedSignInError::NameTaken),
                Err(CreateAccountError::Store(error)) => return Err(error.into()),
            }
        } else if !account.as_ref().is_some_and(|account| account.active) {
            return Err(FederatedSignInError::Changed);
        }
        let has_another_role = account.is_some_and(|account| account.role != role);
        let change = AccountChange {
            display_name: Some(display_name),
            email: Some(email),
            role: has_another_role.then_some(role),
            active: None,
        };
        match self.accounts.update(user, change, sign_in.event.clone()).await {
            Ok(_) => {}
            Err(MissingAccount::Missing) => return Err(FederatedSignInError::Changed),
            Err(MissingAccount::Store(error)) => return Err(error.into()),
        }
        self.accounts.insert_session(session.clone())?;
        let mut state = self.state();
        state.identities.insert(identity, (user, verified_email));
        state.sessions.push((session.id, user, origin));
        state.attempts.push(attempt);
        state.events.extend(sign_in.made);
        state.events.push(sign_in.event);
        Ok(())
    }

    async fn provider_of(&self, session: SessionId) -> Result<Option<ProviderId>, StoreError> {
        let state = self.state();
        let found = state.sessions.iter().find(|(id, _, _)| *id == session);
        Ok(found.map(|(_, _, origin)| origin.identity.provider))
    }

    async fn end_sessions(
        &self,
        provider: ProviderId,
        subject: Option<&str>,
        sid: Option<&str>,
        event: Event,
    ) -> Result<u64, StoreError> {
        let is_meant = |origin: &SessionOrigin| {
            origin.identity.provider == provider
                && (subject.is_some() || sid.is_some())
                && subject.is_none_or(|subject| origin.identity.subject == subject)
                && (sid.is_none() || origin.sid.as_deref() == sid)
        };
        let sessions = self.state().sessions.extract_if(.., |(_, _, origin)| is_meant(origin)).collect();
        Ok(self.end(sessions, &event).await)
    }
}

#[async_trait]
impl AttemptStore for MemoryFederation {
    async fn record(&self, attempt: Attempt, event: Event) -> Result<(), StoreError> {
        let mut state = self.state();
        state.attempts.push(attempt);
        state.events.push(event);
        Ok(())
    }

    async fn note(&self, event: Event) -> Result<(), StoreError> {
        self.state().events.push(event);
        Ok(())
    }

    async fn attempts(&self, filter: &AttemptFilter, page: &PageRequest) -> Result<Page<Attempt>, StoreError> {
        let is_wanted = |attempt: &Attempt| {
            filter.reference.as_ref().is_none_or(|reference| attempt.reference == *reference)
                && filter.provider.is_none_or(|id| attempt.provider.as_ref().is_some_and(|(own, _)| *own == id))
        };
        let key = |attempt: &Attempt| format!("{:020} {}", attempt.at.as_micros(), attempt.reference);
        let mut found: Vec<_> = self.state().attempts.iter().filter(|attempt| is_wanted(attempt)).cloned().collect();
        found.sort_by_key(|attempt| std::cmp::Reverse(key(attempt)));
        let total = found.len() as u64;
        let after = page.after.as_ref().map(Cursor::key);
        found.retain(|attempt| after.is_none_or(|after| *key(attempt) < *after));
        Ok(Page::from_overfull(found, page.limit, total, key))
    }

    async fn purge_attempts(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut state = self.state();
        let kept = state.attempts.len();
        state.attempts.retain(|attempt| attempt.at >= before);
        Ok((kept - state.attempts.len()) as u64)
    }
}
