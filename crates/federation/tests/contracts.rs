//! The store in memory keeps the contracts that it is there to stand in for.

use std::sync::Arc;

use stratora_federation::testing::{
    MemoryFederation, attempt_store_contract, identity_store_contract, provider_store_contract,
    transaction_store_contract,
};

#[tokio::test]
async fn the_store_in_memory_fulfils_every_contract() {
    provider_store_contract(Arc::new(MemoryFederation::default())).await;
    transaction_store_contract(Arc::new(MemoryFederation::default())).await;
    attempt_store_contract(Arc::new(MemoryFederation::default())).await;
    let store = Arc::new(MemoryFederation::default());
    identity_store_contract(Arc::clone(&store.accounts), store).await;
}
