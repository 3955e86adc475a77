//! What the tests of the whole product stand on: its real counterparts, started on free ports and in temporary directories
//! and gone with the test, and clients that say exactly what they are told, well-formed or not.
//!
//! Waiting here is for other processes to be ready; what the tests assert never depends on how long it takes.

mod certificate;
mod client;
mod nginx;
mod ports;
mod postgres;
mod postgres_database;
mod process;
mod programs;
mod proxy;
mod raw;
mod victoria_metrics;

pub use certificate::Certificate;
pub use client::{Answer, Client, Request};
pub use nginx::Nginx;
pub use ports::free_port;
pub use postgres::{Postgres, SharedPostgres};
pub use postgres_database::PostgresDatabase;
pub use process::{Background, until};
pub use proxy::Proxy;
pub use raw::{RawAnswer, raw_tcp, raw_tls};
pub use rustix::process::Signal;
pub use victoria_metrics::VictoriaMetrics;
