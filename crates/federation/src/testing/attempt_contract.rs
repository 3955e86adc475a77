//! What every [`AttemptStore`] does.

use std::sync::Arc;

use stratora_audit::Action;
use stratora_port::{Limit, PageRequest};

use super::fixtures::{at, attempt, event, id, reference};
use crate::{Attempt, AttemptFilter, AttemptStore, Reference};

/// Checks `store`, which has to be empty.
///
/// # Panics
/// When the contract is broken.
pub async fn attempt_store_contract<S: AttemptStore>(store: Arc<S>) {
    let other = Attempt { provider: None, ..attempt(3, 20) };
    for attempt in [attempt(1, 10), attempt(2, 20), other.clone(), attempt(4, 30)] {
        store.record(attempt, event(Action::SignIn)).await.unwrap();
    }
    attempts_come_page_by_page_the_newest_first(&*store).await;
    let found = |filter: AttemptFilter| {
        let store = Arc::clone(&store);
        async move { store.attempts(&filter, &PageRequest::default()).await.unwrap().items }
    };
    let by_reference = AttemptFilter { reference: Some(reference(3)), ..AttemptFilter::default() };
    assert_eq!(found(by_reference).await, [other]);
    let by_provider = AttemptFilter { provider: Some(id(1)), ..AttemptFilter::default() };
    assert_eq!(found(by_provider).await, [attempt(4, 30), attempt(2, 20), attempt(1, 10)]);
    assert_eq!(store.purge_attempts(at(20)).await.unwrap(), 1);
    assert_eq!(found(AttemptFilter::default()).await.len(), 3);
    store.note(event(Action::ProviderTest)).await.unwrap();
}

async fn attempts_come_page_by_page_the_newest_first<S: AttemptStore>(store: &S) {
    let mut page = PageRequest { limit: Limit::new(2).unwrap(), after: None };
    let mut seen: Vec<Reference> = Vec::new();
    loop {
        let found = store.attempts(&AttemptFilter::default(), &page).await.unwrap();
        assert_eq!(found.total, 4);
        seen.extend(found.items.into_iter().map(|attempt| attempt.reference));
        match found.next {
            Some(next) => page.after = Some(next),
            None => break,
        }
    }
    assert_eq!(seen, [4, 3, 2, 1].map(reference), "those of one moment in a fixed order");
}
