//! A store in memory: one lock, so that every method is atomic.

mod sessions;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use stratora_audit::{AuditLog, Event, Filter, Head, Record, Stats};
use stratora_clock::Timestamp;
use stratora_port::{Page, PageRequest, StoreError};
use stratora_token::Digest;

use crate::{
    Account, AccountChange, AccountStore, Admission, BrakeState, BrakeStore, BrakeSubject, Bucket, ChangePasswordError,
    CreateAccountError, Decision, DeviceId, LimitStore, MissingAccount, NewAccount, NewPassword, NewSession,
    PasswordHash, Session, SessionId, UserId, Username, Window,
};

/// Keeps accounts, sessions and counters, and the events that came with them.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
    /// How many more calls succeed, if not all.
    calls_left: Mutex<Option<usize>>,
}

#[derive(Debug, Default)]
struct State {
    accounts: BTreeMap<Username, Account>,
    sessions: Vec<Stored>,
    brakes: HashMap<(Username, Option<DeviceId>), BrakeState>,
    windows: HashMap<String, Window>,
    events: Vec<Event>,
}

#[derive(Debug)]
struct Stored {
    session: Session,
    token: Digest,
    cookie: Digest,
    confirm_by: Option<Timestamp>,
}

impl MemoryStore {
    /// From now on every call fails, or succeeds again.
    pub fn fail(&self, fails: bool) {
        *self.calls_left.lock().unwrap_or_else(PoisonError::into_inner) = fails.then_some(0);
    }

    /// The next `calls` succeed, and every later one fails.
    pub fn fail_after(&self, calls: usize) {
        *self.calls_left.lock().unwrap_or_else(PoisonError::into_inner) = Some(calls);
    }

    /// What was written down, in order.
    pub fn events(&self) -> Vec<Event> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).events.clone()
    }

    /// Opens a session without any proof, for whoever has one of another kind. Notes the sign-in on the account.
    ///
    /// # Errors
    /// [`StoreError`] when the store was told to fail.
    pub fn insert_session(&self, session: NewSession) -> Result<(), StoreError> {
        let mut state = self.state()?;
        if let Some(account) = state.account(session.user_id) {
            account.last_sign_in_at = Some(session.created_at);
        }
        state.add_session(session);
        Ok(())
    }

    fn state(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        if let Some(left) = self.calls_left.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            *left = left.checked_sub(1).ok_or_else(|| StoreError::unavailable("told to fail"))?;
        }
        Ok(self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    fn account(&mut self, id: UserId) -> Option<&mut Account> {
        self.accounts.values_mut().find(|account| account.id == id)
    }

    fn end_sessions(&mut self, user: UserId, except: Option<SessionId>) -> u64 {
        let before = self.sessions.len();
        self.sessions.retain(|stored| stored.session.user_id != user || Some(stored.session.id) == except);
        (before - self.sessions.len()) as u64
    }

    fn add_session(&mut self, new: NewSession) {
        let NewSession { id, user_id, token, cookie, created_at, expires_at, confirm_by, client, user_agent } = new;
        let session = Session { id, user_id, created_at, last_seen_at: created_at, expires_at, client, user_agent };
        self.sessions.push(Stored { session, token, cookie, confirm_by });
    }
}

fn is_same(one: Option<&PasswordHash>, other: &PasswordHash) -> bool {
    one.is_some_and(|one| one.to_stored() == other.to_stored())
}

#[async_trait]
impl AccountStore for MemoryStore {
    async fn find_by_username(&self, username: &Username) -> Result<Option<Account>, StoreError> {
        Ok(self.state()?.accounts.get(username).cloned())
    }

    async fn find(&self, id: UserId) -> Result<Option<Account>, StoreError> {
        Ok(self.state()?.account(id).cloned())
    }

    async fn page(&self, page: &PageRequest) -> Result<Page<Account>, StoreError> {
        let state = self.state()?;
        let after = page.after.as_ref().map_or("", |cursor| cursor.key());
        let items = state.accounts.values().filter(|account| account.username.as_str() > after);
        let items = items.take(page.limit.get() + 1).cloned().collect();
        let total = state.accounts.len() as u64;
        Ok(Page::from_overfull(items, page.limit, total, |account| account.username.to_string()))
    }

    async fn is_empty(&self) -> Result<bool, StoreError> {
        Ok(self.state()?.accounts.is_empty())
    }

    async fn create(&self, new: NewAccount, event: Event) -> Result<(), CreateAccountError> {
        let mut state = self.state()?;
        if state.accounts.contains_key(&new.username) {
            return Err(CreateAccountError::Conflict);
        }
        state.accounts.insert(new.username.clone(), new.into());
        state.events.push(event);
        Ok(())
    }

