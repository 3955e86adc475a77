//! Migrations, and what is checked when another has run them.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use stratora_audit::testing::verify_chain;
use stratora_audit::{Action, AuditLog as _};
use stratora_auth::{AccountStore, Channel, SessionStore};
use stratora_clock::{Clock as _, Timestamp};
use stratora_keys::{ConfigStore as _, ETag, Grace, KeyStore, StoredConfig};
use stratora_storage::SchemaError;

use crate::support::fixtures::{account, component, event, id, key, proof, session, stranger};
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
    let mut digests = Vec::new();
    for number in [3, 1, 2] {
        let new = component(number, &format!("component {number}"));
        digests.push((number, new.key.digest));
        KeyStore::create(storage, new, event(Action::ComponentCreate)).await.unwrap();
        let second = key(10 + number);
        digests.push((number, second.digest));
        let grace = Grace::For(Duration::from_hours(1));
        storage.rotate(id(number), second, grace, event(Action::ComponentRotate)).await.unwrap();
        let config = StoredConfig { body: format!("n = {number}"), etag: etag(number) };
        storage.put_config(id(number), config, event(Action::ConfigSet)).await.unwrap();
        let name = format!("person{number}");
        AccountStore::create(storage, account(number, &name), event(Action::UserCreate)).await.unwrap();
        let opened = session(number, id(number));
        storage.open(opened, proof('a'), &stranger(&name), event(Action::SignIn)).await.unwrap();
    }
    undo(&database, "0009_row_numbers").await;
    assert_eq!(storage.migrate().await.unwrap(), ["0009"]);

    for (number, digest) in &digests {
        let key = storage.find_key(digest).await.unwrap().unwrap();
        assert_eq!((key.component_id, key.config_etag), (id(*number), Some(etag(*number))));
    }
    for number in [1, 2, 3] {
        let config = storage.config(id(number)).await.unwrap().unwrap();
        assert_eq!((config.body, config.etag), (format!("n = {number}"), etag(number)));
        let of = session(number, id(number));
        for (channel, digest) in [(Channel::Bearer, of.token), (Channel::Cookie, of.cookie)] {
            let found = SessionStore::find(storage, channel, &digest).await.unwrap().unwrap();
            assert_eq!((found.id, found.user.id), (of.id, id(number)));
        }
    }
    // Whatever refers to a row goes with it.
    KeyStore::delete(storage, id(2), event(Action::ComponentDelete)).await.unwrap();
    AccountStore::delete(storage, id(2), event(Action::UserDelete)).await.unwrap();
    for (table, left) in
        [("components", 2), ("component_keys", 4), ("component_configs", 2), ("accounts", 2), ("sessions", 2)]
    {
        assert_eq!(database.count(table).await, left, "{table}");
    }
}

/// Takes a migration back.
async fn undo(database: &Database, migration: &str) {
    let (kind, unenforced) =
        if database.is_postgres() { ("postgres", "") } else { ("sqlite", "PRAGMA foreign_keys = OFF;") };
    let path = format!("{}/../../migrations/{kind}/{migration}/down.sql", env!("CARGO_MANIFEST_DIR"));
    let down = std::fs::read_to_string(path).unwrap();
    database.execute(&format!("{unenforced}{down}")).await.unwrap();
    let (version, _) = migration.split_once('_').unwrap();
    let forget = format!("DELETE FROM __diesel_schema_migrations WHERE version = '{version}'");
    database.execute(&forget).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_would_lose_a_reference_changes_nothing() {
    let database = Database::sqlite().await;
    undo(&database, "0009_row_numbers").await;
    let schema = "SELECT group_concat(sql, ' ') AS value FROM (SELECT sql FROM sqlite_schema ORDER BY name)";
    let before = database.value(schema).await;
    let up = include_str!("../../../../migrations/sqlite/0009_row_numbers/up.sql");
    let refused = database.execute(&format!("PRAGMA foreign_keys = ON; BEGIN; {up}")).await.unwrap_err();
    assert!(refused.contains("foreign_keys_must_be_off"), "{refused}");
    let orphan = "PRAGMA foreign_keys = OFF; INSERT INTO component_reports VALUES (zeroblob(16), '', 'applied', '', 0)";
    database.execute(orphan).await.unwrap();
    let refused = database.storage.migrate().await.unwrap_err();
    let refused = std::error::Error::source(&refused).unwrap().to_string();
    assert!(refused.contains("no_row_refers_to_one_that_is_not_there"), "{refused}");
    assert_eq!(database.value(schema).await, before);
    database.execute("DELETE FROM component_reports").await.unwrap();
    assert_eq!(database.storage.migrate().await.unwrap(), ["0009"]);
    KeyStore::create(&database.storage, component(1, "berlin"), event(Action::ComponentCreate)).await.unwrap();
    KeyStore::delete(&database.storage, id(1), event(Action::ComponentDelete)).await.unwrap();
    assert_eq!(database.count("component_keys").await, 0, "foreign keys are enforced again");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_deletion_left_behind_never_belongs_to_who_comes_next() {
    let database = Database::sqlite().await;
    let first = component(1, "first");
    let digest = first.key.digest;
    KeyStore::create(&database.storage, first, event(Action::ComponentCreate)).await.unwrap();
    database.execute("PRAGMA foreign_keys = OFF; DELETE FROM components").await.unwrap();
    KeyStore::create(&database.storage, component(2, "second"), event(Action::ComponentCreate)).await.unwrap();
    assert_eq!(database.storage.find_key(&digest).await.unwrap(), None);
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
async fn a_role_that_may_only_read_and_write_can_do_so_and_check_the_schema() {
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
    KeyStore::create(&server, component(1, "berlin"), event(Action::ComponentCreate)).await.unwrap();
    AccountStore::create(&server, account(1, "ada"), event(Action::UserCreate)).await.unwrap();
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
    for migration in ["0009_row_numbers", "0008_fleet", "0007_enrollment"] {
        undo(&database, migration).await;
    }
    assert_eq!(database.storage.migrate().await.unwrap(), ["0007", "0008", "0009"]);
    assert_eq!(database.storage.records_after(0, 10).await.unwrap(), before);
    database.storage.append(event(Action::EnrollmentTokenCreate)).await.unwrap();
    verify_chain(&database.storage).await;
    for change in ["UPDATE audit_records SET action = 'x'", "DELETE FROM audit_records"] {
        let refused = database.execute(change).await.unwrap_err();
        assert!(refused.contains("append-only"), "{refused}");
    }
}
