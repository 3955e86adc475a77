//! Migrations, and what is checked when another has run them.

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use stratora_audit::testing::verify_chain;
use stratora_audit::{Action, AuditLog as _};
use stratora_auth::{AccountStore, Channel, SessionStore};
use stratora_clock::{Clock as _, Timestamp};
use stratora_keys::{ConfigStore as _, ETag, KeyStore, MissingComponent, StoredConfig};
use stratora_storage::SchemaError;

use crate::support::fixtures::{account, component, event, id, proof, session, stranger};
use crate::support::{Database, connect, empty_postgres, on_both_databases};

on_both_databases!(
    migrating_again_does_nothing,
    a_schema_that_is_newer_than_the_program_is_refused,
    the_clock_is_that_of_the_machine_or_of_the_shared_database,
    rows_that_are_given_numbers_keep_what_is_theirs,
);

async fn migrating_again_does_nothing(database: Database) {
    assert_eq!(database.storage.migrate().await.unwrap(), Vec::<String>::new());
    database.storage.check_schema().await.unwrap();
    assert_eq!(database.storage.schema_version().await.unwrap().as_deref(), Some("0009"));
}

async fn a_schema_that_is_newer_than_the_program_is_refused(database: Database) {
    database.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('9999')").await.unwrap();
    let refused = database.storage.check_schema().await;
    assert!(matches!(&refused, Err(SchemaError::Newer { version }) if version == "9999"), "{refused:?}");
}

async fn the_clock_is_that_of_the_machine_or_of_the_shared_database(database: Database) {
    let sql = if database.is_postgres() {
        "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint::text AS value"
    } else {
        "SELECT (unixepoch('subsec') * 1000000) || '' AS value"
    };
    let clock = database.storage.clock();
    let (before, theirs, after) = (clock.now(), database.value(sql).await, clock.now());
    let theirs = theirs.trim_end_matches(".0").parse().map(Timestamp::from_micros).unwrap().unwrap();
    let slack = Duration::from_millis(100);
    assert!(before.minus(slack) <= theirs && theirs <= after.plus(slack), "{before} {theirs} {after}");
}

async fn rows_that_are_given_numbers_keep_what_is_theirs(database: Database) {
    let storage = &database.storage;
    let mut digests = HashMap::new();
    for number in [3, 1, 2] {
        let new = component(number, &format!("component {number}"));
        digests.insert(number, new.key.digest);
        KeyStore::create(storage, new, event(Action::ComponentCreate)).await.unwrap();
        let config = StoredConfig { body: format!("n = {number}"), etag: etag(number) };
        storage.put_config(id(number), config, event(Action::ConfigSet)).await.unwrap();
        AccountStore::create(storage, account(number, &format!("person{number}")), event(Action::UserCreate))
            .await
            .unwrap();
        let opened = session(number, id(number));
        storage.open(opened, proof('a'), &stranger(&format!("person{number}")), event(Action::SignIn)).await.unwrap();
    }
    let (undo, sqlite) = if database.is_postgres() {
        (include_str!("../../../../migrations/postgres/0009_row_numbers/down.sql"), "")
    } else {
        (include_str!("../../../../migrations/sqlite/0009_row_numbers/down.sql"), "PRAGMA foreign_keys = OFF;")
    };
    database.execute(&format!("{sqlite}{undo}")).await.unwrap();
    database.execute("DELETE FROM __diesel_schema_migrations WHERE version = '0009'").await.unwrap();
    assert_eq!(storage.migrate().await.unwrap(), ["0009"]);

    for (&number, digest) in &digests {
        let key = storage.find_key(digest).await.unwrap().unwrap();
        assert_eq!((key.component_id, key.config_etag), (id(number), Some(etag(number))));
        let config = storage.config(id(number)).await.unwrap().unwrap();
        assert_eq!((config.body, config.etag), (format!("n = {number}"), etag(number)));
        let of = session(number, id(number));
        for (channel, digest) in [(Channel::Bearer, of.token), (Channel::Cookie, of.cookie)] {
            let found = SessionStore::find(storage, channel, &digest).await.unwrap().unwrap();
            assert_eq!((found.id, found.user.id), (of.id, id(number)));
        }
    }
    // What refers to a row goes on doing so.
    KeyStore::delete(storage, id(2), event(Action::ComponentDelete)).await.unwrap();
    AccountStore::delete(storage, id(2), event(Action::UserDelete)).await.unwrap();
    assert_eq!(storage.find_key(&digests[&2]).await.unwrap(), None);
    assert_eq!(storage.config(id(2)).await.unwrap(), None);
    assert!(SessionStore::find(storage, Channel::Bearer, &session(2, id(2)).token).await.unwrap().is_none());
    let late = StoredConfig { body: String::new(), etag: etag(2) };
    let refused = storage.put_config(id(2), late, event(Action::ConfigSet)).await;
    assert!(matches!(refused, Err(MissingComponent::Missing)));
}

