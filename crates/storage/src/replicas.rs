//! The servers on one PostgreSQL: how a change waits until none of them trusts what it had in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use diesel::{ExpressionMethods as _, QueryDsl as _};
use diesel_async::pooled_connection::deadpool::Pool;
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};
use metrics::histogram;
use stratora_cache::{Coherence, Lease, Replica, ReplicaId, Settlement};
use stratora_port::StoreError;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::schema::replicas;
use crate::sql_types::StoredId;

/// Where servers hear that there are changes to be read.
pub(crate) const INVALIDATED: &str = "stratora_invalidated";
/// Where servers say up to which change they have heard.
pub(crate) const ACKNOWLEDGED: &str = "stratora_acknowledged";

/// How long a change waits before it looks at the table, where every renewal leaves word too: a notification may be lost.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The servers on one database, seen from one of them. Clones are the same.
#[derive(Clone)]
pub(crate) struct Replicas(Arc<Shared>);

struct Shared {
    url: String,
    lease: Lease,
    coherence: Arc<Coherence>,
    me: Mutex<Option<ReplicaId>>,
    heard: watch::Sender<BTreeMap<ReplicaId, u64>>,
}

impl Replicas {
    pub(crate) fn new(url: &str, lease: Lease, coherence: Arc<Coherence>) -> Self {
        let (heard, _) = watch::channel(BTreeMap::new());
        Self(Arc::new(Shared { url: url.to_owned(), lease, coherence, me: Mutex::default(), heard }))
    }

    pub(crate) fn url(&self) -> &str {
        &self.0.url
    }

    pub(crate) fn lease(&self) -> Lease {
        self.0.lease
    }

    pub(crate) fn coherence(&self) -> &Coherence {
        &self.0.coherence
    }

    /// How long a change may wait, whatever leases others have.
    pub(crate) fn longest_wait() -> Duration {
        Lease::LONGEST.longest_wait()
    }

    /// This server's registration.
    pub(crate) fn me(&self) -> Option<ReplicaId> {
        *self.0.me.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This server is registered so from now on, or not at all.
    pub(crate) fn i_am(&self, me: Option<ReplicaId>) {
        *self.0.me.lock().unwrap_or_else(PoisonError::into_inner) = me;
    }

    /// That server has heard of all changes up to `seq`.
    pub(crate) fn has_heard(&self, replica: ReplicaId, seq: u64) {
        self.0.heard.send_modify(|heard| {
            heard.insert(replica, seq);
        });
    }

    /// Waits until no server accepts any more what the change at `seq` ended. It was committed before this is called.
    pub(crate) async fn settle(&self, seq: u64, pool: &Pool<AsyncPgConnection>) {
        let coherence = self.coherence();
        let committed = coherence.elapsed();
        let mut heard = self.0.heard.subscribe();
        let mut settlement = Settlement::of(seq, committed, self.0.lease);
        while !settlement.is_settled(coherence.elapsed()) {
            let left = settlement.over().saturating_sub(coherence.elapsed());
            // A task of its own, so that nothing that befalls it ends the wait.
            match timeout(left, tokio::spawn(all(pool.clone()))).await {
                Ok(Ok(Ok(replicas))) => self.take_note(&mut settlement, &replicas),
                Ok(Ok(Err(error))) => tracing::debug!(%error, "which servers there are is not known; waiting for all"),
                Ok(Err(_)) | Err(_) => {}
            }
            let left = settlement.over().saturating_sub(coherence.elapsed());
            let _: Result<_, _> = timeout(left.min(LOOK_EVERY), async {
                // This server has told itself.
                if let Some(me) = self.me() {
                    settlement.acknowledged(me, seq);
                }
                loop {
                    for (replica, seq) in heard.borrow_and_update().iter() {
                        settlement.acknowledged(*replica, *seq);
                    }
                    if settlement.is_settled(coherence.elapsed()) || heard.changed().await.is_err() {
                        break;
                    }
                }
            })
            .await;
        }
        histogram!("cache_settlement_seconds").record(coherence.elapsed().saturating_sub(committed));
        if settlement.silent().next().is_some() {
            tokio::spawn(self.clone().evict(settlement, pool.clone()));
        }
    }

    fn take_note(&self, settlement: &mut Settlement, replicas: &[Replica]) {
        settlement.replicas_are(replicas, self.coherence().elapsed());
        self.0.heard.send_if_modified(|heard| {
            heard.retain(|id, _| replicas.iter().any(|replica| replica.id == *id));
            false
        });
    }

    /// Takes the dead off the list, so that the next change does not wait for them. One that lives has renewed its lease
    /// meanwhile; should it be late, it will notice and start with an empty memory.
    async fn evict(self, settlement: Settlement, pool: Pool<AsyncPgConnection>) {
        sleep(settlement.dead().saturating_sub(self.coherence().elapsed())).await;
        for (replica, renewals) in settlement.silent() {
            match remove(&pool, replica, Some(renewals)).await {
                Ok(false) => {}
                Ok(true) => tracing::warn!(replica = %replica.0, "a server is dead, and not waited for any more"),
                Err(error) => {
                    tracing::debug!(%error, replica = %replica.0, "a dead server could not be taken off the list");
                }
            }
        }
    }
}

/// Takes a server off the list, with `renewals` only if it has renewed its lease exactly that often. Returns whether it was
/// there.
pub(crate) async fn remove(
    pool: &Pool<AsyncPgConnection>,
    replica: ReplicaId,
    renewals: Option<u64>,
) -> Result<bool, StoreError> {
    let mut connection = pool.get().await.map_err(StoreError::unavailable)?;
    let row = diesel::delete(replicas::table.find(StoredId(replica.0)));
    let removed = match renewals {
        Some(renewals) => row.filter(replicas::renewals.eq(renewals.cast_signed())).execute(&mut connection).await,
        None => row.execute(&mut connection).await,
    };
    Ok(removed.map_err(StoreError::unavailable)? > 0)
}

/// All servers that are registered.
async fn all(pool: Pool<AsyncPgConnection>) -> Result<Vec<Replica>, StoreError> {
    let mut connection = pool.get().await.map_err(StoreError::unavailable)?;
    let columns = (replicas::id, replicas::renewals, replicas::acknowledged, replicas::lease_ms);
    let rows: Vec<(StoredId, i64, i64, i64)> =
        replicas::table.select(columns).load(&mut connection).await.map_err(StoreError::unavailable)?;
    rows.into_iter()
        .map(|(id, renewals, acknowledged, lease)| {
            let lease = Lease::lasting(Duration::from_millis(lease.cast_unsigned()));
            Ok(Replica {
                id: ReplicaId(id.0),
                renewals: renewals.cast_unsigned(),
                acknowledged: acknowledged.cast_unsigned(),
                lease: lease.map_err(|error| StoreError::corrupt("lease", error))?,
            })
        })
        .collect()
}
