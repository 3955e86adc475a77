//! The agent as it runs, against a server that keeps the rules of the real one and misbehaves when it is told to.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails says so by a panic"
)]

mod book;
mod configuration;
mod disk;
mod enrollment;
mod first_key;
mod http;
mod installation;
mod kills;
mod long_outage;
mod metrics;
mod namespace;
mod refusals;
mod rotation;
mod server;
mod settings;
mod signals;
mod status;
mod tls;
mod unwritable;
