//! Sessions.

use std::future::Future;

use async_trait::async_trait;
use diesel::{
    ExpressionMethods as _, Insertable, JoinOnDsl as _, NullableExpressionMethods as _, OptionalExtension as _,
    QueryDsl as _, QueryResult, Queryable, Selectable, SelectableHelper as _,
};
use diesel_async::RunQueryDsl as _;
use stratora_audit::Event;
use stratora_auth::{
    AuthSource, AuthenticatedSession, BrakeSubject, Channel, DirectorySignIn, Lifetime, MissingSession, NewSession,
    OpenSessionError, Proof, Session, SessionId, SessionStore, UserId, subject_of,
};
use stratora_clock::Timestamp;
use stratora_port::StoreError;
use stratora_token::Digest;

use crate::Storage;
use crate::accounts::{AccountRow, AccountStatements as _, UserRow, number_of};
use crate::audit::AuditStatements as _;
use crate::brakes::device_column;
use crate::changes::{ChangeStatements as _, Changed};
use crate::failure::{Failure, Violation, refused_on};
use crate::prepared::Repeated as _;
use crate::schema::{accounts, brakes, sessions};
use crate::sql_types::{StoredId, StoredTime};
use crate::text::address;
use crate::transaction::{statements, with_change, with_lookup, with_read, with_tx};

#[derive(Queryable, Selectable)]
#[diesel(table_name = sessions)]
struct SessionRow {
    id: StoredId,
    created_at: StoredTime,
    last_seen_at: StoredTime,
    expires_at: StoredTime,
    client: Option<String>,
    user_agent: String,
}

impl SessionRow {
    fn into_session(self, user_id: UserId) -> Result<Session, StoreError> {
        Ok(Session {
            id: self.id.typed(),
            user_id,
            created_at: self.created_at.0,
            last_seen_at: self.last_seen_at.0,
            expires_at: self.expires_at.0,
            client: address(self.client)?,
            user_agent: self.user_agent,
        })
    }
}

/// What requests need to know of a session.
#[derive(Queryable, Selectable)]
#[diesel(table_name = sessions)]
struct AuthenticatedSessionRow {
    id: StoredId,
    created_at: StoredTime,
    last_seen_at: StoredTime,
    expires_at: StoredTime,
    confirm_by: Option<StoredTime>,
}

impl AuthenticatedSessionRow {
    const fn lifetime(&self) -> Lifetime {
        Lifetime { created_at: self.created_at.0, last_seen_at: self.last_seen_at.0, expires_at: self.expires_at.0 }
    }
}

#[derive(Insertable)]
#[diesel(table_name = sessions)]
struct NewSessionRow<'a> {
    id: StoredId,
    token_digest: &'a [u8],
    cookie_digest: &'a [u8],
    created_at: StoredTime,
    last_seen_at: StoredTime,
    expires_at: StoredTime,
    confirm_by: Option<StoredTime>,
    client: Option<String>,
    user_agent: &'a str,
}

impl<'a> NewSessionRow<'a> {
    fn of(session: &'a NewSession) -> Self {
        Self {
            id: session.id.into(),
            token_digest: session.token.as_bytes(),
            cookie_digest: session.cookie.as_bytes(),
            created_at: session.created_at.into(),
            last_seen_at: session.created_at.into(),
            expires_at: session.expires_at.into(),
            confirm_by: session.confirm_by.map(StoredTime),
            client: session.client.map(|client| client.to_string()),
            user_agent: &session.user_agent,
        }
    }
}

statements! {
    /// Steps of transactions on sessions.
    pub(crate) trait SessionStatements {
        /// Opens a session of an account that this transaction has locked or made.
        async fn insert_session(conn, session: &NewSession) -> QueryResult<()> {
            let owner = number_of(session.user_id.into()).single_value().assume_not_null();
            diesel::insert_into(sessions::table)
                .values((NewSessionRow::of(session), sessions::account_number.eq(owner)))
                .execute(conn)
                .await
                .map(drop)
        }
    }
}

