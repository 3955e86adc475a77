//! Being one of the servers on a database: hearing of what the others change, and proving to have heard.

use std::convert::Infallible;
use std::pin::pin;

use diesel::sql_types::{BigInt, Text};
use diesel::{ExpressionMethods as _, QueryDsl as _};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _};
use futures_util::StreamExt as _;
use stratora_cache::ReplicaId;
use stratora_port::StoreError;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::Storage;
use crate::changes::Told;
use crate::companions::{JoinError, Occupancy};
use crate::issued::keep_known;
use crate::pool::{Pools, dedicated};
use crate::prepared::Repeated as _;
use crate::replicas::{ACKNOWLEDGED, INVALIDATED, Replicas, remove};
use crate::schema::{invalidations, replicas};
use crate::sql_types::{StoredId, sql};
use crate::text::unreadable;

/// How many renewals pass before a server looks for changes of which everybody has heard, to delete them.
const RENEWALS_A_PURGE: u32 = 240;

/// A server among those on its database. While it lasts, the server may trust what it has in memory.
pub struct Membership {
    storage: Storage,
    standing: Standing,
    reading: JoinHandle<()>,
}

/// What proves that a server hears of every change.
enum Standing {
    /// On PostgreSQL: the lease that this task renews.
    Leased(JoinHandle<()>),
    /// On SQLite: nobody else works on the file without telling. A database in memory has no file.
    Alone(#[expect(dead_code, reason = "holds the file")] Option<Occupancy>),
}

impl Storage {
    /// Makes this server one of those on the database, or the only one on an SQLite file.
    ///
    /// # Errors
    /// [`JoinError`] when the file has a server already.
    pub async fn join(&self) -> Result<Membership, JoinError> {
        let standing = match (self.replicas(), self.file()) {
            (Some(replicas), _) => Standing::Leased(self.runtime().spawn(follow(replicas.clone()))),
            (None, Some(file)) => Standing::Alone(Some(Occupancy::of(file, self.coherence()).await?)),
            (None, None) => Standing::Alone(None),
        };
        if let Standing::Alone(_) = standing {
            self.coherence().trust_always();
        }
        let reading = self.runtime().spawn(keep_known(self.clone()));
        Ok(Membership { storage: self.clone(), standing, reading })
    }
}

impl Membership {
    /// Ends it, so that nobody waits for this server any more.
    pub async fn leave(self) {
        self.end();
        let me = self.storage.replicas().and_then(Replicas::me);
        if let (Some(me), Pools::Postgres(pool)) = (me, self.storage.pools())
            && let Err(error) = self.storage.run(async move { remove(&pool, me, None).await }).await
        {
            tracing::debug!(%error, "the others will find out that this server has ended");
        }
    }

    fn end(&self) {
        self.reading.abort();
        if let Standing::Leased(following) = &self.standing {
            following.abort();
        }
        self.storage.coherence().distrust();
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.end();
    }
}

/// Keeps in touch with the database. While it cannot, the lease runs out by itself.
async fn follow(replicas: Replicas) {
    let mut heard = 0;
    let mut is_in_touch = true;
    loop {
        let Err(error) = keep_in_touch(&replicas, &mut heard, &mut is_in_touch).await;
        if std::mem::replace(&mut is_in_touch, false) {
            tracing::warn!(%error, "lost touch with the database; what is in memory is not trusted until it is back");
        }
        sleep(replicas.lease().renewed_every()).await;
    }
}

async fn keep_in_touch(replicas: &Replicas, heard: &mut u64, is_in_touch: &mut bool) -> Result<Infallible, StoreError> {
    let span = replicas.lease().span();
    let connection = timeout(span, dedicated(replicas.url())).await.map_err(StoreError::unavailable)?;
    let mut link = Link { replicas, connection: connection.map_err(StoreError::unavailable)?, heard };
    timeout(span, link.listen()).await.map_err(StoreError::unavailable)??;
    let mut renewals = (0..RENEWALS_A_PURGE).cycle();
    loop {
        let mut next = pin!(sleep(replicas.lease().renewed_every()));
        timeout(span, link.renew()).await.map_err(StoreError::unavailable)??;
        if !std::mem::replace(is_in_touch, true) {
            tracing::info!("in touch with the database again");
        }
        if renewals.next() == Some(0) {
            timeout(span, link.purge()).await.map_err(StoreError::unavailable)??;
        }
        // Until it is time for the next renewal.
        loop {
            tokio::select! {
                () = &mut next => break,
                woken = link.wake_up() => woken?,
            }
            timeout(span, link.catch_up()).await.map_err(StoreError::unavailable)??;
        }
    }
}

/// A connection on which a server hears and speaks.
struct Link<'a> {
    replicas: &'a Replicas,
    connection: AsyncPgConnection,
    /// Up to which change this server has heard.
    heard: &'a mut u64,
}

