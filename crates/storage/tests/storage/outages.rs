//! A database that is away closes the door within the time promised, and opens it again when it is back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use diesel::{Connection as _, SqliteConnection, connection::SimpleConnection as _};
use stratora_audit::{Action, AuditLog, Filter};
use stratora_auth::{AccountStore as _, CreateAccountError, MissingAccount};
use stratora_port::{PageRequest, StoreError};
use stratora_storage::{DatabaseUrl, Options, Storage};
use stratora_testing::Proxy;
use tokio::runtime::Handle;

use crate::support::fixtures::{account, event, id, username};
use crate::support::{Database, connect, empty_postgres};

/// What is promised, and a moment for a busy machine.
const BOUND: Duration = Duration::from_millis(5_500);

async fn migrated_behind_proxy() -> (Storage, Proxy, String) {
    let direct = empty_postgres().url();
    let proxy = Proxy::before(&direct).await.unwrap();
    let storage = connect(&proxy.url(&direct)).await;
    storage.migrate().await.unwrap();
    (storage, proxy, direct)
}

/// Several calls at once, so that the pool holds several connections.
async fn open_connections(storage: &Storage) {
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let storage = storage.clone();
            tokio::spawn(async move { storage.ping().await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
}

#[expect(clippy::disallowed_methods, reason = "the bound is one of real time")]
fn now() -> Instant {
    Instant::now()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_hangs_is_unavailable_within_the_bound_and_recovers() {
    let (storage, proxy, direct) = migrated_behind_proxy().await;
    proxy.hang();
    let started = now();
    // More callers than connections: those that wait for one are answered in time as well.
    let waiting: Vec<_> = (1..=30)
        .map(|number| {
            let storage = storage.clone();
            tokio::spawn(async move {
                let name = format!("user{number}");
                let written = storage.create(account(number, &name), event(Action::UserCreate)).await;
                let read = storage.find(id(number)).await;
                (written, read)
            })
        })
        .collect();
    for caller in waiting {
        let (written, read) = caller.await.unwrap();
        assert!(matches!(written, Err(CreateAccountError::Store(StoreError::Unavailable(_)))), "{written:?}");
        assert!(matches!(read, Err(StoreError::Unavailable(_))), "{read:?}");
    }
    assert!(started.elapsed() < 2 * BOUND, "{:?}", started.elapsed());
    proxy.open();
    storage.create(account(100, "ada"), event(Action::UserCreate)).await.unwrap();
    let beside = connect(&direct).await;
    assert_eq!(beside.head().await.unwrap().seq, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_of_postgres_the_first_call_succeeds() {
    let (storage, proxy, _) = migrated_behind_proxy().await;
    open_connections(&storage).await;
    proxy.cut();
    assert!(matches!(storage.ping().await, Err(StoreError::Unavailable(_))));
    let refused = storage.create(account(1, "ada"), event(Action::UserCreate)).await;
    assert!(matches!(refused, Err(CreateAccountError::Store(StoreError::Unavailable(_)))), "{refused:?}");
    proxy.open();
    storage.create(account(1, "ada"), event(Action::UserCreate)).await.unwrap();
    assert_eq!(storage.head().await.unwrap().seq, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_died_unnoticed_cost_no_call() {
    let (storage, proxy, _) = migrated_behind_proxy().await;
    open_connections(&storage).await;
    proxy.cut();
    tokio::task::yield_now().await;
    proxy.open();
    storage.create(account(1, "ada"), event(Action::UserCreate)).await.unwrap();
    assert_eq!(storage.head().await.unwrap().seq, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_postgres_has_ended_cost_no_call() {
    let database = empty_postgres();
    let storage = connect(&database.url()).await;
    storage.migrate().await.unwrap();
    open_connections(&storage).await;
    database.shut_out().unwrap();
    assert!(matches!(storage.ping().await, Err(StoreError::Unavailable(_))));
    database.let_in().unwrap();
    open_connections(&storage).await;
    database.shut_out().unwrap();
    database.let_in().unwrap();
    storage.create(account(1, "ada"), event(Action::UserCreate)).await.unwrap();
    assert_eq!(storage.head().await.unwrap().seq, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_is_not_there_is_no_connection() {
    let url = DatabaseUrl::parse("postgres://stratora:secret@127.0.0.1:1/stratora").unwrap();
    let refused = Storage::connect(&url, Options::default(), Handle::current()).await.unwrap_err();
    assert!(!format!("{refused:?} {refused}").contains("secret"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_goes_away_cancels_nothing() {
    let database = Database::sqlite().await;
    let storage = database.storage.clone();
    let caller = tokio::spawn(async move { storage.create(account(1, "ada"), event(Action::UserCreate)).await });
    tokio::task::yield_now().await;
    caller.abort();
    let left = caller.await;
    // The next writer queues behind what was left running.
    database.storage.append(event(Action::SignIn)).await.unwrap();
    let found = database.storage.find_by_username(&username("ada")).await.unwrap();
    let entries = database.storage.head().await.unwrap().seq;
    assert_eq!(found.is_some(), entries == 2, "{left:?}");
    assert!(matches!(database.storage.delete(id(2), event(Action::UserDelete)).await, Err(MissingAccount::Missing)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_sqlite_file_that_another_process_keeps_locked_is_unavailable_within_the_bound() {
    let database = Database::sqlite().await;
    let mut other = SqliteConnection::establish(database.url.strip_prefix("sqlite:").unwrap()).unwrap();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    let started = now();
    let waiting: Vec<_> = (1..=3)
        .map(|number| {
            let storage = database.storage.clone();
            tokio::spawn(async move { storage.create(account(number, "ada"), event(Action::UserCreate)).await })
        })
        .collect();
    // Readers do not mind.
    assert!(database.storage.is_empty().await.unwrap());
    for caller in waiting {
        let refused = caller.await.unwrap();
        assert!(matches!(refused, Err(CreateAccountError::Store(StoreError::Unavailable(_)))), "{refused:?}");
    }
    assert!(started.elapsed() < BOUND, "{:?}", started.elapsed());
    other.batch_execute("ROLLBACK").unwrap();
    database.storage.create(account(1, "ada"), event(Action::UserCreate)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_sqlite_file_that_another_process_makes_smaller_is_still_read() {
    let database = Database::sqlite().await;
    let path = database.url.strip_prefix("sqlite:").unwrap();
    let mut other = SqliteConnection::establish(path).unwrap();
    let made = "CREATE TABLE filler (content BLOB); INSERT INTO filler VALUES (zeroblob(8000000)); PRAGMA wal_checkpoint(TRUNCATE)";
    other.batch_execute(made).unwrap();
    database.storage.create(account(1, "ada"), event(Action::UserCreate)).await.unwrap();
    assert!(!database.storage.is_empty().await.unwrap());
    let is_mapped = || std::fs::read_to_string("/proc/self/maps").unwrap().lines().any(|line| line.ends_with(path));
    assert!(is_mapped(), "readers map {path}");
    let before = std::fs::metadata(path).unwrap().len();
    other.batch_execute("DROP TABLE filler; VACUUM; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let after = std::fs::metadata(path).unwrap().len();
    assert!(after < before - 7_000_000, "{before} {after}");
    for _ in 0..16 {
        assert!(database.storage.find_by_username(&username("ada")).await.unwrap().is_some());
    }
    database.storage.create(account(2, "grace"), event(Action::UserCreate)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobodys_search_of_an_sqlite_file_holds_up_who_signs_in() {
    const SEARCHES: usize = 40;
    let database = Database::sqlite().await;
    database.storage.create(account(1, "ada"), event(Action::UserCreate)).await.unwrap();
    let mut other = SqliteConnection::establish(database.url.strip_prefix("sqlite:").unwrap()).unwrap();
    other
        .batch_execute(
            "WITH RECURSIVE numbers (n) AS (SELECT 10 UNION ALL SELECT n + 1 FROM numbers WHERE n < 50000) \
             INSERT INTO audit_records (seq, at, day, actor_kind, actor_name, action, outcome, details, search_text, hash) \
             SELECT n, 0, 0, 'system', '', 'session.sign_in', 'success', '{}', hex(zeroblob(200)), zeroblob(32) FROM numbers",
        )
        .unwrap();
    let ended = Arc::new(AtomicUsize::new(0));
    let searches: Vec<_> = (0..SEARCHES)
        .map(|_| {
            let (storage, ended) = (database.storage.clone(), Arc::clone(&ended));
            tokio::spawn(async move {
                let filter = Filter { text: Some("nowhere".to_owned()), ..Filter::default() };
                let _ = AuditLog::page(&storage, &filter, &PageRequest::default()).await;
                ended.fetch_add(1, Ordering::Relaxed);
            })
        })
        .collect();
    while ended.load(Ordering::Relaxed) == 0 {
        tokio::task::yield_now().await;
    }
    assert!(database.storage.find_by_username(&username("ada")).await.unwrap().is_some());
    let before = ended.load(Ordering::Relaxed);
    assert!(before < SEARCHES / 2, "the lookup waited for {before} searches");
    for search in searches {
        search.await.unwrap();
    }
}
