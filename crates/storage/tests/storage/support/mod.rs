//! Fresh databases of both kinds, a second way into them beside the storage, and things to put there.

pub(crate) mod faults;
pub(crate) mod fixtures;
pub(crate) mod proxy;

use diesel::deserialize::QueryableByName;
use diesel::sql_types::Text;
use diesel::{Connection as _, SqliteConnection, connection::SimpleConnection as _};
use diesel_async::{AsyncConnection as _, AsyncPgConnection, SimpleAsyncConnection as _};
use stratora_storage::{DatabaseUrl, Options, Storage};
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
const TABLES: [&str; 10] = [
    "accounts",
    "sessions",
    "brakes",
    "rate_windows",
    "components",
    "component_keys",
    "component_configs",
    "component_reports",
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

impl Database {
    pub(crate) async fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", directory.path().join("stratora.db").display());
        Self::migrated(url, Some(directory)).await
    }

    pub(crate) async fn postgres() -> Self {
        Self::migrated(empty_postgres().await, None).await
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
        if let Some(path) = self.url.strip_prefix("sqlite:") {
            let mut connection = SqliteConnection::establish(path).unwrap();
            connection.batch_execute(&format!("PRAGMA busy_timeout = 5000; {sql}")).map_err(|error| error.to_string())
        } else {
            let mut connection = AsyncPgConnection::establish(&self.url).await.unwrap();
            connection.batch_execute(sql).await.map_err(|error| error.to_string())
        }
    }

    /// Reads one text, called `value`, past the storage.
    pub(crate) async fn value(&self, sql: &str) -> String {
        let query = diesel::sql_query(sql);
        let value: Value = if let Some(path) = self.url.strip_prefix("sqlite:") {
            diesel::RunQueryDsl::get_result(query, &mut SqliteConnection::establish(path).unwrap()).unwrap()
        } else {
            let mut connection = AsyncPgConnection::establish(&self.url).await.unwrap();
            diesel_async::RunQueryDsl::get_result(query, &mut connection).await.unwrap()
        };
        value.value
    }

    /// All rows of all tables.
    pub(crate) async fn snapshot(&self) -> String {
        let mut rows = String::new();
        for table in TABLES {
            let row = if self.is_postgres() {
                "row::text".to_owned()
            } else {
                let columns = "SELECT group_concat('quote(\"' || name || '\")', ' || '','' || ') AS value";
                self.value(&format!("{columns} FROM pragma_table_info('{table}')")).await
            };
            let concat = if self.is_postgres() { "string_agg" } else { "group_concat" };
            let sorted = format!("SELECT {row} AS line FROM {table} AS row ORDER BY 1");
            let all = format!("SELECT coalesce({concat}(line, '; '), '') AS value FROM ({sorted}) AS sorted");
            rows.push_str(&format!("{table}: {}\n", self.value(&all).await));
        }
        rows
    }
}

pub(crate) async fn connect(url: &str) -> Storage {
    Storage::connect(&DatabaseUrl::parse(url).unwrap(), Options::default(), Handle::current()).await.unwrap()
}

/// The URL of a new PostgreSQL database without tables.
pub(crate) async fn empty_postgres() -> String {
    let base = std::env::var("STRATORA_TEST_POSTGRES_URL").unwrap();
    let name = format!("t{}", uuid::Uuid::new_v4().simple());
    let mut connection = AsyncPgConnection::establish(&format!("{base}/postgres")).await.unwrap();
    connection.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
    format!("{base}/{name}")
}
