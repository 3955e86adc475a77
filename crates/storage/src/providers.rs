//! Identity providers.

use std::future::Future;

use async_trait::async_trait;
use diesel::{
    ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _, QueryResult, Queryable, Selectable,
    SelectableHelper as _,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};
use serde::{Deserialize, Serialize};
use stratora_audit::Event;
use stratora_federation::{
    ChangeProviderError, Policy, Provider, ProviderId, ProviderName, ProviderSettings, ProviderStore,
};
use stratora_port::StoreError;
use stratora_sealing::Sealed;

use crate::Storage;
use crate::audit::AuditStatements as _;
use crate::changes::{ChangeStatements as _, Told};
use crate::failure::{Failure, Violation, refused_on};
use crate::pool::SqliteLink;
use crate::schema::{oidc_identities, oidc_providers, oidc_sessions, sessions};
use crate::sql_types::{StoredId, StoredTime};
use crate::transaction::{with_change, with_lookup, with_read, with_tx};

#[derive(PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = oidc_providers)]
pub(crate) struct ProviderRow {
    id: StoredId,
    name: String,
    enabled: bool,
    settings: String,
    secret: Option<Vec<u8>>,
    created_at: StoredTime,
}

/// What stands in the column `settings`.
#[derive(Serialize, Deserialize)]
struct StoredSettings {
    settings: ProviderSettings,
    policy: Policy,
}

impl ProviderRow {
    fn of(provider: &Provider) -> Result<Self, StoreError> {
        let settings = StoredSettings { settings: provider.settings.clone(), policy: provider.policy.clone() };
        Ok(Self {
            id: provider.id.into(),
            name: provider.name.as_str().to_owned(),
            enabled: provider.enabled,
            settings: serde_json::to_string(&settings).map_err(StoreError::unavailable)?,
            secret: provider.secret.as_ref().map(Sealed::to_bytes),
            created_at: provider.created_at.into(),
        })
    }
}

impl TryFrom<ProviderRow> for Provider {
    type Error = StoreError;

    fn try_from(row: ProviderRow) -> Result<Self, StoreError> {
        let StoredSettings { settings, policy } = serde_json::from_str(&row.settings)
            .map_err(|error| StoreError::corrupt("settings of a provider", error))?;
        let secret = row.secret.map(|bytes| Sealed::from_bytes(&bytes)).transpose();
        Ok(Self {
            id: row.id.typed(),
            name: ProviderName::parse(&row.name).map_err(|error| StoreError::corrupt("name of a provider", error))?,
            enabled: row.enabled,
            settings,
            policy,
            secret: secret.map_err(|error| StoreError::corrupt("client secret", error))?,
            created_at: row.created_at.0,
        })
    }
}

/// Locks on a provider. What is decided about somebody holds only while the provider stays as it was, and a provider is not
/// deleted before whoever comes from it has come.
pub(crate) trait ProviderLock: Send {
    /// Keeps the provider as it is until the end of the transaction, and reads it.
    fn hold_provider(&mut self, id: ProviderId) -> impl Future<Output = QueryResult<Option<ProviderRow>>> + Send;

    /// Waits for everybody who holds it, and lets nobody else. Returns whether there is such a provider.
    fn seize_provider(&mut self, id: ProviderId) -> impl Future<Output = QueryResult<bool>> + Send;
}

impl ProviderLock for AsyncPgConnection {
    async fn hold_provider(&mut self, id: ProviderId) -> QueryResult<Option<ProviderRow>> {
        let row = oidc_providers::table.find(StoredId::from(id)).select(ProviderRow::as_select());
        row.for_share().get_result(self).await.optional()
    }

    async fn seize_provider(&mut self, id: ProviderId) -> QueryResult<bool> {
        let row = oidc_providers::table.find(StoredId::from(id)).select(oidc_providers::id);
        Ok(row.for_update().get_result::<StoredId>(self).await.optional()?.is_some())
    }
}

/// A transaction that writes has the whole database to itself.
impl ProviderLock for SqliteLink {
    async fn hold_provider(&mut self, id: ProviderId) -> QueryResult<Option<ProviderRow>> {
        let row = oidc_providers::table.find(StoredId::from(id)).select(ProviderRow::as_select());
        row.get_result(self).await.optional()
    }

    async fn seize_provider(&mut self, id: ProviderId) -> QueryResult<bool> {
        Ok(self.hold_provider(id).await?.is_some())
    }
}

