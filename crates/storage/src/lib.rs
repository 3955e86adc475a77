//! Every port of the workspace on PostgreSQL and SQLite: the only crate that knows diesel. Each statement is written once
//! for both; races are decided by conditional updates, row locks and unique indexes, never by a check before a write.

mod accounts;
mod attempts;
mod audit;
mod brakes;
mod changes;
mod clock;
mod companions;
mod components;
mod configs;
mod enrollment;
mod enrollment_rows;
mod failure;
mod fleet_rotations;
mod identities;
mod issued;
mod keys;
mod limits;
mod loan;
mod membership;
mod migrations;
mod oidc_transactions;
mod pool;
mod prepared;
mod providers;
mod replicas;
mod schema;
mod sessions;
mod sql_types;
mod storage;
mod text;
mod transaction;
mod url;

pub use companions::JoinError;
pub use membership::Membership;
pub use migrations::{MigrateError, SchemaError};
pub use pool::Options;

pub use storage::{ConnectError, Storage};
pub use url::{DatabaseUrl, RefusedUrl};
