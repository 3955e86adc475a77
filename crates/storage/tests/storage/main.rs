//! The storage on real databases. PostgreSQL is needed for half of the tests.

mod audit_trail;
mod faults;
mod outages;
mod races;
mod schema;
mod support;