impl Link<'_> {
    async fn listen(&mut self) -> Result<(), StoreError> {
        let listen = format!("LISTEN {INVALIDATED}; LISTEN {ACKNOWLEDGED}; SET application_name = 'stratora-replica'");
        self.connection.batch_execute(&listen).await.map_err(StoreError::unavailable)
    }

    /// Renews the lease: whatever was committed before this was called is known afterwards.
    async fn renew(&mut self) -> Result<(), StoreError> {
        let coherence = self.replicas.coherence();
        let asked = coherence.elapsed();
        let is_registered = match self.replicas.me() {
            Some(me) => self.say_alive(me).await?,
            None => false,
        };
        if is_registered {
            self.catch_up().await?;
        } else {
            self.register().await?;
        }
        coherence.trust_until(self.replicas.lease().ends(asked));
        Ok(())
    }

    /// Returns whether others still count on this server; if not, they may have made changes without it.
    async fn say_alive(&mut self, me: ReplicaId) -> Result<bool, StoreError> {
        let updated = diesel::update(replicas::table.find(StoredId(me.0)))
            .set((replicas::renewals.eq(replicas::renewals + 1), replicas::acknowledged.eq(self.heard.cast_signed())))
            .prepared_once()
            .execute(&mut self.connection)
            .await;
        Ok(updated.map_err(StoreError::unavailable)? > 0)
    }

    /// Registers under a new identifier, and starts with an empty memory.
    async fn register(&mut self) -> Result<(), StoreError> {
        #[derive(diesel::QueryableByName)]
        struct Registered {
            #[diesel(sql_type = sql::Id)]
            id: StoredId,
            #[diesel(sql_type = BigInt)]
            acknowledged: i64,
        }
        self.replicas.i_am(None);
        let registered: Registered = diesel::sql_query(
            "INSERT INTO replicas (id, renewals, acknowledged, lease_ms) \
             SELECT gen_random_uuid(), 0, seq, $1 FROM audit_head RETURNING id, acknowledged",
        )
        .bind::<BigInt, _>(i64::try_from(self.replicas.lease().span().as_millis()).unwrap_or(i64::MAX))
        .get_result(&mut self.connection)
        .await
        .map_err(StoreError::unavailable)?;
        *self.heard = registered.acknowledged.cast_unsigned();
        self.replicas.coherence().all_changed();
        self.replicas.i_am(Some(ReplicaId(registered.id.0)));
        Ok(())
    }

    /// Hears of the changes since the last time. Returns whether there were any.
    async fn read_changes(&mut self) -> Result<bool, StoreError> {
        let before = *self.heard;
        let changes: Vec<(i64, String, StoredId, Option<i64>)> = invalidations::table
            .filter(invalidations::seq.gt(before.cast_signed()))
            .order(invalidations::seq.asc())
            .load(&mut self.connection)
            .await
            .map_err(StoreError::unavailable)?;
        for (seq, kind, id, issued) in changes {
            let told = Told::heard(&kind, id.0, issued.map(i64::cast_unsigned));
            told.ok_or_else(|| unreadable("subject of a change"))?.note(self.replicas.coherence());
            *self.heard = seq.cast_unsigned();
        }
        Ok(*self.heard > before)
    }

    /// Hears of the changes that there are, and says so at once: somebody waits for it.
    async fn catch_up(&mut self) -> Result<(), StoreError> {
        if let (true, Some(me)) = (self.read_changes().await?, self.replicas.me()) {
            diesel::sql_query("SELECT pg_notify($1, $2)")
                .bind::<Text, _>(ACKNOWLEDGED)
                .bind::<Text, _>(format!("{}:{}", me.0, self.heard))
                .prepared_once()
                .execute(&mut self.connection)
                .await
                .map_err(StoreError::unavailable)?;
        }
        Ok(())
    }

    /// Waits for word that there are changes. What others have heard is noted on the way.
    async fn wake_up(&mut self) -> Result<(), StoreError> {
        let mut notifications = pin!(self.connection.notifications_stream());
        while let Some(notification) = notifications.next().await {
            let notification = notification.map_err(StoreError::unavailable)?;
            if notification.channel == INVALIDATED {
                return Ok(());
            }
            if let Some((replica, seq)) = acknowledgement(&notification.payload) {
                self.replicas.has_heard(replica, seq);
            }
        }
        Err(StoreError::unavailable("the connection has ended"))
    }

    /// Deletes the changes of which every server has heard.
    async fn purge(&mut self) -> Result<(), StoreError> {
        diesel::sql_query("DELETE FROM invalidations WHERE seq <= (SELECT min(acknowledged) FROM replicas)")
            .execute(&mut self.connection)
            .await
            .map_err(StoreError::unavailable)?;
        Ok(())
    }
}

fn acknowledgement(payload: &str) -> Option<(ReplicaId, u64)> {
    let (replica, seq) = payload.split_once(':')?;
    Some((ReplicaId(replica.parse().ok()?), seq.parse().ok()?))
}
