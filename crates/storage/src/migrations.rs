//! The schema: migrations are part of the program, so that it and its tables always fit.

use diesel::connection::SimpleConnection as _;
use diesel::deserialize::QueryableByName;
use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::sql_types::Bool;
use diesel::sqlite::Sqlite;
use diesel::{ExpressionMethods as _, QueryDsl as _, SqliteConnection};
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::{AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};
use stratora_port::{Cause, StoreError};

use crate::Storage;
use crate::companions::{JoinError, wait_for_lock};
use crate::pool::{Pools, SqliteLink};
use crate::transaction::with_read;

const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");
const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

/// Makes this connection wait for other replicas that migrate, and holds them off until it is closed. The number is
/// "stratora" in ASCII. A migration may take longer than any query.
const LOCK: &str = "\
    SET statement_timeout = 0; \
    SET lock_timeout = '60s'; \
    SELECT pg_advisory_lock(x'73747261746f7261'::bigint)";

diesel::table! {
    /// Where diesel notes which migrations were run.
    __diesel_schema_migrations (version) {
        version -> Text,
    }
}

/// The schema is not the one that this program was made for.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// It lacks migrations.
    #[error("the database schema lacks {} migration(s), from {first}; run `stratora-server migrate`", .missing.get())]
    Outdated {
        /// How many.
        missing: std::num::NonZeroUsize,
        /// The first of them.
        first: String,
    },
    /// It has migrations that this program does not know.
    #[error("the database schema has migration {version}, which is newer than this program")]
    Newer {
        /// The newest of them.
        version: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A migration failed; those before it are in force.
    #[error("a migration failed; on PostgreSQL run `stratora-server migrate` with a role that may create tables")]
    Failed(#[source] Cause),
    /// A server has the `SQLite` file.
    #[error(transparent)]
    Occupied(#[from] JoinError),
    /// Afterwards the schema was not the one that this program was made for.
    #[error(transparent)]
    Schema(#[from] SchemaError),
}

#[derive(QueryableByName)]
struct Existence {
    #[diesel(sql_type = Bool)]
    present: bool,
}

impl Storage {
    /// Runs the migrations that are missing. Returns their versions.
    ///
    /// # Errors
    /// [`MigrateError`] when one fails, which a role without the right to create tables also leads to, or when a server works on
    /// the `SQLite` file.
    pub async fn migrate(&self) -> Result<Vec<String>, MigrateError> {
        // A server of another version would lose its tables while it runs.
        let _alone = match self.file() {
            Some(file) if self.check_schema().await.is_err() => Some(wait_for_lock(file).await?),
            _ => None,
        };
        let run = match self.pools() {
            Pools::Postgres(pool) => self.runtime().spawn(migrate_postgres(pool)),
            Pools::Sqlite { writer, .. } => self.runtime().spawn(migrate_sqlite(writer)),
        };
        let versions = run.await.map_err(|panicked| MigrateError::Failed(panicked.into()))?;
        let versions = versions.map_err(MigrateError::Failed)?;
        self.check_schema().await?;
        Ok(versions)
    }

    /// The newest migration that was run; `None` on a database without any. Needs no right but to read.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn schema_version(&self) -> Result<Option<String>, StoreError> {
        Ok(self.applied().await?.pop())
    }

    /// Checks that the schema is the one that this program was made for. Needs no right but to read.
    ///
    /// # Errors
    /// [`SchemaError`] says in which direction it differs.
    pub async fn check_schema(&self) -> Result<(), SchemaError> {
        let known = match self.pools() {
            Pools::Postgres(_) => versions::<Pg>(&POSTGRES),
            Pools::Sqlite { .. } => versions::<Sqlite>(&SQLITE),
        }
        .map_err(|cause| StoreError::corrupt("migration", cause))?;
        let applied = self.applied().await?;
        if let Some(version) = applied.iter().rev().find(|version| !known.contains(version)) {
            return Err(SchemaError::Newer { version: version.clone() });
        }
        let mut missing = known.into_iter().filter(|version| !applied.contains(version));
        match missing.next() {
            None => Ok(()),
            Some(first) => Err(SchemaError::Outdated {
                missing: std::num::NonZeroUsize::MIN.saturating_add(missing.count()),
                first,
            }),
        }
    }

    /// The migrations that were run, the oldest first.
    async fn applied(&self) -> Result<Vec<String>, StoreError> {
        let existence = match self.pools() {
            Pools::Postgres(_) => "SELECT to_regclass('__diesel_schema_migrations') IS NOT NULL AS present",
            Pools::Sqlite { .. } => {
                "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = '__diesel_schema_migrations') AS present"
            }
        };
        with_read!(self, |conn| {
            let existence: Existence = diesel::sql_query(existence).get_result(conn).await?;
            if !existence.present {
                return Ok(Vec::new());
            }
            let versions = __diesel_schema_migrations::table
                .select(__diesel_schema_migrations::version)
                .order(__diesel_schema_migrations::version.asc())
                .load(conn)
                .await?;
            Ok(versions)
        })
    }
}

fn versions<DB: diesel::backend::Backend>(migrations: &EmbeddedMigrations) -> Result<Vec<String>, Cause> {
    let migrations: Vec<Box<dyn Migration<DB>>> = migrations.migrations()?;
    let mut versions: Vec<String> = migrations.iter().map(|migration| migration.name().version().to_string()).collect();
    versions.sort_unstable();
    Ok(versions)
}

async fn migrate_postgres(pool: Pool<AsyncPgConnection>) -> Result<Vec<String>, Cause> {
    let mut connection = Object::take(pool.get().await?);
    connection.batch_execute(LOCK).await?;
    // The harness blocks; its connection, and with it the lock, ends here.
    let mut harness = AsyncMigrationHarness::new(connection);
    let versions = harness.run_pending_migrations(POSTGRES)?;
    Ok(versions.iter().map(ToString::to_string).collect())
}

async fn migrate_sqlite(writer: Pool<SqliteLink>) -> Result<Vec<String>, Cause> {
    let mut connection = writer.get().await?;
    let run = connection.spawn_blocking(|connection| Ok(migrate_unenforced(connection))).await;
    let versions = run.unwrap_or_else(|error| Err(error.into()));
    if versions.is_err() {
        // Nobody works with what it was left in.
        drop(Object::take(connection));
    }
    versions
}

/// Foreign keys are off meanwhile: a migration that makes a table anew drops the old one, and they would delete what refers to
/// it.
fn migrate_unenforced(connection: &mut SqliteConnection) -> Result<Vec<String>, Cause> {
    connection.batch_execute("PRAGMA foreign_keys = OFF")?;
    let versions = connection.run_pending_migrations(SQLITE)?.iter().map(ToString::to_string).collect();
    connection.batch_execute("PRAGMA foreign_keys = ON")?;
    let enforcement = diesel::sql_query("SELECT foreign_keys AS present FROM pragma_foreign_keys");
    let enforcement: Existence = diesel::RunQueryDsl::get_result(enforcement, connection)?;
    if enforcement.present { Ok(versions) } else { Err("foreign keys are not enforced".into()) }
}
