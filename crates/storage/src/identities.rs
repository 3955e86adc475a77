//! Who is whom at identity providers, and the sessions that came from there.

use std::future::Future;

use async_trait::async_trait;
use diesel::dsl::exists;
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, QueryResult,
    SelectableHelper as _,
};
use diesel_async::RunQueryDsl as _;
use stratora_audit::Event;
use stratora_auth::{Account, AuthSource, Role, SessionId, UserId, Username, subject_of};
use stratora_federation::{
    Entry, FederatedSignIn, FederatedSignInError, Identity, IdentityStore, Provider, ProviderId,
};
use stratora_port::StoreError;

use crate::Storage;
use crate::accounts::{AccountRow, AccountStatements as _};
use crate::attempts::AttemptStatements as _;
use crate::audit::AuditStatements as _;
use crate::changes::{ChangeStatements as _, Changed, Told};
use crate::failure::{Failure, Violation, refused_on};
use crate::providers::ProviderLock as _;
use crate::schema::{accounts, oidc_identities, oidc_sessions, sessions};
use crate::sessions::SessionStatements as _;
use crate::sql_types::{StoredId, StoredTime, lower_or_null as lower};
use crate::transaction::{statements, with_change, with_lookup, with_read};

/// The primary key of an identity.
fn key(identity: &Identity) -> (StoredId, &str, &str) {
    (identity.provider.into(), &identity.issuer, &identity.subject)
}

statements! {
    /// Steps of transactions on identities.
    trait IdentityStatements {
        /// Notes the mail address of an identity, if it is that account's.
        async fn note_identity(
            conn,
            identity: &Identity,
            account: UserId,
            verified_email: Option<&str>,
        ) -> QueryResult<bool> {
            let own = oidc_identities::table.find(key(identity)).filter(oidc_identities::account_id.eq(StoredId::from(account)));
            let noted = diesel::update(own).set(oidc_identities::verified_email.eq(verified_email)).execute(conn).await?;
            Ok(noted > 0)
        }

        /// Gives an identity to an account. Violates the primary key when it has one.
        async fn insert_identity(
            conn,
            identity: &Identity,
            account: UserId,
            verified_email: Option<&str>,
            now: StoredTime,
        ) -> QueryResult<usize> {
            diesel::insert_into(oidc_identities::table)
                .values((
                    oidc_identities::provider_id.eq(StoredId::from(identity.provider)),
                    oidc_identities::issuer.eq(&identity.issuer),
                    oidc_identities::subject.eq(&identity.subject),
                    oidc_identities::account_id.eq(StoredId::from(account)),
                    oidc_identities::verified_email.eq(verified_email),
                    oidc_identities::created_at.eq(now),
                ))
                .execute(conn)
                .await
        }
    }
}

/// Whether an account may be given another identity: the rule of the policy, at the moment when it is done.
fn is_linkable(row: &AccountRow) -> bool {
    row.source != AuthSource::Local.as_str() && row.role == Role::Viewer.as_str() && !row.built_in
}

#[async_trait]
impl IdentityStore for Storage {
    async fn account_of(&self, identity: &Identity) -> Result<Option<Account>, StoreError> {
        let identity = identity.clone();
        with_lookup!(self, |conn| {
            let row: Option<AccountRow> = oidc_identities::table
                .find(key(&identity))
                .inner_join(accounts::table)
                .select(AccountRow::as_select())
                .get_result(conn)
                .await
                .optional()?;
            Ok(row.map(Account::try_from).transpose()?)
        })
    }

    async fn accounts_with_email(&self, email: &str) -> Result<Vec<Account>, StoreError> {
        let email = email.to_ascii_lowercase();
        with_read!(self, |conn| {
            let vouched = oidc_identities::table
                .filter(oidc_identities::verified_email.eq(&email))
                .select(oidc_identities::account_id);
            let by_directory = accounts::source.eq(AuthSource::Ldap.as_str()).and(lower(accounts::email).eq(&email));
            let rows: Vec<AccountRow> = accounts::table
                .select(AccountRow::as_select())
                .filter(accounts::id.eq_any(vouched).or(by_directory))
                // One is found, or it is not clear who is meant.
                .limit(2)
                .load(conn)
                .await?;
            Ok(rows.into_iter().map(Account::try_from).collect::<Result<Vec<_>, _>>()?)
        })
    }

    async fn is_taken(&self, username: &Username) -> Result<bool, StoreError> {
        let username = username.as_str().to_owned();
        with_lookup!(self, |conn| {
            let named = accounts::table.filter(accounts::username.eq(&username)).select(accounts::id);
            Ok(diesel::select(exists(named)).get_result(conn).await?)
        })
    }

