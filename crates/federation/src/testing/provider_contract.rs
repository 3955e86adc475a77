//! What every [`ProviderStore`] does.

use std::sync::Arc;

use stratora_audit::Action;

use super::fixtures::{event, id, provider, sealed};
use crate::{ChangeProviderError, Provider, ProviderName, ProviderStore};

/// Checks `store`, which has to be empty.
pub async fn provider_store_contract<S: ProviderStore>(store: Arc<S>) {
    providers_read_back_in_the_order_of_their_names(&*store).await;
    a_name_is_given_once(&*store).await;
    a_change_counts_only_where_nobody_else_made_one(&*store).await;
    a_secret_is_sealed_anew_only_where_it_is_still_the_same(&*store).await;
    what_is_deleted_is_gone(&*store).await;
}

async fn create<S: ProviderStore>(store: &S, provider: &Provider) -> Result<(), ChangeProviderError> {
    store.create(provider.clone(), event(Action::ProviderCreate)).await
}

async fn replace<S: ProviderStore>(store: &S, before: &Provider, after: &Provider) -> Result<(), ChangeProviderError> {
    store.replace(before, after.clone(), event(Action::ProviderUpdate)).await
}

async fn providers_read_back_in_the_order_of_their_names<S: ProviderStore>(store: &S) {
    assert!(store.all().await.unwrap().is_empty());
    let (one, two) = (provider(1, "One"), provider(2, "Another"));
    create(store, &one).await.unwrap();
    create(store, &two).await.unwrap();
    assert_eq!(store.all().await.unwrap(), [two, one.clone()]);
    assert_eq!(store.find(id(1)).await.unwrap(), Some(one));
    assert_eq!(store.find(id(9)).await.unwrap(), None);
}

async fn a_name_is_given_once<S: ProviderStore>(store: &S) {
    let taken = create(store, &provider(3, "One")).await;
    assert!(matches!(taken, Err(ChangeProviderError::NameTaken)));
    let two = store.find(id(2)).await.unwrap().unwrap();
    let renamed = Provider { name: ProviderName::parse("One").unwrap(), ..two.clone() };
    assert!(matches!(replace(store, &two, &renamed).await, Err(ChangeProviderError::NameTaken)));
    assert_eq!(store.find(id(2)).await.unwrap(), Some(two));
}

async fn a_change_counts_only_where_nobody_else_made_one<S: ProviderStore>(store: &S) {
    let before = store.find(id(1)).await.unwrap().unwrap();
    let off = Provider { enabled: false, ..before.clone() };
    replace(store, &before, &off).await.unwrap();
    let late = Provider { secret: None, ..before.clone() };
    assert!(matches!(replace(store, &before, &late).await, Err(ChangeProviderError::Changed)));
    assert_eq!(store.find(id(1)).await.unwrap(), Some(off.clone()));
    replace(store, &off, &before).await.unwrap();
    let missing = provider(9, "Nine");
    assert!(matches!(replace(store, &missing, &missing).await, Err(ChangeProviderError::Missing)));
}

async fn a_secret_is_sealed_anew_only_where_it_is_still_the_same<S: ProviderStore>(store: &S) {
    let before = store.find(id(1)).await.unwrap().unwrap().secret.unwrap();
    let (after, other) = (sealed("secret"), sealed("other"));
    assert!(store.reseal(id(1), &before, &after, event(Action::ProviderUpdate)).await.unwrap());
    assert!(!store.reseal(id(1), &before, &other, event(Action::ProviderUpdate)).await.unwrap());
    assert!(!store.reseal(id(9), &before, &other, event(Action::ProviderUpdate)).await.unwrap());
    assert_eq!(store.find(id(1)).await.unwrap().unwrap().secret, Some(after));
}

async fn what_is_deleted_is_gone<S: ProviderStore>(store: &S) {
    store.delete(id(1), event(Action::ProviderDelete)).await.unwrap();
    assert_eq!(store.find(id(1)).await.unwrap(), None);
    let again = store.delete(id(1), event(Action::ProviderDelete)).await;
    assert!(matches!(again, Err(ChangeProviderError::Missing)));
}