#[async_trait]
impl SessionStore for Storage {
    /// The update of the account decides: it finds the row only while the proof holds, and locks it, so that a
    /// deactivation or a new password comes either before, and nothing is opened, or after, and ends this session.
    async fn open(
        &self,
        session: NewSession,
        proof: Proof,
        brake: &BrakeSubject,
        event: Event,
    ) -> Result<(), OpenSessionError> {
        let Proof::Password { verified, upgrade } = proof;
        let verified = verified.to_stored();
        let kept = upgrade.map_or_else(|| verified.clone(), |upgrade| upgrade.to_stored());
        let username = brake.username.as_str().to_owned();
        let cleared: Vec<StoredId> = brake.cleared_by_success().map(device_column).collect();
        with_tx!(self, |conn| {
            let signed_in = diesel::update(
                accounts::table
                    .find(StoredId::from(session.user_id))
                    .filter(accounts::active.eq(true))
                    .filter(accounts::password.eq(&verified)),
            )
            .set((accounts::password.eq(&kept), accounts::last_sign_in_at.eq(StoredTime::from(session.created_at))))
            .execute(conn)
            .await?;
            if signed_in == 0 {
                return Err(Failure::Refused(OpenSessionError::AccountChanged));
            }
            conn.insert_session(&session).await?;
            for device in &cleared {
                diesel::delete(brakes::table.find((&username, *device))).execute(conn).await?;
            }
            conn.append(&event).await?;
            Ok(())
        })
    }

    /// The lock on the account's row decides, as above.
    async fn open_from_directory(
        &self,
        sign_in: DirectorySignIn,
        brake: &BrakeSubject,
    ) -> Result<(), OpenSessionError> {
        let changed = || Failure::Refused(OpenSessionError::AccountChanged);
        let username = brake.username.as_str().to_owned();
        let cleared: Vec<StoredId> = brake.cleared_by_success().map(device_column).collect();
        with_change!(self, |conn| {
            let DirectorySignIn { session, person, made, event } = &sign_in;
            if let Some((account, event)) = made {
                let inserted = diesel::insert_into(accounts::table).values(AccountRow::of(account)).execute(conn).await;
                refused_on(inserted, Violation::Unique, OpenSessionError::AccountChanged)?;
                conn.append(event).await?;
            }
            let row = conn.lock_account(session.user_id).await?;
            let is_theirs = |row: &AccountRow| row.active && row.source == AuthSource::Ldap.as_str();
            let row = row.filter(is_theirs).ok_or_else(changed)?;
            if row.role != person.role.as_str() {
                conn.end_sessions(session.user_id).await?;
            }
            diesel::update(accounts::table.find(StoredId::from(session.user_id)))
                .set((
                    accounts::role.eq(person.role.as_str()),
                    accounts::display_name.eq(&person.display_name),
                    accounts::email.eq(&person.email),
                    accounts::last_sign_in_at.eq(StoredTime::from(session.created_at)),
                ))
                .execute(conn)
                .await?;
            conn.insert_session(session).await?;
            for device in &cleared {
                diesel::delete(brakes::table.find((&username, *device))).execute(conn).await?;
            }
            Ok(conn.append_change(event, subject_of(session.user_id)).await?.with(()))
        })
    }

    async fn find(&self, channel: Channel, digest: &Digest) -> Result<Option<AuthenticatedSession>, StoreError> {
        let digest = *digest.as_bytes();
        with_lookup!(self, |conn| {
            let with_owner = sessions::table
                .inner_join(accounts::table.on(accounts::number.eq(sessions::account_number)))
                .select((AuthenticatedSessionRow::as_select(), UserRow::as_select()));
            let row: Option<(AuthenticatedSessionRow, UserRow)> = match channel {
                Channel::Bearer => with_owner.filter(sessions::token_digest.eq(&digest[..])).get_result(conn).await,
                Channel::Cookie => with_owner.filter(sessions::cookie_digest.eq(&digest[..])).get_result(conn).await,
            }
            .optional()?;
            let Some((session, user)) = row else {
                return Ok(None);
            };
            Ok(Some(AuthenticatedSession {
                id: session.id.typed(),
                lifetime: session.lifetime(),
                must_confirm: session.confirm_by.is_some(),
                user: user.try_into()?,
            }))
        })
    }

