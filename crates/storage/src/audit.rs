//! The audit log.

use std::collections::BTreeMap;
use std::future::Future;

use async_trait::async_trait;
use diesel::dsl::count_star;
use diesel::{
    EscapeExpressionMethods as _, ExpressionMethods as _, Insertable, QueryDsl as _, Queryable, Selectable,
    SelectableHelper as _, TextExpressionMethods as _,
};
use diesel_async::RunQueryDsl as _;
use stratora_audit::{
    Actor, ActorKind, AuditLog, ChainHash, Event, Filter, Head, Outcome, Record, RequestId, Resource, ResourceKind,
    Stats, StatsBucket,
};
use stratora_clock::Timestamp;
use stratora_port::{Page, PageRequest, StoreError};

use crate::Storage;
use crate::failure::Trouble;
use crate::prepared::Repeated as _;
use crate::schema::{audit_head, audit_records};
use crate::sql_types::{StoredId, StoredTime};
use crate::text::{address, containing, count, overfull, unreadable};
use crate::transaction::{statements, with_read, with_tx};

const MICROS_A_DAY: i64 = 86_400_000_000;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = audit_records)]
// One text for all of them, which is prepared once for each connection.
#[diesel(treat_none_as_default_value = false)]
struct RecordRow {
    seq: i64,
    at: StoredTime,
    day: i64,
    actor_kind: String,
    actor_id: Option<StoredId>,
    actor_name: String,
    action: String,
    resource_kind: Option<String>,
    resource_id: Option<StoredId>,
    resource_name: Option<String>,
    outcome: String,
    client: Option<String>,
    request_id: Option<StoredId>,
    details: String,
    search_text: String,
    hash: Vec<u8>,
}

impl RecordRow {
    fn of(record: &Record) -> Result<Self, StoreError> {
        let event = &record.event;
        let resource = event.resource.as_ref();
        Ok(Self {
            seq: position(record.seq)?,
            at: event.at.into(),
            day: event.at.as_micros().div_euclid(MICROS_A_DAY),
            actor_kind: event.actor.kind.as_str().to_owned(),
            actor_id: event.actor.id.map(StoredId),
            actor_name: event.actor.name.clone(),
            action: event.action.as_str().to_owned(),
            resource_kind: resource.map(|resource| resource.kind.as_str().to_owned()),
            resource_id: resource.and_then(|resource| resource.id).map(StoredId),
            resource_name: resource.map(|resource| resource.name.clone()),
            outcome: event.outcome.as_str().to_owned(),
            client: event.client.map(|client| client.to_string()),
            request_id: event.request_id.map(|id| StoredId(id.as_uuid())),
            details: serde_json::to_string(&event.details).map_err(|error| StoreError::corrupt("detail", error))?,
            search_text: search_text(event),
            hash: record.hash.as_bytes().to_vec(),
        })
    }
}

impl TryFrom<RecordRow> for Record {
    type Error = StoreError;

    fn try_from(row: RecordRow) -> Result<Self, StoreError> {
        let resource = match (row.resource_kind, row.resource_name) {
            (Some(kind), Some(name)) => Some(Resource {
                kind: ResourceKind::parse(&kind).ok_or_else(|| unreadable("resource kind"))?,
                id: row.resource_id.map(|id| id.0),
                name,
            }),
            (None, None) => None,
            _ => return Err(unreadable("resource")),
        };
        let details: BTreeMap<String, String> =
            serde_json::from_str(&row.details).map_err(|error| StoreError::corrupt("detail", error))?;
        Ok(Self {
            seq: u64::try_from(row.seq).map_err(|error| StoreError::corrupt("position", error))?,
            event: Event {
                at: row.at.0,
                actor: Actor {
                    kind: ActorKind::parse(&row.actor_kind).ok_or_else(|| unreadable("actor kind"))?,
                    id: row.actor_id.map(|id| id.0),
                    name: row.actor_name,
                },
                action: row.action.parse().map_err(|error| StoreError::corrupt("action", error))?,
                resource,
                outcome: Outcome::parse(&row.outcome).ok_or_else(|| unreadable("outcome"))?,
                client: address(row.client)?,
                request_id: row.request_id.map(|id| RequestId::from_uuid(id.0)),
                details,
            },
            hash: chain_hash(&row.hash)?,
        })
    }
}

/// What the text filter looks in. Folded here and not by the databases, whose ideas of lower case differ.
fn search_text(event: &Event) -> String {
    let names = [event.actor.name.as_str(), event.resource.as_ref().map_or("", |resource| resource.name.as_str())];
    let details = event.details.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
    let mut text = names.into_iter().chain(details).collect::<Vec<_>>().join("\n").to_lowercase();
    text.retain(|c| c != '\0');
    text
}

fn position(seq: u64) -> Result<i64, StoreError> {
    i64::try_from(seq).map_err(|error| StoreError::corrupt("position", error))
}

fn chain_hash(bytes: &[u8]) -> Result<ChainHash, StoreError> {
    bytes.try_into().map(ChainHash::from_bytes).map_err(|error| StoreError::corrupt("chain hash", error))
}

