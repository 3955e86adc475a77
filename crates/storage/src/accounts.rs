//! Accounts.

use std::future::Future;

use async_trait::async_trait;
use diesel::dsl::{auto_type, count_star, exists};
use diesel::{
    ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _, QueryResult, Queryable, Selectable,
    SelectableHelper as _,
};
use diesel_async::RunQueryDsl as _;
use stratora_audit::Event;
use stratora_auth::{
    Account, AccountChange, AccountStore, AuthSource, ChangePasswordError, CreateAccountError, MissingAccount,
    NewAccount, NewPassword, NewSession, PasswordHash, Role, User, UserId, Username, subject_of,
};
use stratora_port::{Page, PageRequest, StoreError};

use crate::Storage;
use crate::audit::AuditStatements as _;
use crate::changes::ChangeStatements as _;
use crate::failure::{Failure, Violation, refused_on};
use crate::schema::{accounts, brakes, sessions};
use crate::sessions::SessionStatements as _;
use crate::sql_types::{StoredId, StoredTime};
use crate::text::{count, overfull, unreadable};
use crate::transaction::{statements, with_change, with_lookup, with_read, with_tx};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = accounts)]
pub(crate) struct AccountRow {
    id: StoredId,
    username: String,
    display_name: String,
    email: Option<String>,
    pub(crate) role: String,
    pub(crate) source: String,
    pub(crate) active: bool,
    password: Option<String>,
    must_change_password: bool,
    password_expires_at: Option<StoredTime>,
    pub(crate) built_in: bool,
    created_at: StoredTime,
    last_sign_in_at: Option<StoredTime>,
}

impl AccountRow {
    pub(crate) fn of(account: &NewAccount) -> Self {
        let password = account.password.as_ref();
        Self {
            id: account.id.into(),
            username: account.username.as_str().to_owned(),
            display_name: account.display_name.clone(),
            email: account.email.clone(),
            role: account.role.as_str().to_owned(),
            source: account.source.as_str().to_owned(),
            active: true,
            password: password.map(|password| password.hash.to_stored()),
            must_change_password: password.is_some_and(|password| password.must_change),
            password_expires_at: password.and_then(|password| password.expires_at).map(StoredTime),
            built_in: account.built_in,
            created_at: account.created_at.into(),
            last_sign_in_at: None,
        }
    }
}

impl TryFrom<AccountRow> for Account {
    type Error = StoreError;

    fn try_from(row: AccountRow) -> Result<Self, StoreError> {
        let password = row.password.map(|stored| PasswordHash::parse(&stored)).transpose();
        Ok(Self {
            id: row.id.typed(),
            username: username(&row.username)?,
            display_name: row.display_name,
            email: row.email,
            role: role(&row.role)?,
            source: source(&row.source)?,
            active: row.active,
            password: password.map_err(|error| StoreError::corrupt("password hash", error))?,
            must_change_password: row.must_change_password,
            password_expires_at: row.password_expires_at.map(|at| at.0),
            built_in: row.built_in,
            created_at: row.created_at.0,
            last_sign_in_at: row.last_sign_in_at.map(|at| at.0),
        })
    }
}

/// What requests need to know of the owner of a session.
#[derive(Queryable, Selectable)]
#[diesel(table_name = accounts)]
pub(crate) struct UserRow {
    id: StoredId,
    username: String,
    display_name: String,
    email: Option<String>,
    role: String,
    source: String,
    active: bool,
    must_change_password: bool,
}

impl TryFrom<UserRow> for User {
    type Error = StoreError;

    fn try_from(row: UserRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id.typed(),
            username: username(&row.username)?,
            display_name: row.display_name.into(),
            email: row.email.map(Into::into),
            role: role(&row.role)?,
            source: source(&row.source)?,
            active: row.active,
            must_change_password: row.must_change_password,
        })
    }
}

/// What the sessions of the account refer to it by.
#[auto_type(no_type_alias)]
pub(crate) fn number_of(account: StoredId) -> _ {
    accounts::table.find(account).select(accounts::number)
}

fn username(stored: &str) -> Result<Username, StoreError> {
    Username::parse(stored).map_err(|error| StoreError::corrupt("username", error))
}

fn role(stored: &str) -> Result<Role, StoreError> {
    stored.parse().map_err(|error| StoreError::corrupt("role", error))
}

fn source(stored: &str) -> Result<AuthSource, StoreError> {
    AuthSource::parse(stored).ok_or_else(|| unreadable("source of an account"))
}

statements! {
    /// Steps of transactions on accounts.
    pub(crate) trait AccountStatements {
        /// Locks the account's row and reads it.
        async fn lock_account(conn, id: UserId) -> QueryResult<Option<AccountRow>> {
            diesel::update(accounts::table.find(StoredId::from(id)))
                .set(accounts::id.eq(accounts::id))
                .returning(AccountRow::as_returning())
                .get_result(conn)
                .await
                .optional()
        }

        /// Ends all sessions of the account.
        async fn end_sessions(conn, id: UserId) -> QueryResult<usize> {
            let theirs = sessions::table.filter(sessions::account_number.eq_any(number_of(id.into())));
            diesel::delete(theirs).execute(conn).await
        }
    }
}

#[async_trait]
impl AccountStore for Storage {
    async fn find_by_username(&self, username: &Username) -> Result<Option<Account>, StoreError> {
        let username = username.as_str().to_owned();
        with_lookup!(self, |conn| {
            let row: Option<AccountRow> = accounts::table
                .select(AccountRow::as_select())
                .filter(accounts::username.eq(&username))
                .get_result(conn)
                .await
                .optional()?;
            Ok(row.map(Account::try_from).transpose()?)
        })
    }

