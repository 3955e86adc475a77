//! The storage itself: one value that implements every port.

use std::fmt;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use diesel::IntoSql as _;
use diesel::sql_types::Integer;
use diesel_async::RunQueryDsl as _;
use stratora_cache::Coherence;
use stratora_clock::{BootStopwatch, Clock, SystemClock};
use stratora_port::StoreError;
use tokio::runtime::Handle;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use crate::changes::{Change, Changed};
use crate::clock::shared_clock;
use crate::companions::{JoinError, Visit};
use crate::pool::{ANSWER_WITHIN, Options, Pools, PrepareError, WORK_WITHIN};
use crate::replicas::Replicas;
use crate::transaction::with_lookup;
use crate::url::DatabaseUrl;

/// The database, through every port. Cheap to clone; all clones share their connections.
#[derive(Clone)]
pub struct Storage {
    shared: Arc<Shared>,
}

struct Shared {
    url: DatabaseUrl,
    pools: Pools,
    runtime: Handle,
    clock: Arc<dyn Clock>,
    coherence: Arc<Coherence>,
    replicas: Option<Replicas>,
    visit: OnceCell<Visit>,
}

/// The database could not be connected to.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The file cannot be created, or the settings make no pool.
    #[error("cannot prepare the database")]
    Prepare(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It does not answer, or does not let us in.
    #[error("cannot connect to the database")]
    Unreachable(#[source] StoreError),
}

impl From<PrepareError> for ConnectError {
    fn from(error: PrepareError) -> Self {
        Self::Prepare(Box::new(error))
    }
}

impl Storage {
    /// Connects to the database at `url`. All work on it runs as tasks on `runtime`, which must be multi-threaded.
    ///
    /// # Errors
    /// [`ConnectError`] when there is no database that answers.
    pub async fn connect(url: &DatabaseUrl, options: Options, runtime: Handle) -> Result<Self, ConnectError> {
        let pools = Pools::prepare(url, options)?;
        let clock: Arc<dyn Clock> = match &pools {
            Pools::Postgres(pool) => shared_clock(pool.clone(), &runtime).await.map_err(ConnectError::Unreachable)?,
            Pools::Sqlite { .. } => Arc::new(SystemClock::start()),
        };
        let coherence = Arc::new(Coherence::new(Arc::new(BootStopwatch)));
        let replicas = url.postgres().map(|url| Replicas::new(url, options.lease, Arc::clone(&coherence)));
        let shared = Shared { url: url.clone(), pools, runtime, clock, coherence, replicas, visit: OnceCell::new() };
        let storage = Self { shared: Arc::new(shared) };
        storage.ping().await.map_err(ConnectError::Unreachable)?;
        Ok(storage)
    }

    /// The clock that all servers on this database share; on SQLite, this server's own.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.shared.clock)
    }

    /// What this server knows of changes. It trusts nothing before [`Storage::join`].
    pub fn coherence(&self) -> Arc<Coherence> {
        Arc::clone(&self.shared.coherence)
    }

    /// To be called once by a command that changes something: from then on it tells the servers on the database what.
    ///
    /// # Errors
    /// [`JoinError`] when a server has the database and does not answer.
    pub async fn visit(&self) -> Result<(), JoinError> {
        if let Some(database) = self.file() {
            self.shared.visit.get_or_try_init(|| Visit::of(database)).await?;
        }
        Ok(())
    }

    /// The SQLite file, if it is one.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.shared.url.file()
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        with_lookup!(self, |conn| {
            diesel::select(1_i32.into_sql::<Integer>()).get_result::<i32>(conn).await?;
            Ok(())
        })
    }

    pub(crate) fn runtime(&self) -> &Handle {
        &self.shared.runtime
    }

    pub(crate) fn replicas(&self) -> Option<&Replicas> {
        self.shared.replicas.as_ref()
    }

    pub(crate) fn pools(&self) -> Pools {
        self.shared.pools.clone()
    }

    /// Runs `work` to its end, whether or not the caller waits for it. A caller who is answered after [`ANSWER_WITHIN`]
    /// that the store is unavailable cannot know whether a commit on its way was the last thing that happened.
    pub(crate) async fn run<T, E>(&self, work: impl Future<Output = Result<T, E>> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.answer(self.bounded(work), ANSWER_WITHIN).await
    }

    /// The same for a change, which is not done before no server trusts what it had in memory.
    pub(crate) async fn run_change<T, E>(
        &self,
        work: impl Future<Output = Result<Changed<T>, E>> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (storage, work) = (self.clone(), self.bounded(work));
        let settled = async move {
            let Changed { value, change } = work.await?;
            if let Some(change) = change {
                storage.settle(change).await?;
            }
            Ok(value)
        };
        let longest_wait = self.shared.replicas.as_ref().map_or(Visit::LONGEST_WAIT, |_| Replicas::longest_wait());
        self.answer(settled, ANSWER_WITHIN + longest_wait).await
    }

    async fn settle(&self, change: Change) -> Result<(), StoreError> {
        change.told.note(&self.shared.coherence);
        if let (Some(replicas), Pools::Postgres(pool)) = (&self.shared.replicas, &self.shared.pools) {
            replicas.settle(change.seq, pool).await;
        }
        match self.shared.visit.get() {
            Some(visit) => visit.tell(change.told).await,
            None => Ok(()),
        }
    }

    fn bounded<T, E: From<StoreError>>(
        &self,
        work: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> impl Future<Output = Result<T, E>> + Send + 'static {
        let within = match &self.shared.pools {
            Pools::Postgres(_) => WORK_WITHIN,
            // SQLite keeps to the bound by itself; to drop a running query would not stop it.
            Pools::Sqlite { .. } => Duration::MAX,
        };
        async move { timeout(within, work).await.unwrap_or_else(|late| Err(StoreError::unavailable(late).into())) }
    }

    async fn answer<T, E>(
        &self,
        work: impl Future<Output = Result<T, E>> + Send + 'static,
        within: Duration,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        match timeout(within, self.shared.runtime.spawn(work)).await {
            Ok(Ok(result)) => result,
            Ok(Err(panicked)) => Err(StoreError::unavailable(panicked).into()),
            Err(late) => Err(StoreError::unavailable(late).into()),
        }
    }
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Storage").field(&self.shared.url).finish()
    }
}
