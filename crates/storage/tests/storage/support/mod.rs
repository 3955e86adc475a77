//! Fresh databases of both kinds, a second way into them beside the storage, and things to put there.

pub(crate) mod faults;
pub(crate) mod fixtures;

use std::fmt::Write as _;
use std::time::Duration;

use diesel::deserialize::QueryableByName;
use diesel::sql_types::Text;
use diesel::{Connection as _, SqliteConnection, connection::SimpleConnection as _};
use diesel_async::{AsyncConnection as _, AsyncPgConnection, SimpleAsyncConnection as _};
use stratora_cache::Lease;
use stratora_storage::{DatabaseUrl, Options, Storage};
use stratora_testing::PostgresDatabase;
use tempfile::TempDir;
use tokio::runtime::Handle;

/// Runs each test on both databases.
macro_rules! on_both_databases {
    ($($name:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(crate::support::Database::sqlite().await).await;
            })+
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(crate::support::Database::postgres().await).await;
            })+
        }
    };
}
pub(crate) use on_both_databases;

/// Every table that holds what users put there.
const TABLES: [&str; 15] = [
    "accounts",
    "sessions",
    "brakes",
    "rate_windows",
    "components",
    "component_keys",
    "component_configs",
    "component_reports",
    "enrollment_tokens",
    "enrollments",
    "enrollment_requests",
    "fleet_rotations",
    "fleet_rotation_members",
    "audit_records",
    "audit_head",
];

/// A migrated database of its own.
pub(crate) struct Database {
    pub(crate) storage: Storage,
    pub(crate) url: String,
    _directory: Option<TempDir>,
}

#[derive(QueryableByName)]
struct Value {
    #[diesel(sql_type = Text)]
    value: String,
}

/// Waits for it.
pub(crate) async fn until(condition: impl Fn() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.unwrap();
}

impl Database {
    pub(crate) async fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", directory.path().join("stratora.db").display());
        Self::migrated(url, Some(directory)).await
    }

    pub(crate) async fn postgres() -> Self {
        Self::migrated(empty_postgres().url(), None).await
    }

    async fn migrated(url: String, directory: Option<TempDir>) -> Self {
        faults::allow();
        let storage = connect(&url).await;
        storage.migrate().await.unwrap();
        Self { storage, url, _directory: directory }
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self.url.starts_with("postgres")
    }

    /// Runs SQL past the storage.
    pub(crate) async fn execute(&self, sql: &str) -> Result<(), String> {
        let result = match self.beside().await {
            Beside::Sqlite(mut connection) => connection.batch_execute(sql),
            Beside::Postgres(mut connection) => connection.batch_execute(sql).await,
        };
        result.map_err(|error| error.to_string())
    }

    /// Reads one text, called `value`, past the storage.
    pub(crate) async fn value(&self, sql: &str) -> String {
        self.beside().await.value(sql).await
    }

    /// How many rows a table has.
    pub(crate) async fn count(&self, table: &str) -> u64 {
        self.value(&format!("SELECT count(*) || '' AS value FROM {table}")).await.parse().unwrap()
    }

    /// All rows of all tables, as text.
    pub(crate) async fn snapshot(&self) -> String {
        let mut beside = self.beside().await;
        let mut snapshot = String::new();
        for table in TABLES {
            let (row, concatenate) = match beside {
                Beside::Postgres(_) => ("row::text".to_owned(), "string_agg"),
                Beside::Sqlite(_) => {
                    let columns = "group_concat('quote(\"' || name || '\")', ' || '','' || ') AS value";
                    let columns = beside.value(&format!("SELECT {columns} FROM pragma_table_info('{table}')")).await;
                    (columns, "group_concat")
                }
            };
            let lines = format!("SELECT {row} AS line FROM {table} AS row ORDER BY 1");
            let all = format!("SELECT coalesce({concatenate}(line, '; '), '') AS value FROM ({lines}) AS lines");
            let _ = writeln!(snapshot, "{table}: {}", beside.value(&all).await);
        }
        snapshot
    }

    async fn beside(&self) -> Beside {
        match self.url.strip_prefix("sqlite:") {
            Some(path) => {
                let mut connection = SqliteConnection::establish(path).unwrap();
                connection.batch_execute("PRAGMA busy_timeout = 5000").unwrap();
                Beside::Sqlite(Box::new(connection))
            }
            None => Beside::Postgres(Box::new(AsyncPgConnection::establish(&self.url).await.unwrap())),
        }
    }
}

/// A connection that the storage knows nothing of.
enum Beside {
    Sqlite(Box<SqliteConnection>),
    Postgres(Box<AsyncPgConnection>),
}

impl Beside {
    async fn value(&mut self, sql: &str) -> String {
        let query = diesel::sql_query(sql);
        let value: Value = match self {
            Self::Sqlite(connection) => diesel::RunQueryDsl::get_result(query, connection.as_mut()).unwrap(),
            Self::Postgres(connection) => {
                diesel_async::RunQueryDsl::get_result(query, connection.as_mut()).await.unwrap()
            }
        };
        value.value
    }
}

pub(crate) async fn connect(url: &str) -> Storage {
    // Short, for tests in which a change is cut off while it waits for servers.
    let options = Options { lease: Lease::lasting(Duration::from_millis(200)).unwrap(), ..Options::default() };
    Storage::connect(&DatabaseUrl::parse(url).unwrap(), options, Handle::current()).await.unwrap()
}

/// A new PostgreSQL database without tables.
pub(crate) fn empty_postgres() -> PostgresDatabase {
    PostgresDatabase::create().unwrap()
}
