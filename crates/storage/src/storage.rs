//! The storage itself: one value that implements every port.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use diesel::IntoSql as _;
use diesel::sql_types::Integer;
use diesel_async::RunQueryDsl as _;
use stratora_clock::{Clock, SystemClock};
use stratora_port::StoreError;
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::clock::shared_clock;
use crate::pool::{ANSWER_WITHIN, Options, Pools, PrepareError, WORK_WITHIN};
use crate::transaction::with_read;
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
        let storage = Self { shared: Arc::new(Shared { url: url.clone(), pools, runtime, clock }) };
        storage.ping().await.map_err(ConnectError::Unreachable)?;
        Ok(storage)
    }

    /// The clock that all servers on this database share; on SQLite, this server's own.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.shared.clock)
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        with_read!(self, |conn| {
            diesel::select(1_i32.into_sql::<Integer>()).get_result::<i32>(conn).await?;
            Ok(())
        })
    }

    pub(crate) fn runtime(&self) -> &Handle {
        &self.shared.runtime
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
        let task = match &self.shared.pools {
            Pools::Postgres(_) => self.shared.runtime.spawn(async {
                timeout(WORK_WITHIN, work).await.unwrap_or_else(|late| Err(StoreError::unavailable(late).into()))
            }),
            // SQLite keeps to the bound by itself; to drop a running query would not stop it.
            Pools::Sqlite { .. } => self.shared.runtime.spawn(work),
        };
        match timeout(ANSWER_WITHIN, task).await {
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
