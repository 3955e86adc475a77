//! What every [`BrakeStore`] does.

use std::sync::Arc;
use std::time::Duration;

use super::fixtures::{at, id, stranger, username};
use crate::{Admission, BrakeStore, BrakeSubject};

/// Checks `store`, which has to be empty.
pub async fn brake_store_contract<S: BrakeStore>(store: Arc<S>) {
    attempts_side_by_side_are_all_counted(Arc::clone(&store)).await;
    a_device_has_its_own_counter(&*store).await;
    clearing_forgets_every_counter_of_a_name(&*store).await;
    small_counters_are_purged_and_large_ones_stay(&*store).await;
}

async fn fail<S: BrakeStore>(store: &S, subject: &BrakeSubject, times: usize, seconds: u64) {
    for _ in 0..times {
        assert_eq!(store.attempt(subject, at(seconds)).await.unwrap(), Admission::Admitted);
    }
}

async fn attempts_side_by_side_are_all_counted<S: BrakeStore>(store: Arc<S>) {
    let attempts: Vec<_> = (0..100)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.attempt(&stranger("many"), at(0)).await.unwrap() })
        })
        .collect();
    let mut admitted = 0;
    for attempt in attempts {
        admitted += usize::from(attempt.await.unwrap() == Admission::Admitted);
    }
    assert_eq!(admitted, 21, "20 failures are free, and the attempt after them is made before its failure is known");
    let throttled = store.attempt(&stranger("many"), at(0)).await.unwrap();
    assert_eq!(throttled, Admission::Throttled { retry_after: Some(Duration::from_secs(1)) });
    fail(&*store, &stranger("many"), 1, 1).await;
}

async fn a_device_has_its_own_counter<S: BrakeStore>(store: &S) {
    fail(store, &stranger("owner"), 21, 0).await;
    let known = BrakeSubject { device: Some(id(1)), ..stranger("owner") };
    fail(store, &known, 21, 0).await;
    assert_ne!(store.attempt(&known, at(0)).await.unwrap(), Admission::Admitted);
    fail(store, &BrakeSubject { device: Some(id(2)), ..stranger("owner") }, 1, 0).await;
    fail(store, &stranger("another"), 1, 0).await;
}

async fn clearing_forgets_every_counter_of_a_name<S: BrakeStore>(store: &S) {
    let known = BrakeSubject { device: Some(id(1)), ..stranger("cleared") };
    for subject in [&stranger("cleared"), &known] {
        fail(store, subject, 21, 0).await;
    }
    fail(store, &stranger("uncleared"), 21, 0).await;
    store.clear(&username("cleared")).await.unwrap();
    for subject in [&stranger("cleared"), &known] {
        fail(store, subject, 21, 0).await;
    }
    assert_ne!(store.attempt(&stranger("uncleared"), at(0)).await.unwrap(), Admission::Admitted);
}

async fn small_counters_are_purged_and_large_ones_stay<S: BrakeStore>(store: &S) {
    store.purge(at(1_000_000)).await.unwrap();
    fail(store, &stranger("few"), 20, 100).await;
    fail(store, &stranger("recent"), 20, 300).await;
    fail(store, &stranger("lots"), 21, 100).await;
    assert_eq!(store.purge(at(200)).await.unwrap(), 1);
    fail(store, &stranger("few"), 21, 300).await;
    fail(store, &stranger("recent"), 1, 300).await;
    assert_ne!(store.attempt(&stranger("recent"), at(300)).await.unwrap(), Admission::Admitted);
    assert_ne!(store.attempt(&stranger("lots"), at(100)).await.unwrap(), Admission::Admitted);
}