fn etag(number: u128) -> ETag {
    ETag::parse(&format!("{number:032x}")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_start_together_migrate_once() {
    let url = empty_postgres().url();
    let mut replicas = Vec::new();
    for _ in 0..5 {
        replicas.push(connect(&url).await);
    }
    let starting: Vec<_> =
        replicas.into_iter().map(|replica| tokio::spawn(async move { replica.migrate().await.unwrap() })).collect();
    let mut run = Vec::new();
    for replica in starting {
        run.extend(replica.await.unwrap());
    }
    assert_eq!(run, ["0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_on_a_database_without_tables_is_told_to_migrate() {
    let storage = connect(&empty_postgres().url()).await;
    assert_eq!(storage.schema_version().await.unwrap(), None);
    let refused = storage.check_schema().await.unwrap_err();
    assert!(refused.to_string().contains("stratora-server migrate"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_only_read_and_write_can_check_the_schema() {
    let database = Database::postgres().await;
    let role = format!("r{}", database.url.rsplit_once('/').unwrap().1);
    database
        .execute(&format!(
            "CREATE ROLE {role} LOGIN PASSWORD 'x'; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"
        ))
        .await
        .unwrap();
    let (_, place) = database.url.split_once('@').unwrap();
    let server = connect(&format!("postgres://{role}:x@{place}")).await;
    server.check_schema().await.unwrap();
    database.execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_sqlite_file_is_readable_by_its_owner_only() {
    let database = Database::sqlite().await;
    let path = database.url.strip_prefix("sqlite:").unwrap();
    for suffix in ["", "-wal", "-shm"] {
        let mode = std::fs::metadata(format!("{path}{suffix}")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{suffix}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_in_memory_lasts_as_long_as_its_storage() {
    let storage = connect("sqlite::memory:").await;
    storage.migrate().await.unwrap();
    storage.append(event(Action::SignIn)).await.unwrap();
    assert_eq!(storage.head().await.unwrap().seq, 1);
    connect("sqlite::memory:").await.check_schema().await.unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_a_migration_copies_is_the_same_and_as_closed_as_before() {
    let database = Database::sqlite().await;
    for _ in 0..3 {
        database.storage.append(event(Action::SignIn)).await.unwrap();
    }
    let before = database.storage.records_after(0, 10).await.unwrap();
    for undo in [
        include_str!("../../../../migrations/sqlite/0009_row_numbers/down.sql"),
        include_str!("../../../../migrations/sqlite/0008_fleet/down.sql"),
        include_str!("../../../../migrations/sqlite/0007_enrollment/down.sql"),
    ] {
        database.execute(undo).await.unwrap();
    }
    database.execute("DELETE FROM __diesel_schema_migrations WHERE version > '0006'").await.unwrap();
    assert_eq!(database.storage.migrate().await.unwrap(), ["0007", "0008", "0009"]);
    assert_eq!(database.storage.records_after(0, 10).await.unwrap(), before);
    database.storage.append(event(Action::EnrollmentTokenCreate)).await.unwrap();
    verify_chain(&database.storage).await;
    for change in ["UPDATE audit_records SET action = 'x'", "DELETE FROM audit_records"] {
        let refused = database.execute(change).await.unwrap_err();
        assert!(refused.contains("append-only"), "{refused}");
    }
}
