//! The log cannot be changed, and nothing happens without it.

use crate::support::fixtures::{account, event, username};
use crate::support::{Database, on_both_databases};
use stratora_audit::{Action, AuditLog as _, Head, Verifier};
use stratora_auth::{AccountStore as _, CreateAccountError};

on_both_databases!(
    records_can_be_neither_changed_nor_removed,
    an_action_whose_entry_cannot_be_written_does_not_happen,
    the_chain_holds_after_many_writers_at_once,
);

async fn records_can_be_neither_changed_nor_removed(database: Database) {
    for _ in 0..3 {
        database.storage.append(event(Action::SignIn)).await.unwrap();
    }
    let before = database.snapshot().await;
    let mut attempts = vec![
        "UPDATE audit_records SET outcome = 'failure'",
        "UPDATE audit_records SET hash = hash WHERE seq = 2",
        "DELETE FROM audit_records WHERE seq = 3",
        "DELETE FROM audit_records",
        "DELETE FROM audit_head",
    ];
    if database.is_postgres() {
        attempts.extend(["TRUNCATE audit_records", "TRUNCATE audit_head"]);
    } else {
        attempts.push("INSERT OR REPLACE INTO audit_records SELECT * FROM audit_records WHERE seq = 1");
    }
    for attempt in attempts {
        let refused = database.execute(attempt).await.unwrap_err();
        assert!(refused.contains("append-only"), "{attempt}: {refused}");
    }
    assert_eq!(database.snapshot().await, before);
}

async fn an_action_whose_entry_cannot_be_written_does_not_happen(database: Database) {
    database.execute("ALTER TABLE audit_records RENAME TO away").await.unwrap();
    let refused = database.storage.create(account(1, "ada"), event(Action::UserCreate)).await;
    assert!(matches!(refused, Err(CreateAccountError::Store(_))), "{refused:?}");
    database.execute("ALTER TABLE away RENAME TO audit_records").await.unwrap();
    assert!(database.storage.find_by_username(&username("ada")).await.unwrap().is_none());
    assert_eq!(database.storage.head().await.unwrap(), Head::EMPTY);
    database.storage.create(account(1, "ada"), event(Action::UserCreate)).await.unwrap();
    assert_eq!(database.storage.head().await.unwrap().seq, 1);
}

async fn the_chain_holds_after_many_writers_at_once(database: Database) {
    let writers: Vec<_> = (0..50_u32)
        .map(|number| {
            let storage = database.storage.clone();
            tokio::spawn(async move { storage.append(event(Action::SignIn).with("n", number.to_string())).await })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    let records = database.storage.records_after(0, 1000).await.unwrap();
    let mut verifier = Verifier::from(Head::EMPTY);
    for record in &records {
        verifier.next(record).unwrap();
    }
    assert_eq!(verifier.finish(database.storage.head().await.unwrap()), Ok(50));
}
