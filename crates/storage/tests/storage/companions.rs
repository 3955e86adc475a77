//! Processes on one SQLite file: one server, and commands that tell it what they change.

use std::fs::File;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use stratora_audit::Action;
use stratora_cache::Subject;
use stratora_keys::{ComponentId, KeyStore as _, MissingComponent};
use stratora_storage::{JoinError, MigrateError, Storage};
use tempfile::TempDir;
use uuid::Uuid;

use crate::support::fixtures::{at, component, event, id, tag_of};
use crate::support::{connect, until};

const SUBJECT: Subject = Subject::Component(Uuid::from_u128(1));

/// A file with a component, and the storage that made it.
async fn with_component() -> (TempDir, PathBuf, Storage) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("stratora.db");
    let storage = another(&file).await;
    storage.migrate().await.unwrap();
    storage.create(component(1, "one"), event(Action::ComponentCreate)).await.unwrap();
    (directory, file, storage)
}

/// As another process sees the file.
async fn another(file: &Path) -> Storage {
    connect(&format!("sqlite:{}", file.display())).await
}

async fn revoke(storage: &Storage) -> Result<(), MissingComponent> {
    storage.revoke(id::<ComponentId>(1), at(1), event(Action::ComponentRevoke)).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_has_one_server() {
    let (_directory, file, server) = with_component().await;
    let membership = server.join().await.unwrap();
    let refused = another(&file).await.join().await;
    assert!(matches!(refused, Err(JoinError::Occupied { .. })));
    membership.leave().await;
    another(&file).await.join().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_migrates_under_a_server() {
    let (_directory, file, server) = with_component().await;
    let membership = server.join().await.unwrap();
    another(&file).await.migrate().await.unwrap();
    let forget = "DELETE FROM __diesel_schema_migrations WHERE version = '0009'";
    SqliteConnection::establish(file.to_str().unwrap()).unwrap().batch_execute(forget).unwrap();
    let refused = another(&file).await.migrate().await;
    assert!(matches!(refused, Err(MigrateError::Occupied(JoinError::Occupied { .. }))), "{refused:?}");
    membership.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_tells_the_server_what_it_changes_before_it_is_done() {
    let (_directory, file, server) = with_component().await;
    let _membership = server.join().await.unwrap();
    let command = another(&file).await;
    command.visit().await.unwrap();
    let coherence = server.coherence();
    let read = coherence.as_of_now();
    revoke(&command).await.unwrap();
    assert!(!coherence.is_unchanged(SUBJECT, read));
    assert!(coherence.is_unchanged(SUBJECT, coherence.as_of_now()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_tells_the_server_which_key_it_issues() {
    let (_directory, file, server) = with_component().await;
    let _membership = server.join().await.unwrap();
    let coherence = server.coherence();
    until(|| coherence.issued().is_complete()).await;
    let new = component(2, "two");
    let tag = tag_of(&new);
    assert!(coherence.surely_lacks(tag));
    let command = another(&file).await;
    command.visit().await.unwrap();
    command.create(new, event(Action::ComponentCreate)).await.unwrap();
    assert!(!coherence.surely_lacks(tag));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_server_starts_beside_a_command_that_knows_of_none() {
    let (_directory, file, command) = with_component().await;
    command.visit().await.unwrap();
    let starting = tokio::spawn({
        let server = another(&file).await;
        async move { server.join().await.map(drop) }
    });
    revoke(&command).await.unwrap();
    assert!(!starting.is_finished());
    drop(command);
    starting.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_has_ended_has_nothing_to_hear() {
    let (_directory, file, server) = with_component().await;
    let membership = server.join().await.unwrap();
    let command = another(&file).await;
    command.visit().await.unwrap();
    membership.leave().await;
    revoke(&command).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_up_without_having_heard_is_no_success() {
    let (_directory, file, command) = with_component().await;
    let lock = File::create(file.with_extension("db.lock")).unwrap();
    lock.lock().unwrap();
    let socket = UnixListener::bind(file.with_extension("db.sock")).unwrap();
    command.visit().await.unwrap();
    drop(socket);
    let refused = revoke(&command).await;
    assert!(matches!(refused, Err(MissingComponent::Store(_))), "the server lives, and may remember");
}
