//! The records of sign-ins through providers.

use std::borrow::Cow;
use std::future::Future;

use async_trait::async_trait;
use diesel::dsl::count_star;
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _, QueryResult,
    Queryable, Selectable, SelectableHelper as _,
};
use diesel_async::RunQueryDsl as _;
use stratora_audit::Event;
use stratora_clock::Timestamp;
use stratora_federation::{Attempt, AttemptFilter, AttemptStore, ProviderName, Reference};
use stratora_port::{Page, PageRequest, StoreError};

use crate::Storage;
use crate::audit::AuditStatements as _;
use crate::schema::oidc_attempts;
use crate::sql_types::{StoredId, StoredTime};
use crate::text::{address, count, overfull};
use crate::transaction::{statements, with_read, with_tx};

/// How many records are kept at the most: anybody can make one, and nobody reads as many.
const MAX_ATTEMPTS: i64 = 100_000;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = oidc_attempts)]
struct AttemptRow {
    reference: String,
    provider_id: Option<StoredId>,
    provider_name: String,
    at: StoredTime,
    client: Option<String>,
    code: String,
    username: Option<String>,
    steps: String,
}

impl AttemptRow {
    fn of(attempt: &Attempt) -> Self {
        let (id, name) = attempt.provider.clone().map_or((None, String::new()), |(id, name)| (Some(id), name.into()));
        Self {
            reference: attempt.reference.to_string(),
            provider_id: id.map(StoredId::from),
            provider_name: name,
            at: attempt.at.into(),
            client: attempt.client.map(|client| client.to_string()),
            code: attempt.code.clone().into_owned(),
            username: attempt.username.clone(),
            steps: serde_json::to_string(&attempt.steps).unwrap_or_default(),
        }
    }
}

impl TryFrom<AttemptRow> for Attempt {
    type Error = StoreError;

    fn try_from(row: AttemptRow) -> Result<Self, StoreError> {
        let name = |id: StoredId| match ProviderName::parse(&row.provider_name) {
            Ok(name) => Ok((id.typed(), name)),
            Err(error) => Err(StoreError::corrupt("name of a provider", error)),
        };
        Ok(Self {
            reference: Reference::parse(&row.reference)
                .ok_or_else(|| StoreError::corrupt("reference", "not a reference"))?,
            provider: row.provider_id.map(name).transpose()?,
            at: row.at.0,
            client: address(row.client)?,
            code: Cow::Owned(row.code),
            username: row.username,
            steps: serde_json::from_str(&row.steps).map_err(|error| StoreError::corrupt("steps", error))?,
        })
    }
}

statements! {
    /// Steps of transactions that record sign-ins.
    pub(crate) trait AttemptStatements {
        /// Records one.
        async fn record_attempt(conn, attempt: &Attempt) -> QueryResult<()> {
            diesel::insert_into(oidc_attempts::table).values(AttemptRow::of(attempt)).execute(conn).await.map(drop)
        }
    }
}

/// The query with the conditions of the filter.
macro_rules! matching {
    ($query:expr, $filter:expr) => {{
        let mut query = $query.into_boxed();
        if let Some(reference) = &$filter.reference {
            query = query.filter(oidc_attempts::reference.eq(reference.as_str()));
        }
        if let Some(provider) = $filter.provider {
            query = query.filter(oidc_attempts::provider_id.eq(StoredId::from(provider)));
        }
        query
    }};
}

/// What comes after the last of a page: its time and reference.
fn key(attempt: &Attempt) -> String {
    format!("{} {}", attempt.at.as_micros(), attempt.reference)
}

fn read_key(key: &str) -> Option<(StoredTime, String)> {
    let (at, reference) = key.split_once(' ')?;
    Some((StoredTime(Timestamp::from_micros(at.parse().ok()?).ok()?), reference.to_owned()))
}

#[async_trait]
impl AttemptStore for Storage {
    async fn record(&self, attempt: Attempt, event: Event) -> Result<(), StoreError> {
        with_tx!(self, |conn| {
            conn.record_attempt(&attempt).await?;
            conn.append(&event).await?;
            Ok(())
        })
    }

    async fn note(&self, event: Event) -> Result<(), StoreError> {
        with_tx!(self, |conn| {
            conn.append(&event).await?;
            Ok(())
        })
    }

    async fn attempts(&self, filter: &AttemptFilter, page: &PageRequest) -> Result<Page<Attempt>, StoreError> {
        let (filter, limit) = (filter.clone(), page.limit);
        let after = page.after.as_ref().and_then(|cursor| read_key(cursor.key()));
        with_read!(self, |conn| {
            let mut query = matching!(oidc_attempts::table.select(AttemptRow::as_select()), filter);
            if let Some((at, reference)) = &after {
                let earlier = oidc_attempts::at.lt(*at);
                query = query
                    .filter(earlier.or(oidc_attempts::at.eq(*at).and(oidc_attempts::reference.lt(reference.as_str()))));
            }
            let rows: Vec<AttemptRow> = query
                .order((oidc_attempts::at.desc(), oidc_attempts::reference.desc()))
                .limit(overfull(limit))
                .load(conn)
                .await?;
            let total: i64 = matching!(oidc_attempts::table.select(count_star()), filter).get_result(conn).await?;
            let found = rows.into_iter().map(Attempt::try_from).collect::<Result<Vec<_>, _>>()?;
            Ok(Page::from_overfull(found, limit, count(total)?, key))
        })
    }

    async fn purge_attempts(&self, before: Timestamp) -> Result<u64, StoreError> {
        with_tx!(self, |conn| {
            let surplus: Option<StoredTime> = oidc_attempts::table
                .select(oidc_attempts::at)
                .order(oidc_attempts::at.desc())
                .offset(MAX_ATTEMPTS)
                .limit(1)
                .get_result(conn)
                .await
                .optional()?;
            let over = oidc_attempts::at.lt(StoredTime::from(before));
            let purged = match surplus {
                Some(at) => {
                    diesel::delete(oidc_attempts::table.filter(over.or(oidc_attempts::at.le(at)))).execute(conn).await?
                }
                None => diesel::delete(oidc_attempts::table.filter(over)).execute(conn).await?,
            };
            Ok(purged as u64)
        })
    }
}
