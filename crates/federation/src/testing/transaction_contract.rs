//! What every [`TransactionStore`] does.

use std::sync::Arc;

use stratora_audit::Action;

use super::fixtures::{at, digest, event, id, provider, sealed};
use crate::{ProviderStore, StoredTransaction, TransactionStore};

/// Checks `store`, which has to be empty.
///
/// # Panics
/// When the contract is broken.
pub async fn transaction_store_contract<S: ProviderStore + TransactionStore>(store: Arc<S>) {
    store.create(provider(1, "One"), event(Action::ProviderCreate)).await.unwrap();
    a_sign_in_is_taken_once(&*store).await;
    of_many_who_take_it_at_once_one_gets_it(Arc::clone(&store)).await;
    what_is_over_is_forgotten(&*store).await;
    a_sign_in_ends_with_its_provider(&*store).await;
}

fn transaction(state: &str, seconds: u64) -> StoredTransaction {
    StoredTransaction {
        state: digest(state),
        provider: id(1),
        binding: digest("binding"),
        secrets: sealed("nonce"),
        created_at: at(seconds),
    }
}

async fn a_sign_in_is_taken_once<S: TransactionStore>(store: &S) {
    let begun = transaction("one", 5);
    store.begin(begun.clone()).await.unwrap();
    assert!(store.consume(&digest("other")).await.unwrap().is_none());
    let taken = store.consume(&digest("one")).await.unwrap().unwrap();
    assert!(taken.state.matches(&begun.state) && taken.binding.matches(&begun.binding));
    assert_eq!((taken.provider, taken.secrets, taken.created_at), (id(1), begun.secrets, at(5)));
    assert!(store.consume(&digest("one")).await.unwrap().is_none());
}

async fn of_many_who_take_it_at_once_one_gets_it<S: TransactionStore>(store: Arc<S>) {
    store.begin(transaction("wanted", 5)).await.unwrap();
    let takers: Vec<_> = (0..50)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.consume(&digest("wanted")).await.unwrap().is_some() })
        })
        .collect();
    let mut taken = 0;
    for taker in takers {
        taken += usize::from(taker.await.unwrap());
    }
    assert_eq!(taken, 1);
}

async fn what_is_over_is_forgotten<S: TransactionStore>(store: &S) {
    store.begin(transaction("old", 10)).await.unwrap();
    store.begin(transaction("new", 20)).await.unwrap();
    assert_eq!(store.purge(at(20)).await.unwrap(), 1);
    assert!(store.consume(&digest("old")).await.unwrap().is_none());
    assert!(store.consume(&digest("new")).await.unwrap().is_some());
}

async fn a_sign_in_ends_with_its_provider<S: ProviderStore + TransactionStore>(store: &S) {
    store.begin(transaction("left", 30)).await.unwrap();
    store.delete(id(1), event(Action::ProviderDelete)).await.unwrap();
    assert!(store.consume(&digest("left")).await.unwrap().is_none());
}
