//! The whole product: the server as it is started by a user, NGINX in front, VictoriaMetrics behind, on both databases.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that fails says so by a panic"
)]

mod agent;
mod authorization;
mod bad_input;
mod commands;
mod console;
mod directory;
mod enrollment;
mod faults;
mod figures;
mod fleet;
mod headers;
mod hostile_provider;
mod identity_providers;
mod limits;
mod main_job;
mod oidc;
mod real_writers;
mod rolling;
mod support;
mod tour;
mod writers;
