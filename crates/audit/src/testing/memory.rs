//! A log in memory that can be made to fail.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use stratora_clock::Timestamp;
use stratora_port::{Page, PageRequest, StoreError};

use crate::{AuditLog, Event, Filter, Head, Record, Stats, StatsBucket};

const MICROS_A_DAY: i64 = 86_400_000_000;

/// A log in memory, with a switch that makes it fail.
#[derive(Debug, Default)]
pub struct MemoryLog {
    records: Mutex<Vec<Record>>,
    broken: AtomicBool,
}

impl MemoryLog {
    /// From now on every call fails, until [`Self::mend`].
    pub fn break_down(&self) {
        self.broken.store(true, Ordering::SeqCst);
    }

    /// From now on calls succeed again.
    pub fn mend(&self) {
        self.broken.store(false, Ordering::SeqCst);
    }

    /// Writes one event at the end of the chain: the last step of an in-memory store's transaction.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] while the log is broken.
    pub fn write(&self, event: Event) -> Result<(), StoreError> {
        let mut records = self.records()?;
        let head = records.last().map_or(Head::EMPTY, Record::head);
        records.push(head.append(event));
        Ok(())
    }

    /// What was written so far, the oldest first.
    pub fn events(&self) -> Vec<Event> {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.iter().map(|record| record.event.clone()).collect()
    }

    fn records(&self) -> Result<MutexGuard<'_, Vec<Record>>, StoreError> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(StoreError::unavailable("the log is broken"));
        }
        Ok(self.records.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn matches(filter: &Filter, event: &Event) -> bool {
    let resource = event.resource.as_ref();
    let holds = |text: &str| {
        let names = [event.actor.name.as_str(), resource.map_or("", |resource| resource.name.as_str())];
        let details = event.details.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
        names.into_iter().chain(details).any(|part| part.to_lowercase().contains(&text.to_lowercase()))
    };
    filter.from.is_none_or(|from| event.at >= from)
        && filter.until.is_none_or(|until| event.at < until)
        && filter.actor.as_ref().is_none_or(|actor| *actor == event.actor.name)
        && filter.action.is_none_or(|action| action == event.action)
        && filter.outcome.is_none_or(|outcome| outcome == event.outcome)
        && filter.resource_kind.is_none_or(|kind| resource.is_some_and(|resource| resource.kind == kind))
        && filter.resource_id.is_none_or(|id| resource.is_some_and(|resource| resource.id == Some(id)))
        && filter.text.as_deref().is_none_or(holds)
}

#[async_trait]
impl AuditLog for MemoryLog {
    async fn append(&self, event: Event) -> Result<(), StoreError> {
        self.write(event)
    }

    async fn page(&self, filter: &Filter, page: &PageRequest) -> Result<Page<Record>, StoreError> {
        // A cursor that no page of ours has made ends the list.
        let before = page.after.as_ref().map_or(u64::MAX, |cursor| cursor.key().parse().unwrap_or(0));
        let mut found: Vec<_> =
            self.records()?.iter().rev().filter(|record| matches(filter, &record.event)).cloned().collect();
        let total = found.len() as u64;
        found.retain(|record| record.seq < before);
        Ok(Page::from_overfull(found, page.limit, total, |record| record.seq.to_string()))
    }

    async fn stats(&self, filter: &Filter) -> Result<Stats, StoreError> {
        let records = self.records()?;
        let mut buckets: Vec<StatsBucket> = Vec::new();
        let mut days = BTreeMap::new();
        let mut total = 0;
        for event in records.iter().map(|record| &record.event).filter(|event| matches(filter, event)) {
            total += 1;
            match buckets.iter_mut().find(|bucket| (bucket.action, bucket.outcome) == (event.action, event.outcome)) {
                Some(bucket) => bucket.count += 1,
                None => buckets.push(StatsBucket { action: event.action, outcome: event.outcome, count: 1 }),
            }
            *days.entry(first_instant_of_day(event.at)).or_insert(0) += 1;
        }
        buckets.sort_by_key(|bucket| (Reverse(bucket.count), bucket.action, bucket.outcome.as_str()));
        Ok(Stats { total, buckets, days: days.into_iter().collect() })
    }

    async fn records_after(&self, after: u64, limit: usize) -> Result<Vec<Record>, StoreError> {
        Ok(self.records()?.iter().filter(|record| record.seq > after).take(limit).cloned().collect())
    }

    async fn head(&self) -> Result<Head, StoreError> {
        Ok(self.records()?.last().map_or(Head::EMPTY, Record::head))
    }
}

fn first_instant_of_day(at: Timestamp) -> Timestamp {
    let into_the_day = at.as_micros().rem_euclid(MICROS_A_DAY);
    Timestamp::from_micros(at.as_micros() - into_the_day).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::testing::audit_log_contract;
    use crate::{Action, Origin};

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_log_in_memory_fulfils_the_contract() {
        audit_log_contract(Arc::new(MemoryLog::default())).await;
    }

    #[tokio::test]
    async fn a_broken_log_takes_nothing_until_it_is_mended() {
        let log = MemoryLog::default();
        let event = Origin::system().event(Timestamp::UNIX_EPOCH, Action::SignIn);
        log.break_down();
        assert!(log.append(event.clone()).await.is_err());
        assert!(log.head().await.is_err());
        log.mend();
        assert!(log.events().is_empty());
        log.append(event.clone()).await.unwrap();
        assert_eq!(log.events(), [event]);
    }
}
