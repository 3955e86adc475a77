//! The contracts of all ports, on both databases.

use std::sync::Arc;

use stratora_audit::testing::audit_log_contract;
use stratora_auth::testing::{
    account_store_contract, brake_store_contract, limit_store_contract, session_store_contract,
};
use stratora_federation::testing::{
    attempt_store_contract, identity_store_contract, provider_store_contract, transaction_store_contract,
};
use stratora_keys::testing::{
    config_store_contract, enrollment_store_contract, fleet_rotation_store_contract, key_store_contract,
};

use crate::support::{Database, on_both_databases};

on_both_databases!(
    the_audit_log_fulfils_its_contract,
    the_account_store_fulfils_its_contract,
    the_session_store_fulfils_its_contract,
    the_brake_store_fulfils_its_contract,
    the_limit_store_fulfils_its_contract,
    the_key_store_fulfils_its_contract,
    the_configuration_store_fulfils_its_contract,
    the_enrollment_store_fulfils_its_contract,
    the_store_of_rotations_of_the_fleet_fulfils_its_contract,
    the_provider_store_fulfils_its_contract,
    the_transaction_store_fulfils_its_contract,
    the_identity_store_fulfils_its_contract,
    the_attempt_store_fulfils_its_contract,
);

async fn the_audit_log_fulfils_its_contract(database: Database) {
    audit_log_contract(Arc::new(database.storage.clone())).await;
}

async fn the_account_store_fulfils_its_contract(database: Database) {
    account_store_contract(Arc::new(database.storage.clone())).await;
}

async fn the_session_store_fulfils_its_contract(database: Database) {
    session_store_contract(Arc::new(database.storage.clone())).await;
}

async fn the_brake_store_fulfils_its_contract(database: Database) {
    brake_store_contract(Arc::new(database.storage.clone())).await;
}

async fn the_limit_store_fulfils_its_contract(database: Database) {
    limit_store_contract(Arc::new(database.storage.clone())).await;
}

async fn the_key_store_fulfils_its_contract(database: Database) {
    key_store_contract(Arc::new(database.storage.clone())).await;
}

async fn the_configuration_store_fulfils_its_contract(database: Database) {
    config_store_contract(Arc::new(database.storage.clone())).await;
}

async fn the_enrollment_store_fulfils_its_contract(database: Database) {
    enrollment_store_contract(Arc::new(database.storage.clone())).await;
}

async fn the_store_of_rotations_of_the_fleet_fulfils_its_contract(database: Database) {
    fleet_rotation_store_contract(Arc::new(database.storage.clone())).await;
}

async fn the_provider_store_fulfils_its_contract(database: Database) {
    provider_store_contract(Arc::new(database.storage.clone())).await;
}

async fn the_transaction_store_fulfils_its_contract(database: Database) {
    transaction_store_contract(Arc::new(database.storage.clone())).await;
}

async fn the_attempt_store_fulfils_its_contract(database: Database) {
    attempt_store_contract(Arc::new(database.storage.clone())).await;
}

async fn the_identity_store_fulfils_its_contract(database: Database) {
    let store = Arc::new(database.storage.clone());
    identity_store_contract(Arc::clone(&store), store).await;
}