    async fn update(&self, id: UserId, change: AccountChange, event: Event) -> Result<Account, MissingAccount> {
        let mut state = self.state()?;
        let account = state.account(id).ok_or(MissingAccount::Missing)?;
        if account.built_in && (change.role.is_some() || change.active == Some(false)) {
            return Err(MissingAccount::Missing);
        }
        let loses = change.active == Some(false) || change.role.is_some_and(|role| role != account.role);
        account.display_name = change.display_name.unwrap_or_else(|| account.display_name.clone());
        account.email = change.email.unwrap_or_else(|| account.email.clone());
        account.role = change.role.unwrap_or(account.role);
        account.active = change.active.unwrap_or(account.active);
        let account = account.clone();
        if loses {
            state.end_sessions(id, None);
        }
        state.events.push(event);
        Ok(account)
    }

    async fn delete(&self, id: UserId, event: Event) -> Result<(), MissingAccount> {
        let mut state = self.state()?;
        let account = state.account(id).filter(|account| !account.built_in).ok_or(MissingAccount::Missing)?;
        let username = account.username.clone();
        state.accounts.remove(&username);
        state.end_sessions(id, None);
        state.events.push(event);
        Ok(())
    }

    async fn change_password(
        &self,
        id: UserId,
        current: &PasswordHash,
        new: PasswordHash,
        session: NewSession,
        event: Event,
    ) -> Result<(), ChangePasswordError> {
        let mut state = self.state()?;
        let account = state.account(id).filter(|account| account.active && is_same(account.password.as_ref(), current));
        let account = account.ok_or(ChangePasswordError::Changed)?;
        account.password = Some(new);
        account.must_change_password = false;
        account.password_expires_at = None;
        state.end_sessions(id, None);
        state.add_session(session);
        state.events.push(event);
        Ok(())
    }

    async fn reset_password(&self, id: UserId, new: NewPassword, event: Event) -> Result<(), MissingAccount> {
        let mut state = self.state()?;
        let account = state.account(id).ok_or(MissingAccount::Missing)?;
        account.password = Some(new.hash);
        account.must_change_password = new.must_change;
        account.password_expires_at = new.expires_at;
        let username = account.username.clone();
        state.brakes.retain(|(name, _), _| *name != username);
        state.end_sessions(id, None);
        state.events.push(event);
        Ok(())
    }
}

#[async_trait]
impl BrakeStore for MemoryStore {
    async fn attempt(&self, subject: &BrakeSubject, now: Timestamp) -> Result<Admission, StoreError> {
        let mut state = self.state()?;
        let counter = state.brakes.entry((subject.username.clone(), subject.device)).or_default();
        match counter.attempt(now) {
            Ok(next) => {
                *counter = next;
                Ok(Admission::Admitted)
            }
            Err(throttled) => Ok(throttled),
        }
    }

    async fn clear(&self, username: &Username) -> Result<(), StoreError> {
        self.state()?.brakes.retain(|(name, _), _| name != username);
        Ok(())
    }

    async fn purge(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut state = self.state()?;
        let count = state.brakes.len();
        state.brakes.retain(|_, counter| {
            counter.failures >= BrakeState::KEPT_FROM || counter.last_failure_at.is_some_and(|at| at >= before)
        });
        Ok((count - state.brakes.len()) as u64)
    }
}

#[async_trait]
impl LimitStore for MemoryStore {
    async fn admit(&self, bucket: &Bucket, now: Timestamp) -> Result<Decision, StoreError> {
        let mut state = self.state()?;
        let key = format!("{} {}", bucket.quota.name, bucket.client);
        Ok(state.windows.entry(key).or_default().decide(bucket.quota, now))
    }

    async fn purge(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut state = self.state()?;
        let count = state.windows.len();
        state.windows.retain(|_, window| window.times().last().is_some_and(|last| *last >= before));
        Ok((count - state.windows.len()) as u64)
    }
}

/// Keeps events that stand alone beside the others; the rest of the port is the log's own store's to test.
#[async_trait]
impl AuditLog for MemoryStore {
    async fn append(&self, event: Event) -> Result<(), StoreError> {
        self.state()?.events.push(event);
        Ok(())
    }

    async fn page(&self, _: &Filter, page: &PageRequest) -> Result<Page<Record>, StoreError> {
        let records = self.records_after(0, usize::MAX).await?;
        let total = records.len() as u64;
        let newest_first = records.into_iter().rev().take(page.limit.get()).collect();
        Ok(Page { items: newest_first, next: None, total })
    }

    async fn stats(&self, _: &Filter) -> Result<Stats, StoreError> {
        Ok(Stats { total: self.state()?.events.len() as u64, ..Stats::default() })
    }

    async fn records_after(&self, after: u64, limit: usize) -> Result<Vec<Record>, StoreError> {
        let mut head = Head::EMPTY;
        let records = self.state()?.events.clone().into_iter().map(|event| {
            let record = head.append(event);
            head = record.head();
            record
        });
        Ok(records.filter(|record| record.seq > after).take(limit).collect())
    }

    async fn head(&self) -> Result<Head, StoreError> {
        let records = self.records_after(0, usize::MAX).await?;
        Ok(records.last().map_or(Head::EMPTY, Record::head))
    }
}