    /// The lock on the account's row decides: a deactivation, a deletion or another role comes either before, and counts, or
    /// after, and ends this session.
    async fn sign_in(&self, sign_in: FederatedSignIn) -> Result<(), FederatedSignInError> {
        let changed = || Failure::Refused(FederatedSignInError::Changed);
        with_change!(self, |conn| {
            let FederatedSignIn { provider, entry, session, origin, .. } = &sign_in;
            let held = conn.hold_provider(provider.id).await?.map(Provider::try_from).transpose()?;
            if !held.is_some_and(|held| held.decides_as(provider)) {
                return Err(changed());
            }
            let (user, identity, now) = (entry.user(), &origin.identity, StoredTime::from(session.created_at));
            let verified_email = sign_in.verified_email.as_ref().map(|email| email.to_ascii_lowercase());
            let verified_email = verified_email.as_deref();
            if let Entry::Provision(account) = entry {
                let inserted = diesel::insert_into(accounts::table).values(AccountRow::of(account)).execute(conn).await;
                refused_on(inserted, Violation::Unique, FederatedSignInError::NameTaken)?;
            }
            let row = conn.lock_account(user).await?.filter(|row| row.active).ok_or_else(changed)?;
            let is_theirs = match entry {
                Entry::Known(_) => conn.note_identity(identity, user, verified_email).await?,
                Entry::Link(_) if !is_linkable(&row) => false,
                Entry::Link(_) | Entry::Provision(_) => {
                    let given = conn.insert_identity(identity, user, verified_email, now).await;
                    refused_on(given, Violation::Unique, FederatedSignInError::Changed)? > 0
                }
            };
            if !is_theirs {
                return Err(changed());
            }
            if row.role != sign_in.role.as_str() {
                conn.end_sessions(user).await?;
            }
            diesel::update(accounts::table.find(StoredId::from(user)))
                .set((
                    accounts::role.eq(sign_in.role.as_str()),
                    accounts::display_name.eq(&sign_in.display_name),
                    accounts::email.eq(&sign_in.email),
                    accounts::last_sign_in_at.eq(now),
                ))
                .execute(conn)
                .await?;
            conn.insert_session(session).await?;
            diesel::insert_into(oidc_sessions::table)
                .values((
                    oidc_sessions::session_id.eq(StoredId::from(session.id)),
                    oidc_sessions::provider_id.eq(StoredId::from(identity.provider)),
                    oidc_sessions::subject.eq(&identity.subject),
                    oidc_sessions::sid.eq(&origin.sid),
                ))
                .execute(conn)
                .await?;
            conn.record_attempt(&sign_in.attempt).await?;
            if let Some(event) = &sign_in.made {
                conn.append(event).await?;
            }
            Ok(conn.append_change(&sign_in.event, subject_of(user)).await?.with(()))
        })
    }

    async fn provider_of(&self, session: SessionId) -> Result<Option<ProviderId>, StoreError> {
        with_lookup!(self, |conn| {
            let provider: Option<StoredId> = oidc_sessions::table
                .find(StoredId::from(session))
                .select(oidc_sessions::provider_id)
                .get_result(conn)
                .await
                .optional()?;
            Ok(provider.map(StoredId::typed))
        })
    }

    async fn end_sessions(
        &self,
        provider: ProviderId,
        subject: Option<&str>,
        sid: Option<&str>,
        event: Event,
    ) -> Result<u64, StoreError> {
        if subject.is_none() && sid.is_none() {
            return Ok(0);
        }
        let (provider, subject, sid) =
            (StoredId::from(provider), subject.map(ToOwned::to_owned), sid.map(ToOwned::to_owned));
        with_change!(self, |conn| {
            let mut meant = oidc_sessions::table
                .filter(oidc_sessions::provider_id.eq(provider))
                .select(oidc_sessions::session_id)
                .into_boxed();
            if let Some(subject) = &subject {
                meant = meant.filter(oidc_sessions::subject.eq(subject));
            }
            if let Some(sid) = &sid {
                meant = meant.filter(oidc_sessions::sid.eq(sid));
            }
            let owners: Vec<i64> = diesel::delete(sessions::table.filter(sessions::id.eq_any(meant)))
                .returning(sessions::account_number)
                .get_results(conn)
                .await?;
            if owners.is_empty() {
                return Ok(Changed::nothing(0));
            }
            let ended = owners.len() as u64;
            let users: Vec<StoredId> =
                accounts::table.filter(accounts::number.eq_any(owners)).select(accounts::id).get_results(conn).await?;
            let told = match users.as_slice() {
                [user] => subject_of(user.typed()).into(),
                _ => Told::ANYTHING,
            };
            let event = event.clone().with("sessions", ended.to_string());
            Ok(conn.append_change(&event, told).await?.with(ended))
        })
    }
}