statements! {
    /// Writing to the log within a transaction.
    pub(crate) trait AuditStatements {
        /// Puts `event` at the end of the chain. To be the last step of a transaction: from here to the commit all other
        /// writers wait, since the next record needs the hash of this one. Returns the record's position.
        async fn append(conn, event: &Event) -> Result<u64, Trouble> {
            let (seq, hash): (i64, Vec<u8>) = diesel::update(audit_head::table)
                .set(audit_head::seq.eq(audit_head::seq + 1))
                .returning((audit_head::seq, audit_head::hash))
                .prepared_once()
                .get_result(conn)
                .await?;
            let seq = u64::try_from(seq).map_err(|error| StoreError::corrupt("position", error))?;
            let record = Head { seq: seq.saturating_sub(1), hash: chain_hash(&hash)? }.append(event.clone());
            diesel::insert_into(audit_records::table).values(RecordRow::of(&record)?).execute(conn).await?;
            diesel::update(audit_head::table)
                .set(audit_head::hash.eq(record.hash.as_bytes().as_slice()))
                .prepared_once()
                .execute(conn)
                .await?;
            Ok(record.seq)
        }
    }
}

/// The query with the conditions of the filter.
macro_rules! matching {
    ($query:expr, $filter:expr) => {{
        let mut query = $query.into_boxed();
        if let Some(from) = $filter.from {
            query = query.filter(audit_records::at.ge(StoredTime(from)));
        }
        if let Some(until) = $filter.until {
            query = query.filter(audit_records::at.lt(StoredTime(until)));
        }
        if let Some(actor) = &$filter.actor {
            query = query.filter(audit_records::actor_name.eq(actor));
        }
        if let Some(action) = $filter.action {
            query = query.filter(audit_records::action.eq(action.as_str()));
        }
        if let Some(outcome) = $filter.outcome {
            query = query.filter(audit_records::outcome.eq(outcome.as_str()));
        }
        if let Some(kind) = $filter.resource_kind {
            query = query.filter(audit_records::resource_kind.eq(kind.as_str()));
        }
        if let Some(id) = $filter.resource_id {
            query = query.filter(audit_records::resource_id.eq(StoredId(id)));
        }
        if let Some(text) = &$filter.text {
            query = query.filter(audit_records::search_text.like(containing(text)).escape('\\'));
        }
        query
    }};
}

#[async_trait]
impl AuditLog for Storage {
    async fn append(&self, event: Event) -> Result<(), StoreError> {
        with_tx!(self, |conn| {
            conn.append(&event).await?;
            Ok(())
        })
    }

    async fn page(&self, filter: &Filter, page: &PageRequest) -> Result<Page<Record>, StoreError> {
        let (filter, limit) = (filter.clone(), page.limit);
        // A cursor that no page of ours has made ends the list.
        let before: i64 = page.after.as_ref().map_or(i64::MAX, |cursor| cursor.key().parse().unwrap_or(0));
        with_read!(self, |conn| {
            let rows: Vec<RecordRow> = matching!(audit_records::table.select(RecordRow::as_select()), filter)
                .filter(audit_records::seq.lt(before))
                .order(audit_records::seq.desc())
                .limit(overfull(limit))
                .load(conn)
                .await?;
            let total: i64 = matching!(audit_records::table.select(count_star()), filter).get_result(conn).await?;
            let records = rows.into_iter().map(Record::try_from).collect::<Result<Vec<_>, _>>()?;
            Ok(Page::from_overfull(records, limit, count(total)?, |record| record.seq.to_string()))
        })
    }

    async fn stats(&self, filter: &Filter) -> Result<Stats, StoreError> {
        let filter = filter.clone();
        with_read!(self, |conn| {
            let by_action = audit_records::table.group_by((audit_records::action, audit_records::outcome)).select((
                audit_records::action,
                audit_records::outcome,
                count_star(),
            ));
            let rows: Vec<(String, String, i64)> = matching!(by_action, filter).load(conn).await?;
            let mut buckets = rows
                .into_iter()
                .map(|(action, outcome, number)| {
                    Ok(StatsBucket {
                        action: action.parse().map_err(|error| StoreError::corrupt("action", error))?,
                        outcome: Outcome::parse(&outcome).ok_or_else(|| unreadable("outcome"))?,
                        count: count(number)?,
                    })
                })
                .collect::<Result<Vec<_>, StoreError>>()?;
            buckets.sort_by_key(|bucket| (std::cmp::Reverse(bucket.count), bucket.action, bucket.outcome.as_str()));
            let by_day = audit_records::table.group_by(audit_records::day).select((audit_records::day, count_star()));
            let rows: Vec<(i64, i64)> = matching!(by_day, filter).order(audit_records::day.asc()).load(conn).await?;
            let days = rows.into_iter().map(|(day, number)| {
                let at = Timestamp::from_micros(day.saturating_mul(MICROS_A_DAY));
                Ok((at.map_err(|error| StoreError::corrupt("day", error))?, count(number)?))
            });
            Ok(Stats {
                total: buckets.iter().map(|bucket| bucket.count).sum(),
                buckets,
                days: days.collect::<Result<Vec<_>, StoreError>>()?,
            })
        })
    }

    async fn records_after(&self, after: u64, limit: usize) -> Result<Vec<Record>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        with_read!(self, |conn| {
            let rows: Vec<RecordRow> = audit_records::table
                .select(RecordRow::as_select())
                .filter(audit_records::seq.gt(after))
                .order(audit_records::seq.asc())
                .limit(limit)
                .load(conn)
                .await?;
            Ok(rows.into_iter().map(Record::try_from).collect::<Result<Vec<_>, _>>()?)
        })
    }

    async fn head(&self) -> Result<Head, StoreError> {
        with_read!(self, |conn| {
            let (seq, hash): (i64, Vec<u8>) =
                audit_head::table.select((audit_head::seq, audit_head::hash)).get_result(conn).await?;
            Ok(Head { seq: count(seq)?, hash: chain_hash(&hash)? })
        })
    }
}
