//! Connections: how each is set up, how many there are, and how long anything may take. Every wait has an end, so that a
//! database that hangs is answered for as unavailable and closes the door instead of piling up requests.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use diesel::{ConnectionError, ConnectionResult, SqliteConnection};
use diesel_async::pooled_connection::deadpool::{BuildError, Pool};
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, PoolableConnection, RecyclingMethod,
};
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use diesel_async::{AsyncConnection, AsyncPgConnection};
use stratora_cache::Lease;

use crate::url::{DatabaseUrl, Location};

/// How long a task waits for a free connection, and for a new one to be made.
const CONNECTION_WITHIN: Duration = Duration::from_secs(2);
/// How long a task on PostgreSQL may take, waiting and tries included. Its transaction is then abandoned together with
/// the connection, which rolls it back.
pub(crate) const WORK_WITHIN: Duration = Duration::from_millis(4_500);
/// How long a caller waits for a task: all of the above, and a moment for a machine under load.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// What every connection to PostgreSQL is told. The server ends what hangs before we do; a wait for a lock ends first, as
/// it is the likeliest. The isolation level is the one that the statements were written for.
const POSTGRES_SETTINGS: &str = "\
    SET application_name = 'stratora'; \
    SET statement_timeout = '3s'; \
    SET lock_timeout = '2s'; \
    SET idle_in_transaction_session_timeout = '10s'; \
    SET default_transaction_isolation = 'read committed'";

/// What every connection to SQLite is told. WAL, so that readers and the writer do not wait for each other; FULL, because
/// with WAL nothing less survives a loss of power: a revocation that was answered for must not come back to life. The
/// busy timeout is for other processes, such as a command on the same file; within this one there is one writer.
const SQLITE_SETTINGS: &str = "\
    PRAGMA busy_timeout = 2500; \
    PRAGMA journal_mode = WAL; \
    PRAGMA synchronous = FULL; \
    PRAGMA foreign_keys = ON; \
    PRAGMA trusted_schema = OFF;";

/// What the one that writes is told besides. 16 MiB of cache, taken as they are needed, hold the inner pages of the indexes over a
/// million credentials; the default of 2 do not.
const SQLITE_WRITER_SETTINGS: &str = "PRAGMA cache_size = -16384;";

/// What those that only read are told besides. They map the file, as much of it as SQLite can, because each write of another
/// connection makes them throw their caches away, and a server writes every few seconds.
const SQLITE_READER_SETTINGS: &str = "PRAGMA query_only = ON; PRAGMA mmap_size = 2147418112;";

/// Connections that only read, beside the one that writes: more would not read faster.
const SQLITE_READERS: usize = 4;

/// Connections that only look credentials up: one for each core, two at least and no more than four. Each further one is
/// another thread to wake, and another mapping of the same pages that the processor's caches have to hold.
fn sqlite_lookups() -> usize {
    std::thread::available_parallelism().map_or(2, |cores| cores.get().clamp(2, 4))
}

pub(crate) type SqliteLink = SyncConnectionWrapper<SqliteConnection>;

/// What can be chosen about the connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How many connections to PostgreSQL this server opens at the most. No effect on SQLite.
    pub max_connections: usize,
    /// How long a server trusts its memory without having asked PostgreSQL. No effect on SQLite.
    pub lease: Lease,
}

/// Ten: a query takes a fraction of a millisecond, so ten serve more requests than a server has cores to answer, and ten
/// replicas stay within the hundred connections that PostgreSQL allows by default.
impl Default for Options {
    fn default() -> Self {
        Self { max_connections: 10, lease: Lease::default() }
    }
}

/// The connections to one database.
#[derive(Clone)]
pub(crate) enum Pools {
    Postgres(Pool<AsyncPgConnection>),
    Sqlite {
        /// One connection: writers queue here instead of colliding in the file.
        writer: Pool<SqliteLink>,
        /// Several that cannot write.
        readers: Pool<SqliteLink>,
        /// The same for single rows that sign-ins and components wait for, so that nobody's search holds them up.
        lookups: Pool<SqliteLink>,
    },
}

/// The connections could not be prepared.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PrepareError {
    #[error("cannot create the database file")]
    File(#[from] io::Error),
    #[error("cannot make a connection pool")]
    Pool(#[from] BuildError),
}

impl Pools {
    /// Prepares connections to `url`; makes none yet, but creates the file of an SQLite database.
    pub(crate) fn prepare(url: &DatabaseUrl, options: Options) -> Result<Self, PrepareError> {
        match &url.0 {
            Location::Postgres(url) => {
                Ok(Self::Postgres(pool(url, options.max_connections.max(1), POSTGRES_SETTINGS)?))
            }
            Location::Sqlite(path) => {
                create_private(path)?;
                let path = path.to_string_lossy();
                let writer = pool(&path, 1, format!("{SQLITE_SETTINGS} {SQLITE_WRITER_SETTINGS}"))?;
                let reading = format!("{SQLITE_SETTINGS} {SQLITE_READER_SETTINGS}");
                let readers = pool(&path, SQLITE_READERS, &reading)?;
                let lookups = pool(&path, sqlite_lookups(), reading)?;
                Ok(Self::Sqlite { writer, readers, lookups })
            }
            Location::SqliteMemory => {
                let writer = pool(":memory:", 1, SQLITE_SETTINGS)?;
                Ok(Self::Sqlite { readers: writer.clone(), lookups: writer.clone(), writer })
            }
        }
    }
}

/// A file that did not exist is made for its owner only; SQLite gives the same mode to the files that it puts beside it.
fn create_private(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

fn pool<C>(url: &str, size: usize, settings: impl Into<String>) -> Result<Pool<C>, BuildError>
where
    C: AsyncConnection + PoolableConnection + Send + 'static,
    AsyncDieselConnectionManager<C>: deadpool::managed::Manager<Type = C>,
{
    let settings = settings.into();
    let mut config = ManagerConfig::default();
    // Not a ping at each checkout: that is a third of the throughput. A connection that turns out dead is replaced then.
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(move |url| {
        let (url, settings) = (url.to_owned(), settings.clone());
        Box::pin(async move { set_up(&url, &settings).await })
    });
    Pool::builder(AsyncDieselConnectionManager::new_with_config(url, config))
        .max_size(size)
        .wait_timeout(Some(CONNECTION_WITHIN))
        .create_timeout(Some(CONNECTION_WITHIN))
        .runtime(deadpool::Runtime::Tokio1)
        .build()
}

/// A connection of its own to PostgreSQL, outside the pool.
pub(crate) async fn dedicated(url: &str) -> ConnectionResult<AsyncPgConnection> {
    set_up(url, POSTGRES_SETTINGS).await
}

async fn set_up<C: AsyncConnection>(url: &str, settings: &str) -> ConnectionResult<C> {
    let mut connection = C::establish(url).await?;
    connection.batch_execute(settings).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}
