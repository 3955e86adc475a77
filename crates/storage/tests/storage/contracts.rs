//! The contracts of all ports, on both databases.

use std::sync::Arc;

use stratora_audit::testing::audit_log_contract;

use crate::support::{Database, on_both_databases};

on_both_databases!(the_audit_log_fulfils_its_contract);

async fn the_audit_log_fulfils_its_contract(database: Database) {
    audit_log_contract(Arc::new(database.storage.clone())).await;
}