    async fn confirm(
        &self,
        session: SessionId,
        user: UserId,
        cookie: &Digest,
        now: Timestamp,
        event: Event,
    ) -> Result<bool, StoreError> {
        let (cookie, now) = (*cookie.as_bytes(), StoredTime::from(now));
        with_change!(self, |conn| {
            let own = sessions::table
                .find(StoredId::from(session))
                .filter(sessions::account_number.eq_any(number_of(user.into())))
                .filter(sessions::cookie_digest.eq(&cookie[..]));
            let confirmed = diesel::update(own.filter(sessions::confirm_by.gt(now)))
                .set(sessions::confirm_by.eq(None::<StoredTime>))
                .execute(conn)
                .await?;
            if confirmed > 0 {
                return Ok(conn.append_change(&event, subject_of(user)).await?.with(true));
            }
            let confirm_by: Option<Option<StoredTime>> =
                own.select(sessions::confirm_by).get_result(conn).await.optional()?;
            Ok(Changed::nothing(confirm_by == Some(None)))
        })
    }

    async fn touch(&self, seen: &[(SessionId, Timestamp)]) -> Result<(), StoreError> {
        // In one order everywhere, so that two replicas never wait for each other's rows.
        let mut seen = seen.to_vec();
        seen.sort_unstable();
        with_tx!(self, |conn| {
            for (id, at) in &seen {
                let at = StoredTime::from(*at);
                diesel::update(sessions::table.find(StoredId::from(*id)).filter(sessions::last_seen_at.lt(at)))
                    .set(sessions::last_seen_at.eq(at))
                    .prepared_once()
                    .execute(conn)
                    .await?;
            }
            Ok(())
        })
    }

    async fn of_user(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        with_read!(self, |conn| {
            let rows: Vec<SessionRow> = sessions::table
                .select(SessionRow::as_select())
                .filter(sessions::account_number.eq_any(number_of(user.into())))
                .filter(sessions::expires_at.gt(StoredTime::from(now)))
                .order((sessions::created_at.desc(), sessions::id.desc()))
                .load(conn)
                .await?;
            Ok(rows.into_iter().map(|row| row.into_session(user)).collect::<Result<Vec<_>, _>>()?)
        })
    }

    async fn end(&self, user: UserId, session: SessionId, event: Event) -> Result<(), MissingSession> {
        with_change!(self, |conn| {
            let ended = diesel::delete(
                sessions::table
                    .find(StoredId::from(session))
                    .filter(sessions::account_number.eq_any(number_of(user.into()))),
            )
            .execute(conn)
            .await?;
            if ended == 0 {
                return Err(Failure::Refused(MissingSession::Missing));
            }
            let change = conn.append_change(&event, subject_of(user)).await?;
            Ok(change.with(()))
        })
    }

    async fn end_all(&self, user: UserId, except: Option<SessionId>, event: Event) -> Result<u64, StoreError> {
        with_change!(self, |conn| {
            let of_user = sessions::table.filter(sessions::account_number.eq_any(number_of(user.into())));
            let ended = match except {
                None => diesel::delete(of_user).execute(conn).await?,
                Some(kept) => {
                    diesel::delete(of_user.filter(sessions::id.ne(StoredId::from(kept)))).execute(conn).await?
                }
            };
            let change = conn.append_change(&event, subject_of(user)).await?;
            Ok(change.with(ended as u64))
        })
    }

    async fn purge(&self, now: Timestamp) -> Result<u64, StoreError> {
        with_tx!(self, |conn| {
            let purged = diesel::delete(sessions::table.filter(sessions::expires_at.lt(StoredTime::from(now))))
                .execute(conn)
                .await?;
            Ok(purged as u64)
        })
    }
}
