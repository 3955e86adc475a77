//! The storage on real databases. PostgreSQL is needed for half of the tests.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests end where they fail")]

mod audit_trail;
mod companions;
mod contracts;
mod faults;
mod outages;
mod races;
mod replicas;
mod schema;
mod support;