#[async_trait]
impl ProviderStore for Storage {
    async fn all(&self) -> Result<Vec<Provider>, StoreError> {
        with_read!(self, |conn| {
            let rows: Vec<ProviderRow> = oidc_providers::table
                .select(ProviderRow::as_select())
                .order(oidc_providers::name.asc())
                .load(conn)
                .await?;
            Ok(rows.into_iter().map(Provider::try_from).collect::<Result<Vec<_>, _>>()?)
        })
    }

    async fn find(&self, id: ProviderId) -> Result<Option<Provider>, StoreError> {
        with_lookup!(self, |conn| {
            let row: Option<ProviderRow> = oidc_providers::table
                .select(ProviderRow::as_select())
                .find(StoredId::from(id))
                .get_result(conn)
                .await
                .optional()?;
            Ok(row.map(Provider::try_from).transpose()?)
        })
    }

    async fn create(&self, provider: Provider, event: Event) -> Result<(), ChangeProviderError> {
        with_tx!(self, |conn| {
            let row = ProviderRow::of(&provider)?;
            let inserted = diesel::insert_into(oidc_providers::table).values(row).execute(conn).await;
            refused_on(inserted, Violation::Unique, ChangeProviderError::NameTaken)?;
            conn.append(&event).await?;
            Ok(())
        })
    }

    async fn replace(&self, before: &Provider, after: Provider, event: Event) -> Result<(), ChangeProviderError> {
        let before = before.clone();
        let ends_trust = !after.vouches_as(&before);
        with_tx!(self, |conn| {
            let (before, after) = (ProviderRow::of(&before)?, ProviderRow::of(&after)?);
            // The lock that this takes decides between two who change it at once.
            let row: Option<ProviderRow> = diesel::update(oidc_providers::table.find(before.id))
                .set(oidc_providers::id.eq(oidc_providers::id))
                .returning(ProviderRow::as_returning())
                .get_result(conn)
                .await
                .optional()?;
            match row {
                None => return Err(Failure::Refused(ChangeProviderError::Missing)),
                Some(row) if row != before => return Err(Failure::Refused(ChangeProviderError::Changed)),
                Some(_) => {}
            }
            let replaced = diesel::update(oidc_providers::table.find(before.id))
                .set((
                    oidc_providers::name.eq(&after.name),
                    oidc_providers::enabled.eq(after.enabled),
                    oidc_providers::settings.eq(&after.settings),
                    oidc_providers::secret.eq(&after.secret),
                ))
                .execute(conn)
                .await;
            refused_on(replaced, Violation::Unique, ChangeProviderError::NameTaken)?;
            if ends_trust {
                // It comes back with the next sign-in of whoever it still holds for.
                diesel::update(oidc_identities::table.filter(oidc_identities::provider_id.eq(before.id)))
                    .set(oidc_identities::verified_email.eq(None::<String>))
                    .execute(conn)
                    .await?;
            }
            conn.append(&event).await?;
            Ok(())
        })
    }

    async fn reseal(&self, id: ProviderId, before: &Sealed, after: &Sealed, event: Event) -> Result<bool, StoreError> {
        let (before, after) = (before.to_bytes(), after.to_bytes());
        with_tx!(self, |conn| {
            let still = oidc_providers::table.find(StoredId::from(id)).filter(oidc_providers::secret.eq(&before));
            let resealed = diesel::update(still).set(oidc_providers::secret.eq(&after)).execute(conn).await? > 0;
            if resealed {
                conn.append(&event).await?;
            }
            Ok(resealed)
        })
    }

    async fn delete(&self, id: ProviderId, event: Event) -> Result<(), ChangeProviderError> {
        with_change!(self, |conn| {
            if !conn.seize_provider(id).await? {
                return Err(Failure::Refused(ChangeProviderError::Missing));
            }
            let id = StoredId::from(id);
            let from_it =
                oidc_sessions::table.filter(oidc_sessions::provider_id.eq(id)).select(oidc_sessions::session_id);
            diesel::delete(sessions::table.filter(sessions::id.eq_any(from_it))).execute(conn).await?;
            diesel::delete(oidc_providers::table.find(id)).execute(conn).await?;
            Ok(conn.append_change(&event, Told::ANYTHING).await?.with(()))
        })
    }
}