    async fn find(&self, id: UserId) -> Result<Option<Account>, StoreError> {
        with_lookup!(self, |conn| {
            let row: Option<AccountRow> = accounts::table
                .select(AccountRow::as_select())
                .find(StoredId::from(id))
                .get_result(conn)
                .await
                .optional()?;
            Ok(row.map(Account::try_from).transpose()?)
        })
    }

    async fn page(&self, page: &PageRequest) -> Result<Page<Account>, StoreError> {
        let (limit, after) =
            (page.limit, page.after.as_ref().map_or_else(String::new, |cursor| cursor.key().to_owned()));
        with_read!(self, |conn| {
            let rows: Vec<AccountRow> = accounts::table
                .select(AccountRow::as_select())
                .filter(accounts::username.gt(&after))
                .order(accounts::username.asc())
                .limit(overfull(limit))
                .load(conn)
                .await?;
            let total: i64 = accounts::table.select(count_star()).get_result(conn).await?;
            let found = rows.into_iter().map(Account::try_from).collect::<Result<Vec<_>, _>>()?;
            Ok(Page::from_overfull(found, limit, count(total)?, |account| account.username.as_str().to_owned()))
        })
    }

    async fn is_empty(&self) -> Result<bool, StoreError> {
        with_read!(self, |conn| {
            let any: bool = diesel::select(exists(accounts::table.select(accounts::id))).get_result(conn).await?;
            Ok(!any)
        })
    }

    async fn create(&self, account: NewAccount, event: Event) -> Result<(), CreateAccountError> {
        with_tx!(self, |conn| {
            let inserted = diesel::insert_into(accounts::table).values(AccountRow::of(&account)).execute(conn).await;
            refused_on(inserted, Violation::Unique, CreateAccountError::Conflict)?;
            conn.append(&event).await?;
            Ok(())
        })
    }

    async fn update(&self, id: UserId, change: AccountChange, event: Event) -> Result<Account, MissingAccount> {
        with_change!(self, |conn| {
            let Some(mut row) = conn.lock_account(id).await? else {
                return Err(Failure::Refused(MissingAccount::Missing));
            };
            if row.built_in && (change.role.is_some() || change.active == Some(false)) {
                return Err(Failure::Refused(MissingAccount::Missing));
            }
            let before = (row.role.clone(), row.active);
            row.display_name = change.display_name.clone().unwrap_or(row.display_name);
            row.email = change.email.clone().unwrap_or(row.email);
            row.role = change.role.map_or(row.role, |role| role.as_str().to_owned());
            row.active = change.active.unwrap_or(row.active);
            diesel::update(accounts::table.find(row.id))
                .set((
                    accounts::display_name.eq(&row.display_name),
                    accounts::email.eq(&row.email),
                    accounts::role.eq(&row.role),
                    accounts::active.eq(row.active),
                ))
                .execute(conn)
                .await?;
            if row.role != before.0 || (before.1 && !row.active) {
                conn.end_sessions(id).await?;
            }
            let change = conn.append_change(&event, subject_of(id)).await?;
            Ok(change.with(Account::try_from(row)?))
        })
    }

    async fn delete(&self, id: UserId, event: Event) -> Result<(), MissingAccount> {
        with_change!(self, |conn| {
            let deleted = diesel::delete(accounts::table.find(StoredId::from(id)).filter(accounts::built_in.eq(false)))
                .execute(conn)
                .await?;
            if deleted == 0 {
                return Err(Failure::Refused(MissingAccount::Missing));
            }
            let change = conn.append_change(&event, subject_of(id)).await?;
            Ok(change.with(()))
        })
    }

    async fn change_password(
        &self,
        id: UserId,
        current: &PasswordHash,
        new: PasswordHash,
        session: NewSession,
        event: Event,
    ) -> Result<(), ChangePasswordError> {
        let current = current.to_stored();
        with_change!(self, |conn| {
            let changed = diesel::update(
                accounts::table
                    .find(StoredId::from(id))
                    .filter(accounts::active.eq(true))
                    .filter(accounts::password.eq(&current)),
            )
            .set((
                accounts::password.eq(new.to_stored()),
                accounts::must_change_password.eq(false),
                accounts::password_expires_at.eq(None::<StoredTime>),
            ))
            .execute(conn)
            .await?;
            if changed == 0 {
                return Err(Failure::Refused(ChangePasswordError::Changed));
            }
            conn.end_sessions(id).await?;
            conn.insert_session(&session).await?;
            let change = conn.append_change(&event, subject_of(id)).await?;
            Ok(change.with(()))
        })
    }

    async fn reset_password(&self, id: UserId, new: NewPassword, event: Event) -> Result<(), MissingAccount> {
        with_change!(self, |conn| {
            let username: Option<String> = diesel::update(
                accounts::table.find(StoredId::from(id)).filter(accounts::source.eq(AuthSource::Local.as_str())),
            )
            .set((
                accounts::password.eq(new.hash.to_stored()),
                accounts::must_change_password.eq(new.must_change),
                accounts::password_expires_at.eq(new.expires_at.map(StoredTime)),
            ))
            .returning(accounts::username)
            .get_result(conn)
            .await
            .optional()?;
            let Some(username) = username else {
                return Err(Failure::Refused(MissingAccount::Missing));
            };
            conn.end_sessions(id).await?;
            diesel::delete(brakes::table.filter(brakes::username.eq(&username))).execute(conn).await?;
            let change = conn.append_change(&event, subject_of(id)).await?;
            Ok(change.with(()))
        })
    }
}
