//! The store in memory keeps the contracts that it is there to stand in for.

use std::sync::Arc;

use stratora_auth::testing::{
    MemoryStore, account_store_contract, brake_store_contract, limit_store_contract, session_store_contract,
};

#[tokio::test]
async fn the_store_in_memory_fulfils_every_contract() {
    account_store_contract(Arc::new(MemoryStore::default())).await;
    session_store_contract(Arc::new(MemoryStore::default())).await;
    brake_store_contract(Arc::new(MemoryStore::default())).await;
    limit_store_contract(Arc::new(MemoryStore::default())).await;
}
