//! What every [`LimitStore`] does.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::fixtures::at;
use crate::{Bucket, ClientKey, Decision, LimitStore, Quota, quotas};

/// Checks `store`, which has to be empty.
pub async fn limit_store_contract<S: LimitStore>(store: Arc<S>) {
    requests_side_by_side_never_exceed_the_quota(Arc::clone(&store)).await;
    buckets_are_counted_apart(&*store).await;
    a_refusal_tells_the_time_and_changes_nothing(&*store).await;
    a_time_in_the_future_blocks_for_one_window(&*store).await;
    windows_that_are_over_are_purged(&*store).await;
}

fn bucket(quota: &'static Quota, last: u8) -> Bucket {
    Bucket { quota, client: ClientKey::from(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))) }
}

fn is_admitted(decision: Decision) -> bool {
    matches!(decision, Decision::Admitted { .. })
}

async fn fill<S: LimitStore>(store: &S, bucket: &Bucket, seconds: u64) {
    for _ in 0..bucket.quota.requests {
        assert!(is_admitted(store.admit(bucket, at(seconds)).await.unwrap()));
    }
}

async fn requests_side_by_side_never_exceed_the_quota<S: LimitStore>(store: Arc<S>) {
    let requests: Vec<_> = (0..100)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.admit(&bucket(&quotas::LOGIN, 1), at(0)).await.unwrap() })
        })
        .collect();
    let mut admitted = 0;
    for request in requests {
        admitted += usize::from(is_admitted(request.await.unwrap()));
    }
    assert_eq!(admitted, 5);
}

async fn buckets_are_counted_apart<S: LimitStore>(store: &S) {
    fill(store, &bucket(&quotas::LOGIN, 2), 0).await;
    assert!(is_admitted(store.admit(&bucket(&quotas::LOGIN, 3), at(0)).await.unwrap()), "another client");
    assert!(is_admitted(store.admit(&bucket(&quotas::SSO, 2), at(0)).await.unwrap()), "another quota");
    let component =
        |number| Bucket { quota: &quotas::OWN_ROTATION, client: ClientKey::of_component(Uuid::from_u128(number)) };
    fill(store, &component(1), 0).await;
    assert!(!is_admitted(store.admit(&component(1), at(59)).await.unwrap()));
    assert!(is_admitted(store.admit(&component(2), at(59)).await.unwrap()), "another component");
    assert!(is_admitted(store.admit(&component(1), at(60)).await.unwrap()));
}

async fn a_refusal_tells_the_time_and_changes_nothing<S: LimitStore>(store: &S) {
    let bucket = bucket(&quotas::LOGIN, 4);
    fill(store, &bucket, 0).await;
    for seconds in [10, 100, 299] {
        let refused = store.admit(&bucket, at(seconds)).await.unwrap();
        assert_eq!(refused, Decision::Refused { retry_after: Duration::from_secs(300 - seconds) });
    }
    let admitted = store.admit(&bucket, at(300)).await.unwrap();
    assert_eq!(admitted, Decision::Admitted { remaining: 4, resets_in: Duration::from_mins(5) });
}

async fn a_time_in_the_future_blocks_for_one_window<S: LimitStore>(store: &S) {
    let bucket = bucket(&quotas::LOGIN, 5);
    fill(store, &bucket, 10_000).await;
    let refused = store.admit(&bucket, at(0)).await.unwrap();
    assert_eq!(refused, Decision::Refused { retry_after: Duration::from_mins(5) });
    let refused = store.admit(&bucket, at(100)).await.unwrap();
    assert_eq!(refused, Decision::Refused { retry_after: Duration::from_secs(200) }, "the correction was stored");
    assert!(is_admitted(store.admit(&bucket, at(300)).await.unwrap()));
}

async fn windows_that_are_over_are_purged<S: LimitStore>(store: &S) {
    store.purge(at(1_000_000)).await.unwrap();
    fill(store, &bucket(&quotas::LOGIN, 6), 0).await;
    fill(store, &bucket(&quotas::LOGIN, 7), 100).await;
    assert_eq!(store.purge(at(50)).await.unwrap(), 1);
    assert!(is_admitted(store.admit(&bucket(&quotas::LOGIN, 6), at(100)).await.unwrap()));
    assert!(!is_admitted(store.admit(&bucket(&quotas::LOGIN, 7), at(100)).await.unwrap()));
}
